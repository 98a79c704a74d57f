// SPDX-License-Identifier: Apache-2.0
/* SQLite: values in and out, outcomes, failures, deadlines. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "observability/metrics.h"
#include "test/db/sqlite_fixture.h"

static struct sqlite_fixture fixture;

static int set_up(void **state)
{
	sqlite_fixture_open(&fixture);
	return 0;
}

static int tear_down(void **state)
{
	sqlite_fixture_close(&fixture);
	return 0;
}

/* ---- every kind ------------------------------------------------------------------------------ */

static const char *const choices[] = {"red", "green", NULL};

struct kinds_row {
	struct text a_text, some_bytes;
	int64_t an_int, a_time, a_choice;
	bool a_bool;
	struct uuid a_uuid;
	double a_double;
};

static const struct field kinds_fields[] = {
	FIELD(FIELD_TEXT, kinds_row, a_text),
	FIELD(FIELD_INT, kinds_row, an_int),
	FIELD(FIELD_BOOL, kinds_row, a_bool),
	FIELD(FIELD_UUID, kinds_row, a_uuid),
	FIELD(FIELD_TIME, kinds_row, a_time),
	FIELD(FIELD_TEXT, kinds_row, some_bytes),
	FIELD(FIELD_DOUBLE, kinds_row, a_double),
	FIELD(FIELD_ENUM, kinds_row, a_choice, .choices = choices),
};
static const struct schema kinds_row = SCHEMA(kinds_row, kinds_fields, "One of each");

static const struct db_statement insert_kinds = {
	.name = "insert_kinds",
	.sql = "INSERT INTO kinds (a_text, an_int, a_bool, a_uuid, a_time, some_bytes, a_double, a_choice)"
	       " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
	.params = {DB_TEXT, DB_INT, DB_BOOL, DB_UUID, DB_TIME, DB_BYTES, DB_DOUBLE, DB_TEXT},
};
static const struct db_statement read_kinds = {
	.name = "read_kinds",
	.sql = "SELECT a_choice, a_double, some_bytes, a_time, a_uuid, a_bool, an_int, a_text FROM kinds",
	.row = &kinds_row,
	.reads = true,
};

static const struct uuid sample_uuid = {{1, 2, 3, 0, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255}};

static enum flow_verdict insert_one_of_each(struct flow *flow)
{
	return db_query(flow, &insert_kinds,
		DB_VALUES(db_text(TEXT("h\xc3\xa9\0llo")), db_int(INT64_MIN), db_bool(true),
			db_uuid(sample_uuid), db_time(1700000000123), db_bytes("\0\xff", 2),
			(struct db_value) {.kind = DB_DOUBLE, .number = 0.1},
			db_text(TEXT("green"))));
}

static enum flow_verdict insert_nulls(struct flow *flow)
{
	return db_query(flow, &insert_kinds,
		DB_VALUES(db_text(TEXT_ABSENT), (struct db_value) {.kind = DB_INT, .is_null = true},
			(struct db_value) {.kind = DB_BOOL, .is_null = true},
			db_uuid_or_null((struct uuid) {{0}}), db_time_or_null(0), db_bytes("", 0),
			(struct db_value) {.kind = DB_DOUBLE, .is_null = true},
			db_text(TEXT_ABSENT)));
}

static enum flow_verdict read_them(struct flow *flow)
{
	assert_int_equal(db_result(flow)->affected, 1);
	return db_query(flow, &read_kinds, DB_NO_VALUES);
}

static enum flow_verdict check_each(struct flow *flow)
{
	struct kinds_row row;

	assert_int_equal(db_result(flow)->rows, 1);
	assert_int_equal(db_result(flow)->affected, 0);
	db_row(flow, 0, &row);
	assert_true(text_equals(row.a_text, TEXT("h\xc3\xa9\0llo")));
	assert_true(text_equals(row.some_bytes, text_of("\0\xff", 2)));
	assert_int_equal(row.an_int, INT64_MIN);
	assert_int_equal(row.a_time, 1700000000123);
	assert_int_equal(row.a_choice, 1);
	assert_true(row.a_bool);
	assert_true(uuid_equals(&row.a_uuid, &sample_uuid));
	assert_true(row.a_double > 0.0999 && row.a_double < 0.1001);
	return FLOW_DONE;
}

