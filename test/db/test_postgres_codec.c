// SPDX-License-Identifier: Apache-2.0
/* postgres_codec, postgres_url: binary values and what a URL says, without a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "db/postgres.h"

enum {
	BOOL_OID = 16,
	INT8_OID = 20,
	INT2_OID = 21,
	INT4_OID = 23,
	TEXT_OID = 25,
	FLOAT4_OID = 700,
	FLOAT8_OID = 701,
	DATE_OID = 1082,
	TIMESTAMPTZ_OID = 1184,
	NUMERIC_OID = 1700,
	UUID_OID = 2950,
	JSONB_OID = 3802,
	USERS_OID = 20000
};

static struct db_value decode(Oid type, const void *data, size_t len)
{
	struct db_value value;

	assert_true(postgres_value_decode(type, data, len, &value));
	return value;
}

static void assert_encoded(struct db_value value, const void *wire, size_t len)
{
	struct postgres_params params;

	postgres_params_encode(&params, &value, 1);
	assert_int_equal(params.count, 1);
	assert_int_equal(params.formats[0], 1);
	assert_int_equal(params.lengths[0], len);
	assert_memory_equal(params.values[0], wire, len);
}

static void integers_travel_big_endian(void **state)
{
	assert_encoded(db_int(-2), "\xff\xff\xff\xff\xff\xff\xff\xfe", 8);
	assert_encoded(db_bool(true), "\1", 1);
	assert_int_equal(decode(INT8_OID, "\xff\xff\xff\xff\xff\xff\xff\xfe", 8).integer, -2);
	assert_int_equal(decode(INT4_OID, "\xff\xff\xff\xfe", 4).integer, -2);
	assert_int_equal(decode(INT2_OID, "\x80\x00", 2).integer, -32768);
	assert_int_equal(decode(BOOL_OID, "\1", 1).integer, 1);
}

static void times_travel_in_microseconds_since_2000(void **state)
{
	assert_encoded(db_time(946684800000), "\0\0\0\0\0\0\0\0", 8);
	assert_encoded(db_time(946684800001), "\0\0\0\0\0\0\3\xe8", 8);
	assert_int_equal(decode(TIMESTAMPTZ_OID, "\0\0\0\0\0\0\3\xe8", 8).integer, 946684800001);
	/* 999 us before 2000 is still the millisecond before */
	assert_int_equal(decode(TIMESTAMPTZ_OID, "\xff\xff\xff\xff\xff\xff\xfc\x19", 8).integer,
		946684799999);
	assert_int_equal(decode(DATE_OID, "\0\0\0\1", 4).integer, 946771200000);
}

static void a_time_out_of_range_never_overflows(void **state)
{
	assert_encoded(db_time(INT64_MAX), "\x7f\xff\xff\xff\xff\xff\xff\xfe", 8);
	assert_encoded(db_time(INT64_MIN), "\x80\0\0\0\0\0\0\1", 8);
	assert_int_equal(
		decode(TIMESTAMPTZ_OID, "\x7f\xff\xff\xff\xff\xff\xff\xff", 8).integer, INT64_MAX);
}

static void numbers_uuids_and_texts_travel(void **state)
{
	struct uuid uuid = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};
	struct db_value value;

	assert_encoded(
		(struct db_value) {.kind = DB_DOUBLE, .number = 1.5}, "\x3f\xf8\0\0\0\0\0\0", 8);
	value = decode(FLOAT8_OID, "\x3f\xf8\0\0\0\0\0\0", 8);
	assert_true(value.number == 1.5);
	value = decode(FLOAT4_OID, "\x3f\xc0\0\0", 4);
	assert_true(value.number == 1.5);
	assert_encoded(db_uuid(uuid), uuid.bytes, 16);
	value = decode(UUID_OID, uuid.bytes, 16);
	assert_memory_equal(value.uuid.bytes, uuid.bytes, 16);
	assert_encoded(db_text(TEXT("abc")), "abc", 3);
	assert_true(text_equals(decode(JSONB_OID, "\1{}", 3).text, TEXT("{}")));
	assert_int_equal(decode(TEXT_OID, "", 0).text.len, 0);
	assert_non_null(decode(TEXT_OID, "", 0).text.data);
}

static void null_has_no_bytes(void **state)
{
	struct db_value value = db_text(TEXT_ABSENT);
	struct postgres_params params;

	postgres_params_encode(&params, &value, 1);
	assert_null(params.values[0]);
}

