# SPDX-License-Identifier: Apache-2.0
"""Whoever is logged in sees the sessions, and ends any of them."""

from millrace import Client, Journey, main


class Sessions(Journey):
    def test_sessions_are_listed_and_one_can_be_ended(self):
        user = self.newcomer()
        phone = Client(self.server.port, "phone/2").login(user["email"]).data
        sessions = self.expect(self.api.get("/auth/sessions", token=user["access_token"]), 200).data
        listed = sessions if isinstance(sessions, list) else next(v for v in sessions.values() if isinstance(v, list))
        self.assertEqual(len(listed), 2)
        by_agent = {session["user_agent"]: session for session in listed}
        self.assertTrue(by_agent["journey/1"]["current"])
        self.assertFalse(by_agent["phone/2"]["current"])
        path = f"/auth/sessions/{by_agent['phone/2']['id']}"
        self.assertIn(self.api.delete(path, token=user["access_token"]).status, (200, 204))
        self.expect(self.api.get("/auth/me", token=phone["access_token"]), 401, "SESSION_REVOKED")
        self.expect(self.api.get("/auth/me", token=user["access_token"]), 200)
        self.expect(self.api.delete(path, token=user["access_token"]), 404, "SESSION_NOT_FOUND")

    def test_nobody_sees_or_ends_the_sessions_of_another(self):
        mine, theirs = self.newcomer(), self.newcomer()
        sessions = self.api.get("/auth/sessions", token=theirs["access_token"]).data
        listed = sessions if isinstance(sessions, list) else next(v for v in sessions.values() if isinstance(v, list))
        self.expect(self.api.delete(f"/auth/sessions/{listed[0]['id']}", token=mine["access_token"]), 404)
        self.expect(self.api.get("/auth/me", token=theirs["access_token"]), 200)

    def test_a_session_id_of_the_wrong_form_is_no_path(self):
        token = self.newcomer()["access_token"]
        for bad in ("x", "1", "00000000", "%00", "..%2f.."):
            self.assertIn(self.api.delete(f"/auth/sessions/{bad}", token=token).status, (400, 404))


if __name__ == "__main__":
    main()
