# SPDX-License-Identifier: Apache-2.0
"""The command line: help that helps, did-you-mean, JSON for machines, exit codes."""

import fcntl
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import tempfile
import termios
import unittest

from millrace import PASSWORD, Server, binary, environment, main, run_command, wait_until

VERBS = ["serve", "migrate", "routes", "openapi", "config", "admin", "token", "doctor", "version", "help"]


class CommandLine(unittest.TestCase):
    def run_ok(self, *arguments, **more):
        result = run_command(*arguments, **more)
        self.assertEqual(result.returncode, 0, result)
        return result.stdout

    def test_help_names_every_verb_and_every_verb_has_help(self):
        said = self.run_ok("help")
        self.assertEqual(self.run_ok("--help"), said)
        for verb in VERBS:
            self.assertIn(verb, said)
            self.assertIn(verb, self.run_ok(verb, "--help"))

    def test_typos_are_answered_with_the_nearest_word(self):
        for arguments, word in ((["serv"], "serve"), (["migrate", "statsu"], "status"),
                                (["serve", "--prot", "1"], "--port"), (["config", "explain", "http.prot"], "http.port")):
            result = run_command(*arguments)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(word, result.stderr)
            self.assertEqual(result.stdout, "")

    def test_version(self):
        version = json.loads(self.run_ok("version", "--json"))
        self.assertRegex(version["version"], r"^\d+\.\d+\.\d+")
        self.assertIn(version["version"], self.run_ok("version"))
        self.assertEqual(self.run_ok("--version"), self.run_ok("version"))

    def test_config_show_and_explain(self):
        env = environment(PORT=4567, JWT_SECRET="a secret of more than thirty-two bytes")
        shown = self.run_ok("config", "show", env=env)
        self.assertIn("4567", shown)
        self.assertNotIn("thirty-two", shown)
        explained = self.run_ok("config", "explain", "http.port", env=env)
        for word in ("4567", "PORT", "MILLRACE_HTTP_PORT", "3000", "65535"):
            self.assertIn(word, explained)
        self.assertIn("http.port", json.dumps(json.loads(self.run_ok("config", "show", "--json", env=env))))

    def test_no_colour_when_nobody_looks_or_no_color_is_set(self):
        self.assertNotIn("\x1b", self.run_ok("help"))

    def test_doctor_finds_nothing_wrong_with_a_good_server_and_names_what_is(self):
        with Server() as server:
            checks = self.doctor(server.data_dir)
            machine = ("disk", "open files", "clock", "cores")  # is as it is
            self.assertEqual({check["verdict"] for name, check in checks.items() if name not in machine}, {"ok"}, checks)
            key = server.data_dir / "jwt_ed25519.pem"
            self.assertEqual(checks["signing key"]["detail"], str(key))
            key.chmod(0o640)
            self.assertEqual(self.doctor(server.data_dir, code=1)["key file"]["verdict"], "fail")
            key.chmod(0o600)
        with tempfile.TemporaryDirectory() as folder:
            bad = run_command("doctor", "--data-dir", folder, env=environment(
                DATABASE_URL="postgresql://nobody@127.0.0.1:1/none"))
            self.assertEqual(bad.returncode, 1, bad)

    def doctor(self, folder, *options, code=0, **variables):
        """{name: check} of doctor --json; the last of a name."""
        if "--port" not in options:
            options += ("--port", "0", "--ops-port", "0")
        result = run_command("doctor", "--json", "--data-dir", str(folder), *options, env=environment(**variables))
        self.assertEqual(result.returncode, code, result)
        return {check["name"]: check for check in json.loads(result.stdout)["checks"]}

    def test_doctor_names_secrets_that_others_may_read(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            secret, config, key = folder / "secret", folder / "millrace.yaml", folder / "key.pem"
            secret.write_text("a secret of more than thirty-two bytes\n")
            key.write_text("")
            config.write_text("log:\n  level: warn\n")
            for mode, verdict in ((0o600, "ok"), (0o640, "warn"), (0o604, "warn")):
                for file in (secret, config, key):
                    file.chmod(mode)
                checks = self.doctor(folder, "--config", str(config), JWT_SECRET_FILE=secret)
                self.assertEqual(checks["JWT_SECRET_FILE"]["verdict"], verdict)
                self.assertIn("jwt.secret", checks["signing key"]["detail"])
                self.assertNotIn("configuration file", checks)  # it has no secret
                config.write_text("jwt:\n  secret: a secret of more than thirty-two bytes\n")
                checks = self.doctor(folder, "--config", str(config))
                self.assertEqual(checks["configuration file"]["verdict"], verdict)
                self.assertEqual(checks["secret in the file"]["verdict"], "warn")
                config.write_text("log:\n  level: warn\n")
                checks = self.doctor(folder, MILLRACE_JWT_PRIVATE_KEY_FILE=key)
                self.assertEqual(checks["signing key"]["detail"], str(key))
                self.assertEqual(checks["key file"]["verdict"], verdict)
            checks = self.doctor(folder, "--set", "jwt.secret=a secret that stands in ps")
            self.assertEqual(checks["secret in the command"]["verdict"], "warn")
            self.doctor(folder, MILLRACE_JWT_PRIVATE_KEY_FILE=folder / "nowhere.pem", code=1)

    def test_doctor_knows_its_own_server_from_another_on_a_port(self):
        with Server() as server, socket.create_server(("127.0.0.1", 0)) as other:
            taken = str(other.getsockname()[1])
            ports = self.doctor(server.data_dir, "--port", str(server.port), "--ops-port", str(server.ops_port))
            self.assertIn("a server answers", ports["API port"]["detail"])
            self.assertIn("a server answers", ports["ops port"]["detail"])
            ports = self.doctor(server.data_dir, "--port", taken, "--ops-port", "0", code=1)
            self.assertEqual(ports["API port"]["verdict"], "fail")
            self.assertIn("taken", ports["API port"]["detail"])
            ports = self.doctor(server.data_dir, "--port", "0", "--ops-port", taken, code=1)
            self.assertEqual(ports["ops port"]["verdict"], "fail")

    def test_doctor_judges_for_production_when_asked(self):
        with tempfile.TemporaryDirectory() as folder:
            self.doctor(folder)
            checks = self.doctor(folder, "--prod", code=1)
            self.assertIn("jwt.secret", checks["settings"]["detail"])
            checks = self.doctor(folder, "--prod", JWT_SECRET="3Jq0Zb7w1xK9mT5vR2nYcL8dF6hG4sP0", code=1)
            self.assertEqual(checks["migrations"]["verdict"], "fail")
            self.assertEqual(run_command("migrate", "up", "--data-dir", folder).returncode, 0)
            self.doctor(folder, "--prod", JWT_SECRET="3Jq0Zb7w1xK9mT5vR2nYcL8dF6hG4sP0")

    def test_a_verb_without_settings_says_so(self):
        for verb in ("routes", "openapi", "version", "help"):
            result = run_command(verb, "--data-dir", "/nowhere")
            self.assertEqual((result.returncode, result.stdout), (2, ""), result)
            self.assertIn("reads no settings", result.stderr)

    def test_a_password_prompt_that_is_left_gives_the_terminal_its_echo_back(self):
        with tempfile.TemporaryDirectory() as folder:
            for key, number in ((b"half a pass\x03", signal.SIGINT), (b"\x1c", signal.SIGQUIT), (None, signal.SIGTERM)):
                ours, theirs = os.openpty()
                process = self.at_a_prompt(folder, theirs)
                self.assertTrue(wait_until(lambda: not self.echoes(theirs)))
                os.write(ours, key) if key else process.send_signal(number)
                self.assertEqual(process.wait(10), -number)
                self.assertTrue(self.echoes(theirs))
                os.close(ours)
                os.close(theirs)

    def test_a_password_is_asked_twice_and_not_shown(self):
        with tempfile.TemporaryDirectory() as folder:
            ours, theirs = os.openpty()
            process = self.at_a_prompt(folder, theirs)
            shown = b""
            for question in (b"Password: ", b"again: "):
                while question not in shown:
                    shown += os.read(ours, 1000)
                os.write(ours, PASSWORD.encode() + b"\n")
            self.assertEqual(process.wait(30), 0)
            os.close(theirs)
            self.assertNotIn(PASSWORD.encode(), shown)
            os.close(ours)

    def at_a_prompt(self, folder, terminal):
        return subprocess.Popen(
            [binary(), "admin", "create", "boss@example.com", "--data-dir", folder], stdin=terminal,
            stdout=subprocess.DEVNULL, stderr=terminal, env=environment(), start_new_session=True,
            preexec_fn=lambda: (fcntl.ioctl(0, termios.TIOCSCTTY, 0), resource.setrlimit(resource.RLIMIT_CORE, (0, 0))))

    def echoes(self, terminal):
        return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)

    def test_a_token_can_be_minted_for_a_user_in_development(self):
        with Server() as server:
            email = server.api.register().data["user"]["email"]
            minted = server.command("token", "mint", email)
            self.assertEqual(minted.returncode, 0, minted)
            self.assertEqual(server.api.get("/auth/me", token=minted.stdout.strip()).data["email"], email)
            self.assertNotEqual(server.command("token", "mint", "nobody@example.com").returncode, 0)

    def test_an_admin_without_a_password_gets_one_shown_once(self):
        with Server() as server:
            made = server.command("admin", "create", "boss@example.com", "--generate-password")
            self.assertEqual(made.returncode, 0, made)
            words = (made.stdout + made.stderr).split()
            self.assertIn(200, [server.api.login("boss@example.com", word).status for word in words if len(word) >= 12])
            self.refused(server.command("admin", "create", "not-an-address"), "e-mail address")

    def refused(self, result, *words):
        self.assertEqual(result.returncode, 1, result)
        self.assertEqual(result.stdout, "")
        for word in words:
            self.assertIn(word, result.stderr)

    def test_an_admin_gets_no_name_that_the_api_would_refuse(self):
        with Server() as server:
            for name in ("", "x" * 201, "a\x01b", "\udcff"):
                self.refused(server.command("admin", "create", "boss@example.com", "--name", name,
                                            "--generate-password"), "name")
            self.assertEqual(server.command("admin", "create", "boss@example.com", "--name", "x" * 200,
                                            "--generate-password").returncode, 0)

    def test_a_password_is_not_cut_at_a_nul(self):
        with Server() as server:
            self.refused(server.command("admin", "create", "boss@example.com", "--password-stdin",
                                        stdin="correct horse battery\0staple\n"), "password")


if __name__ == "__main__":
    main()
