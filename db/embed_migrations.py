#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns a folder of migrations into a C file and its header.

A migration is four files in domains/<name>/migrations/:

    20261120_0001_users.up.sql           PostgreSQL, forward
    20261120_0001_users.down.sql         PostgreSQL, back
    20261120_0001_users.sqlite.up.sql    SQLite, forward
    20261120_0001_users.sqlite.down.sql  SQLite, back

What stands before the first dot is the version: it sorts by time and is unique over all domains. The
SQLite files may be left out where the SQL is the same on both engines. Each file runs inside a
transaction of the migrator's, so it must not begin or commit one.

In domains/<name>/meson.build (or, with longer names, in domains/meson.build):

    accounts_migrations = custom_target('accounts migrations',
      output: ['migrations.c', 'migrations.h'],
      depfile: 'accounts_migrations.d',
      command: [find_program('python3'), files('../../db/embed_migrations.py'),
        '--domain', 'accounts', '--folder', meson.current_source_dir() / 'migrations',
        '--depfile', '@DEPFILE@', '@OUTPUT0@', '@OUTPUT1@'])
    domains_sources += accounts_migrations

and in C, where the header is found in the build tree under the same path as the folder:

    #include "domains/accounts/migrations.h"

    .migrations = { accounts_migrations, ACCOUNTS_MIGRATION_COUNT },

