# SPDX-License-Identifier: Apache-2.0
"""The journeys' kit: starts the real server on a real database, speaks to it, and reads what it says.

A journey is a unittest file run once per engine: `python3 test_x.py sqlite|postgresql`. Standard library
only. The binary comes from MILLRACE_TEST_BINARY, the cluster from MILLRACE_TEST_POSTGRES_URL."""

import http.client
import json
import os
import pathlib
import queue
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

START_SECONDS = 30   # a sanitizer build on a busy machine
STOP_SECONDS = 40
SKIPPED = 77         # Meson's word for a skipped test
SANITIZER_WORDS = ("ERROR: AddressSanitizer", "runtime error:", "LeakSanitizer", "ThreadSanitizer",
                   "Assertion", "UndefinedBehaviorSanitizer")
PASSWORD = "correct horse battery staple 42"

# A shell that puts us in the background lets us ignore these, and what we start would inherit it.
for number in (signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)

ENGINE = "sqlite"


def binary(release=False):
    path = os.environ.get("MILLRACE_TEST_RELEASE_BINARY" if release else "MILLRACE_TEST_BINARY")
    if not path:
        print("MILLRACE_TEST_BINARY is not set: run the tests by ./dev test")
        sys.exit(SKIPPED)
    return path


def environment(**extra):
    """The environment of a server: nothing of ours leaks in but what a process needs."""
    kept = {name: value for name, value in os.environ.items()
            if name in ("PATH", "HOME", "LANG", "TMPDIR") or name.endswith("SAN_OPTIONS")}
    kept.update({name: str(value) for name, value in extra.items() if value is not None})
    return kept


class Answer:
    """One answer: status, headers (lower-case names), body bytes, json()."""

    def __init__(self, response, body):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = body

    def json(self):
        return json.loads(self.body)

    @property
    def data(self):
        return self.json()["data"]

    @property
    def code(self):
        return self.json().get("code")

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Client:
    """A keep-alive client of one listener."""

    def __init__(self, port, user_agent="journey/1"):
        self.port = port
        self.user_agent = user_agent
        self.connection = None

    def request(self, method, path, body=None, token=None, headers=None):
        sent = {"User-Agent": self.user_agent, **(headers or {})}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            self.connection.request(method, path, body=body, headers=sent)
            response = self.connection.getresponse()
            answer = Answer(response, response.read())
        except BaseException:
            self.close()
            raise
        if response.will_close:
            self.close()
        return answer

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.request("POST", path, body=body, **more)

    def patch(self, path, body=None, **more):
        return self.request("PATCH", path, body=body, **more)

    def delete(self, path, **more):
        return self.request("DELETE", path, **more)

    def register(self, email=None, password=PASSWORD, **more):
        email = email or fresh_email()
        return self.post("/auth/register", {"email": email, "password": password,
                                            "password_confirmation": password, **more})

    def login(self, email, password=PASSWORD):
        return self.post("/auth/login", {"email": email, "password": password})


def fresh_email():
    return f"user-{secrets.token_hex(8)}@example.com"


def wire(port, data, half_close=False, timeout=15):
    """Sends raw bytes, returns all that comes back until the server closes (or nothing more comes)."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as sock:
        try:
            sock.sendall(data)
            if half_close:
                sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before all was sent: what was answered is still to be read
        return read_all(sock)


def read_all(sock):
    received = b""
    try:
        while chunk := sock.recv(65536):
            received += chunk
    except (ConnectionResetError, socket.timeout):
        pass
    return received


class Database:
    """A database of a test's own, made and dropped; SQLite needs none."""

    def __init__(self):
        self.url = None
        self.name = None
        if ENGINE == "postgresql":
            self.admin_url = os.environ.get("MILLRACE_TEST_POSTGRES_URL")
            if not self.admin_url:
                print("MILLRACE_TEST_POSTGRES_URL is not set: run the tests by ./dev test")
                sys.exit(SKIPPED)
            self.name = f"journey_{secrets.token_hex(6)}"
            self.sql(f"CREATE DATABASE {self.name}", self.admin_url)
            head, _, tail = self.admin_url.partition("?")
            self.url = head.rsplit("/", 1)[0] + f"/{self.name}" + (f"?{tail}" if tail else "")

    def sql(self, statement, url=None):
        return subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement, url or self.url],
                              check=True, capture_output=True, text=True).stdout.strip()

    def drop(self):
        if self.name:
            self.sql(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)", self.admin_url)


