# SPDX-License-Identifier: Apache-2.0
"""The command line: help that helps, did-you-mean, JSON for machines, exit codes."""

import json
import tempfile
import unittest

from millrace import Server, environment, main, run_command

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
            checked = server.command("doctor", "--json")
            self.assertEqual(checked.returncode, 0, checked)
            json.loads(checked.stdout)
        with tempfile.TemporaryDirectory() as folder:
            bad = run_command("doctor", "--data-dir", folder, env=environment(
                DATABASE_URL="postgresql://nobody@127.0.0.1:1/none"))
            self.assertEqual(bad.returncode, 1, bad)

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
