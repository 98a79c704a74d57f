// SPDX-License-Identifier: Apache-2.0
/* statement, settings, db: what a loop knows of a statement, the rows of section database, URLs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "db/engine.h"
#include "observability/log.h"
#include "observability/metrics.h"
#include "test/support/temporary.h"

enum { STATEMENTS = 300, MS = 1000000 };

struct fixture {
	struct db db;
	struct loop loop;
	struct db_loop db_loop;
	struct arena arena;
};

static struct fixture fixture;

static int set_up(void **state)
{
	memset(&fixture, 0, sizeof(fixture));
	fixture.db.settings.slow_query_ms = 100;
	fixture.db.metrics = metrics_new();
	fixture.loop.metrics = metric_shard_new(fixture.db.metrics);
	fixture.db_loop.db = &fixture.db;
	fixture.db_loop.loop = &fixture.loop;
	arena_init(&fixture.arena, NULL, 1 << 20);
	db_statements_init(&fixture.db_loop);
	return 0;
}

static int tear_down(void **state)
{
	db_statements_free(&fixture.db_loop);
	metrics_free(fixture.db.metrics);
	arena_deinit(&fixture.arena);
	return 0;
}

static const char *exposition(void)
{
	struct text text = metrics_expose(fixture.db.metrics, &fixture.arena);

	assert_false(text_is_absent(text));
	return arena_text(&fixture.arena, text).data;
}

static void a_statement_is_found_again_by_its_address(void **state)
{
	static struct db_statement statements[STATEMENTS];
	struct db_statement_info *infos[STATEMENTS];

	for (uint32_t i = 0; i < STATEMENTS; i++) {
		statements[i].name = "the_same_name";
		infos[i] = db_statement_info(&fixture.db_loop, &statements[i]);
		assert_non_null(infos[i]);
		assert_int_equal(infos[i]->number, i);
	}
	for (uint32_t i = 0; i < STATEMENTS; i++)
		assert_ptr_equal(db_statement_info(&fixture.db_loop, &statements[i]), infos[i]);
}

static void a_statement_turns_slow_and_quick_again(void **state)
{
	static const struct db_statement statement = {.name = "sometimes_slow"};
	struct db_statement_info *info = db_statement_info(&fixture.db_loop, &statement);

	db_statement_learn(&fixture.db_loop, info, 1 * MS);
	assert_false(info->is_slow);
	for (int i = 0; i < 30; i++)
		db_statement_learn(&fixture.db_loop, info, 150ull * MS);
	assert_true(info->is_slow);
	while (info->average_us > 60000) {
		db_statement_learn(&fixture.db_loop, info, 1 * MS);
		assert_true(info->is_slow);
	}
	for (int i = 0; i < 30; i++)
		db_statement_learn(&fixture.db_loop, info, 1 * MS);
	assert_false(info->is_slow);
}

static void a_statement_declared_slow_stays_slow(void **state)
{
	static const struct db_statement statement = {.name = "report", .slow = true};
	struct db_statement_info *info = db_statement_info(&fixture.db_loop, &statement);

	for (int i = 0; i < 100; i++)
		db_statement_learn(&fixture.db_loop, info, 1000);
	assert_true(info->is_slow);
}

static void durations_and_errors_are_counted_by_statement(void **state)
{
	static const struct db_statement statement = {.name = "user_by_email"};
	struct db_statement_info *info = db_statement_info(&fixture.db_loop, &statement);
	const char *text;

	db_statement_observe(&fixture.db_loop, info, NULL, 2 * MS, NULL);
	db_statement_observe(&fixture.db_loop, info, NULL, 2 * MS, "40P01");
	db_wait_observe(&fixture.db_loop, 3 * MS);
	db_connections_observe(&fixture.db_loop, 3, 2);
	text = exposition();
	assert_non_null(
		strstr(text, "database_query_duration_seconds_count{query=\"user_by_email\"} 2"));
	assert_non_null(strstr(text,
		"database_query_errors_total{query=\"user_by_email\","
		"error=\"40P01\"} 1"));
	assert_non_null(strstr(text, "database_wait_duration_seconds_count 1"));
	assert_non_null(strstr(text, "database_connections_active 3"));
	assert_non_null(strstr(text, "database_connections_idle 2"));
}

static void a_slow_statement_is_logged_by_name(void **state)
{
	static const struct db_statement statement = {.name = "report_of_the_year"};
	struct db_statement_info *info = db_statement_info(&fixture.db_loop, &statement);
	char path[TEMPORARY_MAX], line[512] = "";
	struct log_settings settings = {.level = LOG_INFO, .ring_bytes = 65536};
	struct log *log;
	FILE *file;

	temporary_template(path);
	close(mkstemp(path));
	settings.file = text_from_c(path);
	log = log_open(&settings);
	assert_non_null(log);
	fixture.loop.log = log_ring_new(log);
	db_statement_observe(&fixture.db_loop, info, NULL, 99 * MS, NULL);
	db_statement_observe(&fixture.db_loop, info, NULL, 250 * MS, NULL);
	log_close(log);
	file = fopen(path, "r");
	assert_non_null(fgets(line, sizeof(line), file));
	assert_non_null(strstr(line, "slow_query"));
	assert_non_null(strstr(line, "report_of_the_year"));
	assert_non_null(strstr(line, "250"));
	assert_null(fgets(line, sizeof(line), file));
	fclose(file);
	unlink(path);
}

/* ---- settings and URLs ------------------------------------------------------------------------- */