class Server:
    """A running server of its own, in a folder of its own."""

    def __init__(self, *options, release=False, database=None, data_dir=None, wait=True, **variables):
        self.owns_database = database is None
        self.database = database or Database()
        self.owns_data = data_dir is None
        self.data_dir = pathlib.Path(data_dir or tempfile.mkdtemp(prefix="millrace-journey-"))
        self.variables = environment(DATABASE_URL=self.database.url, **variables)
        self.release = release
        self.options = options
        self.lines = []
        self.arrived = queue.Queue()
        self.process = subprocess.Popen(
            [binary(release), "serve", "--port", "0", "--ops-port", "0", "--data-dir", str(self.data_dir),
             *options], env=self.variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.port = self.ops_port = None
        if wait:
            self._wait_for_start()

    def _read(self):
        for raw in self.process.stdout:
            line = raw.decode(errors="replace").rstrip("\n")
            self.lines.append(line)
            self.arrived.put(line)
        self.arrived.put(None)

    def _wait_for_start(self):
        line = self.wait_line(lambda entry: entry.get("event") == "server_started", START_SECONDS)
        self.started = line
        self.port = port_of(line["api"])
        self.ops_port = port_of(line["metrics"])
        self.api = Client(self.port)
        self.ops = Client(self.ops_port)

    def wait_line(self, matches, seconds=10):
        """The next log line that matches; lines before it are read past."""
        limit = time.monotonic() + seconds
        while (left := limit - time.monotonic()) > 0:
            try:
                line = self.arrived.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                break
            entry = parse_line(line)
            if entry and matches(entry):
                return entry
        raise AssertionError("the line did not come; the server said:\n" + "\n".join(self.lines[-40:]))

    def entries(self, event=None):
        found = [entry for entry in map(parse_line, self.lines) if entry]
        return [entry for entry in found if event is None or entry.get("event") == event]

    def client(self, user_agent="journey/1"):
        return Client(self.port, user_agent)

    def command(self, *arguments, **more):
        """A command of the same binary on the same data."""
        return run_command(*arguments, "--data-dir", str(self.data_dir), env=self.variables,
                           release=self.release, **more)

    def metrics(self):
        """{'name{labels}': value} of the ops listener."""
        answer = Client(self.ops_port).get("/metrics")
        assert answer.status == 200, answer
        series = {}
        for line in answer.body.decode().splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                series[name] = float(value)
        return series

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, expect=0):
        """SIGTERM, and the exit code that a clean stop has; sanitizers must have found nothing."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the server did not stop; it said:\n" + "\n".join(self.lines[-40:]))
        finally:
            self.reader.join(5)
            self.process.stdout.close()
            if self.owns_data:
                shutil.rmtree(self.data_dir, ignore_errors=True)
            if self.owns_database:
                self.database.drop()
        said = "\n".join(self.lines)
        for word in SANITIZER_WORDS:
            assert word not in said, said[-6000:]
        assert self.process.returncode == expect, (self.process.returncode, said[-3000:])

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            self.stop()
        except AssertionError:
            if kind is None:
                raise
            print("\n".join(self.lines[-40:]))


def port_of(url):
    return int(url.split("//")[1].split("/")[0].rsplit(":", 1)[1])


def parse_line(line):
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def run_command(*arguments, env=None, release=False, stdin="", cwd=None):
    return subprocess.run([binary(release), *arguments], env=env or environment(), input=stdin,
                          capture_output=True, text=True, timeout=60, cwd=cwd)


def wait_until(condition, seconds=10):
    """Polls what only another process can tell. True as soon as it holds."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if condition():
            return True
        time.sleep(0.02)
    return False


class Journey(unittest.TestCase):
    """One server for all tests of the class."""

    options = ()
    variables = {}

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.options, **cls.variables)

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        self.api = self.server.client()
        self.addCleanup(self.api.close)

    def expect(self, answer, status, code=None):
        self.assertEqual(answer.status, status, answer)
        if code is not None:
            self.assertEqual(answer.code, code, answer)
        return answer

    def newcomer(self, api=None, **more):
        """A registered user: the `data` of the answer, with the e-mail beside."""
        email = fresh_email()
        data = self.expect((api or self.api).register(email, **more), 201).data
        data["email"] = email
        return data


def main():
    global ENGINE
    ENGINE = sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else "sqlite"
    unittest.main(module="__main__", verbosity=2, warnings="ignore")
