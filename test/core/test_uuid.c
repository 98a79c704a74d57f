// SPDX-License-Identifier: Apache-2.0
#include "core/uuid.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"

enum { MANY = 20000 };

static void new_identifiers_ascend_within_a_thread(void **state)
{
	struct uuid before = uuid_new();

	for (int i = 0; i < MANY; i++) {
		struct uuid next = uuid_new();
		assert_true(memcmp(before.bytes, next.bytes, sizeof(next.bytes)) < 0);
		before = next;
	}
}

static void a_new_identifier_is_of_version_7_and_holds_the_time(void **state)
{
	int64_t before_ms = clock_unix_ms();
	struct uuid uuid = uuid_new();
	int64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | uuid.bytes[i];
	assert_int_equal(uuid.bytes[6] >> 4, 7);
	assert_int_equal(uuid.bytes[8] >> 6, 2);
	assert_true(ms >= before_ms && ms < before_ms + 60000);
}

static void *make_many(void *out)
{
	struct uuid *list = out;

	for (int i = 0; i < MANY; i++)
		list[i] = uuid_new();
	return NULL;
}

static void two_threads_never_make_the_same(void **state)
{
	static struct uuid lists[2][MANY];
	pthread_t threads[2];
	size_t same = 0;

	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make_many, lists[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	for (size_t a = 0, b = 0; a < MANY && b < MANY;) { /* both ascend */
		int order = memcmp(lists[0][a].bytes, lists[1][b].bytes, 16);
		same += order == 0;
		a += order <= 0;
		b += order > 0;
	}
	assert_int_equal(same, 0);
}

static void what_is_formatted_parses_to_the_same(void **state)
{
	char text[UUID_TEXT_LEN];

	for (int i = 0; i < 1000; i++) {
		struct uuid uuid = uuid_new(), back;
		uuid_format(&uuid, text);
		assert_true(uuid_parse(text_of(text, sizeof(text)), &back));
		assert_true(uuid_equals(&uuid, &back));
	}
	struct uuid upper;
	assert_true(uuid_parse(TEXT("0190A1B2-C3D4-7E5F-8A6B-7C8D9E0F1A2B"), &upper));
	uuid_format(&upper, text);
	assert_memory_equal(text, "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b", UUID_TEXT_LEN);
}

static void malformed_identifiers_are_refused(void **state)
{
	static const struct text bad[] = {
		TEXT_INIT(""),
		TEXT_INIT("0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2"),
		TEXT_INIT("0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b0"),
		TEXT_INIT("0190a1b2c3d4-7e5f-8a6b-7c8d9e0f1a2b0"),
		TEXT_INIT("{190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2}"),
		TEXT_INIT("g190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"),
		TEXT_INIT("0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2\0"),
		TEXT_INIT("0190a1b2+c3d4-7e5f-8a6b-7c8d9e0f1a2b"),
	};
	struct uuid uuid = {.bytes = {1}};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(uuid_parse(bad[i], &uuid));
	assert_int_equal(uuid.bytes[0], 1);
	assert_false(uuid_is_nil(&uuid));
	assert_true(uuid_is_nil(&(struct uuid) {0}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_identifiers_ascend_within_a_thread),
		cmocka_unit_test(a_new_identifier_is_of_version_7_and_holds_the_time),
		cmocka_unit_test(two_threads_never_make_the_same),
		cmocka_unit_test(what_is_formatted_parses_to_the_same),
		cmocka_unit_test(malformed_identifiers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
