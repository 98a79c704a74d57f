// SPDX-License-Identifier: Apache-2.0
#include "core/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct query {
	struct text search;
	int64_t page;
	double ratio;
	bool all;
	struct uuid id;
	int64_t since;
	int64_t order;
};

static const char *const orders[] = {"up", "down", NULL};
static const struct field query_fields[] = {
	FIELD(FIELD_TEXT, query, search, .max = 5, .optional = true),
	FIELD(FIELD_INT, query, page, .min = 1, .max = 100, .optional = true, .fallback = 1),
	FIELD(FIELD_DOUBLE, query, ratio, .optional = true),
	FIELD(FIELD_BOOL, query, all, .optional = true),
	FIELD(FIELD_UUID, query, id, .optional = true),
	FIELD(FIELD_TIME, query, since, .optional = true),
	FIELD(FIELD_ENUM, query, order, .choices = orders, .optional = true, .fallback = 1),
};
static const struct schema query_schema = SCHEMA(query, query_fields, "A query");

static struct arena arena;
static struct query query;
static struct schema_errors errors;

static int open_arena(void **state)
{
	arena_init(&arena, NULL, SIZE_MAX);
	return 0;
}

static int close_arena(void **state)
{
	arena_deinit(&arena);
	return 0;
}

static enum schema_verdict decode_one(struct text name, struct text value)
{
	struct schema_pair pair = {name, value};

	return schema_decode_pairs(&query_schema, &pair, 1, &arena, &query, &errors);
}

static void parameters_fill_the_struct(void **state)
{
	static const struct schema_pair pairs[] = {
		{TEXT_INIT("order"), TEXT_INIT("up")},
		{TEXT_INIT("page"), TEXT_INIT("42")},
		{TEXT_INIT("search"), TEXT_INIT("")},
		{TEXT_INIT("ratio"), TEXT_INIT("-1.5e1")},
		{TEXT_INIT("all"), TEXT_INIT("true")},
		{TEXT_INIT("since"), TEXT_INIT("1970-01-01T00:00:02Z")},
		{TEXT_INIT("id"), TEXT_INIT("0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b")},
	};

	assert_int_equal(
		schema_decode_pairs(&query_schema, pairs, 7, &arena, &query, &errors), SCHEMA_OK);
	assert_int_equal(query.order, 0);
	assert_int_equal(query.page, 42);
	assert_false(text_is_absent(query.search));
	assert_true(query.ratio == -15.0);
	assert_true(query.all);
	assert_int_equal(query.since, 2000);
	assert_int_equal(
		schema_decode_pairs(&query_schema, NULL, 0, &arena, &query, &errors), SCHEMA_OK);
	assert_int_equal(query.page, 1);
	assert_int_equal(query.order, 1);
}

static void each_defect_has_its_code_and_the_bare_name(void **state)
{
	static const struct {
		struct text name, value;
		const char *code;
	} rows[] = {
		{TEXT_INIT("page"), TEXT_INIT("0"), "TOO_SMALL"},
		{TEXT_INIT("page"), TEXT_INIT("101"), "TOO_LARGE"},
		{TEXT_INIT("page"), TEXT_INIT("99999999999999999999"), "TOO_LARGE"},
		{TEXT_INIT("page"), TEXT_INIT("-99999999999999999999"), "TOO_SMALL"},
		{TEXT_INIT("page"), TEXT_INIT(""), "TYPE"},
		{TEXT_INIT("page"), TEXT_INIT("1.0"), "TYPE"},
		{TEXT_INIT("page"), TEXT_INIT("01"), "TYPE"},
		{TEXT_INIT("page"), TEXT_INIT("+1"), "TYPE"},
		{TEXT_INIT("page"), TEXT_INIT("1\0"), "TYPE"},
		{TEXT_INIT("ratio"), TEXT_INIT("0x10"), "TYPE"},
		{TEXT_INIT("ratio"), TEXT_INIT("nan"), "TYPE"},
		{TEXT_INIT("ratio"), TEXT_INIT("1."), "TYPE"},
		{TEXT_INIT("ratio"), TEXT_INIT("1e"), "TYPE"},
		{TEXT_INIT("ratio"), TEXT_INIT("1e9999"), "TOO_LARGE"},
		{TEXT_INIT("all"), TEXT_INIT("1"), "TYPE"},
		{TEXT_INIT("id"), TEXT_INIT("1"), "UUID_INVALID"},
		{TEXT_INIT("since"), TEXT_INIT("now"), "TIME_INVALID"},
		{TEXT_INIT("order"), TEXT_INIT("sideways"), "NOT_A_CHOICE"},
		{TEXT_INIT("search"), TEXT_INIT("\xFF"), "NOT_UTF8"},
		{TEXT_INIT("search"), TEXT_INIT("a\0"), "CONTROL_CHARACTER"},
		{TEXT_INIT("search"), TEXT_INIT("abcdef"), "TOO_LONG"},
		{TEXT_INIT("serach"), TEXT_INIT("a"), "UNKNOWN_FIELD"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(decode_one(rows[i].name, rows[i].value), SCHEMA_BAD_FIELDS);
		assert_int_equal(errors.count, 1);
		assert_string_equal(errors.list[0].code, rows[i].code);
		assert_true(text_equals(errors.list[0].pointer, rows[i].name));
	}
	assert_int_equal(decode_one(TEXT_ABSENT, TEXT_ABSENT), SCHEMA_BAD_FIELDS);
	assert_int_equal(decode_one(TEXT("\xFF/~\n"), TEXT("")), SCHEMA_BAD_FIELDS);
}

static void a_parameter_stands_only_once(void **state)
{
	static const struct schema_pair pairs[] = {
		{TEXT_INIT("page"), TEXT_INIT("1")},
		{TEXT_INIT("page"), TEXT_INIT("2")},
	};

	assert_int_equal(schema_decode_pairs(&query_schema, pairs, 2, &arena, &query, &errors),
		SCHEMA_BAD_FIELDS);
	assert_string_equal(errors.list[0].code, "DUPLICATE_FIELD");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_fill_the_struct),
		cmocka_unit_test(each_defect_has_its_code_and_the_bare_name),
		cmocka_unit_test(a_parameter_stands_only_once),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
