# SPDX-License-Identifier: Apache-2.0
"""SIGHUP applies the safe settings, and keeps the old ones when a new one is bad."""

import pathlib
import signal
import socket
import sqlite3
import tempfile
import threading
import unittest

from millrace import Client, Server, fresh_email, main, wait_until, wire


class Reloaded(Server):
    """A server whose settings stand in a file of its own."""

    def __init__(self, *options, settings="", **more):
        self.folder = tempfile.TemporaryDirectory(prefix="millrace-reload-")
        self.file = pathlib.Path(self.folder.name) / "millrace.yaml"
        self.file.write_text(settings)
        super().__init__("--config", str(self.file), *options, **more)

    def reload(self, settings, event="reload_done"):
        """Waits for the line that ends the reload, and returns it."""
        self.file.write_text(settings)
        self.signal(signal.SIGHUP)
        return self.wait_line(lambda entry: entry["event"] == event)

    def stop(self, expect=0):
        super().stop(expect)
        self.folder.cleanup()


class Reload(unittest.TestCase):
    def test_bad_settings_change_nothing(self):
        with Reloaded(settings="log:\n  access: true\n") as server:
            refused = server.reload("log:\n  access: false\nhttp:\n  body_max: 5\n", "reload_refused")
            self.assertIn("http.body_max", refused["reason"])
            refused = server.reload("log:\n  access: false\nhttp:\n  body_max: 64MiB\n", "reload_refused")
            self.assertIn("http.request_memory_max", refused["reason"])
            self.assertEqual(server.api.get("/nope").status, 404)
            self.assertTrue(wait_until(lambda: server.entries("request")))

    def test_what_needs_a_restart_is_told_and_not_taken(self):
        with Reloaded() as server:
            told = server.reload("jwt:\n  issuer: other\n", "setting_needs_restart")
            self.assertEqual(told["key"], "jwt.issuer")
            self.assertEqual(server.api.get("/health/live").status, 200)

    def test_log_level(self):
        with Reloaded(settings="log:\n  level: warn\n", wait=False) as server:
            # nothing tells the start at this level: the first line is that of the reload
            self.assertTrue(wait_until(lambda: (server.data_dir / "jwt_ed25519.pem").exists(), 30))
            server.reload("log:\n  level: info\n")
            self.assertFalse(server.entries("server_started"))
            server.file.write_text("log:\n  level: error\n")
            server.signal(signal.SIGHUP)
        events = [entry["event"] for entry in server.entries()]
        self.assertEqual(events.count("reload_done"), 1, events)
        self.assertNotIn("server_stopped", events)

    def test_log_access(self):
        with Reloaded(settings="log:\n  access: true\n") as server:
            server.api.get("/nope")
            self.assertTrue(wait_until(lambda: server.entries("request")))
            server.reload("log:\n  access: false\n")
            before = len(server.entries("request"))
            server.api.get("/nope")
            server.reload("log:\n  access: true\n")
            server.api.get("/nope/again")
            self.assertTrue(wait_until(lambda: len(server.entries("request")) > before))
            self.assertEqual(len(server.entries("request")), before + 1)

    def test_http_idle_timeout(self):
        with Reloaded(settings="http:\n  idle_timeout: 1h\n") as server:
            server.reload("http:\n  idle_timeout: 100ms\n")
            with socket.create_connection(("127.0.0.1", server.port), timeout=60) as idle:
                idle.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
                while idle.recv(65536):  # the server ends it, long before this client would give it up
                    pass

    def test_http_body_max(self):
        with Reloaded() as server:
            body = {"email": fresh_email(), "password": "x" * 1500}
            self.assertEqual(server.api.post("/auth/login", body).status, 422)
            server.reload("http:\n  body_max: 1KiB\n")
            self.assertEqual(server.client().post("/auth/login", body).status, 413)
            server.reload("")
            self.assertEqual(server.client().post("/auth/login", body).status, 422)

    def test_http_limits_of_the_head(self):
        def status(head):
            return int(wire(server.port, b"GET " + head + b"\r\nConnection: close\r\n\r\n").split()[1])

        long_line = b"/" + b"a" * 300 + b" HTTP/1.1\r\nHost: x"
        many = b"/ HTTP/1.1\r\nHost: x" + b"\r\nA: b" * 20
        large = b"/ HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 2000
        with Reloaded("--loops", "1") as server:
            self.assertEqual([status(head) for head in (long_line, many, large)], [404] * 3)
            server.reload("http:\n  request_line_max: 256\n  headers_max_count: 8\n  headers_max: 1KiB\n")
            self.assertEqual([status(head) for head in (long_line, many, large)], [414, 431, 431])

    def test_http_requests_per_connection_and_connections(self):
        with Reloaded() as server:
            server.reload("http:\n  requests_per_connection: 1\n")
            self.assertEqual(server.client().get("/nope").headers.get("connection"), "close")
            server.reload("http:\n  connections_max: 1\n")
            server.api.close()
            server.api.get("/health/live")
            self.assertTrue(wait_until(lambda: self.is_refused(server)))

    def is_refused(self, server):
        return b" 503 " in wire(server.port, b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    def test_jwt_access_ttl(self):
        with Reloaded() as server:
            self.assertEqual(server.api.register().data["expires_in"], 900)
            server.reload("jwt:\n  access_ttl: 1m\n")
            self.assertEqual(server.api.register().data["expires_in"], 60)

    def test_access_session_check(self):
        with Reloaded(settings="access:\n  session_check: 5m\n") as server:
            token = server.api.register().data["access_token"]
            self.assertEqual(server.api.get("/auth/me", token=token).status, 200)
            self.end_sessions(server)
            # the loop trusts its last look, until it is told to look every time
            self.assertEqual(server.api.get("/auth/me", token=token).status, 200)
            server.reload("access:\n  session_check: 0\n")
            self.assertEqual(server.api.get("/auth/me", token=token).status, 401)

    def end_sessions(self, server):
        """As another process would: this one does not hear of it."""
        with sqlite3.connect(next(server.data_dir.glob("*.db"))) as database:
            database.execute("PRAGMA busy_timeout = 10000")
            database.execute("UPDATE sessions SET revoked_at = created_at")
        database.close()

    def test_reloads_under_traffic_lose_no_request(self):
        """Run by hand with a ThreadSanitizer binary too: loops, log and database meet here."""
        settings = ("log:\n  level: {level}\n  access: {access}\nhttp:\n  idle_timeout: {number}s\n  body_max: {number}KiB\n"
                    "  request_timeout: {number}s\n  headers_max_count: {number}\n  connections_per_address: {number}\n"
                    "  drain_timeout: {number}s\naccess:\n  session_check: {number}s\n  refresh_grace: {number}s\n"
                    "jwt:\n  access_ttl: {number}m\n")
        with Reloaded("--loops", "4") as server:
            over, failures = threading.Event(), []
            threads = [threading.Thread(target=self.use, args=(server, over, failures)) for _ in range(6)]
            for thread in threads:
                thread.start()
            for turn in range(20):
                server.file.write_text(settings.format(
                    level=("info", "debug")[turn % 2], access=str(turn % 2 == 0).lower(), number=30 + turn))
                server.signal(signal.SIGHUP)
                server.wait_line(lambda entry: entry["event"] == "reload_done")
            over.set()
            for thread in threads:
                thread.join(60)
            self.assertEqual(failures, [])

    def use(self, server, over, failures):
        client = Client(server.port)
        try:
            user = client.register()
            token, refresh = user.data["access_token"], user.data["refresh_token"]
            while not over.is_set():
                answer = client.get("/auth/me", token=token)
                if answer.status != 200:
                    failures.append(answer)
                answer = client.post("/auth/refresh", {"refresh_token": refresh})
                if answer.status != 200:
                    failures.append(answer)
                    break
                token, refresh = answer.data["access_token"], answer.data["refresh_token"]
                client.close()
        except Exception as error:  # told by the test's own thread
            failures.append(error)


if __name__ == "__main__":
    main()
