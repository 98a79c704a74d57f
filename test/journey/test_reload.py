# SPDX-License-Identifier: Apache-2.0
"""SIGHUP applies the safe settings, and keeps the old ones when a new one is bad."""

import pathlib
import signal
import tempfile
import unittest

from millrace import Server, main, wait_until


class Reload(unittest.TestCase):
    def test_safe_settings_change_and_bad_ones_change_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "millrace.yaml"
            file.write_text("log:\n  access: true\n")
            with Server("--config", str(file)) as server:
                server.api.get("/nope")
                self.assertTrue(wait_until(lambda: server.entries("request")))
                file.write_text("log:\n  access: nonsense\n")
                server.signal(signal.SIGHUP)
                server.wait_line(lambda entry: "reload" in entry["event"] and entry["level"] == "error")
                file.write_text("log:\n  access: false\n")
                server.signal(signal.SIGHUP)
                server.wait_line(lambda entry: "reload" in entry["event"] and entry["level"] == "info")
                before = len(server.entries("request"))
                server.api.get("/nope")
                self.assertEqual(server.api.get("/health/live").status, 200)
            self.assertEqual(len(server.entries("request")), before)


if __name__ == "__main__":
    main()
