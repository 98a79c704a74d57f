# SPDX-License-Identifier: Apache-2.0
"""Clients leave at every moment; the server forgets them and serves the next."""

import json
import random
import socket
import struct

from millrace import Journey, PASSWORD, fresh_email, main, wait_until

LEAVERS = 150


def request_bytes(method, path, body=None, token=None):
    payload = json.dumps(body).encode() if body is not None else b""
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(payload)}\r\n"
    if body is not None:
        head += "Content-Type: application/json\r\n"
    if token:
        head += f"Authorization: Bearer {token}\r\n"
    return head.encode() + b"\r\n" + payload


class Leaving(Journey):
    def test_clients_that_leave_mid_request_leave_nothing_behind(self):
        user = self.newcomer()
        chance = random.Random(7)
        for number in range(LEAVERS):
            kind = number % 3
            if kind == 0:
                email = fresh_email()
                data = request_bytes("POST", "/auth/register", {
                    "email": email, "password": PASSWORD, "password_confirmation": PASSWORD})
            elif kind == 1:
                data = request_bytes("POST", "/auth/login", {"email": user["email"], "password": PASSWORD})
            else:
                data = request_bytes("GET", "/auth/me", token=user["access_token"])
            sock = socket.create_connection(("127.0.0.1", self.server.port))
            cut = len(data) if chance.random() < 0.7 else chance.randrange(len(data))
            sock.sendall(data[:cut])
            if chance.random() < 0.5:  # a reset instead of a farewell
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
        self.expect(self.api.get("/auth/me", token=user["access_token"]), 200)
        self.expect(self.api.login(user["email"]), 200)

        def only_ours():
            total = sum(value for name, value in self.server.metrics().items()
                        if name.startswith("http_connections") and "refused" not in name
                        and "total" not in name)
            return total <= 3

        self.assertTrue(wait_until(only_ours, 20), self.server.metrics())

    def test_an_unfinished_body_does_not_become_a_request(self):
        with socket.create_connection(("127.0.0.1", self.server.port)) as sock:
            sock.sendall(b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                         b"Content-Length: 100\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            sock.shutdown(socket.SHUT_WR)
            received = sock.recv(65536)
        self.assertNotIn(b" 200 ", received)


if __name__ == "__main__":
    main()
