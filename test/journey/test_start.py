# SPDX-License-Identifier: Apache-2.0
"""A start that cannot be stops with the name, the value and what would be valid."""

import os
import pathlib
import signal
import socket
import sqlite3
import subprocess
import tempfile
import unittest

from millrace import Database, Server, binary, environment, main, run_command, wait_until


class Start(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="millrace-start-")
        self.addCleanup(self.folder.cleanup)
        self.data = pathlib.Path(self.folder.name) / "data"

    def refuse(self, *options, words=(), config=None, **variables):
        arguments = ["serve", "--data-dir", str(self.data), "--ops-port", "0", *options]
        if "--port" not in options:
            arguments += ["--port", "0"]
        file = pathlib.Path(self.folder.name) / "millrace.yaml"
        file.unlink(missing_ok=True)  # that of a call before would be found in the working folder
        if config is not None:
            file.write_text(config)
            arguments += ["--config", str(file)]
        result = run_command(*arguments, env=environment(**variables), cwd=self.folder.name)
        said = result.stdout + result.stderr
        self.assertNotEqual(result.returncode, 0, said)
        self.assertLess(result.returncode, 3, said)
        for word in words:
            self.assertIn(word, said)
        return said

    def test_a_taken_port(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            self.refuse("--port", port, words=(port, "127.0.0.1"))

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_a_folder_that_cannot_be_written(self):
        self.data.mkdir()
        self.data.chmod(0o500)
        self.refuse(words=(str(self.data),))

    def test_a_data_folder_that_is_a_file(self):
        self.data.write_text("")
        self.refuse(words=(str(self.data),))

    def test_an_unknown_key_names_the_nearest(self):
        self.refuse(config="http:\n  idle_timout: 5s\n", words=("idle_timout", "http.idle_timeout"))
        self.refuse(MILLRACE_HTTP_IDLE_TIMOUT="5s", words=("MILLRACE_HTTP_IDLE_TIMOUT", "MILLRACE_HTTP_IDLE_TIMEOUT"))
        self.refuse("--set", "http.idle_timout=5s", words=("idle_timout", "http.idle_timeout"))

    def test_a_bad_value_names_what_is_valid(self):
        self.refuse("--port", "99999", words=("99999", "65535"))
        self.refuse(PORT="abc", words=("PORT", "abc", "65535"))
        self.refuse(LOG_LEVEL="loud", words=("LOG_LEVEL", "loud", "debug"))
        self.refuse(config="http:\n  idle_timeout: soon\n", words=("idle_timeout", "soon", "millrace.yaml"))
        self.refuse(MILLRACE_HTTP_IDLE_TIMEOUT="-5s", words=("-5s",))
        self.refuse(APP_ENV="prod", words=("prod", "production"))
        self.refuse(DATABASE_URL="mysql://x", words=("mysql", "postgresql"))

    def test_a_broken_file_names_the_line(self):
        self.refuse(config="http:\n  port: [1\n", words=("millrace.yaml",))
        self.refuse("--config", "/nonexistent/millrace.yaml", words=("/nonexistent/millrace.yaml",))

    def test_an_unreachable_database(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        url = f"postgresql://joe:hunter2pass@127.0.0.1:{port}/db"
        for auto_migrate in ("on", "off"):
            said = self.refuse(DATABASE_URL=url, MILLRACE_DATABASE_AUTO_MIGRATE=auto_migrate,
                               words=(f"127.0.0.1:{port}", "database db", "user joe", "Start that server"))
            self.assertNotIn("hunter2pass", said)
            self.assertEqual(said.count("\n"), 1, said)
        result = run_command("migrate", "status", "--data-dir", str(self.data), env=environment(DATABASE_URL=url))
        self.assertEqual(result.returncode, 1, result)
        self.assertEqual(result.stderr.count("\n"), 1, result.stderr)

    def test_a_password_that_breaks_its_url_is_not_quoted(self):
        for url in ("postgresql://joe:hunter2pass%zz@127.0.0.1/db", "postgresql://joe:hunter2pass/@127.0.0.1/db",
                    "postgresql://joe:x@hunter2pass@127.0.0.1/db", "postgresql://127.0.0.1/db?password=hunter2pass%zz"):
            for verb in (["serve"], ["doctor"], ["migrate", "status"]):
                result = run_command(*verb, "--data-dir", str(self.data), env=environment(DATABASE_URL=url))
                self.assertEqual(result.returncode, 1, result)
                self.assertNotIn("hunter2pass", result.stdout + result.stderr)
                self.assertIn("database.url", result.stdout + result.stderr)

    def test_a_database_in_memory_keeps_what_was_migrated(self):
        memory = Database()
        memory.url = "sqlite::memory:"
        with Server(database=memory) as server:
            self.assertEqual(server.api.register().status, 201)

    def test_production_refuses_missing_and_default_secrets(self):
        for secret in ("development-secret", "secret", "changeme", "short"):
            said = self.refuse(APP_ENV="production", JWT_SECRET=secret, words=("jwt.secret",))
            if secret != "secret":
                self.assertNotIn(secret, said.replace("jwt.secret", ""))

    def test_a_secret_file_that_is_not_there(self):
        self.refuse(JWT_SECRET_FILE="/nonexistent/secret", words=("JWT_SECRET_FILE", "/nonexistent/secret"))

    def test_a_start_that_waits_for_its_database_is_stopped_at_once(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and says nothing
            url = f"postgresql://joe@127.0.0.1:{silent.getsockname()[1]}/db?connect_timeout=60"
            for number in (signal.SIGTERM, signal.SIGINT):
                process = self.begin(DATABASE_URL=url)
                connection, _ = silent.accept()
                with connection:
                    connection.recv(1)  # it waits for an answer now
                    self.leaves(process, number)

    def test_a_start_that_waits_for_the_migrations_of_another_is_stopped_at_once(self):
        self.data.mkdir()
        self.assertEqual(run_command("migrate", "up", "1", "--data-dir", str(self.data)).returncode, 0)
        other = sqlite3.connect(next(self.data.glob("*.db")), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        process = self.begin()
        # it holds the file open, and cannot have its write lock
        self.assertTrue(wait_until(lambda: any(
            os.path.realpath(file).startswith(str(self.data)) for file in
            pathlib.Path(f"/proc/{process.pid}/fd").glob("*"))))
        self.leaves(process, signal.SIGTERM)
        other.execute("ROLLBACK")
        other.close()
        with Server(data_dir=self.data) as server:
            self.assertEqual(server.api.register().status, 201)

    def begin(self, **variables):
        return subprocess.Popen([binary(), "serve", "--port", "0", "--ops-port", "0", "--data-dir", str(self.data)],
                                env=environment(**variables), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)

    def leaves(self, process, number):
        process.send_signal(number)
        said, _ = process.communicate(timeout=8)  # less than any wait for a database
        self.assertEqual(process.returncode, 128 + number, said)
        self.assertNotIn("Sanitizer", said)

    def test_an_empty_variable_is_unset_and_flags_win_over_the_environment(self):
        server = Server("--log-level", "info", PORT="", LOG_LEVEL="error")
        server.stop()

    def test_the_command_for_the_first_admin_can_be_pasted(self):
        odd = self.data.parent / "it's mine"
        for options, folder in ((["--data-dir", str(odd)], odd), ([], self.data)):
            with Server(*options, data_dir=self.data) as server:
                made = subprocess.run(["sh", "-c", server.started["admin"]], env=environment(), cwd="/",
                                      stdin=subprocess.DEVNULL, capture_output=True, text=True)
                self.assertEqual(made.returncode, 0, made)
                self.assertTrue((folder / "millrace.db").exists())
                login = server.api.login("you@example.com", made.stdout.split()[-1])
                self.assertEqual(login.status, 200, login)
                self.assertEqual(login.data["user"]["role"], "admin")

    def test_the_first_line_names_all_a_newcomer_needs(self):
        with Server() as server:
            for key in ("version", "data_dir", "database", "cache", "api", "docs", "health", "metrics", "admin", "try"):
                self.assertTrue(server.started.get(key), f"{key} is missing in {server.started}")


if __name__ == "__main__":
    main()
