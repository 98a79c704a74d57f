// SPDX-License-Identifier: Apache-2.0

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "http/exchange.h"
#include "http/target.h"

static void assert_text(struct text actual, const char *expected)
{
	if (expected == NULL) {
		assert_true(text_is_absent(actual));
		return;
	}
	assert_false(text_is_absent(actual));
	assert_int_equal(actual.len, strlen(expected));
	assert_memory_equal(actual.data, expected, actual.len);
}

static void expect(const char *raw, const char *path, const char *query, const char *authority)
{
	struct target target;
	enum problem problem;

	assert_true(target_parse(text_from_c(raw), &target, &problem));
	assert_text(target.path, path);
	assert_text(target.query, query);
	assert_text(target.authority, authority);
}

static void each_form_is_split_into_its_parts(void **state)
{
	expect("/", "/", NULL, NULL);
	expect("/a/b?c=d?e", "/a/b", "c=d?e", NULL);
	expect("/a?", "/a", "", NULL);
	expect("//a", "//a", NULL, NULL);
	expect("*", "*", NULL, NULL);
	expect("http://a", "/", NULL, "a");
	expect("http://a:80?b", "/", "b", "a:80");
	expect("hTTps://[::1]:443/c?d", "/c", "d", "[::1]:443");
}

static void a_bad_query_has_a_problem_of_its_own(void **state)
{
	struct target target;
	enum problem problem;

	assert_false(target_parse(TEXT("/a?b=%zz"), &target, &problem));
	assert_int_equal(problem, PROBLEM_BAD_QUERY);
	assert_false(target_parse(TEXT("/%zz?b=c"), &target, &problem));
	assert_int_equal(problem, PROBLEM_BAD_REQUEST);
}

static void decoded(const char *raw, size_t len, bool plus_is_space, const char *expected)
{
	struct arena arena;

	arena_init(&arena, NULL, 1 << 16);
	assert_text(percent_decode(&arena, text_of(raw, len), plus_is_space), expected);
	arena_deinit(&arena);
}

#define DECODED(raw_, plus_, expected_) decoded(raw_, sizeof(raw_) - 1, plus_, expected_)

static void escapes_are_undone_once_and_bad_ones_refused(void **state)
{
	DECODED("", false, "");
	DECODED("plain", false, "plain");
	DECODED("a%20b", false, "a b");
	DECODED("a+b", false, "a+b");
	DECODED("a+b%2B", true, "a b+");
	DECODED("%252e", false, "%2e");
	DECODED("%c3%A9", false, "\xc3\xa9");
	DECODED("a%2Fb", false, "a/b");
	DECODED("%", false, NULL);
	DECODED("%4", false, NULL);
	DECODED("%g0", false, NULL);
	DECODED("%00", false, NULL);
	DECODED("a\0b", false, NULL);
	DECODED("%ff", false, NULL);
	DECODED("%c3", false, NULL);
	DECODED("%c0%ae", false, NULL);
	DECODED("%ed%a0%80", false, NULL);
	DECODED("\xff", false, NULL);
}

static void without_memory_nothing_is_decoded(void **state)
{
	struct arena arena;

	arena_init(&arena, NULL, 0);
	assert_true(text_is_absent(percent_decode(&arena, TEXT("%41"), false)));
	arena_deinit(&arena);
}

static void a_query_is_walked_pair_by_pair(void **state)
{
	struct text rest = TEXT("a=1&&b&=c&d=e=f&"), name, value;

	assert_true(query_next(&rest, &name, &value));
	assert_text(name, "a");
	assert_text(value, "1");
	assert_true(query_next(&rest, &name, &value));
	assert_text(name, "b");
	assert_text(value, "");
	assert_true(query_next(&rest, &name, &value));
	assert_text(name, "");
	assert_text(value, "c");
	assert_true(query_next(&rest, &name, &value));
	assert_text(name, "d");
	assert_text(value, "e=f");
	assert_false(query_next(&rest, &name, &value));
	rest = TEXT_ABSENT;
	assert_false(query_next(&rest, &name, &value));
}

static void a_host_name_has_at_most_255_bytes(void **state)
{
	char name[256];

	memset(name, 'a', sizeof(name));
	assert_true(authority_is_valid(text_of(name, 255)));
	assert_false(authority_is_valid(text_of(name, 256)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form_is_split_into_its_parts),
		cmocka_unit_test(a_bad_query_has_a_problem_of_its_own),
		cmocka_unit_test(escapes_are_undone_once_and_bad_ones_refused),
		cmocka_unit_test(without_memory_nothing_is_decoded),
		cmocka_unit_test(a_query_is_walked_pair_by_pair),
		cmocka_unit_test(a_host_name_has_at_most_255_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