static enum flow_verdict check_nulls(struct flow *flow)
{
	struct kinds_row row;

	db_row(flow, 0, &row);
	assert_true(text_is_absent(row.a_text));
	assert_false(text_is_absent(row.some_bytes));
	assert_int_equal(row.some_bytes.len, 0);
	assert_int_equal(row.an_int, 0);
	assert_int_equal(row.a_time, 0);
	assert_true(uuid_is_nil(&row.a_uuid));
	return FLOW_DONE;
}

static const struct flow_step each_steps[] = {
	STEP(insert_one_of_each), STEP(read_them), STEP(check_each), STEPS_END};
static const struct flow_step null_steps[] = {
	STEP(insert_nulls), STEP(read_them), STEP(check_nulls), STEPS_END};

static void a_value_of_every_kind_comes_back_as_it_went(void **state)
{
	assert_int_equal(sqlite_fixture_run(&fixture, each_steps, 0, NULL).failure, FAILURE_NONE);
}

static void null_values_come_back_as_absent(void **state)
{
	assert_int_equal(sqlite_fixture_run(&fixture, null_steps, 0, NULL).failure, FAILURE_NONE);
}

/* ---- outcomes and failures ------------------------------------------------------------------- */

static const struct db_statement add_author = {
	.name = "add_author",
	.sql = "INSERT INTO authors (id, name) VALUES ($1, $2)",
	.params = {DB_INT, DB_TEXT},
	.expects = DB_EXPECTS_UNIQUE,
};
static const struct db_statement add_author_surely = {
	.name = "add_author_surely",
	.sql = "INSERT INTO authors (id, name) VALUES ($1, $2)",
	.params = {DB_INT, DB_TEXT},
};
static const struct db_statement add_book = {
	.name = "add_book",
	.sql = "INSERT INTO books (author_id, title, pages) VALUES ($1, $2, $3)",
	.params = {DB_INT, DB_TEXT, DB_INT},
	.expects = DB_EXPECTS_FOREIGN_KEY,
};
static const struct db_statement add_book_surely = {
	.name = "add_book_surely",
	.sql = "INSERT INTO books (author_id, title, pages) VALUES ($1, $2, $3)",
	.params = {DB_INT, DB_TEXT, DB_INT},
};

static enum flow_verdict insert_ann(struct flow *flow)
{
	return db_query(flow, &add_author, DB_VALUES(db_int(1), db_text(TEXT("ann"))));
}

static enum flow_verdict insert_ann_again(struct flow *flow)
{
	assert_int_equal(db_result(flow)->outcome, DB_OK);
	return db_query(flow, &add_author, DB_VALUES(db_int(2), db_text(TEXT("ann"))));
}

static enum flow_verdict insert_same_id(struct flow *flow)
{
	assert_int_equal(db_result(flow)->outcome, DB_UNIQUE_VIOLATION);
	assert_string_equal(db_result(flow)->constraint, "authors.name");
	assert_int_equal(db_result(flow)->rows, 0);
	return db_query(flow, &add_author, DB_VALUES(db_int(1), db_text(TEXT("bob"))));
}

static enum flow_verdict insert_orphan(struct flow *flow)
{
	assert_int_equal(db_result(flow)->outcome, DB_UNIQUE_VIOLATION);
	assert_string_equal(db_result(flow)->constraint, "authors.id");
	return db_query(flow, &add_book, DB_VALUES(db_int(99), db_text(TEXT("x")), db_int(1)));
}

static enum flow_verdict see_orphan_refused(struct flow *flow)
{
	assert_int_equal(db_result(flow)->outcome, DB_FOREIGN_KEY_VIOLATION);
	return FLOW_DONE;
}

static const struct flow_step outcome_steps[] = {
	STEP(insert_ann),
	STEP(insert_ann_again),
	STEP(insert_same_id),
	STEP(insert_orphan),
	STEP(see_orphan_refused),
	STEPS_END,
};

static void an_expected_violation_is_an_outcome_with_its_constraint(void **state)
{
	assert_int_equal(
		sqlite_fixture_run(&fixture, outcome_steps, 0, NULL).failure, FAILURE_NONE);
	assert_int_equal(sqlite_fixture_number(&fixture, "SELECT count(*) FROM authors"), 1);
}

