# SPDX-License-Identifier: Apache-2.0
"""Nothing that blocks reaches a loop: a login storm, a locked or stalled database leave the loops on time.

The judge is the server's own event_loop_lag_seconds: 99 of 100 samples under 5 ms while other routes
answer. Where the machine itself is late, a second server that does nothing at all shows it: then ours
may be late as often as that one, and no more. The optimised binary, one loop, alone on the machine."""

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
SHARE = 0.99
NOISE = 0.02  # of the difference between two servers on a busy machine
TRIES = 3


class LoopLag(unittest.TestCase):
    def setUp(self):
        self.server = Server("--loops", "1", release=True)
        self.addCleanup(self.server.stop)
        self.idle = Server("--loops", "1", release=True)
        self.addCleanup(self.idle.stop)
        self.user = self.server.api.register().data

    @staticmethod
    def lag(server):
        """(samples, samples under 5 ms) so far."""
        metrics = server.metrics()
        names = [name for name in metrics if name.startswith("event_loop_lag_seconds")]
        total = sum(metrics[name] for name in names if "_count" in name)
        below = sum(metrics[name] for name in names if 'le="0.005"' in name)
        return total, below

    def share(self, server, before):
        total, below = (after - earlier for after, earlier in zip(self.lag(server), before))
        self.assertGreater(total, 50)
        return below / total

    def stays_on_time(self, load):
        for number in range(TRIES):
            with self.watched() as shares:
                load()
            if shares["ours"] >= min(SHARE, shares["idle"] - NOISE):
                return
        self.fail(f"late in {TRIES} tries, the last: {shares}")

    @contextlib.contextmanager
    def watched(self):
        """Other routes answer all the while; the lag of both servers goes into what is given out."""
        before = {"ours": self.lag(self.server), "idle": self.lag(self.idle)}
        shares = {}
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
            yield shares
        finally:
            stop.set()
            asker.join()
        shares["ours"] = self.share(self.server, before["ours"])
        shares["idle"] = self.share(self.idle, before["idle"])
        print(f"under 5 ms: {shares['ours']:.2%}, an idle server {shares['idle']:.2%}; "
              f"{len(answered)} other answers")
        self.assertEqual(set(answered), {200})
        self.assertGreater(len(answered), 50)

    def test_a_login_storm(self):
        statuses = []

        def storm(limit):
            client = Client(self.server.port)
            while time.monotonic() < limit:
                statuses.append(client.login(self.user["user"]["email"]).status)

        def load():
            limit = time.monotonic() + STORM_SECONDS
            threads = [threading.Thread(target=storm, args=(limit,)) for _ in range(CLIENTS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        self.stays_on_time(load)
        self.assertLessEqual(set(statuses), {200, 503})
        self.assertGreater(statuses.count(200), 10)

    @unittest.skipUnless("sqlite" in sys.argv, "SQLite's lock")
    def test_a_locked_sqlite(self):
        file = next(self.server.data_dir.glob("*.db"))
        token = self.user["access_token"]
        answers = []

        def write():
            answers.append(Client(self.server.port).patch("/auth/me", {"name": "waits"}, token=token))

        def load():
            other = sqlite3.connect(file, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            writer = threading.Thread(target=write)
            writer.start()
            time.sleep(2)  # the lock is held for this long: that is the fault
            self.assertEqual(Client(self.server.port).get("/auth/me", token=token).status, 200)
            other.execute("COMMIT")
            writer.join(30)
            other.close()

        self.stays_on_time(load)
        self.assertIn(answers[0].status, (200, 503, 504), answers)

    @unittest.skipUnless("postgresql" in sys.argv, "PostgreSQL's lock")
    def test_a_stalled_postgresql(self):
        token = self.user["access_token"]

        def load():
            lock = subprocess.Popen(["psql", "-XAtq", self.server.database.url, "-c",
                                     "BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(2); COMMIT"])
            time.sleep(0.3)  # until the lock is held
            clients = [threading.Thread(target=lambda: Client(self.server.port).get("/auth/me", token=token))
                       for _ in range(20)]
            for client in clients:
                client.start()
            for client in clients:
                client.join()
            lock.wait(30)

        self.stays_on_time(load)
        self.assertEqual(self.server.api.get("/auth/me", token=token).status, 200)


if __name__ == "__main__":
    main()
