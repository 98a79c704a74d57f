// SPDX-License-Identifier: Apache-2.0

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "http/problem.h"
#include "http/response.h"

#define DATE "Date: Sat, 21 Nov 2026 00:00:00 GMT\r\n"

static void expect(const struct exchange_response *response, enum response_connection connection,
	const char *expected)
{
	char out[2048];
	char *end = response_write_head(out, response, TEXT(DATE), "id", connection);

	assert_true((size_t)(end - out) <= response_head_bound(response));
	assert_int_equal(end - out, strlen(expected));
	assert_memory_equal(out, expected, end - out);
}

static void a_head_is_written_with_its_length_and_headers(void **state)
{
	struct exchange_response response = {
		.status = 200,
		.media_type = TEXT("text/plain"),
		.body = TEXT("hello"),
		.headers = {{TEXT_INIT("Allow"), TEXT_INIT("GET")}},
		.header_count = 1,
	};

	expect(&response, RESPONSE_IMPLICIT,
		"HTTP/1.1 200 OK\r\n" DATE "Content-Type: text/plain\r\nContent-Length: 5\r\n"
		"X-Request-ID: id\r\nAllow: GET\r\n\r\n");
	response.status = 404;
	response.header_count = 0;
	response.body = TEXT_ABSENT;
	expect(&response, RESPONSE_CLOSES,
		"HTTP/1.1 404 Not Found\r\n" DATE
		"Content-Type: text/plain\r\nContent-Length: 0\r\n"
		"X-Request-ID: id\r\nConnection: close\r\n\r\n");
}

static void a_204_and_a_304_have_neither_body_nor_length(void **state)
{
	struct exchange_response response = {.status = 204, .media_type = TEXT("text/plain")};

	expect(&response, RESPONSE_KEEPS,
		"HTTP/1.1 204 No Content\r\n" DATE
		"X-Request-ID: id\r\nConnection: keep-alive\r\n\r\n");
	response.status = 304;
	expect(&response, RESPONSE_IMPLICIT,
		"HTTP/1.1 304 Not Modified\r\n" DATE "X-Request-ID: id\r\n\r\n");
}

static void every_problem_has_a_reason_phrase(void **state)
{
	for (unsigned i = 0; i < PROBLEM_COUNT; i++)
		assert_false(text_equals(
			response_phrase(problem_row((enum problem)i)->status), TEXT("Unknown")));
	assert_true(text_equals(response_phrase(599), TEXT("Unknown")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_is_written_with_its_length_and_headers),
		cmocka_unit_test(a_204_and_a_304_have_neither_body_nor_length),
		cmocka_unit_test(every_problem_has_a_reason_phrase),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