static enum flow_verdict insert_ann_surely(struct flow *flow)
{
	return db_query(flow, &add_author_surely, DB_VALUES(db_int(2), db_text(TEXT("ann"))));
}

static enum flow_verdict insert_orphan_surely(struct flow *flow)
{
	return db_query(
		flow, &add_book_surely, DB_VALUES(db_int(99), db_text(TEXT("x")), db_int(1)));
}

static enum flow_verdict insert_no_pages(struct flow *flow)
{
	return db_query(flow, &add_book, DB_VALUES(db_int(1), db_text(TEXT("x")), db_int(0)));
}

static enum flow_verdict insert_no_title(struct flow *flow)
{
	return db_query(flow, &add_book, DB_VALUES(db_int(1), db_text(TEXT_ABSENT), db_int(1)));
}

static const struct flow_step unexpected_unique[] = {
	STEP(insert_ann), STEP(insert_ann_surely), STEPS_END};
static const struct flow_step unexpected_orphan[] = {STEP(insert_orphan_surely), STEPS_END};
static const struct flow_step check_violation[] = {
	STEP(insert_ann), STEP(insert_no_pages), STEPS_END};
static const struct flow_step null_violation[] = {STEP(insert_no_title), STEPS_END};

static void a_violation_nobody_expects_ends_the_flow(void **state)
{
	struct ending ending = sqlite_fixture_run(&fixture, unexpected_unique, 0, NULL);

	assert_int_equal(ending.failure, FAILURE_CONFLICT);
	assert_non_null(strstr(ending.cause, "authors.name"));
	assert_int_equal(
		sqlite_fixture_run(&fixture, unexpected_orphan, 0, NULL).failure, FAILURE_CONFLICT);
}

static void check_and_not_null_are_invalid(void **state)
{
	assert_int_equal(
		sqlite_fixture_run(&fixture, check_violation, 0, NULL).failure, FAILURE_INVALID);
	assert_int_equal(
		sqlite_fixture_run(&fixture, null_violation, 0, NULL).failure, FAILURE_INVALID);
}

/* ---- statements that are wrong --------------------------------------------------------------- */

static enum flow_verdict run_state(struct flow *flow)
{
	return db_query(flow, flow->state, DB_NO_VALUES);
}

static enum flow_verdict end_well(struct flow *flow)
{
	return FLOW_DONE;
}

static const struct flow_step state_steps[] = {STEP(run_state), STEP(end_well), STEPS_END};

