#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The house's rules that a machine can check: which floor may include which, how long a file and a
function may be, which calls are banned where. Prints file:line and the rule; exits 1 on a finding."""

import pathlib
import re
import sys

# A folder includes its own files and what stands in its row, nothing else of ours.
FLOORS = {
    "core": set(),
    "observability": {"core"},
    "http": {"core", "observability"},
    "db": {"core", "observability"},
    "cache": {"core", "observability"},
    "domains": {"core", "observability", "http", "db", "cache"},
    "cli": {"core", "observability", "http", "db", "cache", "domains", "web"},
}
FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 60
LINE_COLUMNS_MAX = 100
TAB = 8

BANNED_EVERYWHERE = {
    "strcpy": "copy with a length",
    "strcat": "copy with a length",
    "sprintf": "use snprintf or a json_writer",
    "vsprintf": "use vsnprintf",
    "gets": "there is no safe use",
    "strtok": "use text_cut",
    "atoi": "use text_to_int",
    "atol": "use text_to_int",
    "rand": "use secret_random",
    "random": "use secret_random",
    "gmtime": "use clock_format_*",
    "localtime": "times are UTC: use clock_format_*",
    "uv_queue_work": "blocking work belongs to a worker class of its own (core/worker.h)",
    "alloca": "sizes must be bounded: use the arena",
}
BANNED_IN_DOMAINS = {name: "domains allocate in the flow's arena" for name in
                     ("malloc", "calloc", "realloc", "free", "strdup", "strndup", "asprintf")}
ON_A_LOOP = {  # blocking libpq calls: only migrations (never on a loop) may use them
    "PQexec": "blocks", "PQexecParams": "blocks", "PQconnectdb": "blocks", "PQcancel": "blocks",
    "PQprepare": "blocks", "PQexecPrepared": "blocks", "getaddrinfo": "blocks: use uv_getaddrinfo",
}
MAY_BLOCK = re.compile(r"db/(migration\w*|\w*probe\w*)\.c$")
READS_ENVIRONMENT = re.compile(r"\b(secure_)?getenv\s*\(|\benviron\b")
BUILT_SQL = re.compile(r'(snprintf|arena_printf|json_append)\s*\([^;]*"\s*(SELECT|INSERT|UPDATE|DELETE)\b')
LOG_TO_STDERR = re.compile(r"\b(printf|fprintf|puts|fputs|perror)\s*\(")


def strip(source):
    """The code without comments and string contents, line structure kept."""
    def blank(match):
        text = match.group(0)
        if text.startswith(("/*", "//")):
            return re.sub(r"[^\n]", " ", text)
        return text[0] + re.sub(r"[^\n]", " ", text[1:-1]) + text[-1]
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, source,
                  flags=re.S)


def functions(code):
    """(first line, last line) of each function body: a brace in the first column opens and closes it."""
    start = None
    for number, line in enumerate(code.split("\n"), 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            yield start, number
            start = None


def is_table(body):
    return body.count("FIELD(") + body.count("SETTING(") + body.count("\t{ ") > 10


def check_includes(path, source):
    folder = path.split("/")[0]
    for number, line in enumerate(source.split("\n"), 1):
        match = re.match(r'#include "([^"]+)"', line)
        if not match:
            continue
        target = match.group(1)
        if "/" not in target:
            if target != "millrace_version.h":
                yield number, f'include with the folder: "{target}"'
            continue
        other = target.split("/")[0]
        if other not in FLOORS and other != "web":
            yield number, f"unknown floor in {target}"
        elif other != folder and other not in FLOORS[folder]:
            yield number, f"{folder}/ must not include {target}: not a floor below it"
        elif folder == "domains" and other == "domains":
            yield from check_domain(path, number, target)


def check_domain(path, number, target):
    mine, theirs = path.split("/")[1], target.split("/")[1]
    if mine.endswith((".c", ".h")) or theirs.endswith(".h") or mine == theirs:
        return
    if target.split("/")[2] != theirs + ".h":
        yield number, f"another domain is reached by {theirs}.h alone, not {target}"


def check_calls(path, code):
    folder = path.split("/")[0]
    bans = dict(BANNED_EVERYWHERE)
    if folder == "domains":
        bans.update(BANNED_IN_DOMAINS)
    if folder not in ("cli",) and not MAY_BLOCK.search(path):
        bans.update(ON_A_LOOP)
    words = re.compile(r"(?<![\w.>])(" + "|".join(bans) + r")\s*\(")
    for number, line in enumerate(code.split("\n"), 1):
        for match in words.finditer(line):
            yield number, f"{match.group(1)}() is banned: {bans[match.group(1)]}"
        if folder != "cli" and READS_ENVIRONMENT.search(line):
            yield number, "only cli/ reads the environment"
        if folder not in ("cli", "observability") and LOG_TO_STDERR.search(line):
            yield number, "only observability/ writes lines; cli/ talks to people"


def check_sizes(path, source, code):
    lines = source.split("\n")
    body = "\n".join(lines)
    if len(lines) > FILE_LINES_MAX and not is_table(body):
        yield 1, f"{len(lines)} lines: a file has at most {FILE_LINES_MAX}"
    for start, end in functions(code):
        if end - start - 1 > FUNCTION_LINES_MAX and not is_table("\n".join(lines[start:end])):
            yield start, f"{end - start - 1} lines: a function has at most {FUNCTION_LINES_MAX}"
    for number, line in enumerate(lines, 1):
        if len(line.expandtabs(TAB)) > LINE_COLUMNS_MAX + 20:
            yield number, f"{len(line.expandtabs(TAB))} columns: far over {LINE_COLUMNS_MAX}"


def check_form(path, source, code):
    if "SPDX-License-Identifier: Apache-2.0" not in source[:200]:
        yield 1, "no SPDX line"
    if path.endswith(".h") and "#pragma once" not in source:
        yield 1, "no #pragma once"
    for number, line in enumerate(source.split("\n"), 1):
        if re.search(r"\b(TODO|FIXME|XXX)\b(?!.*#\d)", line):
            yield number, "a to-do without an issue number"
    for number, line in enumerate(code.split("\n"), 1):
        if re.match(r"\s*typedef\s+struct\b", line):
            yield number, "structs are not typedef'd"
    for match in BUILT_SQL.finditer(source):
        yield source.count("\n", 0, match.start()) + 1, "SQL is a const, never built from text"


def check_domain_folders(root):
    for folder in sorted((root / "domains").iterdir()):
        if not folder.is_dir():
            continue
        for face in ("routes.c", folder.name + ".h", "README.md"):
            if not (folder / face).exists():
                yield f"domains/{folder.name}", 1, f"a domain shows {face}"
    for floor in FLOORS:
        if (root / floor).is_dir() and not (root / floor / "README.md").exists():
            yield floor, 1, "every folder opens with a README.md"


def check_file(path, source):
    code = strip(source)
    for check in (check_includes(path, source), check_calls(path, code),
                  check_sizes(path, source, code), check_form(path, source, code)):
        yield from check


def check_tree(root):
    count = 0
    for floor in FLOORS:
        for file in sorted((root / floor).rglob("*.[ch]")):
            path = str(file.relative_to(root))
            count += 1
            for number, message in check_file(path, file.read_text()):
                yield path, number, message
    yield from check_domain_folders(root)
    if count < 50:
        yield ".", 1, f"only {count} files were looked at: the test itself is broken"


def self_test():
    head = "// SPDX-License-Identifier: Apache-2.0\n"
    bad = {
        "core/a.c": '#include "http/route.h"\n',
        "http/a.c": '#include "db/db.h"\n',
        "db/a.c": "void f(void)\n{\n\tPQexec(c, s);\n}\n",
        "domains/x/a.c": "void f(void)\n{\n\tfree(p);\n}\n",
        "domains/x/b.c": '#include "domains/y/store.h"\n',
        "core/b.c": "int f(void)\n{\n" + "\tg();\n" * 61 + "}\n",
        "core/c.c": "int x;\n" * 700,
        "core/d.h": "int x;\n",
        "http/b.c": 'void f(void)\n{\n\tgetenv("A");\n}\n',
        "db/b.c": 'void f(void)\n{\n\tsnprintf(b, n, "SELECT %s", x);\n}\n',
        "core/e.c": "/* TO" + "DO later */\n",
        "core/f.c": "typedef struct a a;\n",
        "http/c.c": 'void f(void)\n{\n\tprintf("x");\n}\n',
    }
    good = {
        "http/a.c": '#include "core/flow.h"\n#include "http/b.h"\n/* free(x) */ char *s = "free(x)";\n',
        "db/migration.c": "void f(void)\n{\n\tPQexec(c, s);\n}\n",
        "domains/x/a.c": '#include "domains/y/y.h"\nvoid f(void)\n{\n\tjob->free(job);\n}\n',
    }
    failures = [path for path, body in bad.items() if not list(check_file(path, head + body))]
    failures += [f"{path}: {finding}" for path, body in good.items()
                 for finding in check_file(path, head + body)]
    for failure in failures:
        print("self-test:", failure)
    return 1 if failures else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    findings = list(check_tree(pathlib.Path(sys.argv[1])))
    for path, number, message in findings:
        print(f"{path}:{number}: {message}")
    print(f"{len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
