// SPDX-License-Identifier: Apache-2.0
#include "core/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <yyjson.h>

#include "core/failure.h"

static struct arena arena;

static int open_arena(void **state)
{
	arena_init(&arena, NULL, SIZE_MAX);
	return 0;
}

static int close_arena(void **state)
{
	arena_deinit(&arena);
	return 0;
}

static void assert_written(const struct json_writer *writer, const char *expected)
{
	struct text text = json_text(writer);

	assert_int_equal(text.len, strlen(expected));
	assert_memory_equal(text.data, expected, text.len);
}

static void commas_place_themselves(void **state)
{
	struct json_writer writer;
	struct uuid uuid = {.bytes = {1, 2, 3}};

	json_begin(&writer, &arena, 0);
	json_object(&writer);
	json_key(&writer, TEXT("a"));
	json_array(&writer);
	json_int(&writer, 1);
	json_array(&writer);
	json_array_end(&writer);
	json_bool(&writer, true);
	json_bool(&writer, false);
	json_array_end(&writer);
	json_key(&writer, TEXT("b\""));
	json_object(&writer);
	json_object_end(&writer);
	json_key(&writer, TEXT("c"));
	json_uuid(&writer, &uuid);
	json_key(&writer, TEXT("d"));
	json_time(&writer, 0);
	json_key(&writer, TEXT("e"));
	json_raw(&writer, TEXT("[1,2]"));
	json_key(&writer, TEXT("f"));
	json_raw(&writer, TEXT_ABSENT);
	json_object_end(&writer);
	assert_written(&writer,
		"{\"a\":[1,[],true,false],\"b\\\"\":{},"
		"\"c\":\"01020300-0000-0000-0000-000000000000\","
		"\"d\":\"1970-01-01T00:00:00.000Z\",\"e\":[1,2],\"f\":null}");
}

static void whole_numbers_are_written_in_full(void **state)
{
	struct json_writer writer;

	json_begin(&writer, &arena, 0);
	json_array(&writer);
	json_int(&writer, INT64_MIN);
	json_int(&writer, INT64_MAX);
	json_int(&writer, 0);
	json_int(&writer, -10);
	json_array_end(&writer);
	assert_written(&writer, "[-9223372036854775808,9223372036854775807,0,-10]");
}

static void doubles_come_back_as_they_were(void **state)
{
	static const double numbers[] = {
		0.1, 1.0 / 3, 1e300, 5e-324, 123456789.125, -0.5, 1e21, 100};
	struct json_writer writer;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		json_begin(&writer, &arena, 0);
		json_double(&writer, numbers[i]);
		struct text text = arena_text(&arena, json_text(&writer));
		assert_true(strtod(text.data, NULL) == numbers[i]);
	}
	json_begin(&writer, &arena, 0);
	json_array(&writer);
	json_double(&writer, 0.1);
	json_double(&writer, NAN);
	json_double(&writer, INFINITY);
	json_array_end(&writer);
	assert_written(&writer, "[0.1,null,null]");
}

static void strings_are_escaped_and_made_utf8(void **state)
{
	struct json_writer writer;

	json_begin(&writer, &arena, 0);
	json_array(&writer);
	json_string(&writer, TEXT("\"\\/\b\f\n\r\t\x01\x1f\x7f"));
	json_string(&writer, TEXT("\xC3\xA4\xFF z\xE2\x82"));
	json_string(&writer, TEXT("a\0b"));
	json_string(&writer, TEXT_ABSENT);
	json_string(&writer, text_of(text_null_mark, 0));
	json_string(&writer, TEXT(""));
	json_array_end(&writer);
	assert_written(&writer,
		"[\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\","
		"\"\xC3\xA4\xEF\xBF\xBD z\xEF\xBF\xBD\xEF\xBF\xBD\",\"a\\u0000b\",null,null,\"\"]");
}

static struct text random_text(unsigned *seed)
{
	size_t len = (size_t)rand_r(seed) % 60;
	char *data = arena_alloc(&arena, len);

