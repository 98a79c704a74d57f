// SPDX-License-Identifier: Apache-2.0
/* PostgreSQL: values in and out, outcomes and failures, many flows on one connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "db/postgres.h"
#include "test/db/postgres_fixture.h"

static struct postgres_fixture fixture;

static int set_up(void **state)
{
	postgres_fixture_open(&fixture);
	return 0;
}

static int tear_down(void **state)
{
	postgres_fixture_close(&fixture);
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
	.sql = "INSERT INTO kinds (a_text, an_int, a_bool, a_uuid, a_time, some_bytes, a_double,"
	       " a_choice) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
	.params = {DB_TEXT, DB_INT, DB_BOOL, DB_UUID, DB_TIME, DB_BYTES, DB_DOUBLE, DB_TEXT},
};
static const struct db_statement read_kinds = {
	.name = "read_kinds",
	.sql = "SELECT a_choice, a_double, some_bytes, a_time, a_uuid, a_bool, an_int, a_text"
	       " FROM kinds",
	.row = &kinds_row,
	.reads = true,
};
static const struct db_statement read_other_types = {
	.name = "read_other_types",
	.sql = "SELECT 'green'::colour AS a_choice, 2.5::float4 AS a_double, 7::smallint AS an_int,"
	       " '2000-01-02'::date AS a_time, '{\"a\":1}'::jsonb AS a_text",
	.row = &kinds_row,
	.reads = true,
};

static const struct uuid sample_uuid = {
	{1, 2, 3, 0, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255},
};

static enum flow_verdict insert_one_of_each(struct flow *flow)
{
	return db_query(flow, &insert_kinds,
		DB_VALUES(db_text(TEXT("h\xc3\xa9llo")), db_int(INT64_MIN), db_bool(true),
			db_uuid(sample_uuid), db_time(1700000000123), db_bytes("\0\xff", 2),
			(struct db_value) {.kind = DB_DOUBLE, .number = 0.1},
			db_text(TEXT("green"))));
}

static enum flow_verdict insert_nulls(struct flow *flow)
{
	return db_query(flow, &insert_kinds,
		DB_VALUES(db_text(TEXT_ABSENT), (struct db_value) {.kind = DB_INT, .is_null = true},
			(struct db_value) {.kind = DB_BOOL, .is_null = true},
			db_uuid_or_null((struct uuid) {{0}}), db_time_or_null(0), db_bytes(NULL, 0),
			(struct db_value) {.kind = DB_DOUBLE, .is_null = true},
			db_text(TEXT_ABSENT)));
}

static enum flow_verdict read_them(struct flow *flow)
{
	assert_int_equal(db_result(flow)->affected, 1);
	return db_query(flow, &read_kinds, DB_NO_VALUES);
}

static enum flow_verdict keep_rows(struct flow *flow)
{
	const struct db_result *result = db_result(flow);
	struct kinds_row *row = flow->state;

	assert_int_equal(result->outcome, DB_OK);
	assert_int_equal(result->rows, 1);
	db_row(flow, 0, row);
	/* Texts are borrowed: what outlives the step is static here. */
	row->a_text = text_is_absent(row->a_text)                ? TEXT_ABSENT
		: text_equals(row->a_text, TEXT("h\xc3\xa9llo")) ? TEXT("same")
								 : TEXT("other");
	row->some_bytes = text_is_absent(row->some_bytes)            ? TEXT_ABSENT
		: text_equals(row->some_bytes, text_of("\0\xff", 2)) ? TEXT("same")
								     : TEXT("other");
	return FLOW_DONE;
}

