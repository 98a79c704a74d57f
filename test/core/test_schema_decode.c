// SPDX-License-Identifier: Apache-2.0
#include "core/schema.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sample.h"

static struct arena arena;
static struct sample sample;
static struct schema_errors errors;

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

static enum schema_verdict decode(const char *json)
{
	/* on the heap's edge, so that a read past the end is seen */
	struct text copy = arena_text(&arena, text_from_c(json));

	return schema_decode_json(&sample_schema, copy, &arena, &sample, &errors);
}

static void assert_error(size_t index, const char *pointer, const char *code)
{
	assert_true(index < errors.count);
	assert_string_equal(errors.list[index].code, code);
	assert_string_equal(errors.list[index].pointer.data, pointer);
	assert_true(errors.list[index].message.len > 0);
}

/* The body has this one bad field and no other. */
static void assert_only(const char *json, const char *pointer, const char *code)
{
	assert_int_equal(decode(json), SCHEMA_BAD_FIELDS);
	assert_int_equal(errors.count, 1);
	assert_error(0, pointer, code);
}

static void a_full_body_fills_the_struct(void **state)
{
	assert_int_equal(
		decode("{\"title\":\"h\\u00e4\\n\",\"email\":\" Ada@Example.COM\",\"password\":\"p\\u00e4ssword\","
		       "\"password_confirmation\":\"p\xC3\xA4ssword\",\"token\":\"t\","
		       "\"id\":\"0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b\",\"count\":-5,\"ratio\":1e2,\"active\":false,"
		       "\"born_at\":\"1970-01-01T00:00:01+00:00\",\"colour\":\"green\","
		       "\"address\":{\"city\":\"Bern\"},\"items\":[{\"label\":\"a\"},{\"label\":\"b\",\"amount\":9}],"
		       "\"note\":null}"),
		SCHEMA_OK);
	assert_string_equal(sample.title.data, "h\xC3\xA4\n");
	assert_string_equal(sample.email.data, "ada@example.com");
	assert_int_equal(sample.password.len, 9);
	assert_true(arena.has_secrets);
	assert_int_equal(sample.count, -5);
	assert_true(sample.ratio == 100.0);
	assert_false(sample.active);
	assert_int_equal(sample.born_at, 1000);
	assert_int_equal(sample.colour, 1);
	assert_string_equal(sample.address.city.data, "Bern");
	assert_int_equal(sample.address.number, 5);
	assert_int_equal(sample.item_count, 2);
	assert_int_equal(sample.items[0].amount, 1);
	assert_int_equal(sample.items[1].amount, 9);
	assert_true(text_is_null(sample.note));
	assert_int_equal(sample.id.bytes[0], 1);
}

static void absent_optional_fields_hold_their_fallback(void **state)
{
	memset(&sample, 0xAA, sizeof(sample));
	assert_int_equal(decode("{\"title\":\"ab\"}"), SCHEMA_OK);
	assert_true(text_is_absent(sample.email));
	assert_true(text_is_absent(sample.note));
	assert_true(uuid_is_nil(&sample.id));
	assert_int_equal(sample.count, 7);
	assert_true(sample.active);
	assert_int_equal(sample.colour, 2);
	assert_int_equal(sample.born_at, 0);
	assert_int_equal(sample.address.number, 0);
	assert_null(sample.items);
	assert_int_equal(sample.item_count, 0);
}

static void all_errors_are_told_at_once(void **state)
{
	assert_int_equal(
		decode("{\"email\":\"x\",\"count\":101,\"items\":[{\"label\":\"\"},7,{\"amount\":0}],"
		       "\"address\":{\"city\":5,\"a/b~c\":1}}"),
		SCHEMA_BAD_FIELDS);
	assert_int_equal(errors.count, 9);
	assert_error(0, "/email", "EMAIL_INVALID");
	assert_error(1, "/count", "TOO_LARGE");
	assert_error(2, "/items/0/label", "TOO_SHORT");
	assert_error(3, "/items/1", "TYPE");
	assert_error(4, "/items/2/amount", "TOO_SMALL");
	assert_error(5, "/items/2/label", "REQUIRED");
	assert_error(6, "/address/city", "TYPE");
	assert_error(7, "/address/a~1b~0c", "UNKNOWN_FIELD");
	assert_error(8, "/title", "REQUIRED");
}