static void expect_defect(const struct db_statement *statement, const char *cause)
{
	struct ending ending = sqlite_fixture_run(&fixture, state_steps, 0, (void *)statement);

	assert_int_equal(ending.failure, FAILURE_INTERNAL);
	if (strstr(ending.cause, cause) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", ending.cause, cause);
}

static void a_defect_in_a_statement_is_named(void **state)
{
	static const struct db_statement bad_syntax = {.name = "bad_syntax", .sql = "SELEC 1"};
	static const struct db_statement no_table = {
		.name = "no_table", .sql = "DELETE FROM nowhere"};
	static const struct db_statement two = {
		.name = "two", .sql = "DELETE FROM books; DELETE FROM authors"};
	static const struct db_statement liar = {
		.name = "liar", .sql = "DELETE FROM books", .reads = true};
	static const struct db_statement nameless = {
		.name = "nameless", .sql = "DELETE FROM books WHERE id = $1"};
	static const struct db_statement stranger = {
		.name = "stranger", .sql = "SELECT 1 AS nobody", .row = &kinds_row, .reads = true};
	static const struct db_statement misfit = {.name = "misfit",
		.sql = "SELECT 'word' AS an_int",
		.row = &kinds_row,
		.reads = true};
	static const struct db_statement quoted = {
		.name = "quoted", .sql = "DELETE FROM books WHERE title = \"x\""};

	expect_defect(&bad_syntax, "bad_syntax");
	expect_defect(&no_table, "no such table");
	expect_defect(&two, "exactly one");
	expect_defect(&liar, "but writes");
	expect_defect(&nameless, "not in params");
	expect_defect(&stranger, "nobody");
	expect_defect(&misfit, "another kind");
	expect_defect(&quoted, "no such column");
	assert_int_equal(
		sqlite_fixture_run(&fixture, outcome_steps, 0, NULL).failure, FAILURE_NONE);
}

static void a_statement_that_attaches_another_file_is_refused(void **state)
{
	static const struct db_statement attach = {
		.name = "attach", .sql = "ATTACH '/tmp/x.db' AS other"};

	expect_defect(&attach, "too many attached databases");
}

/* ---- deadlines ------------------------------------------------------------------------------- */

#define ENDLESS \
	"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)" \
	" SELECT count(*) AS an_int FROM n"

static const struct db_statement endless_read = {
	.name = "endless_read", .sql = ENDLESS, .row = &kinds_row, .reads = true};
static const struct db_statement endless_write = {
	.name = "endless_write",
	.sql = "INSERT INTO authors (id, name)"
	       " WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
	       " SELECT max(i), 'x' FROM n",
};
static const struct db_statement count_authors = {
	.name = "count_authors",
	.sql = "SELECT count(*) AS an_int FROM authors",
	.row = &kinds_row,
	.reads = true,
};

static void a_statement_stops_at_its_deadline(void **state)
{
	struct ending ending;

	sqlite_fixture_stop(&fixture);
	fixture.settings.statement_timeout_ms = 100;
	assert_true(sqlite_fixture_start(&fixture));
	ending = sqlite_fixture_run(&fixture, state_steps, 0, (void *)&endless_read);
	assert_int_equal(ending.failure, FAILURE_DEADLINE);
	assert_non_null(strstr(ending.cause, "endless_read"));
	assert_int_equal(
		sqlite_fixture_run(&fixture, state_steps, 0, (void *)&count_authors).failure,
		FAILURE_NONE);
}

static void a_reader_is_free_again_when_its_flow_has_gone(void **state)
{
	struct ending endings[8];

	/* more endless ones than there are readers */
	for (int i = 0; i < 8; i++)
		flow_start(sqlite_fixture_flow(&fixture, &endings[i], 50, (void *)&endless_read),
			state_steps);
	for (int i = 0; i < 8; i++) {
		sqlite_fixture_await(&fixture, &endings[i]);
		assert_int_equal(endings[i].failure, FAILURE_DEADLINE);
	}
	assert_int_equal(
		sqlite_fixture_run(&fixture, state_steps, 0, (void *)&count_authors).failure,
		FAILURE_NONE);
}

static void the_writer_is_free_again_after_a_deadline(void **state)
{
	static const struct db_statement touch = {.name = "touch", .sql = "DELETE FROM books"};
	struct ending late, fine[4];

	flow_start(sqlite_fixture_flow(&fixture, &late, 0, (void *)&touch), state_steps);
	flow_start(sqlite_fixture_flow(&fixture, &fine[0], 0, (void *)&touch), state_steps);
	sqlite_fixture_await(&fixture, &late);
	sqlite_fixture_await(&fixture, &fine[0]);
	/* in one group with the endless one, whose interruption rolls the whole group back */
	flow_start(sqlite_fixture_flow(&fixture, &fine[0], 0, (void *)&touch), state_steps);
	flow_start(sqlite_fixture_flow(&fixture, &late, 80, (void *)&endless_write), state_steps);
	for (int i = 1; i < 4; i++)
		flow_start(sqlite_fixture_flow(&fixture, &fine[i], 0, (void *)&touch), state_steps);
	sqlite_fixture_await(&fixture, &late);
	assert_int_equal(late.failure, FAILURE_DEADLINE);
	for (int i = 0; i < 4; i++) {
		sqlite_fixture_await(&fixture, &fine[i]);
		assert_int_equal(fine[i].failure, FAILURE_NONE);
	}
	assert_int_equal(sqlite_fixture_number(&fixture, "SELECT count(*) FROM authors"), 0);
}

static void slow_reads_leave_a_reader_to_the_others(void **state)
{
	static const struct db_statement slow = {
		.name = "slow", .sql = ENDLESS, .row = &kinds_row, .reads = true, .slow = true};
	struct ending endings[8];

	for (int i = 0; i < 8; i++)
		flow_start(sqlite_fixture_flow(&fixture, &endings[i], 500, (void *)&slow),
			state_steps);
	for (int i = 0; i < 20; i++)
		assert_int_equal(
			sqlite_fixture_run(&fixture, state_steps, 0, (void *)&count_authors)
				.failure,
			FAILURE_NONE);
	/* no reader has been lost to them either */
	for (int i = 0; i < 8; i++)
		assert_int_equal(endings[i].count, 0);
	for (int i = 0; i < 8; i++)
		sqlite_fixture_await(&fixture, &endings[i]);
	assert_int_equal(
		sqlite_fixture_run(&fixture, state_steps, 0, (void *)&count_authors).failure,
		FAILURE_NONE);
}

static void a_read_waits_for_a_reader_no_longer_than_it_may(void **state)
{
	struct ending endless[2], waiting;
	struct flow *flows[2];

	sqlite_fixture_stop(&fixture);
	fixture.settings.acquire_timeout_ms = 50;
	assert_true(sqlite_fixture_start(&fixture));
	for (int i = 0; i < 2; i++) {
		flows[i] = sqlite_fixture_flow(&fixture, &endless[i], 0, (void *)&endless_read);
		flow_start(flows[i], state_steps);
	}
	waiting = sqlite_fixture_run(&fixture, state_steps, 8000, (void *)&count_authors);
	assert_int_equal(waiting.failure, FAILURE_BUSY);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(endless[i].count, 0);
		flow_stop(flows[i], FAILURE_CLIENT_GONE);
	}
}