static void every_kind_comes_back_as_it_went(void **state)
{
	static const struct flow_step steps[] = {
		STEP(insert_one_of_each),
		STEP(read_them),
		STEP(keep_rows),
		STEPS_END
	};
	struct kinds_row row;
	struct ending ending = postgres_fixture_run(&fixture, steps, 0, &row);

	assert_string_equal(ending.cause, "");
	assert_int_equal(ending.failure, FAILURE_NONE);
	assert_true(text_equals(row.a_text, TEXT("same")));
	assert_true(text_equals(row.some_bytes, TEXT("same")));
	assert_true(row.an_int == INT64_MIN);
	assert_true(row.a_bool);
	assert_true(uuid_equals(&row.a_uuid, &sample_uuid));
	assert_true(row.a_time == 1700000000123);
	assert_true(row.a_double == 0.1);
	assert_int_equal(row.a_choice, 1);
	assert_int_equal(postgres_fixture_number(&fixture,
				 "SELECT (a_time = '2023-11-14T22:13:20.123Z' AND"
				 " a_uuid::text LIKE '01020300-%')::int FROM kinds"),
		1);
}

static void null_of_every_kind_clears_the_field(void **state)
{
	static const struct flow_step steps[] = {
		STEP(insert_nulls),
		STEP(read_them),
		STEP(keep_rows),
		STEPS_END
	};
	struct kinds_row row;
	struct ending ending = postgres_fixture_run(&fixture, steps, 0, &row);

	assert_int_equal(ending.failure, FAILURE_NONE);
	assert_true(text_is_absent(row.a_text));
	assert_true(text_is_absent(row.some_bytes));
	assert_true(row.an_int == 0 && row.a_time == 0 && row.a_choice == 0 && !row.a_bool);
	assert_true(uuid_is_nil(&row.a_uuid));
	assert_true(row.a_double == 0);
	assert_int_equal(postgres_fixture_number(&fixture,
				 "SELECT count(*) FROM kinds WHERE a_text IS NULL AND"
				 " an_int IS NULL AND a_uuid IS NULL AND a_time IS NULL"
				 " AND some_bytes IS NULL AND a_choice IS NULL"),
		1);
}

static enum flow_verdict ask_other_types(struct flow *flow)
{
	return db_query(flow, &read_other_types, DB_NO_VALUES);
}

static enum flow_verdict copy_row(struct flow *flow)
{
	struct kinds_row *row = flow->state;

	assert_true(db_row_copy(flow, 0, row));
	assert_true(text_equals(row->a_text, TEXT("{\"a\": 1}")));
	return FLOW_DONE;
}

static void enums_small_integers_dates_and_json_are_read(void **state)
{
	static const struct flow_step steps[] = {
		STEP(ask_other_types),
		STEP(copy_row),
		STEPS_END
	};
	struct kinds_row row;
	struct ending ending = postgres_fixture_run(&fixture, steps, 0, &row);

	assert_string_equal(ending.cause, "");
	assert_int_equal(row.a_choice, 1);
	assert_int_equal(row.an_int, 7);
	assert_true(row.a_double == 2.5);
	assert_true(row.a_time == 946771200000);
}

/* ---- one statement, told by the test ------------------------------------------------------------ */

struct author_row {
	int64_t id;
	struct text name;
};
static const struct field author_fields[] = {
	FIELD(FIELD_INT, author_row, id),
	FIELD(FIELD_TEXT, author_row, name),
};
static const struct schema author_row = SCHEMA(author_row, author_fields, "An author");

static const struct db_statement insert_author = {
	.name = "insert_author",
	.sql = "INSERT INTO authors (id, name) VALUES ($1, $2)",
	.params = {DB_INT, DB_TEXT},
};
static const struct db_statement insert_author_or_know = {
	.name = "insert_author_or_know",
	.sql = "INSERT INTO authors (id, name) VALUES ($1, $2)",
	.params = {DB_INT, DB_TEXT},
	.expects = DB_EXPECTS_UNIQUE,
};
static const struct db_statement list_authors = {
	.name = "list_authors",
	.sql = "SELECT id, name FROM authors ORDER BY id",
	.row = &author_row,
	.reads = true,
};
static const struct db_statement insert_book = {
	.name = "insert_book",
	.sql = "INSERT INTO books (id, author_id, title, pages) VALUES ($1, $2, 'a title', $3)",
	.params = {DB_INT, DB_INT, DB_INT},
	.expects = DB_EXPECTS_FOREIGN_KEY,
};

