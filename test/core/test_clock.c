// SPDX-License-Identifier: Apache-2.0
#include "core/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { DAY_FIRST = -719528 /* 0000-01-01 */, DAY_LAST = 2932896 /* 9999-12-31 */ };
static const int64_t day_ms = 86400000;

static void every_day_from_year_0_to_9999_agrees_with_libc(void **state)
{
	char ours[CLOCK_RFC3339_LEN], http[CLOCK_HTTP_DATE_LEN], theirs[64];

	for (int64_t day = DAY_FIRST; day <= DAY_LAST; day += day % 5 == 0 ? 1 : 3) {
		time_t seconds = day * 86400 + 86399;
		int64_t unix_ms = day * day_ms + 86399007, back;
		struct tm tm;
		gmtime_r(&seconds, &tm);
		snprintf(theirs, sizeof(theirs), "%04d-%02d-%02dT23:59:59.007Z", tm.tm_year + 1900,
			tm.tm_mon + 1, tm.tm_mday);
		clock_format_rfc3339(unix_ms, ours);
		assert_memory_equal(ours, theirs, sizeof(ours));
		assert_true(clock_parse_rfc3339(text_of(ours, sizeof(ours)), &back));
		assert_true(back == unix_ms);
		if (tm.tm_year + 1900 < 1000)
			continue;
		strftime(theirs, sizeof(theirs), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		clock_format_http_date(unix_ms, http);
		assert_memory_equal(http, theirs, sizeof(http));
	}
}

static void times_beyond_the_calendar_are_shown_as_its_ends(void **state)
{
	char out[CLOCK_RFC3339_LEN];

	clock_format_rfc3339(INT64_MIN, out);
	assert_memory_equal(out, "0000-01-01T00:00:00.000Z", sizeof(out));
	clock_format_rfc3339(INT64_MAX, out);
	assert_memory_equal(out, "9999-12-31T23:59:59.999Z", sizeof(out));
}

static void offsets_fractions_and_leap_seconds_are_understood(void **state)
{
	static const struct {
		struct text text;
		int64_t unix_ms;
	} good[] = {
		{TEXT_INIT("1970-01-01T00:00:00Z"), 0},
		{TEXT_INIT("1970-01-01t00:00:00z"), 0},
		{TEXT_INIT("1970-01-01T01:00:00+01:00"), 0},
		{TEXT_INIT("1969-12-31T19:30:00-04:30"), 0},
		{TEXT_INIT("1970-01-01T00:00:00-00:00"), 0},
		{TEXT_INIT("1985-04-12T23:20:50.52Z"), 482196050520},
		{TEXT_INIT("1970-01-01T00:00:00.9999999999999Z"), 999},
		{TEXT_INIT("1990-12-31T23:59:60Z"), 662688000000},
		{TEXT_INIT("1990-12-31T15:59:60-08:00"), 662688000000},
		{TEXT_INIT("2000-02-29T00:00:00Z"), 951782400000},
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		int64_t unix_ms;
		assert_true(clock_parse_rfc3339(good[i].text, &unix_ms));
		assert_true(unix_ms == good[i].unix_ms);
	}
}

static void malformed_times_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"2026",
		"2026-01-31",
		"2026-01-31T23:59:59",
		"2026-01-31 23:59:59Z",
		"2026-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-01-00T00:00:00Z",
		"2026-04-31T00:00:00Z",
		"2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z",
		"2026-01-01T00:00:61Z",
		"2026-01-01T12:00:60Z",
		"2026-01-01T00:00:00.Z",
		"2026-01-01T00:00:00+24:00",
		"2026-01-01T00:00:00+0100",
		"2026-01-01T00:00:00+01:60",
		"2026-01-01T00:00:00Zx",
		"-026-01-01T00:00:00Z",
		"12026-01-01T00:00:00Z",
		"0000-01-01T00:00:00+00:01",
		"9999-12-31T23:59:59-00:01",
		"9999-12-31T23:59:60Z",
		"2026-1-01T00:00:00Z",
		"2026-01-01T0:00:00Z",
	};
	int64_t unix_ms;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(clock_parse_rfc3339(text_from_c(bad[i]), &unix_ms));
}

static void the_monotonic_clock_never_goes_back(void **state)
{
	uint64_t before = clock_now_ns();

	for (int i = 0; i < 1000; i++) {
		uint64_t now = clock_now_ns();
		assert_true(now >= before);
		before = now;
	}
	assert_true(clock_thread_cpu_ns() > 0);
	assert_true(clock_unix_ms() > INT64_C(1600000000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_day_from_year_0_to_9999_agrees_with_libc),
		cmocka_unit_test(times_beyond_the_calendar_are_shown_as_its_ends),
		cmocka_unit_test(offsets_fractions_and_leap_seconds_are_understood),
		cmocka_unit_test(malformed_times_are_refused),
		cmocka_unit_test(the_monotonic_clock_never_goes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
