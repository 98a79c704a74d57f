// SPDX-License-Identifier: Apache-2.0

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "http/problem.h"
#include "http/refusal.h"
#include "test/http/ask.h"

static void every_problem_has_a_stable_code_a_message_and_an_error_status(void **state)
{
	for (unsigned i = 0; i < PROBLEM_COUNT; i++) {
		const struct problem_row *row = problem_row((enum problem)i);

		assert_non_null(row->code);
		assert_true(strlen(row->message) > 0);
		assert_in_range(row->status, 400, 599);
		assert_int_equal(strspn(row->code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"),
			strlen(row->code));
		/* constant bodies paste them in as they are */
		assert_null(strpbrk(row->message, "\"\\<>&"));
	}
}

static void codes_are_unique(void **state)
{
	for (unsigned i = 0; i < PROBLEM_COUNT; i++) {
		for (unsigned k = 0; k < i; k++)
			assert_string_not_equal(problem_row((enum problem)i)->code,
				problem_row((enum problem)k)->code);
	}
}

static void every_failure_becomes_a_problem_that_needs_no_declaration(void **state)
{
	for (int failure = FAILURE_NONE; failure < FAILURE_COUNT; failure++) {
		enum problem problem = problem_of_failure((enum failure)failure);

		assert_true(problem < PROBLEM_COUNT);
		assert_true(problem_is_general(problem));
	}
	assert_int_equal(problem_of_failure(FAILURE_DEADLINE), PROBLEM_DEADLINE_EXCEEDED);
	assert_int_equal(problem_of_failure(FAILURE_BUSY), PROBLEM_OVERLOADED);
	assert_int_equal(problem_of_failure(FAILURE_INTERNAL), PROBLEM_INTERNAL);
	assert_int_equal(problem_of_failure(FAILURE_NONE), PROBLEM_INTERNAL);
}

static void a_domains_refusal_is_not_general(void **state)
{
	assert_false(problem_is_general(PROBLEM_EMAIL_TAKEN));
	assert_false(problem_is_general(PROBLEM_TOKEN_MISSING));
	assert_false(problem_is_general(PROBLEM_FORBIDDEN));
	assert_true(problem_is_general(PROBLEM_VALIDATION_FAILED));
	assert_true(problem_is_general(PROBLEM_NOT_FOUND));
}

static void what_may_be_tried_again_says_when(void **state)
{
	for (unsigned i = 0; i < PROBLEM_COUNT; i++) {
		uint16_t status = problem_row((enum problem)i)->status;
		unsigned seconds = problem_retry_after_seconds((enum problem)i);

		if (status == 503 || status == 429)
			assert_in_range(seconds, 1, 60);
		else
			assert_int_equal(seconds, 0);
	}
}

static void every_401_has_a_challenge_and_only_a_bad_token_an_error_code(void **state)
{
	for (unsigned i = 0; i < PROBLEM_COUNT; i++) {
		const char *challenge = problem_challenge((enum problem)i);

		if (problem_row((enum problem)i)->status != 401) {
			assert_null(challenge);
			continue;
		}
		assert_memory_equal(challenge, "Bearer ", 7);
	}
	assert_null(strstr(problem_challenge(PROBLEM_TOKEN_MISSING), "error="));
	assert_null(strstr(problem_challenge(PROBLEM_INVALID_CREDENTIALS), "error="));
	assert_non_null(
		strstr(problem_challenge(PROBLEM_TOKEN_EXPIRED), "error=\"invalid_token\""));
}

static void the_jsend_body_of_a_client_error_says_fail(void **state)
{
	struct refusal_body body = {.problem = PROBLEM_EMAIL_TAKEN, .request_id = TEXT("r-1")};
	struct arena arena;

	arena_init(&arena, NULL, 1 << 20);
	assert_text_equal(refusal_jsend(&body, &arena),
		"{\"status\":\"fail\",\"code\":\"EMAIL_TAKEN\","
		"\"message\":\"A user with this e-mail already exists\",\"request_id\":\"r-1\"}");
	arena_deinit(&arena);
}

static void the_jsend_body_of_a_server_error_says_error(void **state)
{
	struct refusal_body body = {.problem = PROBLEM_INTERNAL, .request_id = TEXT("r-1")};
	struct arena arena;

	arena_init(&arena, NULL, 1 << 20);
	assert_text_equal(refusal_jsend(&body, &arena),
		"{\"status\":\"error\",\"code\":\"INTERNAL\","
		"\"message\":\"Something went wrong on our side\",\"request_id\":\"r-1\"}");
	arena_deinit(&arena);
}

static const struct schema_errors *two_errors(void)
{
	static struct schema_error list[] = {
		{.pointer = TEXT_INIT("/email"),
			.code = "EMAIL_INVALID",
			.message = TEXT_INIT("must be \"an\" e-mail address")},
		{.pointer = TEXT_INIT("/password"),
			.code = "TOO_SHORT",
			.message = TEXT_INIT("must have at least 8 characters")},
	};
	static const struct schema_errors errors = {.list = list, .count = 2};

	return &errors;
}

static void field_errors_stand_under_data_in_jsend(void **state)
{
	struct refusal_body body = {.problem = PROBLEM_VALIDATION_FAILED, .errors = two_errors()};
	struct arena arena;

	arena_init(&arena, NULL, 1 << 20);
	assert_text_equal(refusal_jsend(&body, &arena),
		"{\"status\":\"fail\",\"code\":\"VALIDATION_FAILED\","
		"\"message\":\"Some fields are not valid\",\"data\":{\"errors\":["
		"{\"pointer\":\"/email\",\"code\":\"EMAIL_INVALID\","
		"\"message\":\"must be \\\"an\\\" e-mail address\"},"
		"{\"pointer\":\"/password\",\"code\":\"TOO_SHORT\","
		"\"message\":\"must have at least 8 characters\"}]}}");
	arena_deinit(&arena);
}

static void the_problem_body_follows_rfc_9457(void **state)
{
	struct refusal_body body = {.problem = PROBLEM_VALIDATION_FAILED,
		.errors = two_errors(),
		.request_id = TEXT("r-1"),
		.instance = TEXT("/auth/register")};
	struct arena arena;
	struct text text;

	arena_init(&arena, NULL, 1 << 20);
	text = refusal_problem_json(&body, &arena);
	assert_text_has(text,
		"{\"type\":\"/docs/problems#VALIDATION_FAILED\","
		"\"title\":\"Some fields are not valid\",\"status\":422,");
	assert_text_has(text, "\"detail\":\"/email: must be \\\"an\\\" e-mail address\"");
	assert_text_has(text, "\"instance\":\"/auth/register\",\"code\":\"VALIDATION_FAILED\"");
	assert_text_has(text, "\"errors\":[{\"pointer\":\"/email\"");
	assert_text_has(text, "\"request_id\":\"r-1\"}");
	arena_deinit(&arena);
}

static void a_body_that_does_not_fit_is_absent_not_cut(void **state)
{
	struct refusal_body body = {.problem = PROBLEM_INTERNAL};
	struct arena arena;

	arena_init(&arena, NULL, 16);
	assert_true(text_is_absent(refusal_jsend(&body, &arena)));
	assert_true(text_is_absent(refusal_problem_json(&body, &arena)));
	arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_problem_has_a_stable_code_a_message_and_an_error_status),
		cmocka_unit_test(codes_are_unique),
		cmocka_unit_test(every_failure_becomes_a_problem_that_needs_no_declaration),
		cmocka_unit_test(a_domains_refusal_is_not_general),
		cmocka_unit_test(what_may_be_tried_again_says_when),
		cmocka_unit_test(every_401_has_a_challenge_and_only_a_bad_token_an_error_code),
		cmocka_unit_test(the_jsend_body_of_a_client_error_says_fail),
		cmocka_unit_test(the_jsend_body_of_a_server_error_says_error),
		cmocka_unit_test(field_errors_stand_under_data_in_jsend),
		cmocka_unit_test(the_problem_body_follows_rfc_9457),
		cmocka_unit_test(a_body_that_does_not_fit_is_absent_not_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