static void bytes_that_are_not_their_type_are_refused(void **state)
{
	struct db_value value;

	assert_false(postgres_value_decode(INT8_OID, "\0\0\0\1", 4, &value));
	assert_false(postgres_value_decode(INT4_OID, "\0\0\0\0\0\0\0\1", 8, &value));
	assert_false(postgres_value_decode(BOOL_OID, "", 0, &value));
	assert_false(postgres_value_decode(UUID_OID, "0123456789", 10, &value));
	assert_false(postgres_value_decode(TIMESTAMPTZ_OID, "\0", 1, &value));
	assert_false(postgres_value_decode(JSONB_OID, "\2{}", 3, &value));
	assert_false(postgres_value_decode(JSONB_OID, "", 0, &value));
	assert_false(postgres_value_decode(NUMERIC_OID, "\0\0\0\0\0\0\0\0", 8, &value));
	assert_false(postgres_value_decode(USERS_OID, "\xff", 1, &value));
	assert_false(postgres_value_decode(USERS_OID, "\0", 1, &value));
}

/* ---- URLs ------------------------------------------------------------------------------------ */

static char *describe(const char *url)
{
	struct postgres postgres = {.db = NULL};
	struct arena arena;
	struct text error, description;
	char *copy;

	arena_init(&arena, NULL, 1 << 16);
	assert_true(postgres_url_parse(url, &postgres, &arena, &error));
	description = postgres_url_describe(&postgres, &arena);
	copy = strndup(description.data, description.len);
	postgres_url_free(&postgres);
	arena_deinit(&arena);
	return copy;
}

static void a_description_never_shows_the_password(void **state)
{
	char *description = describe(
		"postgresql://ann:s3cret@db.example:6543/shop?sslmode=require");

	assert_null(strstr(description, "s3cret"));
	assert_non_null(strstr(description, "db.example:6543"));
	assert_non_null(strstr(description, "database shop"));
	assert_non_null(strstr(description, "user ann"));
	free(description);
}

static void a_url_may_name_several_hosts(void **state)
{
	struct postgres postgres = {.db = NULL};
	struct arena arena;
	struct text error;

	arena_init(&arena, NULL, 1 << 16);
	assert_true(
		postgres_url_parse("postgresql://a:1,b:2,[::1]:3/x", &postgres, &arena, &error));
	assert_int_equal(postgres.host_count, 3);
	assert_string_equal(postgres.hosts[0].host, "a");
	assert_string_equal(postgres.hosts[1].port, "2");
	assert_string_equal(postgres.hosts[2].host, "::1");
	postgres_url_free(&postgres);
	arena_deinit(&arena);
}

static void a_bad_url_is_refused_without_being_quoted(void **state)
{
	static const char *const urls[] = {
		"postgresql://ann:s3cret@host:port:1/x",
		"postgresql://ann:s3cret@[::1/x",
		"postgresql://ann:s3%zzcret@host/x",
		"postgresql://ann:s3cret@host/x?no_such_option=1",
		"postgresql://ann:s3cret@a,b,c,d,e,f,g,h,i/x",
		"postgresql://ann:s3cret@/x?service=main",
	};

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct postgres postgres = {.db = NULL};
		struct text error = TEXT_ABSENT;
		struct arena arena;
		char sentence[512];

		arena_init(&arena, NULL, 1 << 16);
		assert_false(postgres_url_parse(urls[i], &postgres, &arena, &error));
		snprintf(sentence, sizeof(sentence), "%.*s", TEXT_ARG(error));
		assert_non_null(strstr(sentence, "database.url"));
		assert_null(strstr(sentence, "cret"));
		arena_deinit(&arena);
	}
}

static void a_message_becomes_one_line(void **state)
{
	char out[16];

	postgres_message_copy(out, sizeof(out), "one\n\ttwo  \n");
	assert_string_equal(out, "one two");
	postgres_message_copy(out, sizeof(out), "a message that is much too long");
	assert_string_equal(out, "a message that");
	postgres_message_copy(out, sizeof(out), NULL);
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_travel_big_endian),
		cmocka_unit_test(times_travel_in_microseconds_since_2000),
		cmocka_unit_test(a_time_out_of_range_never_overflows),
		cmocka_unit_test(numbers_uuids_and_texts_travel),
		cmocka_unit_test(null_has_no_bytes),
		cmocka_unit_test(bytes_that_are_not_their_type_are_refused),
		cmocka_unit_test(a_description_never_shows_the_password),
		cmocka_unit_test(a_url_may_name_several_hosts),
		cmocka_unit_test(a_bad_url_is_refused_without_being_quoted),
		cmocka_unit_test(a_message_becomes_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
