// SPDX-License-Identifier: Apache-2.0
#include "core/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <yyjson.h>

#include "sample.h"

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

static struct text encode(const struct sample *sample, bool redacted)
{
	struct json_writer writer;

	json_begin(&writer, &arena, 0);
	if (redacted)
		schema_encode_redacted(&sample_schema, sample, &writer);
	else
		schema_encode_json(&sample_schema, sample, &writer);
	return arena_text(&arena, json_text(&writer));
}

static void absent_fields_are_left_out_or_null(void **state)
{
	struct sample sample = {.title = TEXT("ab"), .count = 3};

	assert_string_equal(encode(&sample, false).data,
		"{\"title\":\"ab\",\"count\":3,\"ratio\":0,\"active\":false,\"born_at\":null,"
		"\"colour\":\"red\",\"note\":null,\"limit\":0}");
}

static void secrets_are_redacted_for_the_log(void **state)
{
	struct sample sample = {
		.title = TEXT("ab"), .password = TEXT("hunter22"), .token = TEXT("t0k3n")};
	struct text plain = encode(&sample, false), redacted = encode(&sample, true);

	assert_non_null(strstr(plain.data, "hunter22"));
	assert_null(strstr(redacted.data, "hunter22"));
	assert_null(strstr(redacted.data, "t0k3n"));
	assert_non_null(strstr(redacted.data, "\"password\":\"[redacted]\""));
	assert_true(field_is_secret(schema_field(&sample_schema, TEXT("token"))));
	assert_false(field_is_secret(schema_field(&sample_schema, TEXT("title"))));
	assert_null(schema_field(&sample_schema, TEXT("nothing")));
}

static struct text random_word(unsigned *seed, size_t min, size_t max)
{
	static const char *const letters[] = {
		"a", "\xC3\xA4", "\"", "\\", "\n", "\xF0\x9F\x98\x80", "z", " "};
	size_t count = min + (size_t)rand_r(seed) % (max - min + 1);
	struct text word = TEXT("");

	for (size_t i = 0; i < count; i++)
		word = arena_printf(&arena, "%.*s%s", TEXT_ARG(word), letters[rand_r(seed) % 8]);
	return word;
}

static void fill_randomly(struct sample *sample, unsigned *seed)
{
	static const char *const addresses[] = {"a@b.de", "x.y@xn--bcher-kva.example"};

	*sample = (struct sample) {
		.title = random_word(seed, 2, 5),
		.email = rand_r(seed) % 2 ? text_from_c(addresses[rand_r(seed) % 2]) : TEXT_ABSENT,
		.password = random_word(seed, 8, 20),
		.id = uuid_new(),
		.count = rand_r(seed) % 106 - 5,
		.ratio = (double)rand_r(seed) / 1000003.0,
		.active = rand_r(seed) % 2,
		.born_at = 1 + (int64_t)rand_r(seed) * 977,
		.colour = rand_r(seed) % 3,
		.address = {.city = random_word(seed, 1, 20), .number = rand_r(seed)},
		.item_count = (size_t)rand_r(seed) % 4,
		.note = rand_r(seed) % 2 ? random_word(seed, 1, 9) : text_of(text_null_mark, 0),
		.limit = 1 + rand_r(seed),
	};
	sample->password_confirmation = sample->password;
	sample->items = arena_zalloc(&arena, 4 * sizeof(*sample->items));
	for (size_t i = 0; i < sample->item_count; i++)
		sample->items[i] = (struct sample_item) {
			random_word(seed, 1, 10), 1 + rand_r(seed) % 9};
}

static void what_is_encoded_decodes_to_the_same(void **state)
{
	unsigned seed = (unsigned)time(NULL);

	print_message("seed %u\n", seed);
	for (int round = 0; round < 500; round++) {
		struct sample sample, back;
		struct schema_errors errors;
		fill_randomly(&sample, &seed);
		struct text json = encode(&sample, false);
		assert_int_equal(schema_decode_json(&sample_schema, json, &arena, &back, &errors),
			SCHEMA_OK);
		assert_string_equal(encode(&back, false).data, json.data);
		assert_true(back.ratio == sample.ratio && back.born_at == sample.born_at);
	}
}

static void the_document_is_a_json_schema_of_the_struct(void **state)
{
	struct json_writer writer;

	json_begin(&writer, &arena, 0);
	schema_document(&sample_schema, &writer);
	struct text text = json_text(&writer);
	yyjson_doc *document = yyjson_read(text.data, text.len, 0);
	yyjson_val *root = yyjson_doc_get_root(document);
	assert_non_null(root);
	assert_string_equal(
		yyjson_get_str(yyjson_ptr_get(root, "/properties/email/format")), "email");
	assert_int_equal(yyjson_get_int(yyjson_ptr_get(root, "/properties/title/minLength")), 2);
	assert_int_equal(yyjson_get_int(yyjson_ptr_get(root, "/properties/count/minimum")), -5);
	assert_int_equal(yyjson_get_int(yyjson_ptr_get(root, "/properties/count/default")), 7);
	assert_int_equal(yyjson_get_int(yyjson_ptr_get(root, "/properties/limit/minimum")), 1);
	assert_null(yyjson_ptr_get(root, "/properties/limit/maximum"));
	assert_int_equal(yyjson_get_int(yyjson_ptr_get(root, "/properties/items/maxItems")), 3);
	assert_string_equal(yyjson_get_str(yyjson_ptr_get(root, "/properties/items/items/$ref")),
		"#/components/schemas/sample_item");
	assert_string_equal(
		yyjson_get_str(yyjson_ptr_get(root, "/properties/address/allOf/0/$ref")),
		"#/components/schemas/sample_address");
	assert_string_equal(
		yyjson_get_str(yyjson_ptr_get(root, "/properties/colour/enum/2")), "blue");
	assert_string_equal(
		yyjson_get_str(yyjson_ptr_get(root, "/properties/note/type/1")), "null");
	assert_string_equal(
		yyjson_get_str(yyjson_ptr_get(root, "/properties/title/examples/0")), "abc");
	assert_string_equal(yyjson_get_str(yyjson_ptr_get(root, "/required/0")), "title");
	assert_int_equal(yyjson_arr_size(yyjson_obj_get(root, "required")), 1);
	assert_int_equal(
		yyjson_obj_size(yyjson_obj_get(root, "properties")), sample_schema.field_count);
	yyjson_doc_free(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent_fields_are_left_out_or_null),
		cmocka_unit_test(secrets_are_redacted_for_the_log),
		cmocka_unit_test(what_is_encoded_decodes_to_the_same),
		cmocka_unit_test(the_document_is_a_json_schema_of_the_struct),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