/* ---- measured -------------------------------------------------------------------------------- */

static double duration_sum(struct metrics *metrics)
{
	static const char name[] = "database_query_duration_seconds_sum{query=\"count_authors\"} ";
	struct text page = metrics_expose(metrics, &fixture.arena);
	const char *found = memmem(page.data, page.len, name, strlen(name));

	assert_non_null(found);
	return strtod(found + strlen(name), NULL);
}

/* Every thread of the database comes before this one. */
static void *ask_often(void *context)
{
	const struct sched_param last = {0};
	unsigned *good = context;

	sched_setscheduler(0, SCHED_IDLE, &last);
	for (int i = 0; i < 200; i++)
		*good += sqlite_fixture_run(&fixture, state_steps, 0, (void *)&count_authors)
				 .failure == FAILURE_NONE;
	return NULL;
}

static void open_measured(struct metrics *metrics)
{
	sqlite_fixture_stop(&fixture);
	fixture.db = db_open(
		&fixture.settings, metrics, NULL, TEXT("/nowhere"), &fixture.arena, &fixture.error);
	assert_non_null(fixture.db);
	assert_int_equal(loop_init(&fixture.loop, 0), 0);
	fixture.loop.metrics = metric_shard_new(metrics);
	assert_int_equal(db_attach(fixture.db, &fixture.loop), 0);
	fixture.has_loop = true;
}

/* On one processor the answer is there before the step that asked has returned. */
static void an_answer_never_comes_before_its_question(void **state)
{
	struct metrics *metrics = metrics_new();
	cpu_set_t all, one;
	pthread_t thread;
	unsigned good = 0;

	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	open_measured(metrics);
	assert_int_equal(pthread_create(&thread, NULL, ask_often, &good), 0);
	pthread_join(thread, NULL);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
	assert_int_equal(good, 200);
	/* a time below zero would be 584 years */
	assert_true(duration_sum(metrics) < 1e9);
	sqlite_fixture_stop(&fixture);
	metrics_free(metrics);
}

/* ---- sizes ----------------------------------------------------------------------------------- */

static enum flow_verdict copy_large_row(struct flow *flow)
{
	struct kinds_row row;

	assert_int_equal(db_result(flow)->rows, 1);
	assert_false(db_row_copy(flow, 0, &row));
	return FLOW_NEXT;
}

static enum flow_verdict copy_large_rows(struct flow *flow)
{
	assert_null(db_rows_copy(flow));
	return FLOW_NEXT;
}

static enum flow_verdict never(struct flow *flow)
{
	fail_msg("a flow whose copy failed went on");
	return FLOW_DONE;
}

