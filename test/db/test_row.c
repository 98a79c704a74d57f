// SPDX-License-Identifier: Apache-2.0
/* row: which value may be put in which field, the same on both engines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "db/engine.h"

static const char *const choices[] = {"low", "high", NULL};

struct row {
	struct text a_text, an_email;
	struct uuid a_uuid;
	int64_t an_int, a_time, a_choice;
	double a_double;
	bool a_bool;
};

static const struct field fields[] = {
	FIELD(FIELD_TEXT, row, a_text),
	FIELD(FIELD_EMAIL, row, an_email),
	FIELD(FIELD_UUID, row, a_uuid),
	FIELD(FIELD_INT, row, an_int),
	FIELD(FIELD_TIME, row, a_time),
	FIELD(FIELD_ENUM, row, a_choice, .choices = choices),
	FIELD(FIELD_DOUBLE, row, a_double),
	FIELD(FIELD_BOOL, row, a_bool),
};
static const struct schema row_schema = SCHEMA(row, fields, "One of each");
static const struct db_statement statement = {.name = "some_statement", .row = &row_schema};

static const struct field *field_of(const char *name)
{
	return schema_field(&row_schema, text_from_c(name));
}

static bool takes(const char *name, struct db_value value)
{
	return db_field_takes(field_of(name), &value);
}

static struct row put(const char *name, struct db_value value)
{
	struct row row;

	memset(&row, 0, sizeof(row));
	db_field_put(field_of(name), &value, &row);
	return row;
}

static void each_kind_goes_where_it_belongs(void **state)
{
	struct uuid uuid = {{1, [15] = 2}};
	struct row row = put("a_uuid", db_uuid(uuid));

	assert_true(uuid_equals(&row.a_uuid, &uuid));
	row = put("a_uuid", db_bytes(uuid.bytes, 16));
	assert_true(uuid_equals(&row.a_uuid, &uuid));
	assert_true(text_equals(put("a_text", db_text(TEXT("x"))).a_text, TEXT("x")));
	assert_true(text_equals(put("a_text", db_bytes("y", 1)).a_text, TEXT("y")));
	assert_true(text_equals(put("an_email", db_text(TEXT("a@b.c"))).an_email, TEXT("a@b.c")));
	assert_int_equal(put("an_int", db_int(-1)).an_int, -1);
	assert_int_equal(put("a_time", db_time(5)).a_time, 5);
	assert_int_equal(put("a_time", db_int(5)).a_time, 5);
	assert_true(put("a_bool", db_bool(true)).a_bool);
	assert_true(put("a_bool", db_int(1)).a_bool);
	assert_true(put("a_double", db_int(3)).a_double == 3.0);
}

static void a_choice_is_stored_by_name_or_by_number(void **state)
{
	assert_int_equal(put("a_choice", db_text(TEXT("high"))).a_choice, 1);
	assert_int_equal(put("a_choice", db_int(1)).a_choice, 1);
	assert_false(takes("a_choice", db_text(TEXT("higher"))));
	assert_false(takes("a_choice", db_text(TEXT(""))));
	assert_false(takes("a_choice", db_int(2)));
	assert_false(takes("a_choice", db_int(-1)));
}

static void what_does_not_fit_is_refused_and_leaves_the_field_alone(void **state)
{
	assert_false(takes("an_int", db_text(TEXT("1"))));
	assert_false(takes("a_text", db_int(1)));
	assert_false(takes("a_bool", db_int(2)));
	assert_false(takes("a_bool", db_int(-1)));
	assert_false(takes("a_uuid", db_bytes("short", 5)));
	assert_false(takes("a_uuid", db_text(TEXT("0123456789abcdef"))));
	assert_false(takes("a_time", db_text(TEXT("2026-01-01"))));
	assert_int_equal(put("an_int", db_text(TEXT("1"))).an_int, 0);
}

static void null_fits_everywhere_and_clears(void **state)
{
	for (size_t i = 0; i < row_schema.field_count; i++)
		assert_true(takes(row_schema.fields[i].name, db_text(TEXT_ABSENT)));
	assert_true(text_is_absent(put("a_text", db_text(TEXT_ABSENT)).a_text));
}

static void columns_are_found_by_name(void **state)
{
	struct db_columns columns = {.count = 0};
	char error[128];

	assert_true(db_columns_add(&columns, &statement, "an_int", error, sizeof(error)));
	assert_true(db_columns_add(&columns, &statement, "a_text", error, sizeof(error)));
	assert_int_equal(columns.count, 2);
	assert_ptr_equal(columns.fields[0], field_of("an_int"));
	assert_false(db_columns_add(&columns, &statement, "nothing", error, sizeof(error)));
	assert_string_equal(error, "statement some_statement: no field for column nothing");
	while (columns.count < DB_COLUMNS_MAX)
		assert_true(db_columns_add(&columns, &statement, "an_int", error, sizeof(error)));
	assert_false(db_columns_add(&columns, &statement, "an_int", error, sizeof(error)));
}

static void values_know_when_they_are_null(void **state)
{
	assert_true(db_text(TEXT_ABSENT).is_null);
	assert_true(db_text(text_of(text_null_mark, 0)).is_null);
	assert_false(db_text(TEXT("")).is_null);
	assert_true(db_uuid_or_null((struct uuid) {{0}}).is_null);
	assert_false(db_uuid((struct uuid) {{0}}).is_null);
	assert_true(db_time_or_null(0).is_null);
	assert_false(db_time(0).is_null);
	assert_true(db_bytes(NULL, 0).is_null);
	assert_false(db_bytes("", 0).is_null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_goes_where_it_belongs),
		cmocka_unit_test(a_choice_is_stored_by_name_or_by_number),
		cmocka_unit_test(what_does_not_fit_is_refused_and_leaves_the_field_alone),
		cmocka_unit_test(null_fits_everywhere_and_clears),
		cmocka_unit_test(columns_are_found_by_name),
		cmocka_unit_test(values_know_when_they_are_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
