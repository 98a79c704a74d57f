// SPDX-License-Identifier: Apache-2.0
/* migration on SQLite: the shared cases and what only SQLite has. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/db/migration_cases.h"
#include "test/db/sqlite_fixture.h"

struct migration_place migration_place;

static struct sqlite_fixture fixture;

static int64_t read_number(const char *sql)
{
	return sqlite_fixture_number(&fixture, sql);
}

static bool has_table(const char *name)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM sqlite_schema WHERE name = '%s'", name);
	return read_number(sql) == 1;
}

static int set_up(void **state)
{
	sqlite_fixture_init(&fixture);
	migration_place = (struct migration_place) {
		.settings = fixture.settings,
		.data_dir = text_from_c(fixture.folder),
		.number = read_number,
		.has_table = has_table,
	};
	arena_init(&migration_place.arena, NULL, 4 << 20);
	return 0;
}

static int tear_down(void **state)
{
	arena_deinit(&migration_place.arena);
	sqlite_fixture_close(&fixture);
	return 0;
}

static bool run_up(const char *version, const char *sql, const char *sql_two, struct text *error)
{
	const struct migration list[] = {
		{.version = "20260101_0001_first", .sqlite_up = sql, .sqlite_down = "SELECT 1"},
		{.version = version, .sqlite_up = sql_two, .sqlite_down = "SELECT 1"},
	};
	const struct migration_list lists = {list, 2};
	size_t done;

	return migrations_up(&migration_place.settings, migration_place.data_dir, &lists, 1, 0,
		NULL, NULL, &migration_place.arena, &done, error);
}

static const char library[] =
	"CREATE TABLE authors (id INTEGER PRIMARY KEY) STRICT;"
	"CREATE TABLE books (author_id INTEGER REFERENCES authors (id)) STRICT;"
	"INSERT INTO authors VALUES (1); INSERT INTO books VALUES (1);";

static void a_table_that_others_refer_to_can_be_rebuilt(void **state)
{
	struct text error;

	if (!run_up("20260102_0001_rebuild", library,
		    "CREATE TABLE new_authors (id INTEGER PRIMARY KEY, name TEXT) STRICT;"
		    "INSERT INTO new_authors (id) SELECT id FROM authors;"
		    "DROP TABLE authors; ALTER TABLE new_authors RENAME TO authors;",
		    &error))
		fail_msg("%.*s", TEXT_ARG(error));
	assert_int_equal(read_number("SELECT count(*) FROM books"), 1);
}

static void a_migration_that_would_leave_orphans_is_rolled_back(void **state)
{
	struct text error;
	char message[512];

	assert_false(run_up("20260102_0001_orphans", library, "DELETE FROM authors", &error));
	snprintf(message, sizeof(message), "%.*s", TEXT_ARG(error));
	assert_non_null(strstr(message, "rows of books would refer to rows of authors"));
	assert_int_equal(read_number("SELECT count(*) FROM authors"), 1);
	assert_int_equal(read_number("SELECT count(*) FROM schema_migrations"), 1);
}

static void status_of_a_database_that_is_not_there_creates_no_file(void **state)
{
	struct migration_status *list;
	struct stat status;
	struct text error;
	size_t count = 99;

	assert_true(migrations_status(&migration_place.settings, migration_place.data_dir, NULL, 0,
		&migration_place.arena, &list, &count, &error));
	assert_int_equal(count, 0);
	assert_int_equal(stat(fixture.path, &status), -1);
}

static void the_database_in_memory_is_migrated_while_it_is_open(void **state)
{
	struct text error;

	fixture.settings.url = TEXT("sqlite::memory:");
	migration_place.settings.url = TEXT("sqlite::memory:");
	assert_true(sqlite_fixture_start(&fixture));
	if (!run_up("20260102_0001_more", library, "INSERT INTO authors VALUES (2)", &error))
		fail_msg("%.*s", TEXT_ARG(error));
	/* applied once: the second run sees what the first has left */
	assert_true(
		run_up("20260102_0001_more", library, "INSERT INTO authors VALUES (2)", &error));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MIGRATION_CASES(set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_table_that_others_refer_to_can_be_rebuilt, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_migration_that_would_leave_orphans_is_rolled_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			status_of_a_database_that_is_not_there_creates_no_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_database_in_memory_is_migrated_while_it_is_open, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("migration on SQLite", tests, NULL, NULL);
}