A new, changed or removed file rebuilds by itself: the folder is in the depfile.
"""

import argparse
import os
import re
import sys

FILE_NAME = re.compile(r'(?P<version>[0-9][0-9a-z_]{0,99})(?P<engine>\.sqlite)?\.(?P<way>up|down)\.sql')
FILE_MAX_BYTES = 1024 * 1024
# The migrator's transaction must stay the only one; a migration that ends it is half-written when it fails.
TRANSACTION_WORD = re.compile(
    rb'(?i)(?:^|;)\s*(begin|commit|rollback|abort|end|start\s+transaction)\b(?!\s+to\b)')
# What may contain such words without meaning them: comments, texts, function bodies, CASE, triggers.
# All in one expression: a quote in a comment begins no text, and the other way round.
HARMLESS = re.compile(
    rb'(\$[A-Za-z_]*\$)[\s\S]*?\1|/\*[\s\S]*?\*/|--[^\n]*|'
    rb"'(?:[^']|'')*'|" rb'"(?:[^"]|"")*"')
INNER_CASE = re.compile(rb'(?i)\bcase\b(?:(?!\bcase\b)[^;])*?\bend\b')
TRIGGER = rb'(?is)create\s+(?:temp\w*\s+)?trigger\b.*?\bend\s*(?:;|\Z)'


def fail(sentence):
    sys.exit('embed_migrations: ' + sentence)


def read_sql(path):
    with open(path, 'rb') as file:
        data = file.read(FILE_MAX_BYTES + 1)
    if len(data) > FILE_MAX_BYTES:
        fail(f'{path} is longer than {FILE_MAX_BYTES} bytes')
    if b'\0' in data:
        fail(f'{path} contains a NUL byte')
    try:
        data.decode('utf-8')
    except UnicodeDecodeError as error:
        fail(f'{path} is not UTF-8 (byte {error.start})')
    data = data.replace(b'\r\n', b'\n')
    if not data.strip():
        fail(f'{path} is empty; a migration without a way back says so in a comment')
    if TRANSACTION_WORD.search(without_harmless(data)):
        fail(f'{path} begins or ends a transaction; the migrator does that')
    return data


def without_harmless(data):
    data = HARMLESS.sub(b' ', data)
    found = 1
    while found:
        data, found = INNER_CASE.subn(b' ', data)
    return re.sub(TRIGGER, b' ', data)


def read_folder(folder):
    found = {}
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if name.startswith('.') or not name.endswith('.sql'):
            continue
        match = FILE_NAME.fullmatch(name)
        if not match:
            fail(f'{path}: the name must be like 20261120_0001_users.up.sql, .down.sql, '
                 '.sqlite.up.sql or .sqlite.down.sql')
        key = ('sqlite_' if match['engine'] else '') + match['way']
        found.setdefault(match['version'], {})[key] = (path, read_sql(path))
    return found


def check(folder, found):
    for version, files in found.items():
        for way in ('up', 'down'):
            if way not in files:
                fail(f'{os.path.join(folder, version)}.{way}.sql is missing')
        if ('sqlite_up' in files) != ('sqlite_down' in files):
            fail(f'{os.path.join(folder, version)}: .sqlite.up.sql and .sqlite.down.sql come in pairs')


def c_string(data):
    lines = []
    for line in data.split(b'\n'):
        out = ''
        for byte in line:
            char = chr(byte)
            if char in '"\\?':
                out += '\\' + char
            elif 0x20 <= byte < 0x7f:
                out += char
            else:
                out += f'\\{byte:03o}'
        lines.append(out)
    quoted = [f'\t\t  "{line}\\n"' for line in lines[:-1]]
    if lines[-1]:
        quoted.append(f'\t\t  "{lines[-1]}"')
    return '\n'.join(quoted)


def write_source(out, domain, header, found):
    out.write('/* Made by db/embed_migrations.py; edit the .sql files. */\n')
    out.write(f'#include "{header}"\n\n')
    out.write(f'const struct migration {domain}_migrations[] = {{\n')
    for version in sorted(found):
        files = found[version]
        out.write(f'\t{{\n\t\t.version = "{version}",\n')
        for member in ('up', 'down', 'sqlite_up', 'sqlite_down'):
            _, data = files.get(member) or files[member.removeprefix('sqlite_')]
            out.write(f'\t\t.{member} =\n{c_string(data)},\n')
        out.write('\t},\n')
    if not found:
        out.write('\t{ .version = 0 },\n')
    out.write('};\n')


def write_header(out, domain, found):
    out.write('/* Made by db/embed_migrations.py; edit the .sql files. */\n#pragma once\n\n')
    out.write('#include "db/migration.h"\n\n')
    out.write(f'enum {{ {domain.upper()}_MIGRATION_COUNT = {len(found)} }};\n')
    out.write(f'extern const struct migration {domain}_migrations[];\n')


def write_depfile(path, target, folder, found):
    def escape(name):
        return name.replace('\\', '\\\\').replace(' ', '\\ ').replace('$', '$$')

    needed = [folder] + sorted(path for files in found.values() for path, _ in files.values())
    with open(path, 'w', encoding='utf-8') as out:
        out.write(escape(target) + ': ' + ' '.join(escape(name) for name in needed) + '\n')


def main():
    parser = argparse.ArgumentParser(description='Embeds a folder of migrations.')
    parser.add_argument('--domain', required=True, help='a C name: accounts')
    parser.add_argument('--folder', required=True, help='domains/<name>/migrations')
    parser.add_argument('--depfile')
    parser.add_argument('source', help='the C file to write')
    parser.add_argument('header', help='its header, in the same folder')
    arguments = parser.parse_args()

    if not re.fullmatch(r'[a-z][a-z0-9_]*', arguments.domain):
        fail(f'the domain "{arguments.domain}" is no C name')
    if not os.path.isdir(arguments.folder):
        fail(f'{arguments.folder} is no folder')
    found = read_folder(arguments.folder)
    check(arguments.folder, found)

    with open(arguments.header, 'w', encoding='ascii') as out:
        write_header(out, arguments.domain, found)
    with open(arguments.source, 'w', encoding='ascii') as out:
        write_source(out, arguments.domain, os.path.basename(arguments.header), found)
    if arguments.depfile:
        write_depfile(arguments.depfile, arguments.source, arguments.folder, found)


if __name__ == '__main__':
    main()
