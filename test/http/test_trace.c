// SPDX-License-Identifier: Apache-2.0

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "http/trace.h"

static void a_request_id_is_short_and_plain(void **state)
{
	char longest[65];

	memset(longest, 'a', sizeof(longest));
	assert_true(request_id_is_valid(TEXT("a")));
	assert_true(request_id_is_valid(TEXT("0192a-B_c.d")));
	assert_true(request_id_is_valid(text_of(longest, 64)));
	assert_false(request_id_is_valid(text_of(longest, 65)));
	assert_false(request_id_is_valid(TEXT("")));
	assert_false(request_id_is_valid(TEXT_ABSENT));
	assert_false(request_id_is_valid(TEXT("a b")));
	assert_false(request_id_is_valid(TEXT("a\"b")));
	assert_false(request_id_is_valid(TEXT("a/b")));
	assert_false(request_id_is_valid(TEXT("a\nb")));
	assert_false(request_id_is_valid(TEXT("\xc3\xa9")));
}

#define TRACE_ID  "0af7651916cd43dd8448eb211c80319c"
#define PARENT_ID "b7ad6b7169203331"

static void a_traceparent_is_read(void **state)
{
	static const uint8_t span_id[] = {0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31};
	struct trace trace = {0};

	assert_true(traceparent_parse(TEXT("00-" TRACE_ID "-" PARENT_ID "-01"), &trace));
	assert_int_equal(trace.trace_id[0], 0x0a);
	assert_int_equal(trace.trace_id[15], 0x9c);
	assert_memory_equal(trace.span_id, span_id, 8);
	assert_true(trace.sampled);
	assert_true(traceparent_parse(TEXT("00-" TRACE_ID "-" PARENT_ID "-00"), &trace));
	assert_false(trace.sampled);
	/* a later version may carry more */
	assert_true(traceparent_parse(TEXT("01-" TRACE_ID "-" PARENT_ID "-01-more"), &trace));
}

static void a_bad_traceparent_is_none(void **state)
{
	static const struct text bad[] = {
		TEXT_INIT(""),
		TEXT_INIT("00-" TRACE_ID "-" PARENT_ID "-0"),
		TEXT_INIT("00-" TRACE_ID "-" PARENT_ID "-01-more"),
		TEXT_INIT("00-" TRACE_ID "-" PARENT_ID "-01 "),
		TEXT_INIT("01-" TRACE_ID "-" PARENT_ID "-01more"),
		TEXT_INIT("ff-" TRACE_ID "-" PARENT_ID "-01"),
		TEXT_INIT("0x-" TRACE_ID "-" PARENT_ID "-01"),
		TEXT_INIT("00_" TRACE_ID "-" PARENT_ID "-01"),
		TEXT_INIT("00-" TRACE_ID "_" PARENT_ID "-01"),
		TEXT_INIT("00-" TRACE_ID "-" PARENT_ID "_01"),
		TEXT_INIT("00-" TRACE_ID "-" PARENT_ID "-0g"),
		TEXT_INIT("00-00000000000000000000000000000000-" PARENT_ID "-01"),
		TEXT_INIT("00-" TRACE_ID "-0000000000000000-01"),
		TEXT_INIT("00-0AF7651916CD43DD8448EB211C80319C-" PARENT_ID "-01"),
		TEXT_INIT("00-0af7651916cd43dd8448eb211c80319x-" PARENT_ID "-01"),
	};
	struct trace trace = {0}, untouched = {0};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(traceparent_parse(bad[i], &trace));
		assert_memory_equal(&trace, &untouched, sizeof(trace));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_id_is_short_and_plain),
		cmocka_unit_test(a_traceparent_is_read),
		cmocka_unit_test(a_bad_traceparent_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
