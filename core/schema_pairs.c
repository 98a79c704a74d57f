// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/schema_check.h"

static size_t count_digits(struct text text, size_t from)
{
	size_t at = from;

	while (at < text.len && text.data[at] >= '0' && text.data[at] <= '9')
		at++;
	return at - from;
}

/* RFC 8259, section 6: a number as JSON writes it, so that both ways in take the same. */
static bool is_json_number(struct text text, bool *whole_out)
{
	size_t at = text.len > 0 && text.data[0] == '-' ? 1 : 0;
	size_t digits = count_digits(text, at);

	if (digits == 0 || (digits > 1 && text.data[at] == '0'))
		return false;
	at += digits;
	*whole_out = at == text.len;
	if (at < text.len && text.data[at] == '.') {
		digits = count_digits(text, ++at);
		if (digits == 0)
			return false;
		at += digits;
	}
	if (at < text.len && (text.data[at] == 'e' || text.data[at] == 'E')) {
		at++;
		if (at < text.len && (text.data[at] == '+' || text.data[at] == '-'))
			at++;
		digits = count_digits(text, at);
		if (digits == 0)
			return false;
		at += digits;
	}
	return at == text.len;
}

static bool put_number(struct schema_decoder *decoder, const struct field *field, struct text value,
	char *out, const struct schema_path *path)
{
	bool whole;
	int64_t number;

	if (!is_json_number(value, &whole) || (field->kind == FIELD_INT && !whole))
		return schema_fail_type(decoder, field, path);
	if (field->kind == FIELD_INT) {
		if (!text_to_int(value, &number))
			return schema_fail_huge(decoder, field, value.data[0] == '-', path);
		return schema_put_int(decoder, field, number, out, path);
	}
	struct text terminated = arena_text(decoder->arena, value);
	if (text_is_absent(terminated)) {
		decoder->no_memory = true;
		return false;
	}
	return schema_put_double(decoder, field, strtod(terminated.data, NULL), out, path);
}

static bool put_bool(struct schema_decoder *decoder, const struct field *field, struct text value,
	char *out, const struct schema_path *path)
{
	bool yes = text_equals(value, TEXT("true"));

	if (!yes && !text_equals(value, TEXT("false")))
		return schema_fail_type(decoder, field, path);
	*(bool *)(void *)(out + field->offset) = yes;
	return true;
}

static bool decode_pair(struct schema_decoder *decoder, const struct field *field,
	struct text value, char *out, const struct schema_path *path)
{
	if (text_is_absent(value))
		value = TEXT("");
	if (!text_is_utf8(value))
		return schema_fail(decoder, path, "NOT_UTF8", "must be UTF-8");
	switch (field->kind) {
	case FIELD_TEXT:
	case FIELD_EMAIL:
	case FIELD_PASSWORD:
	case FIELD_TOKEN:
	case FIELD_UUID:
	case FIELD_TIME:
	case FIELD_ENUM:
		return schema_put_string(decoder, field, value, out, path);
	case FIELD_INT:
	case FIELD_DOUBLE:
		return put_number(decoder, field, value, out, path);
	case FIELD_BOOL:
		return put_bool(decoder, field, value, out, path);
	case FIELD_OBJECT:
	case FIELD_LIST:
		break;
	}
	assert(!"parameters are scalars");
	return schema_fail_type(decoder, field, path);
}

enum schema_verdict schema_decode_pairs(const struct schema *schema,
	const struct schema_pair *pairs, size_t count, struct arena *arena, void *out,
	struct schema_errors *errors_out)
{
	struct schema_decoder decoder = {.arena = arena, .errors = errors_out, .bare_names = true};
	struct schema_marks marks = {0};
	size_t hint = 0;

	assert(schema->field_count <= SCHEMA_FIELDS_MAX);
	*errors_out = (struct schema_errors) {0};
	memset(out, 0, schema->size);
	for (size_t i = 0; i < count; i++) {
		size_t index = schema_find(schema, pairs[i].name, hint);
		if (index == SIZE_MAX) {
			schema_fail_unknown(&decoder, schema, pairs[i].name, NULL);
			continue;
		}
		hint = index + 1 < schema->field_count ? index + 1 : 0;
		struct schema_path path = {.name = text_from_c(schema->fields[index].name)};
		if (!schema_mark_seen(&marks, index))
			schema_fail(&decoder, &path, "DUPLICATE_FIELD", "must stand only once");
		else if (decode_pair(&decoder, &schema->fields[index], pairs[i].value, out, &path))
			schema_mark_good(&marks, index);
	}
	schema_finish_object(&decoder, schema, &marks, out, NULL);
	return schema_verdict(&decoder);
}
