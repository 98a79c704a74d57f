# SPDX-License-Identifier: Apache-2.0
"""Bad input: a clear refusal, the connection closed where its framing is in doubt, and the next one served."""

import json
import re
import socket

from millrace import Journey, main, read_all, wire

GOOD = b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

# (what, bytes, status): each is answered so and closed
REFUSED = [
    ("no host", b"GET / HTTP/1.1\r\n\r\n", 400),
    ("two hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
    ("bad host", b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    ("length and chunked", b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("two lengths", b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
    ("two authorizations", b"GET /auth/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\n"
                           b"Authorization: Bearer b\r\n\r\n", 400),
    ("two content types", b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                          b"Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 400),
    ("a signed length", b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc", 400),
    ("a list of lengths", b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\nabc", 400),
    ("a negative length", b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
    ("bare line feeds", b"GET / HTTP/1.1\nHost: x\n\n", 400),
    ("a folded header", b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400),
    ("a space before the colon", b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
    ("a bare carriage return", b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", 400),
    ("a zero byte", b"GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n", 400),
    ("not http", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    ("http/2's preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", None),
    ("http/3.0", b"GET / HTTP/3.0\r\nHost: x\r\n\r\n", None),
    ("an unknown coding", b"POST /auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", None),
    ("chunked twice", b"POST /auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", None),
    ("a chunk size that is none", b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                                  b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    ("a long target", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    ("long headers", b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 40000 + b"\r\n\r\n", 431),
    ("many headers", b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 150 + b"\r\n", 431),
    ("a strange method", b"BREW /auth/login HTTP/1.1\r\nHost: x\r\n\r\n", None),
]

BODIES = [
    (b"", 400), (b"{", 400), (b"[]", None), (b"null", None), (b'"x"', None), (b"{}", 422),
    (b'{"email":1,"password":[]}', 422), (b'{"email":"a@b.co","email":"a@b.co","password":"x"}', None),
    (b"{" * 5000, 400), (b'{"a":' * 200 + b"1" + b"}" * 200, None), (b'{"email":"\xff\xfe"}', 400),
    (b'{"email":"a\\u0000@b.co","password":"xxxxxxxx"}', 422), (b'{"email":"\\ud800","password":"x"}', None),
    (b'{"email":"a@b.co","password":"xxxxxxxx"} x', 400), (b"\xef\xbb\xbf{}", None),
]


class BadInput(Journey):
    variables = {"MILLRACE_HTTP_HEAD_TIMEOUT": "1s"}

    def assert_served(self):
        self.assertIn(b" 200 ", wire(self.server.port, GOOD).split(b"\r\n")[0])

    def test_requests_out_of_form_are_refused_and_closed(self):
        for what, data, status in REFUSED:
            with self.subTest(what):
                received = wire(self.server.port, data + b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
                line = received.split(b"\r\n")[0].decode()
                self.assertRegex(line, r"^HTTP/1\.1 [45]\d\d ", what)
                if status:
                    self.assertEqual(int(line.split()[1]), status, what)
                self.assertEqual(len(re.findall(rb"(?m)^HTTP/1\.1 ", received)), 1, "the rest was read as a request")
                body = json.loads(received.split(b"\r\n\r\n", 1)[1])
                self.assertIn(body["status"], ("fail", "error"))
                self.assertTrue(body["code"] and body["request_id"])
                self.assert_served()

    def test_bad_bodies_are_refused_and_the_connection_lives(self):
        for body, status in BODIES:
            with self.subTest(body[:40]):
                answer = self.api.request("POST", "/auth/login", body=body,
                                          headers={"Content-Type": "application/json"})
                self.assertIn(answer.status, (400, 422), answer)
                if status:
                    self.assertEqual(answer.status, status, answer)
                self.expect(self.api.get("/health/live"), 200)

    def test_media_types_and_sizes(self):
        self.expect(self.api.request("POST", "/auth/login", body=b"a=b", headers={
            "Content-Type": "application/x-www-form-urlencoded"}), 415, "UNSUPPORTED_MEDIA_TYPE")
        self.expect(self.api.request("POST", "/auth/login", body=b"{}"), 415)
        big = b'{"email":"' + b"a" * 10_000_000 + b'"}'
        answer = wire(self.server.port, b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                      b"Content-Length: %d\r\n\r\n" % len(big) + big)
        self.assertIn(b" 413 ", answer.split(b"\r\n")[0])
        self.assert_served()

    def test_a_body_too_large_is_refused_before_it_is_sent(self):
        received = wire(self.server.port, b"POST /auth/login HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                        b"Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n")
        self.assertIn(b" 413 ", received.split(b"\r\n")[0])

    def test_expect_continue_is_answered_when_the_body_is_wanted(self):
        body = b'{"email":"a@example.com","password":"whatever it is"}'
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=10) as sock:
            sock.sendall(b"POST /auth/login HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n"
                         b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body))
            self.assertEqual(sock.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
            sock.sendall(body)
            self.assertIn(b" 401 ", read_all(sock).split(b"\r\n")[0])

    def test_paths_and_methods(self):
        self.expect(self.api.get("/nope"), 404, "NOT_FOUND")
        answer = self.expect(self.api.request("DELETE", "/auth/login"), 405, "METHOD_NOT_ALLOWED")
        self.assertEqual(set(answer.headers["allow"].replace(" ", "").split(",")), {"POST", "OPTIONS"})
        answer = self.api.request("OPTIONS", "/auth/me")
        self.assertEqual(answer.status, 204)
        self.assertLessEqual({"GET", "PATCH", "HEAD", "OPTIONS"}, set(answer.headers["allow"].replace(" ", "").split(",")))
        head = self.api.request("HEAD", "/health/live")
        self.assertEqual((head.status, head.body), (200, b""))
        self.assertGreater(int(head.headers["content-length"]), 0)
        for path in ("/%zz", "/%00", "/..", "/auth/../health", "//health", "/health/", "/%2e%2e/health"):
            self.assertIn(self.api.get(path).status, (400, 404), path)

    def test_problems_come_as_rfc_9457_to_whoever_prefers_them(self):
        answer = self.api.get("/nope", headers={"Accept": "application/problem+json"})
        self.assertEqual(answer.headers["content-type"].split(";")[0], "application/problem+json")
        body = answer.json()
        self.assertEqual((body["status"], body["code"]), (404, "NOT_FOUND"))
        self.assertLessEqual({"type", "title", "status", "code", "request_id"}, set(body))
        plain = self.api.get("/nope", headers={"Accept": "application/problem+json;q=0.1, application/json"})
        self.assertEqual(plain.headers["content-type"].split(";")[0], "application/json")

    def test_replies_of_pipelined_requests_come_in_order(self):
        paths = [b"/health/live", b"/nope", b"/health/live", b"/auth/me"] * 8
        data = b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\nX-Request-ID: n%d\r\n\r\n" % (path, number)
                        for number, path in enumerate(paths))
        received = wire(self.server.port, data[:-2] + b"Connection: close\r\n\r\n")
        ids = [line.split(b":")[1].strip() for line in received.split(b"\r\n")
               if line.lower().startswith(b"x-request-id:")]
        self.assertEqual(ids, [b"n%d" % number for number in range(len(paths))])

    def test_a_request_in_pieces_is_one_request(self):
        data = GOOD
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=10) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in data:
                sock.sendall(bytes([byte]))
            self.assertIn(b" 200 ", read_all(sock))

    def test_a_head_that_never_ends_is_cut_off(self):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=20) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
            received = read_all(sock)
        self.assertIn(b" 408 ", received.split(b"\r\n")[0])
        self.assert_served()

    def test_chunked_bodies_are_read(self):
        received = wire(self.server.port, b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                        b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                        b"9\r\n{\"email\":\r\n22\r\n\"a@example.com\",\"password\":\"1234\"}\r\n0\r\n\r\n")
        self.assertRegex(received.split(b"\r\n")[0], rb" (401|422) ")


if __name__ == "__main__":
    main()
