# SPDX-License-Identifier: Apache-2.0
"""A newcomer registers, logs in, is known, changes things, leaves."""

import re
from concurrent.futures import ThreadPoolExecutor

from millrace import Client, Journey, PASSWORD, fresh_email, main

UUID7 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")


class Accounts(Journey):
    def test_a_newcomer_registers_and_is_known(self):
        email = fresh_email()
        answer = self.expect(self.api.register(email, name="Ada Lovelace"), 201)
        data = answer.data
        self.assertEqual(answer.json()["status"], "success")
        self.assertEqual(data["token_type"], "Bearer")
        self.assertEqual(data["expires_in"], 900)
        self.assertEqual(data["user"]["email"], email)
        self.assertEqual(data["user"]["name"], "Ada Lovelace")
        self.assertRegex(data["user"]["id"], UUID7)
        self.assertNotIn("password", answer.body.decode())
        me = self.expect(self.api.get("/auth/me", token=data["access_token"]), 200).data
        self.assertEqual(me["id"], data["user"]["id"])
        self.assertEqual(me["role"], "user")

    def test_the_same_routes_stand_under_api_v1(self):
        email = fresh_email()
        body = {"email": email, "password": PASSWORD, "password_confirmation": PASSWORD}
        self.expect(self.api.post("/api/v1/auth/register", body), 201)
        data = self.expect(self.api.post("/api/v1/auth/login", {"email": email, "password": PASSWORD}), 200).data
        self.expect(self.api.get("/api/v1/auth/me", token=data["access_token"]), 200)
        self.expect(self.api.post("/api/v1/auth/refresh", {"refresh_token": data["refresh_token"]}), 200)

    def test_login_finds_the_address_in_any_case_and_spacing(self):
        user = self.newcomer()
        data = self.expect(self.api.login("  " + user["email"].upper() + " "), 200).data
        self.assertEqual(data["user"]["email"], user["email"])

    def test_an_address_can_be_taken_once_whatever_its_case(self):
        user = self.newcomer()
        self.expect(self.api.register(user["email"].upper()), 409, "EMAIL_TAKEN")

    def test_of_many_who_register_one_address_at_once_one_wins(self):
        email = fresh_email()
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: Client(self.server.port).register(email), range(8)))
        self.assertEqual(sorted(answer.status for answer in answers), [201] + [409] * 7)

    def test_unknown_user_and_wrong_password_get_the_same_answer_and_the_same_work(self):
        user = self.newcomer()
        wrong = self.expect(self.api.login(user["email"], "not the password 1"), 401, "INVALID_CREDENTIALS")
        unknown = self.expect(self.api.login(fresh_email(), "not the password 1"), 401, "INVALID_CREDENTIALS")
        wrong_body, unknown_body = wrong.json(), unknown.json()
        wrong_body.pop("request_id"), unknown_body.pop("request_id")
        self.assertEqual(wrong_body, unknown_body)
        self.assertEqual(set(wrong.headers), set(unknown.headers))

    def test_every_bad_field_is_listed_at_once(self):
        answer = self.expect(self.api.post("/auth/register", {
            "email": "not-an-address", "password": "short", "password_confirmation": "other", "admin": True}),
            422, "VALIDATION_FAILED")
        errors = {error["pointer"]: error["code"] for error in answer.data["errors"]}
        self.assertEqual(errors["/email"], "EMAIL_INVALID")
        self.assertEqual(errors["/password"], "TOO_SHORT")
        self.assertEqual(errors["/admin"], "UNKNOWN_FIELD")
        self.assertNotIn("short", answer.body.decode().replace("TOO_SHORT", ""))

    def test_a_confirmation_must_be_the_same(self):
        answer = self.expect(self.api.post("/auth/register", {
            "email": fresh_email(), "password": PASSWORD, "password_confirmation": PASSWORD + "x"}), 422)
        self.assertEqual([(error["pointer"], error["code"]) for error in answer.data["errors"]],
                         [("/password_confirmation", "NOT_THE_SAME")])

    def test_common_passwords_are_refused(self):
        for password in ("password", "12345678", "qwertyuiop"):
            answer = self.api.register(password=password)
            self.expect(answer, 422)

    def test_a_profile_can_be_changed_in_part(self):
        user = self.newcomer(name="Before")
        token = user["access_token"]
        changed = self.expect(self.api.patch("/auth/me", {"name": "Grace Höpper 🚀"}, token=token), 200).data
        self.assertEqual(changed["name"], "Grace Höpper 🚀")
        self.expect(self.api.patch("/auth/me", {}, token=token), 200)
        self.assertEqual(self.api.get("/auth/me", token=token).data["name"], "Grace Höpper 🚀")
        self.expect(self.api.patch("/auth/me", {"name": None}, token=token), 200)
        self.assertIsNone(self.api.get("/auth/me", token=token).data.get("name"))
        self.expect(self.api.patch("/auth/me", {"role": "admin"}, token=token), 422, "VALIDATION_FAILED")

    def test_a_password_change_needs_the_old_one_and_ends_other_sessions(self):
        user = self.newcomer()
        other = self.api.login(user["email"]).data
        token = user["access_token"]
        new = "an entirely new passphrase 7"
        body = {"current_password": "wrong password 123", "password": new, "password_confirmation": new}
        self.expect(self.api.post("/auth/password", body, token=token), 403, "PASSWORD_WRONG")
        body["current_password"] = PASSWORD
        self.assertIn(self.api.post("/auth/password", body, token=token).status, (200, 204))
        self.expect(self.api.get("/auth/me", token=token), 200)
        self.expect(self.api.get("/auth/me", token=other["access_token"]), 401, "SESSION_REVOKED")
        self.assertEqual(self.api.post("/auth/refresh", {"refresh_token": other["refresh_token"]}).status, 401)
        self.expect(self.api.login(user["email"]), 401, "INVALID_CREDENTIALS")
        self.expect(self.api.login(user["email"], new), 200)

    def test_logout_ends_the_session_at_once(self):
        user = self.newcomer()
        self.assertIn(self.api.post("/auth/logout", token=user["access_token"]).status, (200, 204))
        self.expect(self.api.get("/auth/me", token=user["access_token"]), 401, "SESSION_REVOKED")
        self.assertEqual(self.api.post("/auth/refresh", {"refresh_token": user["refresh_token"]}).status, 401)

    def test_no_token_and_bad_tokens_are_told_apart_and_challenged(self):
        missing = self.expect(self.api.get("/auth/me"), 401, "TOKEN_MISSING")
        self.assertTrue(missing.headers["www-authenticate"].startswith("Bearer"))
        token = self.newcomer()["access_token"]
        head, payload, signature = token.split(".")
        for bad in ("x", "a.b.c", f"{head}.{payload}.", f"{head}.{payload}.{signature[::-1]}",
                    f"{head}.{payload}x.{signature}", f"eyJhbGciOiJub25lIn0.{payload}.", token + "x", token * 50):
            self.expect(self.api.get("/auth/me", token=bad), 401, "TOKEN_INVALID")
        self.expect(self.api.get("/auth/me", headers={"Authorization": "Basic eDp5"}), 401)


class Storm(Journey):
    variables = {"MILLRACE_PASSWORD_THREADS": "1", "MILLRACE_PASSWORD_QUEUE_MAX": "2"}

    def test_more_logins_than_can_be_hashed_are_refused_early_and_the_rest_is_served(self):
        email = self.newcomer()["email"]
        with ThreadPoolExecutor(24) as pool:
            answers = list(pool.map(lambda _: Client(self.server.port).login(email), range(24)))
        refused = [answer for answer in answers if answer.status == 503]
        self.assertEqual(len(refused) + sum(answer.status == 200 for answer in answers), 24, answers)
        self.assertTrue(refused)
        self.assertLess(len(refused), 24)
        for answer in refused:
            self.assertEqual(answer.code, "OVERLOADED")
            self.assertGreater(int(answer.headers["retry-after"]), 0)
        self.expect(self.api.login(email), 200)


if __name__ == "__main__":
    main()
