#!/usr/bin/env python3
"""Prints the line coverage of each folder from gcovr's JSON summary.

coverage.py SUMMARY.json --fail-under-line PERCENT

SPDX-License-Identifier: Apache-2.0
"""

import collections
import json
import os
import sys


def percent(covered, total):
    return 100.0 * covered / total if total else 0.0


def main():
    limit = float(sys.argv[3])
    with open(sys.argv[1], encoding="utf-8") as file:
        files = json.load(file)["files"]
    folders = collections.defaultdict(lambda: [0, 0])
    for entry in files:
        folder = folders[os.path.dirname(entry["filename"]) + "/"]
        folder[0] += entry["line_covered"]
        folder[1] += entry["line_total"]
    covered = sum(folder[0] for folder in folders.values())
    total = sum(folder[1] for folder in folders.values())
    for name, (got, of) in sorted(folders.items()):
        print(f"{name:<24} {got:>6} of {of:>6} lines {percent(got, of):6.1f} %")
    print(f"{'total':<24} {covered:>6} of {total:>6} lines {percent(covered, total):6.1f} %")
    if percent(covered, total) < limit:
        print(f"error: line coverage is under {limit:g} %", file=sys.stderr)
        return 1
    return 0


sys.exit(main())
