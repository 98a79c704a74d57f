// SPDX-License-Identifier: Apache-2.0
/* sqlstate: what the server's codes mean to a flow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "db/sqlstate.h"

static void each_code_means_what_a_flow_can_act_on(void **state)
{
	static const struct {
		const char *sqlstate;
		enum failure failure;
	} rows[] = {
		{"23505", FAILURE_CONFLICT},
		{"23503", FAILURE_CONFLICT},
		{"23P01", FAILURE_CONFLICT},
		{"23502", FAILURE_INVALID},
		{"23514", FAILURE_INVALID},
		{"22P02", FAILURE_INVALID},
		{"22003", FAILURE_INVALID},
		{"22021", FAILURE_INVALID},
		{"40001", FAILURE_RETRY},
		{"40P01", FAILURE_RETRY},
		{"55P03", FAILURE_RETRY},
		{"25006", FAILURE_READ_ONLY},
		{"53100", FAILURE_STORAGE_FULL},
		{"53300", FAILURE_BUSY},
		{"57014", FAILURE_DEADLINE},
		{"57P01", FAILURE_UNAVAILABLE},
		{"57P03", FAILURE_UNAVAILABLE},
		{"26000", FAILURE_UNAVAILABLE},
		{"08006", FAILURE_UNAVAILABLE},
		{"42601", FAILURE_INTERNAL},
		{"42P01", FAILURE_INTERNAL},
		{"25P02", FAILURE_INTERNAL},
		{"XX000", FAILURE_INTERNAL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(sqlstate_failure(rows[i].sqlstate), rows[i].failure);
}

static void a_class_answers_for_codes_without_a_row(void **state)
{
	assert_int_equal(sqlstate_failure("22999"), FAILURE_INVALID);
	assert_int_equal(sqlstate_failure("08999"), FAILURE_UNAVAILABLE);
	assert_int_equal(sqlstate_failure("40999"), FAILURE_RETRY);
	assert_int_equal(sqlstate_failure("ZZ999"), FAILURE_INTERNAL);
}

static void an_error_of_libpq_itself_is_unavailable(void **state)
{
	assert_int_equal(sqlstate_failure(NULL), FAILURE_UNAVAILABLE);
	assert_int_equal(sqlstate_failure(""), FAILURE_UNAVAILABLE);
}

static void only_two_violations_are_outcomes(void **state)
{
	assert_int_equal(sqlstate_outcome("23505"), DB_UNIQUE_VIOLATION);
	assert_int_equal(sqlstate_outcome("23503"), DB_FOREIGN_KEY_VIOLATION);
	assert_int_equal(sqlstate_outcome("23502"), DB_OK);
	assert_int_equal(sqlstate_outcome(""), DB_OK);
	assert_int_equal(sqlstate_outcome(NULL), DB_OK);
}

static void a_server_that_goes_ends_the_connection(void **state)
{
	assert_true(sqlstate_ends_connection("57P01"));
	assert_true(sqlstate_ends_connection("08006"));
	assert_true(sqlstate_ends_connection("25P03"));
	assert_false(sqlstate_ends_connection("57014"));
	assert_false(sqlstate_ends_connection("23505"));
	assert_false(sqlstate_ends_connection(""));
}

static void messages_that_quote_values_are_not_logged(void **state)
{
	assert_false(sqlstate_message_is_safe("22P02"));
	assert_false(sqlstate_message_is_safe("23505"));
	assert_false(sqlstate_message_is_safe("P0001"));
	assert_true(sqlstate_message_is_safe("42P01"));
	assert_false(sqlstate_message_is_safe(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_code_means_what_a_flow_can_act_on),
		cmocka_unit_test(a_class_answers_for_codes_without_a_row),
		cmocka_unit_test(an_error_of_libpq_itself_is_unavailable),
		cmocka_unit_test(only_two_violations_are_outcomes),
		cmocka_unit_test(a_server_that_goes_ends_the_connection),
		cmocka_unit_test(messages_that_quote_values_are_not_logged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
