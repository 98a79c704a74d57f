# SPDX-License-Identifier: Apache-2.0
"""What operators see: health, metrics, request ids, logs without secrets."""

import json
import re
import shutil
import socket
import subprocess

from millrace import Client, Journey, PASSWORD, main, read_all, wait_until

BUCKETS = "0.0005 0.001 0.0025 0.005 0.01 0.025 0.05 0.075 0.1 0.2 0.25 0.5 0.75 1 2.5 5 7.5 10 +Inf".split()
NAMES = ["http_requests_total", "http_request_duration_seconds", "http_request_size_bytes",
         "http_response_size_bytes", "database_query_duration_seconds", "database_connections_active",
         "database_connections_idle", "active_users", "authentication_attempts_total",
         "business_events_total", "errors_total", "event_loop_lag_seconds", "millrace_build_info",
         "process_resident_memory_bytes", "process_open_fds", "process_cpu_seconds_total"]


class Observed(Journey):
    def test_health_is_answered_on_both_listeners(self):
        for client in (self.server.api, self.server.ops):
            for path in ("/health", "/health/live", "/health/ready", "/health/startup", "/livez", "/readyz", "/healthz"):
                answer = self.expect(client.get(path), 200)
                self.assertEqual(answer.json()["status"], "ok", path)
        self.assertEqual(self.server.api.get("/health/live?plain=1").body.strip(), b"live")
        self.assertEqual(self.server.api.get("/health/ready?plain=1").body.strip(), b"ready")
        self.assertNotIn("checks", self.server.api.get("/health").json())
        self.assertIn("version", self.server.ops.get("/version").json())

    def test_metrics_have_the_names_and_pass_promtool(self):
        self.newcomer()
        self.api.login("nobody@example.com")
        text = self.server.ops.get("/metrics").body.decode()
        for name in NAMES:
            self.assertRegex(text, rf"(?m)^# TYPE {name} ", name)
        found = re.findall(r'(?m)^http_request_duration_seconds_bucket\{[^}]*endpoint="/auth/register"[^}]*le="([^"]+)"', text)
        self.assertEqual(found[:len(BUCKETS)], BUCKETS)
        if shutil.which("promtool"):
            checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
            self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def test_random_paths_add_no_series(self):
        self.api.get("/nope/first")
        before = len(self.server.metrics())
        for batch in range(100):
            with socket.create_connection(("127.0.0.1", self.server.port), timeout=30) as sock:
                data = b"".join(b"GET /nope/%d/%d HTTP/1.1\r\nHost: x\r\n\r\n" % (batch, number)
                                for number in range(1000))
                sock.sendall(data[:-2] + b"Connection: close\r\n\r\n")
                self.assertEqual(read_all(sock).count(b"HTTP/1.1 404"), 1000)
        after = self.server.metrics()
        self.assertLessEqual(len(after), before + 40)
        unmatched = sum(value for name, value in after.items()
                        if name.startswith("http_requests_total") and 'status="404"' in name)
        self.assertGreaterEqual(unmatched, 100_000)

    def test_a_request_id_goes_in_and_out_and_into_the_log(self):
        answer = self.api.get("/auth/me", headers={"X-Request-ID": "from-outside.1"})
        self.assertEqual(answer.headers["x-request-id"], "from-outside.1")
        self.assertEqual(answer.json()["request_id"], "from-outside.1")
        made = self.api.get("/auth/me", headers={"X-Request-ID": "bad id\u00e9".encode().decode("latin-1")})
        self.assertRegex(made.headers["x-request-id"], r"^[0-9a-f-]{36}$")
        self.assertTrue(wait_until(lambda: any(entry.get("request_id") == "from-outside.1"
                                               for entry in self.server.entries("request"))))

    def test_the_access_log_names_route_status_and_duration_and_never_a_secret(self):
        user = self.newcomer()
        self.api.get("/auth/me?token=in-the-query", token=user["access_token"])
        self.api.login(user["email"], "a secret that is wrong 1")
        self.assertTrue(wait_until(lambda: len(self.server.entries("request")) >= 3))
        entry = next(entry for entry in self.server.entries("request") if entry["endpoint"] == "/auth/register")
        self.assertEqual((entry["method"], entry["status"]), ("POST", 201))
        self.assertGreater(entry["duration_ms"], 0)
        said = "\n".join(self.server.lines)
        for secret in (PASSWORD, "a secret that is wrong 1", user["access_token"], user["refresh_token"],
                       "in-the-query"):
            self.assertNotIn(secret, said)

    def test_a_log_line_cannot_be_forged(self):
        forged = 'x"}\\n{"event":"forged"'
        Client(self.server.port, user_agent=forged).get("/nope")
        self.assertTrue(wait_until(lambda: any(forged in str(entry.get("user_agent"))
                                               for entry in self.server.entries("request"))))
        self.assertEqual(self.server.entries("forged"), [])
        for line in self.server.lines:
            json.loads(line)

    def test_metrics_stand_on_the_api_only_in_development(self):
        self.assertEqual(self.server.api.get("/metrics").status, 200)


if __name__ == "__main__":
    main()
