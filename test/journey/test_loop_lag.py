# SPDX-License-Identifier: Apache-2.0
"""Nothing that blocks reaches a loop: a login storm, a locked or stalled database leave the loops on time.

The judge is the server's own event_loop_lag_seconds: 99 of 100 turns under 5 ms while other routes
answer. Run with the optimised binary, one loop, alone on the machine."""

import contextlib
import sqlite3
import subprocess
import sys
import threading
import time
import unittest

from millrace import Client, Server, main

STORM_SECONDS = 3
CLIENTS = 8


class LoopLag(unittest.TestCase):
    def setUp(self):
        self.server = Server("--loops", "1", release=True)
        self.addCleanup(self.server.stop)
        self.user = self.server.api.register().data

    def lag(self):
        """(turns measured, turns under 5 ms) so far."""
        metrics = self.server.metrics()
        names = [name for name in metrics if name.startswith("event_loop_lag_seconds")]
        total = sum(metrics[name] for name in names if "_count" in name)
        below = sum(metrics[name] for name in names if 'le="0.005"' in name)
        return total, below

    @contextlib.contextmanager
    def on_time(self):
        """Other routes answer all the while, and the lag stays low."""
        total, below = self.lag()
        stop = threading.Event()
        answered = []

        def ask():
            client = Client(self.server.port)
            while not stop.is_set():
                answered.append(client.get("/health/live").status)
                time.sleep(0.005)

        asker = threading.Thread(target=ask)
        asker.start()
        try:
            yield
        finally:
            stop.set()
            asker.join()
        total_after, below_after = self.lag()
        turns = total_after - total
        self.assertGreater(turns, 10)
        share = (below_after - below) / turns
        print(f"lag: {turns:.0f} measurements, {share:.2%} under 5 ms; {len(answered)} other answers")
        self.assertEqual(set(answered), {200})
        self.assertGreater(len(answered), 50)
        self.assertGreaterEqual(share, 0.99)

    def test_a_login_storm(self):
        limit = time.monotonic() + STORM_SECONDS
        statuses = []

        def storm():
            client = Client(self.server.port)
            while time.monotonic() < limit:
                statuses.append(client.login(self.user["user"]["email"]).status)

        threads = [threading.Thread(target=storm) for _ in range(CLIENTS)]
        with self.on_time():
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertLessEqual(set(statuses), {200, 503})
        self.assertGreater(statuses.count(200), 10)

    @unittest.skipUnless("sqlite" in sys.argv, "SQLite's lock")
    def test_a_locked_sqlite(self):
        file = next(self.server.data_dir.glob("*.db"))
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        token = self.user["access_token"]
        answers = []
        writer = threading.Thread(target=lambda: answers.append(
            Client(self.server.port).patch("/auth/me", {"name": "waits"}, token=token)))
        with self.on_time():
            writer.start()
            time.sleep(2)
            self.assertEqual(Client(self.server.port).get("/auth/me", token=token).status, 200)
            other.execute("COMMIT")
            writer.join(30)
        other.close()
        self.assertIn(answers[0].status, (200, 503, 504), answers)

    @unittest.skipUnless("postgresql" in sys.argv, "PostgreSQL's lock")
    def test_a_stalled_postgresql(self):
        lock = subprocess.Popen(["psql", "-XAtq", self.server.database.url, "-c",
                                 "BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(2); COMMIT"])
        token = self.user["access_token"]
        with self.on_time():
            time.sleep(0.3)
            clients = [threading.Thread(target=lambda: Client(self.server.port).get("/auth/me", token=token))
                       for _ in range(20)]
            for client in clients:
                client.start()
            for client in clients:
                client.join()
            lock.wait(30)
        self.assertEqual(self.server.api.get("/auth/me", token=token).status, 200)


if __name__ == "__main__":
    main()
