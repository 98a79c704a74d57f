#!/usr/bin/env python3
"""What ./dev test asks about meson's tests.

tests.py list TREE SUITE...       "suite<TAB>name" of each test of these suites, in meson's order
tests.py sum LOG.json...          "passed failed skipped", then a line for each test that failed

SPDX-License-Identifier: Apache-2.0
"""

import json
import os
import subprocess
import sys

PASSED = {"OK", "EXPECTEDFAIL"}
SKIPPED = {"SKIP", "IGNORED"}


def list_tests(tree, suites):
    answer = subprocess.run(["meson", "introspect", "--tests", tree], check=True, stdout=subprocess.PIPE)
    for test in json.loads(answer.stdout):
        own = [suite.split(":")[-1] for suite in test["suite"]]
        for suite in own:
            if suite in suites:
                print(f"{suite}\t{test['name'].split(' / ')[-1]}")


def sum_results(logs):
    passed = skipped = 0
    failed = []
    for log in filter(os.path.exists, logs):
        with open(log, encoding="utf-8", errors="replace") as file:
            for line in file:
                test = json.loads(line)
                if test["result"] in PASSED:
                    passed += 1
                elif test["result"] in SKIPPED:
                    skipped += 1
                else:
                    failed.append(f"{test['name']} ({test['result'].lower()})")
    print(passed, len(failed), skipped)
    for name in failed:
        print(name)


if sys.argv[1] == "list":
    list_tests(sys.argv[2], sys.argv[3:])
else:
    sum_results(sys.argv[2:])
