#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does what docs/ADDING_NEW_DOMAIN.md says, in a copy of the tree: writes the files it prints, applies its
diffs, builds, and runs the journey on SQLite (and on PostgreSQL where there is one) and the style test."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

FILE = re.compile(r"^\*\*`([^`]+)`\*\*\n\n```\w+\n(.*?)^```$", re.M | re.S)
DIFF = re.compile(r"^```diff\n(.*?)^```$", re.M | re.S)
LEFT_OUT = shutil.ignore_patterns(".git", "build", "data", "__pycache__")


def run(*command, **more):
    done = subprocess.run([str(part) for part in command], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout[-6000:]}")
    return done.stdout


def apply_diff(tree, diff):
    """A diff of the guide has no line numbers: what it shows as old must stand in exactly one file."""
    lines = diff.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line[0] in " -")
    new = "".join(line[1:] for line in lines if line[0] in " +")
    for name in ("domains/meson.build", "domains/domains.c"):
        file = tree / name
        source = file.read_text()
        if source.count(old) == 1:
            file.write_text(source.replace(old, new))
            return
    sys.exit(f"the guide's diff fits nowhere:\n{diff}")


def main():
    root = pathlib.Path(sys.argv[1])
    guide = (root / "docs/ADDING_NEW_DOMAIN.md").read_text()
    files, diffs = FILE.findall(guide), DIFF.findall(guide)
    if len(files) < 10 or len(diffs) < 3:
        sys.exit(f"only {len(files)} files and {len(diffs)} diffs were found in the guide")
    with tempfile.TemporaryDirectory(prefix="millrace-guide-") as folder:
        tree = pathlib.Path(folder) / "tree"
        shutil.copytree(root, tree, ignore=LEFT_OUT, symlinks=True)
        for name, text in files:
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text(text)
        for diff in diffs:
            apply_diff(tree, diff)
        build = pathlib.Path(folder) / "build"
        run("meson", "setup", build, tree, "--buildtype=debug", "-Dwerror=true")
        run("ninja", "-C", build, "millrace")
        env = dict(os.environ, MILLRACE_TEST_BINARY=str(build / "millrace"), PYTHONPATH=str(tree / "test/support"))
        engines = ["sqlite"] + (["postgresql"] if "MILLRACE_TEST_POSTGRES_URL" in env else [])
        for engine in engines:
            said = run(sys.executable, tree / "test/journey/test_notes.py", engine, env=env)
            print(engine, said.strip().splitlines()[-1])
        print(run(sys.executable, tree / "test/style/check_house.py", tree).strip().splitlines()[-1])


if __name__ == "__main__":
    main()
