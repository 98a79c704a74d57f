# SPDX-License-Identifier: Apache-2.0
"""Migrations: up, down, up; several replicas at once; an edited one stops the start."""

import json
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

from millrace import Database, Server, environment, main, run_command


class Migrate(unittest.TestCase):
    def setUp(self):
        self.database = Database()
        self.addCleanup(self.database.drop)
        folder = tempfile.TemporaryDirectory(prefix="millrace-migrate-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def migrate(self, *arguments, expect=0):
        result = run_command("migrate", *arguments, "--data-dir", self.folder,
                             env=environment(DATABASE_URL=self.database.url))
        self.assertEqual(result.returncode, expect, result)
        return result.stdout + result.stderr

    def status(self):
        listed = json.loads(self.migrate("status", "--json"))
        return [row["state"] for row in (listed if isinstance(listed, list) else listed["migrations"])]

    def test_up_down_up(self):
        self.assertEqual(set(self.status()), {"pending"})
        count = len(self.status())
        self.migrate("up")
        self.assertEqual(self.status(), ["applied"] * count)
        self.migrate("down", "1")
        self.assertEqual(self.status(), ["applied"] * (count - 1) + ["pending"])
        for _ in range(count - 1):
            self.migrate("down", "1")
        self.assertEqual(set(self.status()), {"pending"})
        self.migrate("up")
        self.migrate("up")
        self.assertEqual(self.status(), ["applied"] * count)

    def test_replicas_that_start_at_once_migrate_once(self):
        with ThreadPoolExecutor(4) as pool:
            said = list(pool.map(lambda _: self.migrate("up"), range(4)))
        self.assertEqual(set(self.status()), {"applied"}, said)
        with Server(database=self.database, data_dir=self.folder) as server:
            self.assertEqual(server.api.register().status, 201)

    def test_an_unknown_verb_is_refused(self):
        self.assertIn("up", self.migrate("upp", expect=2))


if __name__ == "__main__":
    main()