static void each_defect_has_its_code(void **state)
{
	static const struct {
		const char *json, *pointer, *code;
	} rows[] = {
		{"{}", "/title", "REQUIRED"},
		{"{\"title\":null}", "/title", "NULL_NOT_ALLOWED"},
		{"{\"title\":\"a\"}", "/title", "TOO_SHORT"},
		{"{\"title\":\"abcdef\"}", "/title", "TOO_LONG"},
		{"{\"title\":\"ab\\u0000\"}", "/title", "CONTROL_CHARACTER"},
		{"{\"title\":\"ab\\r\"}", "/title", "CONTROL_CHARACTER"},
		{"{\"title\":\"ab\\u007f\"}", "/title", "CONTROL_CHARACTER"},
		{"{\"title\":\"ab\\u0085\"}", "/title", "CONTROL_CHARACTER"},
		{"{\"title\":\"ab\",\"title\":\"ab\"}", "/title", "DUPLICATE_FIELD"},
		{"{\"title\":\"ab\",\"titel\":\"ab\"}", "/titel", "UNKNOWN_FIELD"},
		{"{\"title\":\"ab\",\"\":1}", "/", "UNKNOWN_FIELD"},
		{"{\"title\":\"ab\",\"title\\u0000\":1}", "/title", "UNKNOWN_FIELD"},
		{"{\"title\":\"ab\",\"count\":1.0}", "/count", "TYPE"},
		{"{\"title\":\"ab\",\"count\":1e2}", "/count", "TYPE"},
		{"{\"title\":\"ab\",\"count\":\"1\"}", "/count", "TYPE"},
		{"{\"title\":\"ab\",\"count\":true}", "/count", "TYPE"},
		{"{\"title\":\"ab\",\"count\":-6}", "/count", "TOO_SMALL"},
		{"{\"title\":\"ab\",\"count\":9223372036854775808}", "/count", "TOO_LARGE"},
		{"{\"title\":\"ab\",\"count\":18446744073709551616}", "/count", "TOO_LARGE"},
		{"{\"title\":\"ab\",\"count\":-9223372036854775809}", "/count", "TOO_SMALL"},
		{"{\"title\":\"ab\",\"count\":1e999}", "/count", "TYPE"},
		{"{\"title\":\"ab\",\"limit\":0}", "/limit", "TOO_SMALL"},
		{"{\"title\":\"ab\",\"ratio\":1e999}", "/ratio", "TOO_LARGE"},
		{"{\"title\":\"ab\",\"ratio\":\"1\"}", "/ratio", "TYPE"},
		{"{\"title\":\"ab\",\"active\":1}", "/active", "TYPE"},
		{"{\"title\":\"ab\",\"active\":\"true\"}", "/active", "TYPE"},
		{"{\"title\":\"ab\",\"id\":\"x\"}", "/id", "UUID_INVALID"},
		{"{\"title\":\"ab\",\"born_at\":\"2026-02-30T00:00:00Z\"}", "/born_at",
			"TIME_INVALID"},
		{"{\"title\":\"ab\",\"born_at\":0}", "/born_at", "TYPE"},
		{"{\"title\":\"ab\",\"colour\":\"Red\"}", "/colour", "NOT_A_CHOICE"},
		{"{\"title\":\"ab\",\"colour\":0}", "/colour", "TYPE"},
		{"{\"title\":\"ab\",\"items\":{}}", "/items", "TYPE"},
		{"{\"title\":\"ab\",\"items\":[{},{},{},{}]}", "/items", "TOO_MANY"},
		{"{\"title\":\"ab\",\"address\":[]}", "/address", "TYPE"},
		{"{\"title\":\"ab\",\"password\":\"1234567\"}", "/password", "TOO_SHORT"},
		{"{\"title\":\"ab\",\"password\":\"12345678\\u0000\"}", "/password",
			"CONTROL_CHARACTER"},
		{"{\"title\":\"ab\",\"token\":\"a\\n\"}", "/token", "CONTROL_CHARACTER"},
		{"[]", "", "TYPE"},
		{"1", "", "TYPE"},
		{"null", "", "TYPE"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_only(rows[i].json, rows[i].pointer, rows[i].code);
}

static void a_confirmation_must_be_the_same_and_nothing_leaks(void **state)
{
	assert_only(
		"{\"title\":\"ab\",\"password\":\"correct horse\",\"password_confirmation\":\"correct hOrse\"}",
		"/password_confirmation", "NOT_THE_SAME");
	for (size_t i = 0; i < errors.count; i++)
		assert_null(strstr(errors.list[i].message.data, "horse"));
	/* a bad password is said once, not twice */
	assert_only("{\"title\":\"ab\",\"password\":\"short\",\"password_confirmation\":\"other\"}",
		"/password", "TOO_SHORT");
	assert_int_equal(decode("{\"title\":\"ab\",\"password_confirmation\":\"12345678\","
				"\"password\":\"12345678\"}"),
		SCHEMA_OK);
}

static void what_is_not_json_is_one_error_with_its_place(void **state)
{
	static const char *const rows[] = {
		"",
		" ",
		"{",
		"{\"title\":\"ab\",}",
		"{\"title\":\"ab\"}x",
		"{'title':1}",
		"{\"a\":NaN}",
		"{\"a\":01}",
		"{\"a\":1}//",
		"\xEF\xBB\xBF{}",
		"{\"title\":\"\\ud800\"}",
		"{\"title\":\"\\udc00x\"}",
		"{\"title\":\"a\nb\"}",
		"{\"title\":\"\\x\"}",
		"{\"a\":.5}",
		"{\"a\":+1}",
		"{\"a\":1.}",
		"{\"a\" 1}",
		"{\"a\":tru}",
		"\"",
		"[1,",
		"{\"title\":\"\xFF\"}",
		"{\"title\":\"\xED\xA0\x80\"}",
		"{\"\xC0\x80\":1}",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(decode(rows[i]), SCHEMA_BAD_SYNTAX);
		assert_int_equal(errors.count, 1);
		assert_int_equal(errors.list[0].pointer.len, 0);
		assert_non_null(strstr(errors.list[0].message.data, "byte"));
	}
	assert_int_equal(decode("{\"title\":\"\xFF\"}"), SCHEMA_BAD_SYNTAX);
	assert_error(0, "", "NOT_UTF8");
	assert_int_equal(schema_decode_json(&sample_schema, TEXT("{}\0"), &arena, &sample, &errors),
		SCHEMA_BAD_SYNTAX);
	assert_int_equal(schema_decode_json(&sample_schema, TEXT_ABSENT, &arena, &sample, &errors),
		SCHEMA_BAD_SYNTAX);
}

static void nesting_is_bounded_before_anything_recurses(void **state)
{
	enum { DEEP = 20000 };
	char *json = arena_alloc(&arena, 5 + 2 * DEEP + 2);

	memcpy(json, "{\"a\":", 5);
	memset(json + 5, '[', DEEP);
	memset(json + 5 + DEEP, ']', DEEP);
	json[5 + 2 * DEEP] = '}';
	json[5 + 2 * DEEP + 1] = '\0';
	assert_int_equal(decode(json), SCHEMA_BAD_SYNTAX);
	assert_error(0, "", "TOO_DEEP");
	/* 16 levels are read, the seventeenth is not */
	assert_int_equal(decode("{\"title\":\"ab\",\"a\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}"),
		SCHEMA_BAD_FIELDS);
	assert_int_equal(decode("{\"title\":\"ab\",\"a\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}"),
		SCHEMA_BAD_SYNTAX);
	assert_int_equal(
		decode("{\"title\":\"ab\",\"a\":[{\"b\":[{\"c\":[[[[[[[[[[[[[]]]]]]]]]]]]]}]}]}"),
		SCHEMA_BAD_SYNTAX);
}

static void a_flood_of_unknown_fields_keeps_the_first_32_errors(void **state)
{
	char json[40000];
	size_t len = (size_t)snprintf(json, sizeof(json), "{\"title\":\"ab\"");

	for (int i = 0; i < 1000; i++)
		len += (size_t)snprintf(
			json + len, sizeof(json) - len, ",\"field_that_nobody_knows%d\":1", i);
	snprintf(json + len, sizeof(json) - len, "}");
	assert_int_equal(decode(json), SCHEMA_BAD_FIELDS);
	assert_int_equal(errors.count, SCHEMA_ERRORS_MAX);
}

static void a_long_unknown_name_is_cut_between_characters(void **state)
{
	char json[700] = "{\"title\":\"ab\",\"x";

	for (int i = 0; i < 200; i++)
		strcat(json, "\xC3\xA4");
	strcat(json, "\":1}");
	assert_int_equal(decode(json), SCHEMA_BAD_FIELDS);
	assert_int_equal(errors.list[0].pointer.len, 1 + 63);
	assert_true(text_is_utf8(errors.list[0].pointer));
}

static void a_near_name_is_suggested(void **state)
{
	assert_only("{\"title\":\"ab\",\"emial\":\"a@b.de\"}", "/emial", "UNKNOWN_FIELD");
	assert_non_null(strstr(errors.list[0].message.data, "did you mean email?"));
}

static void an_arena_that_is_full_says_so(void **state)
{
	static const char json[] =
		"{\"title\":\"ab\",\"items\":[{\"label\":\"a\"},{\"label\":\"b\"}],\"x\":1}";

	for (size_t cap = 0; cap < 12000; cap += 97) {
		struct arena small;
		arena_init(&small, NULL, cap);
		enum schema_verdict verdict = schema_decode_json(
			&sample_schema, text_from_c(json), &small, &sample, &errors);
		assert_true(verdict == SCHEMA_NO_MEMORY || verdict == SCHEMA_BAD_FIELDS);
		if (cap == 0)
			assert_int_equal(verdict, SCHEMA_NO_MEMORY);
		arena_deinit(&small);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_body_fills_the_struct),
		cmocka_unit_test(absent_optional_fields_hold_their_fallback),
		cmocka_unit_test(all_errors_are_told_at_once),
		cmocka_unit_test(each_defect_has_its_code),
		cmocka_unit_test(a_confirmation_must_be_the_same_and_nothing_leaks),
		cmocka_unit_test(what_is_not_json_is_one_error_with_its_place),
		cmocka_unit_test(nesting_is_bounded_before_anything_recurses),
		cmocka_unit_test(a_flood_of_unknown_fields_keeps_the_first_32_errors),
		cmocka_unit_test(a_long_unknown_name_is_cut_between_characters),
		cmocka_unit_test(a_near_name_is_suggested),
		cmocka_unit_test(an_arena_that_is_full_says_so),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
