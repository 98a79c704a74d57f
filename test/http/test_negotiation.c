// SPDX-License-Identifier: Apache-2.0

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "http/negotiation.h"

static bool prefers(const char *accept)
{
	return accept_prefers_problem_json(text_from_c(accept));
}

static void a_client_that_names_problem_json_gets_it(void **state)
{
	assert_true(prefers("application/problem+json"));
	assert_true(prefers("Application/Problem+JSON"));
	assert_true(prefers("application/json, application/problem+json"));
	assert_true(prefers("application/json;q=0.5, application/problem+json;q=0.8"));
	assert_true(prefers("application/problem+json, */*;q=0.1"));
	assert_true(
		prefers("text/html , application/problem+json ; q=0.2 ,application/json;q=0.1"));
}

static void everyone_else_gets_jsend(void **state)
{
	assert_false(prefers(NULL));
	assert_false(prefers(""));
	assert_false(prefers("*/*"));
	assert_false(prefers("application/*"));
	assert_false(prefers("application/json"));
	assert_false(prefers("text/html"));
	assert_false(prefers("application/json, application/problem+json;q=0.9"));
	assert_false(prefers("application/problem+json;q=0"));
	assert_false(prefers("application/problem+json;q=0.1, */*"));
	assert_false(prefers("application/problem"));
	assert_false(prefers("application/problem+json;q=nonsense"));
}

static int quality(const char *accept)
{
	return accept_media_type(text_from_c(accept), TEXT("application"), TEXT("json")).quality;
}

static void the_most_specific_range_decides(void **state)
{
	assert_int_equal(quality("*/*;q=0.1, application/*;q=0.2, application/json;q=0.3"), 300);
	assert_int_equal(quality("application/json;q=0.3, */*;q=1"), 300);
	assert_int_equal(quality("application/*;q=0.25, */*"), 250);
	assert_int_equal(quality("text/*"), 0);
	assert_int_equal(quality(NULL), 1000);
}

static void malformed_qualities_are_not_guessed_at(void **state)
{
	assert_int_equal(quality("application/json;q=1.001"), 0);
	assert_int_equal(quality("application/json;q=2"), 0);
	assert_int_equal(quality("application/json;q=0.1234"), 0);
	assert_int_equal(quality("application/json;q="), 0);
	assert_int_equal(quality("application/json;q=.5"), 0);
	assert_int_equal(quality("application/json;q=0."), 0);
	assert_int_equal(quality("application/json;q=1.000"), 1000);
	assert_int_equal(quality("application/json;Q=0.001"), 1);
}

static void a_comma_in_a_quoted_string_separates_nothing(void **state)
{
	assert_int_equal(quality("text/plain;x=\"a,application/json\";q=0.5"), 0);
	assert_int_equal(quality("text/plain;x=\"\\\",\", application/json;q=0.5"), 500);
	assert_int_equal(quality("text/plain;x=\"never closed, application/json"), 0);
}

static bool allows_gzip(const char *value)
{
	return accept_encoding_allows(text_from_c(value), TEXT("gzip"));
}

static void gzip_is_allowed_when_named_starred_or_unmentioned_altogether(void **state)
{
	assert_true(allows_gzip(NULL));
	assert_true(allows_gzip("gzip"));
	assert_true(allows_gzip("deflate, GZIP;q=0.1"));
	assert_true(allows_gzip("x-gzip"));
	assert_true(allows_gzip("*"));
	assert_false(allows_gzip(""));
	assert_false(allows_gzip("identity"));
	assert_false(allows_gzip("gzip;q=0"));
	assert_false(allows_gzip("*, gzip;q=0.000"));
	assert_false(allows_gzip("*;q=0"));
}

static bool is_json(const char *value)
{
	return content_type_is_json(text_from_c(value));
}

static void only_json_in_utf8_is_json(void **state)
{
	assert_true(is_json("application/json"));
	assert_true(is_json("Application/JSON"));
	assert_true(is_json("application/json; charset=utf-8"));
	assert_true(is_json("application/json;charset=\"UTF-8\""));
	assert_true(is_json("application/json ;"));
	assert_false(is_json(NULL));
	assert_false(is_json(""));
	assert_false(is_json("application/json; charset=latin1"));
	assert_false(is_json("application/json; charset"));
	assert_false(is_json("application/json; boundary=x"));
	assert_false(is_json("application/jsonp"));
	assert_false(is_json("text/json"));
	assert_false(is_json("application/json, text/plain"));
	assert_false(is_json("application/x-www-form-urlencoded"));
}

static bool listed(const char *value)
{
	return etag_is_listed(text_from_c(value), TEXT("\"abc\""));
}

static void a_tag_is_found_in_a_list_weak_or_strong(void **state)
{
	assert_true(listed("\"abc\""));
	assert_true(listed("W/\"abc\""));
	assert_true(listed("\"x\", \"abc\""));
	assert_true(listed("\"a,b\",\"abc\""));
	assert_true(listed("*"));
	assert_false(listed(NULL));
	assert_false(listed("abc"));
	assert_false(listed("\"ab\""));
	assert_false(listed("\"abc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_that_names_problem_json_gets_it),
		cmocka_unit_test(everyone_else_gets_jsend),
		cmocka_unit_test(the_most_specific_range_decides),
		cmocka_unit_test(malformed_qualities_are_not_guessed_at),
		cmocka_unit_test(a_comma_in_a_quoted_string_separates_nothing),
		cmocka_unit_test(gzip_is_allowed_when_named_starred_or_unmentioned_altogether),
		cmocka_unit_test(only_json_in_utf8_is_json),
		cmocka_unit_test(a_tag_is_found_in_a_list_weak_or_strong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