/* The arena of the fixture's flows ends at 1 MiB. */
static void a_copy_past_the_arenas_cap_fails_the_flow(void **state)
{
	static const struct db_statement large = {
		.name = "large",
		.sql = "SELECT hex(zeroblob(1000000)) AS a_text",
		.row = &kinds_row,
		.reads = true,
	};
	static const struct flow_step one[] = {
		STEP(run_state),
		STEP(copy_large_row),
		STEP(never),
		STEPS_END
	};
	static const struct flow_step all[] = {
		STEP(run_state),
		STEP(copy_large_rows),
		STEP(never),
		STEPS_END
	};

	assert_int_equal(
		sqlite_fixture_run(&fixture, one, 0, (void *)&large).failure, FAILURE_MEMORY);
	assert_int_equal(
		sqlite_fixture_run(&fixture, all, 0, (void *)&large).failure, FAILURE_MEMORY);
}

static void a_result_past_its_bound_is_refused(void **state)
{
	static const struct db_statement large = {
		.name = "large",
		.sql = "SELECT hex(zeroblob(9000000)) AS a_text",
		.row = &kinds_row,
		.reads = true,
	};
	struct ending ending = sqlite_fixture_run(&fixture, state_steps, 0, (void *)&large);

	assert_int_equal(ending.failure, FAILURE_INVALID);
	assert_non_null(strstr(ending.cause, "too large"));
}

static void a_full_queue_is_busy_at_once(void **state)
{
	struct ending endings[64];
	unsigned busy = 0;

	sqlite_fixture_stop(&fixture);
	fixture.settings.queue_max = 4;
	fixture.settings.sqlite_readers = 1;
	assert_true(sqlite_fixture_start(&fixture));
	for (int i = 0; i < 64; i++)
		flow_start(sqlite_fixture_flow(&fixture, &endings[i], 300, (void *)&endless_read),
			state_steps);
	for (int i = 0; i < 64; i++) {
		sqlite_fixture_await(&fixture, &endings[i]);
		busy += endings[i].failure == FAILURE_BUSY;
	}
	assert_true(busy >= 59);
}

/* ---- in memory ------------------------------------------------------------------------------- */

static void a_database_in_memory_reads_what_it_wrote(void **state)
{
	static const struct db_statement create = {
		.name = "create", .sql = "CREATE TABLE t (an_int INTEGER) STRICT"};
	static const struct db_statement fill = {
		.name = "fill", .sql = "INSERT INTO t VALUES (42)"};
	static const struct db_statement look = {
		.name = "look", .sql = "SELECT an_int FROM t", .row = &kinds_row, .reads = true};

	sqlite_fixture_stop(&fixture);
	fixture.settings.url = TEXT("sqlite::memory:");
	assert_true(sqlite_fixture_start(&fixture));
	assert_int_equal(sqlite_fixture_run(&fixture, state_steps, 0, (void *)&create).failure,
		FAILURE_NONE);
	assert_int_equal(
		sqlite_fixture_run(&fixture, state_steps, 0, (void *)&fill).failure, FAILURE_NONE);
	assert_int_equal(
		sqlite_fixture_run(&fixture, state_steps, 0, (void *)&look).failure, FAILURE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_value_of_every_kind_comes_back_as_it_went, set_up, tear_down),
		cmocka_unit_test_setup_teardown(null_values_come_back_as_absent, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_expected_violation_is_an_outcome_with_its_constraint, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_violation_nobody_expects_ends_the_flow, set_up, tear_down),
		cmocka_unit_test_setup_teardown(check_and_not_null_are_invalid, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_defect_in_a_statement_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_statement_that_attaches_another_file_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_statement_stops_at_its_deadline, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_reader_is_free_again_when_its_flow_has_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_writer_is_free_again_after_a_deadline, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			slow_reads_leave_a_reader_to_the_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_read_waits_for_a_reader_no_longer_than_it_may, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_answer_never_comes_before_its_question, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_copy_past_the_arenas_cap_fails_the_flow, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_result_past_its_bound_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_queue_is_busy_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_database_in_memory_reads_what_it_wrote, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("sqlite queries", tests, NULL, NULL);
}