struct author {
	int64_t id;
	struct text name;
	const struct db_statement *statement;
	struct db_result result;
};

static enum flow_verdict insert(struct flow *flow)
{
	const struct author *author = flow->state;

	return db_query(
		flow, author->statement, DB_VALUES(db_int(author->id), db_text(author->name)));
}

static enum flow_verdict keep_result(struct flow *flow)
{
	struct author *author = flow->state;

	author->result = *db_result(flow);
	return FLOW_DONE;
}

static const struct flow_step insert_steps[] = {STEP(insert), STEP(keep_result), STEPS_END};

static struct ending insert_named(struct author *author)
{
	return postgres_fixture_run(&fixture, insert_steps, 0, author);
}

static void a_unique_violation_that_is_expected_is_an_outcome(void **state)
{
	struct author author = {1, TEXT("Ann"), &insert_author_or_know, {0}};

	assert_int_equal(insert_named(&author).failure, FAILURE_NONE);
	assert_int_equal(author.result.outcome, DB_OK);
	assert_int_equal(author.result.affected, 1);
	author.id = 2;
	assert_int_equal(insert_named(&author).failure, FAILURE_NONE);
	assert_int_equal(author.result.outcome, DB_UNIQUE_VIOLATION);
	assert_int_equal(author.result.rows, 0);
	assert_string_equal(author.result.constraint, "authors_name_key");
}

static void a_unique_violation_that_is_not_expected_fails_the_flow(void **state)
{
	struct author author = {1, TEXT("Ann"), &insert_author, {0}};
	struct ending ending;

	insert_named(&author);
	ending = insert_named(&author);
	assert_int_equal(ending.failure, FAILURE_CONFLICT);
	assert_non_null(strstr(ending.cause, "insert_author: SQLSTATE 23505"));
	assert_null(strstr(ending.cause, "Ann"));
}

static enum flow_verdict insert_orphan(struct flow *flow)
{
	return db_query(flow, &insert_book, DB_VALUES(db_int(1), db_int(404), db_int(10)));
}

static void a_foreign_key_violation_is_an_outcome(void **state)
{
	static const struct flow_step steps[] = {
		STEP(insert_orphan),
		STEP(keep_result),
		STEPS_END
	};
	struct author author = {0};
	struct ending ending = postgres_fixture_run(&fixture, steps, 0, &author);

	assert_int_equal(ending.failure, FAILURE_NONE);
	assert_int_equal(author.result.outcome, DB_FOREIGN_KEY_VIOLATION);
	assert_string_equal(author.result.constraint, "books_author_id_fkey");
}

static void a_value_the_database_refuses_is_invalid(void **state)
{
	struct author author = {1, text_of("a\0b", 3), &insert_author, {0}};
	struct ending ending = insert_named(&author);

	assert_int_equal(ending.failure, FAILURE_INVALID);
	assert_non_null(strstr(ending.cause, "22021"));
}

static enum flow_verdict ask_authors(struct flow *flow)
{
	return db_query(flow, &list_authors, DB_NO_VALUES);
}

static enum flow_verdict count_authors(struct flow *flow)
{
	struct author_row *rows = db_rows_copy(flow);

	assert_int_equal(db_result(flow)->rows, 3);
	assert_non_null(rows);
	for (int i = 0; i < 3; i++)
		assert_int_equal(rows[i].id, i + 1);
	assert_true(text_equals(rows[2].name, TEXT("Cleo")));
	return FLOW_DONE;
}

static void all_rows_are_copied_in_their_order(void **state)
{
	static const struct flow_step steps[] = {
		STEP(ask_authors),
		STEP(count_authors),
		STEPS_END
	};

	postgres_fixture_execute(
		&fixture, "INSERT INTO authors VALUES (1, 'Ann'), (2, 'Bob'), (3, 'Cleo')");
	assert_int_equal(postgres_fixture_run(&fixture, steps, 0, NULL).failure, FAILURE_NONE);
}

