# SPDX-License-Identifier: Apache-2.0
"""SIGTERM: readiness off, requests finish, the process leaves with 0."""

import signal
import socket
import threading
import unittest

from millrace import Client, Server, main, read_all, wait_until


def readiness(server):
    """Asked on a connection of its own: the stop closes idle ones."""
    return Client(server.ops_port).get("/health/ready").status


class Shutdown(unittest.TestCase):
    def test_requests_in_flight_finish_and_the_exit_is_clean(self):
        server = Server()
        email = server.api.register().data["user"]["email"]
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(Client(server.port).login(email)))
                   for _ in range(4)]
        for thread in threads:
            thread.start()
        # logins are on their way once the access log or the metrics show flows; argon2 takes its time
        wait_until(lambda: any(value > 0 for name, value in server.metrics().items()
                               if name.startswith("http_requests_in_flight")), 2)
        server.signal(signal.SIGTERM)
        for thread in threads:
            thread.join(30)
        server.stop()
        self.assertEqual([answer.status for answer in answers], [200] * 4, answers)

    def test_a_stopping_server_accepts_nobody_and_says_so_in_its_log(self):
        server = Server()
        idle = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        idle.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertIn(b" 200 ", idle.recv(4096))  # it is the server's now, not the kernel's
        server.signal(signal.SIGTERM)
        self.assertEqual(idle.recv(1), b"")  # idle connections are closed at once
        idle.close()
        server.stop()
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", server.port), timeout=2)
        events = [entry["event"] for entry in server.entries()]
        self.assertTrue(any("stop" in event or "drain" in event or "shut" in event for event in events), events)

    def test_while_a_request_is_still_arriving_readiness_is_off_and_it_is_answered(self):
        server = Server()
        body = b'{"email":"nobody@example.com","password":"whatever it is"}'
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as sock:
            sock.sendall(b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                         b"Content-Length: %d\r\n\r\n" % len(body) + body[:10])
            self.assertTrue(wait_until(lambda: readiness(server) == 200))
            server.signal(signal.SIGTERM)
            self.assertTrue(wait_until(lambda: readiness(server) == 503))
            self.assertEqual(Client(server.ops_port).get("/health/live").status, 200)
            sock.sendall(body[10:])
            answer = read_all(sock)
        self.assertIn(b" 401 ", answer.split(b"\r\n")[0])
        self.assertIn(b"\r\nConnection: close\r\n", answer)
        server.stop()

    def test_sigint_stops_too(self):
        server = Server()
        server.signal(signal.SIGINT)
        server.stop()

    def test_a_restart_finds_everything_again(self):
        first = Server()
        try:
            data = first.api.register().data
            second_options = {"database": first.database, "data_dir": first.data_dir}
            first.owns_data = first.owns_database = False
        finally:
            first.stop()
        second = Server(**second_options)
        second.owns_data = second.owns_database = True
        try:
            me = second.api.get("/auth/me", token=data["access_token"])
            self.assertEqual(me.status, 200, me)
            self.assertEqual(second.api.post("/auth/refresh", {"refresh_token": data["refresh_token"]}).status, 200)
        finally:
            second.stop()


if __name__ == "__main__":
    main()
