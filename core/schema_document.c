// SPDX-License-Identifier: Apache-2.0
#include "core/schema_check.h"

static void put_pair(struct json_writer *writer, struct text key, const char *value)
{
	json_key(writer, key);
	json_string(writer, text_from_c(value));
}

static void put_count(struct json_writer *writer, struct text key, int64_t value)
{
	json_key(writer, key);
	json_int(writer, value);
}

static const char *type_name(enum field_kind kind)
{
	switch (kind) {
	case FIELD_TEXT:
	case FIELD_EMAIL:
	case FIELD_PASSWORD:
	case FIELD_TOKEN:
	case FIELD_UUID:
	case FIELD_TIME:
	case FIELD_ENUM:
		return "string";
	case FIELD_INT:
		return "integer";
	case FIELD_DOUBLE:
		return "number";
	case FIELD_BOOL:
		return "boolean";
	case FIELD_OBJECT:
		return "object";
	case FIELD_LIST:
		return "array";
	}
	return "object";
}

/* JSON Schema validation 2020-12, section 7.3; int64 and password from the OpenAPI format registry. */
static const char *format_name(enum field_kind kind)
{
	switch (kind) {
	case FIELD_EMAIL:
		return "email";
	case FIELD_PASSWORD:
		return "password";
	case FIELD_UUID:
		return "uuid";
	case FIELD_TIME:
		return "date-time";
	case FIELD_INT:
		return "int64";
	case FIELD_DOUBLE:
		return "double";
	case FIELD_TEXT:
	case FIELD_TOKEN:
	case FIELD_BOOL:
	case FIELD_ENUM:
	case FIELD_OBJECT:
	case FIELD_LIST:
		break;
	}
	return NULL;
}

static void put_reference(struct json_writer *writer, const struct schema *schema)
{
	static const char before[] = "\"$ref\":\"#/components/schemas/";

	json_object(writer);
	json_append(writer, before, sizeof(before) - 1);
	for (const char *at = schema->name; *at != '\0'; at++)
		json_append(writer, at, 1);
	json_append(writer, "\"", 1);
	json_object_end(writer);
}

static void put_bounds(struct json_writer *writer, const struct field *field)
{
	struct text least = TEXT("minimum"), most = TEXT("maximum");

	if (field_is_text(field)) {
		least = TEXT("minLength");
		most = TEXT("maxLength");
	} else if (field->kind == FIELD_LIST) {
		least = TEXT("minItems");
		most = TEXT("maxItems");
	} else if (field->kind != FIELD_INT) {
		return;
	}
	int64_t no_min = field->kind == FIELD_INT ? INT64_MIN : 0;
	if (field_min(field) != no_min)
		put_count(writer, least, field_min(field));
	if (field_max(field) != INT64_MAX)
		put_count(writer, most, field_max(field));
}

static void put_choices(struct json_writer *writer, const struct field *field)
{
	json_key(writer, TEXT("enum"));
	json_array(writer);
	for (size_t i = 0; field->choices[i] != NULL; i++)
		json_string(writer, text_from_c(field->choices[i]));
	if (field->nullable)
		json_null(writer);
	json_array_end(writer);
}

static void put_default(struct json_writer *writer, const struct field *field)
{
	if (!field->optional)
		return;
	if (field->kind == FIELD_INT) {
		put_count(writer, TEXT("default"), field->fallback);
	} else if (field->kind == FIELD_BOOL) {
		json_key(writer, TEXT("default"));
		json_bool(writer, field->fallback != 0);
	} else if (field->kind == FIELD_ENUM) {
		put_pair(writer, TEXT("default"), field->choices[field->fallback]);
	}
}

static void put_example(struct json_writer *writer, const struct field *field)
{
	struct text example = text_from_c(field->example);

	if (field->example == NULL)
		return;
	json_key(writer, TEXT("examples"));
	json_array(writer);
	if (type_name(field->kind)[0] == 's')
		json_string(writer, example);
	else
		json_raw(writer, example);
	json_array_end(writer);
}

static void put_type(struct json_writer *writer, const struct field *field)
{
	json_key(writer, TEXT("type"));
	if (field->nullable) {
		json_array(writer);
		json_string(writer, text_from_c(type_name(field->kind)));
		json_string(writer, TEXT("null"));
		json_array_end(writer);
	} else {
		json_string(writer, text_from_c(type_name(field->kind)));
	}
	if (format_name(field->kind) != NULL)
		put_pair(writer, TEXT("format"), format_name(field->kind));
}

static void put_object_field(struct json_writer *writer, const struct field *field)
{
	json_key(writer, field->nullable ? TEXT("anyOf") : TEXT("allOf"));
	json_array(writer);
	put_reference(writer, field->schema);
	if (field->nullable)
		json_raw(writer, TEXT("{\"type\":\"null\"}"));
	json_array_end(writer);
}

void field_document(const struct field *field, struct json_writer *writer)
{
	json_object(writer);
	if (field->kind == FIELD_OBJECT)
		put_object_field(writer, field);
	else
		put_type(writer, field);
	if (field->about != NULL)
		put_pair(writer, TEXT("description"), field->about);
	put_bounds(writer, field);
	if (field->kind == FIELD_ENUM)
		put_choices(writer, field);
	if (field->kind == FIELD_LIST) {
		json_key(writer, TEXT("items"));
		put_reference(writer, field->schema);
	}
	put_default(writer, field);
	if (field->kind == FIELD_PASSWORD) {
		json_key(writer, TEXT("writeOnly"));
		json_bool(writer, true);
	}
	put_example(writer, field);
	json_object_end(writer);
}

static void put_required(struct json_writer *writer, const struct schema *schema)
{
	bool any = false;

	for (size_t i = 0; i < schema->field_count; i++) {
		if (schema->fields[i].optional)
			continue;
		if (!any) {
			json_key(writer, TEXT("required"));
			json_array(writer);
		}
		any = true;
		json_string(writer, text_from_c(schema->fields[i].name));
	}
	if (any)
		json_array_end(writer);
}

void schema_document(const struct schema *schema, struct json_writer *writer)
{
	json_object(writer);
	put_pair(writer, TEXT("type"), "object");
	if (schema->about != NULL)
		put_pair(writer, TEXT("description"), schema->about);
	json_key(writer, TEXT("properties"));
	json_object(writer);
	for (size_t i = 0; i < schema->field_count; i++) {
		json_key(writer, text_from_c(schema->fields[i].name));
		field_document(&schema->fields[i], writer);
	}
	json_object_end(writer);
	put_required(writer, schema);
	json_key(writer, TEXT("additionalProperties"));
	json_bool(writer, false);
	json_object_end(writer);
}