/* ---- statements that are wrong ------------------------------------------------------------------ */

static struct ending run_statement(const struct db_statement *statement);

static enum flow_verdict ask(struct flow *flow)
{
	return db_query(flow, flow->state, DB_NO_VALUES);
}

static enum flow_verdict stop_there(struct flow *flow)
{
	return FLOW_DONE;
}

static struct ending run_statement(const struct db_statement *statement)
{
	static const struct flow_step steps[] = { STEP(ask), STEP(stop_there), STEPS_END };

	return postgres_fixture_run(&fixture, steps, 0, (void *)statement);
}

static void a_statement_with_a_mistake_fails_alone_and_says_what_is_wrong(void **state)
{
	static const struct db_statement mistake = {.name = "mistake", .sql = "SELECT FROM WHERE"};
	static const struct db_statement no_table = {
		.name = "no_table", .sql = "SELECT id FROM nowhere", .row = &author_row};
	struct ending ending = run_statement(&mistake);

	assert_int_equal(ending.failure, FAILURE_INTERNAL);
	assert_non_null(strstr(ending.cause, "mistake: SQLSTATE 42601"));
	ending = run_statement(&no_table);
	assert_int_equal(ending.failure, FAILURE_INTERNAL);
	assert_non_null(strstr(ending.cause, "nowhere"));
	assert_int_equal(run_statement(&list_authors).failure, FAILURE_NONE);
	/* The table appears: the same statement is prepared anew on the same connection. */
	postgres_fixture_execute(&fixture, "CREATE TABLE nowhere (id bigint)");
	assert_int_equal(run_statement(&no_table).failure, FAILURE_NONE);
}

/* 128 is the number of names that a statement has on one connection. */
static void a_plan_that_is_outdated_in_many_flows_is_made_anew_once(void **state)
{
	static const struct flow_step steps[] = { STEP(ask), STEP(stop_there), STEPS_END };
	static struct ending endings[128];

	assert_int_equal(run_statement(&list_authors).failure, FAILURE_NONE);
	postgres_fixture_execute(
		&fixture, "ALTER TABLE authors ALTER COLUMN name TYPE varchar(99)");
	for (unsigned i = 0; i < 128; i++)
		flow_start(postgres_fixture_flow(&fixture, &endings[i], 0, (void *)&list_authors),
			steps);
	for (unsigned i = 0; i < 128; i++) {
		postgres_fixture_await(&fixture, &endings[i]);
		assert_int_equal(endings[i].failure, FAILURE_RETRY);
	}
	assert_string_equal(run_statement(&list_authors).cause, "");
}

static void a_column_without_a_field_is_named(void **state)
{
	static const struct db_statement wrong = {
		.name = "wrong", .sql = "SELECT 1::bigint AS idd", .row = &author_row};
	struct ending ending = run_statement(&wrong);

	assert_int_equal(ending.failure, FAILURE_INTERNAL);
	assert_string_equal(ending.cause, "statement wrong: no field for column idd");
}

static void a_column_of_another_type_is_named(void **state)
{
	static const struct db_statement texts = {
		.name = "texts", .sql = "SELECT 'one' AS id", .row = &author_row};
	static const struct db_statement numerics = {
		.name = "numerics", .sql = "SELECT 1.5::numeric AS id", .row = &author_row};
	static const struct db_statement unknown = {
		.name = "unknown", .sql = "SELECT 'blue' AS a_choice", .row = &kinds_row};
	struct ending ending = run_statement(&texts);

	assert_int_equal(ending.failure, FAILURE_INTERNAL);
	assert_non_null(strstr(ending.cause, "statement texts: column id"));
	assert_non_null(strstr(run_statement(&numerics).cause, "statement numerics: column id"));
	assert_non_null(
		strstr(run_statement(&unknown).cause, "statement unknown: column a_choice"));
}

/* ---- many on one connection ---------------------------------------------------------------------- */

