# SPDX-License-Identifier: Apache-2.0
"""An admin is made on the command line, finds users, suspends them; others may not."""

from millrace import Journey, PASSWORD, fresh_email, main, wait_until


class Admin(Journey):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.email = fresh_email()
        made = cls.server.command("admin", "create", cls.email, "--password-stdin", stdin=PASSWORD + "\n")
        assert made.returncode == 0, made
        assert PASSWORD not in made.stdout + made.stderr

    def admin(self):
        return self.expect(self.api.login(self.email), 200).data["access_token"]

    def test_an_admin_lists_and_searches_in_pages(self):
        users = [self.newcomer() for _ in range(5)]
        token = self.admin()
        page = self.expect(self.api.get("/admin/users?page=1&page_size=2", token=token), 200).data
        self.assertEqual(set(page), {"total", "page", "page_size", "total_pages", "data"})
        self.assertEqual((page["page"], page["page_size"], len(page["data"])), (1, 2, 2))
        self.assertEqual(page["total_pages"], -(-page["total"] // 2))
        seen = set()
        for number in range(1, page["total_pages"] + 1):
            rows = self.api.get(f"/admin/users?page={number}&page_size=2", token=token).data["data"]
            seen |= {row["id"] for row in rows}
        self.assertEqual(len(seen), page["total"])
        needle = users[3]["email"].split("@")[0]
        found = self.expect(self.api.get(f"/admin/users?q={needle}", token=token), 200).data["data"]
        self.assertEqual([row["email"] for row in found], [users[3]["email"]])
        one = self.expect(self.api.get(f"/admin/users/{users[3]['user']['id']}", token=token), 200).data
        self.assertEqual(one["email"], users[3]["email"])
        self.assertNotIn("password_hash", one)

    def test_a_search_is_taken_literally(self):
        self.newcomer()
        token = self.admin()
        for text in ("%25", "_", "%27%3B--", "%5C"):
            answer = self.expect(self.api.get(f"/admin/users?q={text}zzz", token=token), 200)
            self.assertEqual(answer.data["total"], 0, text)

    def test_a_name_beyond_ascii_is_found_as_it_is_written(self):
        word = fresh_email().split("@")[0]
        self.expect(self.api.register(name=f"\u00c9lan {word}"), 201)
        answer = self.expect(self.api.get(f"/admin/users?q=%C3%89lan%20{word.upper()}", token=self.admin()), 200)
        self.assertEqual(answer.data["total"], 1)

    def test_bad_pages_are_refused_by_name(self):
        token = self.admin()
        for query in ("page=0", "page=-1", "page=x", "page_size=101", "page_size=0", "page=1&page=2", "nope=1"):
            answer = self.expect(self.api.get(f"/admin/users?{query}", token=token), 422, "VALIDATION_FAILED")
            self.assertTrue(answer.data["errors"][0]["pointer"])

    def test_a_suspended_user_is_out_at_once_and_back_after(self):
        user = self.newcomer()
        token = self.admin()
        path = f"/admin/users/{user['user']['id']}"
        self.assertIn(self.api.post(path + "/suspend", {"reason": "spam"}, token=token).status, (200, 204))
        self.assertEqual(self.api.get("/auth/me", token=user["access_token"]).status, 401)
        self.expect(self.api.login(user["email"]), 403, "ACCOUNT_SUSPENDED")
        self.expect(self.api.login(user["email"], "a wrong password 9"), 401, "INVALID_CREDENTIALS")
        self.assertEqual(self.api.post("/auth/refresh", {"refresh_token": user["refresh_token"]}).status, 401)
        self.assertIn(self.api.post(path + "/unsuspend", token=token).status, (200, 204))
        self.expect(self.api.login(user["email"]), 200)

    def test_the_audit_line_of_a_suspension_says_why(self):
        user = self.newcomer()
        reason = 'sold "spam"\n{"level":"error"} ' + "\u00e9" * 470
        path = f"/admin/users/{user['user']['id']}/suspend"
        self.expect(self.api.post(path, {"reason": reason}, token=self.admin()), 200)
        subject = user["user"]["id"]
        self.assertTrue(wait_until(lambda: self.audit("user_suspended", subject)))
        line, = self.audit("user_suspended", subject)
        self.assertEqual(line["reason"], reason)
        self.assertNotIn("reason", self.audit("user_registered", subject)[0])

    def audit(self, event, subject):
        return [line for line in self.server.entries(event) if line["audit"] and line["subject_id"] == subject]

    def test_a_user_is_no_admin(self):
        user = self.newcomer()
        for path in ("/admin/users", f"/admin/users/{user['user']['id']}"):
            self.expect(self.api.get(path, token=user["access_token"]), 403, "FORBIDDEN")
            self.expect(self.api.get(path), 401, "TOKEN_MISSING")

    def test_the_last_admin_stays(self):
        token = self.admin()
        me = self.api.get("/auth/me", token=token).data
        self.expect(self.api.post(f"/admin/users/{me['id']}/suspend", {"reason": "mistake"}, token=token),
                    409, "ADMIN_REQUIRED")
        self.expect(self.api.get("/auth/me", token=token), 200)

    def test_an_unknown_user_is_not_found(self):
        token = self.admin()
        self.expect(self.api.get("/admin/users/0198a5d2-0000-7000-8000-000000000000", token=token),
                    404, "USER_NOT_FOUND")
        self.assertEqual(self.api.get("/admin/users/nobody", token=token).status, 404)


if __name__ == "__main__":
    main()
