# SPDX-License-Identifier: Apache-2.0
"""200 clients write at once: nothing is lost, nothing is locked."""

from concurrent.futures import ThreadPoolExecutor

from millrace import Client, Journey, main

WRITERS = 200
WRITES = 5


class Writers(Journey):
    def test_two_hundred_writers_lose_nothing(self):
        users = [self.newcomer() for _ in range(10)]

        def write(number):
            user = users[number % len(users)]
            client = Client(self.server.port)
            answers = []
            for turn in range(WRITES):
                answers.append(client.patch("/auth/me", {"name": f"{number}-{turn}"}, token=user["access_token"]))
            client.close()
            return answers

        with ThreadPoolExecutor(WRITERS) as pool:
            answers = [answer for answers in pool.map(write, range(WRITERS)) for answer in answers]
        self.assertEqual(len(answers), WRITERS * WRITES)
        statuses = {answer.status for answer in answers}
        self.assertEqual(statuses, {200}, [answer for answer in answers if answer.status != 200][:3])
        self.assertNotIn("locked", "\n".join(self.server.lines))
        for user in users:
            name = self.api.get("/auth/me", token=user["access_token"]).data["name"]
            self.assertRegex(name, r"^\d+-\d$")


if __name__ == "__main__":
    main()