enum { MANY = 300 };

static const char connections_sql[] =
	"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'millrace'"
	" AND datname = current_database()";

static void await_all(struct ending *endings, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		postgres_fixture_await(&fixture, &endings[i]);
}

static void many_flows_share_one_connection(void **state)
{
	static struct ending endings[MANY];
	static struct author authors[MANY];

	/* Less than what makes a second lane worth while. */
	for (unsigned i = 0; i < LANE_FILL; i++) {
		authors[i] = (struct author) {i, TEXT_ABSENT, &insert_author, {0}};
		authors[i].name = arena_printf(&fixture.arena, "author %u", i);
		flow_start(
			postgres_fixture_flow(&fixture, &endings[i], 0, &authors[i]), insert_steps);
	}
	await_all(endings, LANE_FILL);
	for (unsigned i = 0; i < LANE_FILL; i++)
		assert_int_equal(endings[i].failure, FAILURE_NONE);
	assert_int_equal(
		postgres_fixture_number(&fixture, "SELECT count(*) FROM authors"), LANE_FILL);
	assert_int_equal(postgres_fixture_number(&fixture, connections_sql), 1);
}

static void a_failure_leaves_its_neighbours_alone(void **state)
{
	static struct ending endings[MANY];
	static struct author authors[MANY];
	unsigned good = 0;

	for (unsigned i = 0; i < MANY; i++) {
		bool is_bad = i % 3 == 1;

		authors[i] = (struct author) {is_bad ? 0 : i, TEXT_ABSENT, &insert_author, {0}};
		authors[i].name = is_bad ? TEXT("the same")
					 : arena_printf(&fixture.arena, "author %u", i);
		flow_start(
			postgres_fixture_flow(&fixture, &endings[i], 0, &authors[i]), insert_steps);
		good += !is_bad;
	}
	await_all(endings, MANY);
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(endings[i].failure, i % 3 == 1 ? FAILURE_CONFLICT : FAILURE_NONE);
	assert_int_equal(postgres_fixture_number(&fixture, "SELECT count(*) FROM authors"), good);
}

static void a_client_that_leaves_takes_only_its_own_statement(void **state)
{
	static struct ending endings[MANY];
	static struct author authors[MANY];
	struct flow *leaving[MANY] = {0};

	for (unsigned i = 0; i < MANY; i++) {
		struct flow *flow = postgres_fixture_flow(&fixture, &endings[i], 0, &authors[i]);

		authors[i] = (struct author) {i, TEXT_ABSENT, &insert_author, {0}};
		authors[i].name = arena_printf(&fixture.arena, "author %u", i);
		flow_start(flow, insert_steps);
		leaving[i] = i % 2 == 0 ? flow : NULL;
	}
	for (unsigned i = 0; i < MANY; i++)
		if (leaving[i] != NULL)
			flow_stop(leaving[i], FAILURE_CLIENT_GONE);
	await_all(endings, MANY);
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(
			endings[i].failure, i % 2 == 0 ? FAILURE_CLIENT_GONE : FAILURE_NONE);
	assert_int_equal(
		postgres_fixture_number(&fixture, "SELECT count(*) FROM authors WHERE id % 2 = 1"),
		MANY / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			every_kind_comes_back_as_it_went, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			null_of_every_kind_clears_the_field, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			enums_small_integers_dates_and_json_are_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_unique_violation_that_is_expected_is_an_outcome, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_unique_violation_that_is_not_expected_fails_the_flow, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_foreign_key_violation_is_an_outcome, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_value_the_database_refuses_is_invalid, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			all_rows_are_copied_in_their_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_statement_with_a_mistake_fails_alone_and_says_what_is_wrong, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_plan_that_is_outdated_in_many_flows_is_made_anew_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_column_without_a_field_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_column_of_another_type_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_flows_share_one_connection, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_failure_leaves_its_neighbours_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_client_that_leaves_takes_only_its_own_statement, set_up, tear_down),
	};

	postgres_fixture_need_server();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
