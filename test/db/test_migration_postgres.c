// SPDX-License-Identifier: Apache-2.0
/* migration on PostgreSQL: the shared cases and what only PostgreSQL has. Skipped without a server. */
#include <stdio.h>
#include <string.h>

#include "test/db/migration_cases.h"
#include "test/db/postgres_fixture.h"

struct migration_place migration_place;

static struct postgres_fixture fixture;

static int64_t read_number(const char *sql)
{
	return postgres_fixture_number(&fixture, sql);
}

static bool has_table(const char *name)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT count(to_regclass('%s'))", name);
	return read_number(sql) == 1;
}

static int set_up(void **state)
{
	postgres_fixture_init(&fixture);
	migration_place = (struct migration_place) {
		.settings = fixture.settings,
		.data_dir = TEXT("/nowhere"),
		.number = read_number,
		.has_table = has_table,
	};
	arena_init(&migration_place.arena, NULL, 4 << 20);
	return 0;
}

static int tear_down(void **state)
{
	arena_deinit(&migration_place.arena);
	postgres_fixture_close(&fixture);
	return 0;
}

static bool run_up(const char *sql, char *message, size_t size)
{
	const struct migration migration = {.version = "20260101_0001_one", .up = sql};
	const struct migration_list list = {&migration, 1};
	struct text error = TEXT("");
	size_t done;
	bool ok = migrations_up(&migration_place.settings, migration_place.data_dir, &list, 1, 0,
		NULL, NULL, &migration_place.arena, &done, &error);

	snprintf(message, size, "%.*s", TEXT_ARG(error));
	return ok;
}

static void an_error_names_its_line(void **state)
{
	char message[512];

	assert_false(run_up("CREATE TABLE a (x int);\n-- \xc3\xa9\xc3\xa9\nSELEC 1;\n", message,
		sizeof(message)));
	assert_non_null(strstr(message, "20260101_0001_one"));
	assert_non_null(strstr(message, "SQLSTATE 42601"));
	assert_non_null(strstr(message, "line 3"));
}

static void a_server_that_is_not_there_is_named_without_the_password(void **state)
{
	char message[512];

	migration_place.settings.url = TEXT("postgresql://joe:hush@127.0.0.1:1/x");
	assert_false(run_up("SELECT 1", message, sizeof(message)));
	assert_non_null(strstr(message, "cannot connect"));
	assert_null(strstr(message, "hush"));
}

static void functions_with_bodies_are_applied(void **state)
{
	char message[512];

	if (!run_up("CREATE FUNCTION one() RETURNS int LANGUAGE plpgsql AS $$\n"
		    "BEGIN\n  RETURN 1;\nEND\n$$;\nSELECT one();",
		    message, sizeof(message)))
		fail_msg("%s", message);
	assert_int_equal(read_number("SELECT one()::bigint"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MIGRATION_CASES(set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_error_names_its_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_server_that_is_not_there_is_named_without_the_password, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			functions_with_bodies_are_applied, set_up, tear_down),
	};

	postgres_fixture_need_server();
	return cmocka_run_group_tests_name("migration on PostgreSQL", tests, NULL, NULL);
}