static void every_setting_accepts_its_own_default(void **state)
{
	struct db_settings settings = {.url = TEXT_ABSENT};

	for (size_t i = 0; i < db_setting_group.row_count; i++) {
		const struct setting *row = &db_setting_group.rows[i];
		struct text error = TEXT_ABSENT;

		assert_non_null(row->help);
		assert_true(strncmp(row->key, "database.", 9) == 0);
		if (row->fallback[0] != '\0' &&
			!setting_parse(
				row, text_from_c(row->fallback), &settings, &fixture.arena, &error))
			fail_msg("%s: %.*s", row->key, TEXT_ARG(error));
	}
	assert_int_equal(settings.connections_max, 25);
	assert_int_equal(settings.connections_idle, 5);
	assert_int_equal(settings.connection_lifetime_ms, 300000);
	assert_int_equal(settings.connection_idle_ms, 600000);
	assert_int_equal(settings.slow_query_ms, 100);
}

static void a_url_names_its_engine(void **state)
{
	enum db_engine engine;

	assert_true(db_url_engine(TEXT(""), &engine) && engine == DB_SQLITE);
	assert_true(db_url_engine(TEXT_ABSENT, &engine) && engine == DB_SQLITE);
	assert_true(db_url_engine(TEXT("sqlite:x.db"), &engine) && engine == DB_SQLITE);
	assert_true(db_url_engine(TEXT("postgres://x"), &engine) && engine == DB_POSTGRESQL);
	assert_true(db_url_engine(TEXT("postgresql://x"), &engine) && engine == DB_POSTGRESQL);
	assert_false(db_url_engine(TEXT("mysql://x"), &engine));
	assert_false(db_url_engine(TEXT("postgres"), &engine));
	assert_false(db_url_engine(TEXT("host=x dbname=y"), &engine));
}

static void assert_path(struct text url, const char *expected)
{
	struct text path = db_sqlite_path(url, TEXT("data"), &fixture.arena);

	assert_int_equal(path.len, strlen(expected));
	assert_memory_equal(path.data, expected, path.len + 1);
}

static void an_sqlite_url_names_its_file(void **state)
{
	assert_path(TEXT(""), "data/millrace.db");
	assert_path(TEXT("sqlite:a/b.db"), "a/b.db");
	assert_path(TEXT("sqlite:/a/b.db"), "/a/b.db");
	assert_path(TEXT("sqlite:///a/b.db"), "/a/b.db");
	assert_true(text_is_absent(
		db_sqlite_path(TEXT("postgresql://x"), TEXT("data"), &fixture.arena)));
}

static void an_unknown_url_is_refused_with_what_would_be_valid(void **state)
{
	struct db_settings settings = {.url = TEXT("mysql://ann:s3cret@x/y")};
	struct text error = TEXT_ABSENT;

	assert_null(db_open(&settings, NULL, NULL, TEXT("data"), &fixture.arena, &error));
	assert_non_null(memmem(error.data, error.len, "postgresql://", 13));
	assert_null(memmem(error.data, error.len, "s3cret", 6));
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_statement_is_found_again_by_its_address),
		TEST(a_statement_turns_slow_and_quick_again),
		TEST(a_statement_declared_slow_stays_slow),
		TEST(durations_and_errors_are_counted_by_statement),
		TEST(a_slow_statement_is_logged_by_name),
		TEST(every_setting_accepts_its_own_default),
		TEST(a_url_names_its_engine),
		TEST(an_sqlite_url_names_its_file),
		TEST(an_unknown_url_is_refused_with_what_would_be_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
