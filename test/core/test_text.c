// SPDX-License-Identifier: Apache-2.0
#include "core/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void a_c_string_becomes_a_text_and_null_an_absent_one(void **state)
{
	assert_int_equal(text_from_c("abc").len, 3);
	assert_true(text_is_absent(text_from_c(NULL)));
	assert_false(text_is_absent(text_from_c("")));
	assert_true(text_is_null(text_of(text_null_mark, 0)));
	assert_false(text_is_null(text_from_c("")));
}

static void texts_are_equal_by_their_bytes(void **state)
{
	assert_true(text_equals(TEXT("a\0b"), TEXT("a\0b")));
	assert_false(text_equals(TEXT("a\0b"), TEXT("a\0c")));
	assert_false(text_equals(TEXT("ab"), TEXT("abc")));
	assert_true(text_equals(TEXT_ABSENT, TEXT("")));
	assert_true(text_equals_ignore_case(TEXT("Host"), TEXT("hOST")));
	assert_false(text_equals_ignore_case(TEXT("[ost"), TEXT("{ost")));
}

static void prefixes_and_suffixes_are_found(void **state)
{
	assert_true(text_starts_with(TEXT("abc"), TEXT("ab")));
	assert_false(text_starts_with(TEXT("a"), TEXT("ab")));
	assert_true(text_ends_with(TEXT("abc"), TEXT("bc")));
	assert_true(text_ends_with(TEXT_ABSENT, TEXT("")));
	assert_false(text_ends_with(TEXT("c"), TEXT("bc")));
}

static void trimming_takes_blanks_of_both_ends_only(void **state)
{
	assert_true(text_equals(text_trim(TEXT(" \t\r\na b\n")), TEXT("a b")));
	assert_int_equal(text_trim(TEXT("  ")).len, 0);
	assert_true(text_is_absent(text_trim(TEXT_ABSENT)));
}

static void cutting_gives_what_stands_before_and_behind(void **state)
{
	struct text rest;

	assert_true(text_equals(text_cut(TEXT("a=b=c"), '=', &rest), TEXT("a")));
	assert_true(text_equals(rest, TEXT("b=c")));
	assert_true(text_equals(text_cut(TEXT("a="), '=', &rest), TEXT("a")));
	assert_false(text_is_absent(rest));
	assert_true(text_equals(text_cut(TEXT("abc"), '=', &rest), TEXT("abc")));
	assert_true(text_is_absent(rest));
	text_cut(TEXT_ABSENT, '=', &rest);
	assert_true(text_is_absent(rest));
}

static void only_a_whole_decimal_within_64_bits_is_an_int(void **state)
{
	static const struct {
		struct text text;
		int64_t value;
	} good[] = {
		{TEXT_INIT("0"), 0},
		{TEXT_INIT("-0"), 0},
		{TEXT_INIT("007"), 7},
		{TEXT_INIT("9223372036854775807"), INT64_MAX},
		{TEXT_INIT("-9223372036854775808"), INT64_MIN},
	};
	static const struct text bad[] = {
		TEXT_INIT(""),
		TEXT_INIT("-"),
		TEXT_INIT("+1"),
		TEXT_INIT(" 1"),
		TEXT_INIT("1 "),
		TEXT_INIT("1.0"),
		TEXT_INIT("0x1"),
		TEXT_INIT("9223372036854775808"),
		TEXT_INIT("-9223372036854775809"),
		TEXT_INIT("99999999999999999999999"),
		TEXT_INIT("--1"),
		TEXT_INIT("1\0"),
	};
	int64_t value;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_true(text_to_int(good[i].text, &value));
		assert_true(value == good[i].value);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(text_to_int(bad[i], &value));
}

static void utf8_is_checked_as_rfc_3629_says(void **state)
{
	static const struct text good[] = {
		TEXT_INIT(""),
		TEXT_INIT("plain ascii, longer than eight"),
		TEXT_INIT("\xC2\x80"),
		TEXT_INIT("\xED\x9F\xBF"),
		TEXT_INIT("\xEE\x80\x80"),
		TEXT_INIT("\xF0\x90\x80\x80"),
		TEXT_INIT("\xF4\x8F\xBF\xBF"),
		TEXT_INIT("12345678\xC3\xA4"),
		TEXT_INIT("a\0b"),
	};
	static const struct text bad[] = {
		TEXT_INIT("\x80"),
		TEXT_INIT("\xC0\x80"),
		TEXT_INIT("\xC1\xBF"),
		TEXT_INIT("\xC3"),
		TEXT_INIT("\xE0\x9F\xBF"),
		TEXT_INIT("\xED\xA0\x80"),
		TEXT_INIT("\xF0\x8F\xBF\xBF"),
		TEXT_INIT("\xF4\x90\x80\x80"),
		TEXT_INIT("\xF5\x80\x80\x80"),
		TEXT_INIT("\xE2\x82"),
		TEXT_INIT("12345678\xFF"),
		TEXT_INIT("\xC3\x28"),
		TEXT_INIT("\xE2\x82\x28"),
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(text_is_utf8(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(text_is_utf8(bad[i]));
	assert_int_equal(text_code_points(TEXT("a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80")), 4);
	assert_int_equal(text_utf8_sequence(TEXT("\xE2\x82\xAC!")), 3);
	assert_int_equal(text_utf8_sequence(TEXT("")), 0);
}

static void the_distance_counts_edits(void **state)
{
	assert_int_equal(text_distance(TEXT("kitten"), TEXT("sitting")), 3);
	assert_int_equal(text_distance(TEXT(""), TEXT("abc")), 3);
	assert_int_equal(text_distance(TEXT("serve"), TEXT("serve")), 0);
	assert_int_equal(text_distance(TEXT("sreve"), TEXT("serve")), 2);
	assert_true(
		text_distance(TEXT("0123456789012345678901234567890123"), TEXT("a")) == SIZE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_c_string_becomes_a_text_and_null_an_absent_one),
		cmocka_unit_test(texts_are_equal_by_their_bytes),
		cmocka_unit_test(prefixes_and_suffixes_are_found),
		cmocka_unit_test(trimming_takes_blanks_of_both_ends_only),
		cmocka_unit_test(cutting_gives_what_stands_before_and_behind),
		cmocka_unit_test(only_a_whole_decimal_within_64_bits_is_an_int),
		cmocka_unit_test(utf8_is_checked_as_rfc_3629_says),
		cmocka_unit_test(the_distance_counts_edits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