	for (size_t i = 0; i < len; i++)
		data[i] = (char)(rand_r(seed) % 4 == 0 ? rand_r(seed) % 256
						       : ' ' + rand_r(seed) % 90);
	return text_of(data, len);
}

static void whatever_is_written_a_strict_reader_takes_back(void **state)
{
	unsigned seed = (unsigned)time(NULL);

	print_message("seed %u\n", seed);
	for (int round = 0; round < 2000; round++) {
		struct text text = random_text(&seed);
		struct json_writer writer;
		json_begin(&writer, &arena, 0);
		json_object(&writer);
		json_key(&writer, text);
		json_string(&writer, text);
		json_object_end(&writer);
		struct text json = json_text(&writer);
		yyjson_doc *document = yyjson_read(json.data, json.len, 0);
		assert_non_null(document);
		yyjson_val *value = yyjson_obj_getn(
			yyjson_doc_get_root(document), text.data, text.len);
		if (text_is_utf8(text)) {
			assert_non_null(value);
			assert_int_equal(yyjson_get_len(value), text.len);
			assert_memory_equal(yyjson_get_str(value), text.data, text.len);
		}
		yyjson_doc_free(document);
	}
}

static void one_special_byte_is_found_wherever_it_stands(void **state)
{
	static const char specials[] = {'"', '\\', '\0', '\x1f', '\n'};

	for (size_t len = 1; len <= 40; len++) {
		for (size_t at = 0; at < len; at++) {
			for (size_t i = 0; i < sizeof(specials); i++) {
				char data[40], *exact = arena_alloc(&arena, len);
				struct json_writer writer;
				memset(data, 'x', sizeof(data));
				data[at] = specials[i];
				memcpy(exact, data,
					len); /* nothing readable behind it under ASan */
				json_begin(&writer, &arena, 0);
				json_string(&writer, text_of(exact, len));
				struct text json = json_text(&writer);
				yyjson_doc *document = yyjson_read(json.data, json.len, 0);
				assert_non_null(document);
				yyjson_val *value = yyjson_doc_get_root(document);
				assert_int_equal(yyjson_get_len(value), len);
				assert_memory_equal(yyjson_get_str(value), data, len);
				yyjson_doc_free(document);
			}
		}
	}
}

static void past_the_cap_the_writer_has_failed_and_stays_so(void **state)
{
	struct arena small;
	struct json_writer writer;

	arena_init(&small, NULL, 2000);
	json_begin(&writer, &small, 100);
	json_array(&writer);
	for (int i = 0; i < 1000; i++) {
		json_string(&writer, TEXT("some \"text\""));
		json_key(&writer, TEXT("key"));
		json_int(&writer, i);
		json_time(&writer, i);
		json_uuid(&writer, &(struct uuid) {0});
	}
	json_array_end(&writer);
	assert_true(writer.failed);
	assert_true(text_is_absent(json_text(&writer)));
	arena_deinit(&small);
	arena_init(&small, NULL, 10);
	json_begin(&writer, &small, 100);
	json_null(&writer);
	assert_true(text_is_absent(json_text(&writer)));
	arena_deinit(&small);
}

static void every_failure_has_a_name(void **state)
{
	for (int failure = 0; failure < FAILURE_COUNT; failure++)
		assert_string_not_equal(failure_name((enum failure)failure), "unknown");
	assert_string_equal(failure_name(FAILURE_STORAGE_FULL), "storage_full");
	assert_string_equal(failure_name(FAILURE_COUNT), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_place_themselves),
		cmocka_unit_test(whole_numbers_are_written_in_full),
		cmocka_unit_test(doubles_come_back_as_they_were),
		cmocka_unit_test(strings_are_escaped_and_made_utf8),
		cmocka_unit_test(whatever_is_written_a_strict_reader_takes_back),
		cmocka_unit_test(one_special_byte_is_found_wherever_it_stands),
		cmocka_unit_test(past_the_cap_the_writer_has_failed_and_stays_so),
		cmocka_unit_test(every_failure_has_a_name),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
