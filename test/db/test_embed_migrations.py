#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""embed_migrations.py: what it writes compiles to the same bytes, what it refuses it names."""

import os
import subprocess
import sys
import tempfile
import unittest

GENERATOR, COMPILER, ROOT = sys.argv[1], sys.argv[2].split(), sys.argv[3]

GOOD_UP = 'CREATE TABLE a (x text); -- "quoted" \\ back ??/ h\u00e9\n'
PRINTER = r'''
#include <stdio.h>
#include "m.h"
int main(void)
{
	for (int i = 0; i < ACCOUNTS_MIGRATION_COUNT; i++)
		printf("%s|%s|%s", accounts_migrations[i].version, accounts_migrations[i].up,
			accounts_migrations[i].sqlite_down);
	return 0;
}
'''


class EmbedMigrations(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = os.path.join(self.temporary.name, 'migrations')
        os.mkdir(self.folder)

    def tearDown(self):
        self.temporary.cleanup()

    def write(self, name, data):
        with open(os.path.join(self.folder, name), 'wb') as file:
            file.write(data if isinstance(data, bytes) else data.encode())

    def path(self, name):
        return os.path.join(self.temporary.name, name)

    def embed(self, domain='accounts'):
        return subprocess.run(
            [sys.executable, GENERATOR, '--domain', domain, '--folder', self.folder,
             '--depfile', self.path('m.d'), self.path('m.c'), self.path('m.h')],
            capture_output=True, text=True, check=False)

    def refuse(self, part):
        result = self.embed()
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(part, result.stderr)
        self.assertNotIn('Traceback', result.stderr)

    def test_what_was_embedded_is_what_was_written(self):
        self.write('20260101_0001_a.up.sql', GOOD_UP)
        self.write('20260101_0001_a.down.sql', 'DROP TABLE a')
        self.write('20260101_0001_a.sqlite.up.sql', 'SELECT 1')
        self.write('20260101_0001_a.sqlite.down.sql', 'SELECT 2')
        self.assertEqual(self.embed().returncode, 0)
        with open(self.path('main.c'), 'w', encoding='utf-8') as file:
            file.write(PRINTER)
        subprocess.run(COMPILER + ['-std=gnu17', '-I' + ROOT, '-o', self.path('main'),
                                   self.path('main.c'), self.path('m.c')], check=True)
        said = subprocess.run([self.path('main')], capture_output=True, check=True).stdout
        self.assertEqual(said.decode(), '20260101_0001_a|' + GOOD_UP + '|SELECT 2')

    def test_sqlite_takes_the_same_sql_when_it_has_none_of_its_own(self):
        self.write('1_a.up.sql', 'SELECT 1')
        self.write('1_a.down.sql', 'SELECT 2')
        self.assertEqual(self.embed().returncode, 0)
        with open(self.path('m.c'), encoding='utf-8') as file:
            self.assertEqual(file.read().count('"SELECT 2"'), 2)

    def test_the_folder_is_watched(self):
        self.write('1_a.up.sql', 'SELECT 1')
        self.write('1_a.down.sql', 'SELECT 2')
        self.embed()
        with open(self.path('m.d'), encoding='utf-8') as file:
            self.assertIn(self.folder + ' ', file.read())

    def test_an_empty_folder_is_no_error(self):
        self.assertEqual(self.embed().returncode, 0)

    def test_a_missing_way_back_is_named(self):
        self.write('1_a.up.sql', 'SELECT 1')
        self.refuse('1_a.down.sql is missing')

    def test_sqlite_files_come_in_pairs(self):
        self.write('1_a.up.sql', 'SELECT 1')
        self.write('1_a.down.sql', 'SELECT 1')
        self.write('1_a.sqlite.up.sql', 'SELECT 1')
        self.refuse('pairs')

    def test_a_strange_name_is_refused(self):
        self.write('users.sql', 'SELECT 1')
        self.refuse('users.sql: the name must be like')

    def test_an_empty_file_is_refused(self):
        self.write('1_a.up.sql', ' \n')
        self.refuse('is empty')

    def test_bytes_that_are_not_utf8_are_refused(self):
        self.write('1_a.up.sql', b'SELECT \xff')
        self.refuse('not UTF-8')
        self.write('1_a.up.sql', b'SELECT \0')
        self.refuse('NUL')

    def test_a_file_that_ends_the_transaction_is_refused(self):
        self.write('1_a.down.sql', 'SELECT 1')
        for word in ('COMMIT;', 'begin transaction;', 'ROLLBACK WORK;', 'End;', 'SELECT 1; COMMIT;'):
            self.write('1_a.up.sql', 'SELECT 1;\n' + word)
            self.refuse('begins or ends a transaction')

    def test_the_body_of_a_function_may_begin_and_end(self):
        self.write('1_a.up.sql', 'CREATE FUNCTION f() RETURNS int AS $$\nBEGIN\n RETURN 1;\nEND;\n$$;')
        self.write('1_a.down.sql', 'CREATE TRIGGER t AFTER INSERT ON a BEGIN\nSELECT 1;\nEND;')
        self.assertEqual(self.embed().returncode, 0)

    def test_a_trigger_may_have_cases(self):
        self.write('1_a.up.sql', 'CREATE TRIGGER t BEFORE INSERT ON a BEGIN\n SELECT CASE WHEN CASE 1'
                   " WHEN 1 THEN 1 END THEN RAISE(ABORT, 'no') END;\n SELECT 1;\nEND;\nSELECT 2;")
        self.write('1_a.down.sql', 'DROP TRIGGER t')
        self.assertEqual(self.embed().returncode, 0)

    def test_a_comment_or_a_text_may_say_commit(self):
        self.write('1_a.up.sql', "-- commit;\n/* x;\ncommit; */ SELECT 'a;\ncommit;'")
        self.write('1_a.down.sql', 'SELECT 1')
        self.assertEqual(self.embed().returncode, 0)

    def test_a_domain_that_is_no_c_name_is_refused(self):
        self.assertIn('no C name', self.embed('my-domain').stderr)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
