# SPDX-License-Identifier: Apache-2.0
"""No secret is ever printed: not by config show, not by the log, not by any error. In production the
process keeps its memory to itself."""

import os
import pathlib
import signal
import tempfile
import unittest

from millrace import Server, environment, main, run_command

SECRET = "Zx9Qv7Lk3Wp5Rt8Yb2Nm6Hd4Gs1Jf0Uc-never-shown"


class Secrets(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="millrace-secrets-")
        self.addCleanup(self.folder.cleanup)
        self.home = pathlib.Path(self.folder.name)

    def hides(self, *arguments, config=None, code=None, **variables):
        """What the call said, which must not be the secret."""
        file = self.home / "millrace.yaml"
        file.unlink(missing_ok=True)
        if config is not None:
            file.write_text(config)
        result = run_command(*arguments, env=environment(**variables), cwd=self.home)
        said = result.stdout + result.stderr
        self.assertNotIn(SECRET, said)
        self.assertNotIn("Sanitizer", said)
        if code is not None:
            self.assertEqual(result.returncode, code, said)
        return said

    def test_config_and_doctor_tell_that_a_secret_is_set_and_no_more(self):
        url = f"postgresql://joe:{SECRET}@127.0.0.1:1/db"
        given = {"JWT_SECRET": SECRET, "DATABASE_URL": url, "REDIS_URL": f"redis://:{SECRET}@127.0.0.1:1"}
        for arguments in (["show"], ["show", "--json"], ["docs"], *(
                ["explain", key, *json] for key in ("jwt.secret", "database.url", "redis.url") for json in ([], ["--json"]))):
            self.hides("config", *arguments, code=0, **given)
        self.assertIn("[set]", self.hides("config", "show", "--json", **given))
        for json in ([], ["--json"]):
            self.hides("doctor", *json, code=1, **given)
            self.hides("doctor", "--prod", *json, code=1, **given)
            self.hides("config", "show", *json, "--set", f"jwt.secret={SECRET}", "--database-url", url, code=0)
            self.hides("config", "show", *json, config=f"jwt:\n  secret: {SECRET}\ndatabase:\n  url: {url}\n", code=0)

    def test_no_error_of_the_configuration_has_a_secret(self):
        file = self.home / "secret"
        file.write_text(SECRET + "\n" + SECRET)
        for config in (f"jwt:\n  {SECRET}: x\n", f"jwt:\n  secret: [{SECRET}]\n", f"jwt:\n  secret: {{{SECRET}: 1}}\n",
                       f"jwt:\n  secret: {SECRET}: y\n", f'jwt:\n  secret: "{SECRET}\n', f"{SECRET}\n",
                       f"jwt: {SECRET}\n", f"jwt:\n  secret: &{SECRET}\n", f"jwt:\n  secret: *{SECRET}\n",
                       f"jwt:\n  secret: !{SECRET}\n", f"jwt:\n  secret: !x!{SECRET} x\n", f"{SECRET}: 1\n{SECRET}: 2\n",
                       f"jwt:\n  secret: a\n  secret: {SECRET}\n", f"jwt:\n\tsecret: {SECRET}\n", f"? [{SECRET}]\n: x\n",
                       f"jwt:\n  secret: '{SECRET}' {SECRET}\n", f'jwt:\n  secret: "\\q{SECRET}"\n',
                       f"jwt:\n  secrt: {SECRET}\n", f"database:\n  url: {SECRET}\n",
                       f"database:\n  url: mysql://joe:{SECRET}@host/db\n", f"redis:\n  url: http://:{SECRET}@host\n"):
            self.hides("config", "show", config=config, code=1)
        for arguments in (["--set", f"jwt.secrt={SECRET}"], ["--set", SECRET], ["--set", f"{SECRET}=1"],
                          ["--database-url", SECRET], ["--database-url", f"mysql://joe:{SECRET}@host"],
                          ["--set", f"redis.url={SECRET}"]):
            self.hides("config", "show", *arguments, code=1)
        for variables in ({"JWT_SECRET_FILE": SECRET}, {"JWT_SECRET_FILE": f"/nonexistent", "JWT_SECRET": SECRET},
                          {"MILLRACE_JWT_SECRT": SECRET}, {"DATABASE_URL": SECRET}, {"REDIS_URL_FILE": str(file)},
                          {"DATABASE_URL_FILE": str(file)}):
            self.hides("config", "show", code=1, **variables)

    def test_no_error_of_a_start_has_a_secret(self):
        for url in (f"postgresql://joe:{SECRET}@127.0.0.1:1/db", f"postgresql://joe:{SECRET}%zz@127.0.0.1/db",
                    f"postgresql://127.0.0.1:1/db?password={SECRET}", f"postgresql://joe:{SECRET}@nowhere.invalid/db"):
            for verb in (["serve", "--port", "0", "--ops-port", "0"], ["migrate", "up"], ["migrate", "status", "--json"],
                         ["admin", "create", "boss@example.com"], ["token", "mint", "boss@example.com"]):
                self.hides(*verb, DATABASE_URL=url, JWT_SECRET=SECRET, code=1)
        # well known once its case is ignored, or too short: both told without the value
        self.hides("serve", APP_ENV="production", JWT_SECRET=SECRET[:31], code=1)

    def test_no_line_of_a_server_has_a_secret_not_even_after_a_reload(self):
        file = self.home / "millrace.yaml"
        file.write_text(f"jwt:\n  secret: {SECRET}\nlog:\n  level: debug\n")
        with Server("--config", str(file)) as server:
            token = server.api.register().data["access_token"]
            self.assertEqual(server.api.get("/auth/me", token=token).status, 200)
            for config, event in ((f"jwt:\n  secret: {SECRET}2\n", "setting_needs_restart"),
                                  (f"jwt:\n  {SECRET}: 1\n", "reload_refused"),
                                  (f"jwt:\n  secret: '{SECRET}' {SECRET}\n", "reload_refused")):
                file.write_text(config)
                server.signal(signal.SIGHUP)
                server.wait_line(lambda entry: entry["event"] == event)
        said = "\n".join(server.lines)
        self.assertNotIn(SECRET, said)
        self.assertNotIn(token, said)

    def test_production_keeps_its_memory_and_environment_private(self):
        kept = {"APP_ENV": "production", "JWT_SECRET": SECRET, "MILLRACE_DATABASE_AUTO_MIGRATE": "on"}
        with Server(**kept) as server:
            self.assertRegex(self.proc(server, "limits"), r"Max core file size +0 +0 ")
            self.assertEqual(os.stat(f"/proc/{server.process.pid}/environ").st_uid, 0)
            if os.geteuid() != 0:
                with self.assertRaises(PermissionError):
                    self.proc(server, "environ")
            self.assertGreater(server.metrics()["process_open_fds"], 0)
        with Server() as server:
            self.assertIn("PATH=", self.proc(server, "environ"))

    def proc(self, server, name):
        return pathlib.Path(f"/proc/{server.process.pid}/{name}").read_text()


if __name__ == "__main__":
    main()
