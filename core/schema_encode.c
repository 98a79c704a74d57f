// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "core/schema_check.h"

static void encode_object(
	const struct schema *schema, const char *in, struct json_writer *writer, bool redacted);

static int64_t int_at(const char *member)
{
	int64_t value;

	memcpy(&value, member, sizeof(value));
	return value;
}

static bool is_zero(const char *memory, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (memory[i] != 0)
			return false;
	return true;
}

/* Numbers and choices have no absent value. */
static bool is_absent(const struct field *field, const char *member)
{
	switch (field->kind) {
	case FIELD_TEXT:
	case FIELD_EMAIL:
	case FIELD_PASSWORD:
	case FIELD_TOKEN:
		return text_is_absent(*(const struct text *)(const void *)member);
	case FIELD_UUID:
		return uuid_is_nil((const struct uuid *)(const void *)member);
	case FIELD_TIME:
		return int_at(member) == 0;
	case FIELD_OBJECT:
		return is_zero(member, field->schema->size);
	case FIELD_LIST:
		return *(void *const *)(const void *)member == NULL;
	case FIELD_INT:
	case FIELD_DOUBLE:
	case FIELD_BOOL:
	case FIELD_ENUM:
		break;
	}
	return false;
}

static void encode_choice(const struct field *field, int64_t index, struct json_writer *writer)
{
	for (int64_t i = 0; field->choices[i] != NULL; i++)
		if (i == index) {
			json_string(writer, text_from_c(field->choices[i]));
			return;
		}
	json_null(writer);
}

static void encode_list(
	const struct field *field, const char *in, struct json_writer *writer, bool redacted)
{
	const char *items = *(void *const *)(const void *)(in + field->offset);
	size_t count = items != NULL ? *(const size_t *)(const void *)(in + field->count_offset)
				     : 0;

	json_array(writer);
	for (size_t i = 0; i < count && !writer->failed; i++)
		encode_object(field->schema, items + i * field->schema->size, writer, redacted);
	json_array_end(writer);
}

static void encode_value(
	const struct field *field, const char *in, struct json_writer *writer, bool redacted)
{
	const char *member = in + field->offset;
	double number;

	switch (field->kind) {
	case FIELD_TEXT:
	case FIELD_EMAIL:
	case FIELD_PASSWORD:
	case FIELD_TOKEN:
		json_string(writer, *(const struct text *)(const void *)member);
		return;
	case FIELD_UUID:
		json_uuid(writer, (const struct uuid *)(const void *)member);
		return;
	case FIELD_INT:
		json_int(writer, int_at(member));
		return;
	case FIELD_DOUBLE:
		memcpy(&number, member, sizeof(number));
		json_double(writer, number);
		return;
	case FIELD_BOOL:
		json_bool(writer, *(const bool *)(const void *)member);
		return;
	case FIELD_TIME:
		json_time(writer, int_at(member));
		return;
	case FIELD_ENUM:
		encode_choice(field, int_at(member), writer);
		return;
	case FIELD_OBJECT:
		encode_object(field->schema, member, writer, redacted);
		return;
	case FIELD_LIST:
		encode_list(field, in, writer, redacted);
		return;
	}
}

static void encode_object(
	const struct schema *schema, const char *in, struct json_writer *writer, bool redacted)
{
	json_object(writer);
	for (size_t i = 0; i < schema->field_count; i++) {
		const struct field *field = &schema->fields[i];
		bool absent = is_absent(field, in + field->offset);
		if (absent && field->optional && !field->nullable)
			continue;
		json_key(writer, text_from_c(field->name));
		if (absent && field->nullable)
			json_null(writer);
		else if (redacted && field_is_secret(field))
			json_string(writer, TEXT("[redacted]"));
		else
			encode_value(field, in, writer, redacted);
	}
	json_object_end(writer);
}

void schema_encode_json(const struct schema *schema, const void *in, struct json_writer *writer)
{
	encode_object(schema, in, writer, false);
}

void schema_encode_redacted(const struct schema *schema, const void *in, struct json_writer *writer)
{
	encode_object(schema, in, writer, true);
}

const struct field *schema_field(const struct schema *schema, struct text name)
{
	size_t index = schema_find(schema, name, 0);

	return index == SIZE_MAX ? NULL : &schema->fields[index];
}

bool field_is_secret(const struct field *field)
{
	return field->secret || field->kind == FIELD_PASSWORD || field->kind == FIELD_TOKEN;
}
