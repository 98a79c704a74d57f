# SPDX-License-Identifier: Apache-2.0
"""The document and the server are one: nothing is missing from either."""

import json
import re

from millrace import Journey, main, run_command

METHODS = {"get", "post", "put", "patch", "delete"}


class Contract(Journey):
    def document(self):
        answer = self.expect(self.api.get("/openapi.json"), 200)
        self.assertEqual(answer.headers["content-type"].split(";")[0], "application/json")
        return answer.json()

    def operations(self):
        for path, item in self.document()["paths"].items():
            for method, operation in item.items():
                if method in METHODS:
                    yield method.upper(), path, operation

    def routes(self):
        listed = json.loads(run_command("routes", "--json").stdout)
        return listed if isinstance(listed, list) else listed["routes"]

    def test_every_route_is_documented_and_every_operation_is_a_route(self):
        documented = {(method, path) for method, path, _ in self.operations()}
        served = {(route["method"], route["path"]) for route in self.routes()
                  if "api" in route["listener"] and route["documented"]}
        undocumented = {route["path"] for route in self.routes() if not route["documented"]}
        self.assertEqual(undocumented, {"/docs", "/docs/explorer.js", "/docs/problems", "/openapi.json"})
        self.assertEqual(documented, served)
        self.assertGreaterEqual(len(documented), 25)

    def test_every_operation_is_really_served(self):
        for method, path, operation in self.operations():
            path = re.sub(r"\{\w+\}", "0198a5d2-0000-7000-8000-000000000000", path)
            answer = self.api.request(method, path)
            self.assertNotIn(answer.status, (405, 500, 501), (method, path, answer))
            self.assertIn(str(answer.status), operation["responses"], (method, path, answer))

    def test_operations_are_complete(self):
        document = self.document()
        self.assertTrue(document["openapi"].startswith("3.1"))
        ids = [operation["operationId"] for _, _, operation in self.operations()]
        self.assertEqual(len(ids), len(set(ids)))
        for method, path, operation in self.operations():
            self.assertTrue(operation.get("summary") or operation.get("description"), path)
            self.assertTrue(any(status.startswith("2") for status in operation["responses"]), path)
            for name in re.findall(r"\{(\w+)\}", path):
                self.assertIn(name, [parameter["name"] for parameter in operation["parameters"]
                                     if parameter["in"] == "path"])
        names = set(document["components"]["schemas"])
        for reference in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)):
            self.assertIn(reference, names)

    def test_answers_have_exactly_the_documented_fields(self):
        document = self.document()

        def resolve(schema):
            while "$ref" in schema:
                schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
            return schema

        def check(schema, value, where):
            schema = resolve(schema)
            for part in schema.get("allOf", []):
                check(part, value, where)
            if isinstance(value, dict) and "properties" in schema:
                self.assertLessEqual(set(value), set(schema["properties"]), where)
                self.assertLessEqual(set(schema.get("required", [])), set(value), where)
                for key, inner in value.items():
                    check(schema["properties"][key], inner, f"{where}/{key}")
            if isinstance(value, list) and "items" in schema:
                for inner in value:
                    check(schema["items"], inner, where + "[]")

        user = self.newcomer()
        token = user["access_token"]
        calls = [("post", "/auth/login", {"email": user["email"], "password": "correct horse battery staple 42"}),
                 ("get", "/auth/me", None), ("get", "/auth/sessions", None),
                 ("post", "/auth/refresh", {"refresh_token": user["refresh_token"]})]
        for method, path, body in calls:
            answer = self.api.request(method.upper(), path, body=body, token=token)
            responses = document["paths"][path][method]["responses"]
            content = responses[str(answer.status)]["content"]["application/json"]["schema"]
            check(content, answer.json(), f"{method} {path}")

    def test_the_explorer_works_offline(self):
        page = self.expect(self.api.get("/docs"), 200)
        html = page.body.decode()
        self.assertIn("text/html", page.headers["content-type"])
        self.assertIn("content-security-policy", page.headers)
        links = re.findall(r'(?:src|href|spec-url)="([^"]+)"', html)
        self.assertTrue(links)
        for link in links:
            self.assertFalse(link.startswith(("http:", "https:", "//")), f"{link} is not ours")
            if link.startswith("/"):
                answer = self.api.get(link.split("#")[0], headers={"Accept-Encoding": "gzip"})
                self.assertEqual(answer.status, 200, link)

    def test_an_unchanged_document_is_not_sent_twice(self):
        first = self.api.get("/openapi.json")
        again = self.api.get("/openapi.json", headers={"If-None-Match": first.headers["etag"]})
        self.assertEqual((again.status, again.body), (304, b""))

    def test_the_command_prints_the_same_document(self):
        printed = json.loads(run_command("openapi").stdout)
        self.assertEqual(set(printed["paths"]), set(self.document()["paths"]))


if __name__ == "__main__":
    main()
