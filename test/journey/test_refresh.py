# SPDX-License-Identifier: Apache-2.0
"""Refresh tokens rotate; parallel tabs stay logged in; a stolen old token ends the family."""

from concurrent.futures import ThreadPoolExecutor
import time

from millrace import Client, Journey, main


class Refresh(Journey):
    # A replay is forgiven for one second here instead of ten, so that the test need not wait.
    variables = {"MILLRACE_ACCESS_REFRESH_GRACE": "1s"}

    def refresh(self, token, agent="journey/1"):
        return Client(self.server.port, agent).post("/auth/refresh", {"refresh_token": token})

    def test_a_refresh_gives_new_tokens_that_work(self):
        user = self.newcomer()
        data = self.expect(self.refresh(user["refresh_token"]), 200).data
        self.assertNotEqual(data["refresh_token"], user["refresh_token"])
        self.assertEqual(data["token_type"], "Bearer")
        self.assertEqual(data["user"]["id"], user["user"]["id"])
        self.expect(self.api.get("/auth/me", token=data["access_token"]), 200)
        self.expect(self.refresh(data["refresh_token"]), 200)

    def test_fifty_tabs_that_refresh_at_once_all_stay_logged_in(self):
        user = self.newcomer()
        with ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(lambda _: self.refresh(user["refresh_token"]), range(50)))
        self.assertEqual({answer.status for answer in answers}, {200}, answers)
        successors = {answer.data["refresh_token"] for answer in answers}
        self.assertEqual(len(successors), 1)
        self.expect(self.refresh(successors.pop()), 200)

    def test_a_replay_after_the_grace_ends_the_whole_family(self):
        user = self.newcomer()
        data = self.expect(self.refresh(user["refresh_token"]), 200).data
        time.sleep(1.2)  # the grace is a span of wall-clock time: there is nothing else to wait for
        self.expect(self.refresh(user["refresh_token"]), 401, "REFRESH_TOKEN_REUSED")
        self.assertEqual(self.refresh(data["refresh_token"]).status, 401)
        self.expect(self.api.get("/auth/me", token=data["access_token"]), 401, "SESSION_REVOKED")

    def test_a_replay_by_another_client_ends_the_family_even_within_the_grace(self):
        user = self.newcomer()
        data = self.expect(self.refresh(user["refresh_token"]), 200).data
        self.expect(self.refresh(user["refresh_token"], "thief/6.6"), 401, "REFRESH_TOKEN_REUSED")
        self.assertEqual(self.refresh(data["refresh_token"]).status, 401)

    def test_a_family_that_ends_leaves_the_other_sessions_alone(self):
        user = self.newcomer()
        other = self.expect(self.api.login(user["email"]), 200).data
        self.expect(self.refresh(user["refresh_token"]), 200)
        self.expect(self.refresh(user["refresh_token"], "thief/6.6"), 401)
        self.expect(self.refresh(other["refresh_token"]), 200)

    def test_tokens_that_never_were_are_refused(self):
        for token in ("", "x", "A" * 43, "é" * 20, "A" * 5000):
            answer = self.refresh(token)
            self.assertIn(answer.status, (401, 422), answer)
        access = self.newcomer()["access_token"]
        self.assertIn(self.refresh(access).status, (401, 422))

    def test_no_refresh_token_stands_in_the_database_or_the_log(self):
        user = self.newcomer()
        token = self.expect(self.refresh(user["refresh_token"]), 200).data["refresh_token"]
        stored = b"".join(file.read_bytes() for file in self.server.data_dir.rglob("*") if file.is_file())
        for secret in (user["refresh_token"], token, user["access_token"]):
            self.assertNotIn(secret.encode(), stored)
            self.assertNotIn(secret, "\n".join(self.server.lines))


if __name__ == "__main__":
    main()
