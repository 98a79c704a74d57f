// SPDX-License-Identifier: Apache-2.0
/*
 * row - a column's value into a field of a C struct, the same rules for both engines.
 */
#include <stdio.h>
#include <string.h>

#include "db/engine.h"

bool db_columns_add(struct db_columns *columns, const struct db_statement *statement,
	const char *name, char *error_out, size_t error_size)
{
	const struct field *field = NULL;

	if (columns->count == DB_COLUMNS_MAX) {
		snprintf(error_out, error_size, "statement %s returns more than %d columns",
			statement->name, DB_COLUMNS_MAX);
		return false;
	}
	for (size_t i = 0; statement->row != NULL && i < statement->row->field_count; i++)
		if (strcmp(statement->row->fields[i].name, name) == 0)
			field = &statement->row->fields[i];
	if (field == NULL) {
		snprintf(error_out, error_size, "statement %s: no field for column %s",
			statement->name, name);
		return false;
	}
	columns->fields[columns->count++] = field;
	return true;
}

static bool find_choice(const struct field *field, struct text name, int64_t *index_out)
{
	for (size_t i = 0; field->choices != NULL && field->choices[i] != NULL; i++) {
		if (text_equals(text_from_c(field->choices[i]), name)) {
			*index_out = (int64_t)i;
			return true;
		}
	}
	return false;
}

static bool has_choice(const struct field *field, int64_t index)
{
	for (int64_t i = 0; field->choices != NULL && field->choices[i] != NULL; i++)
		if (i == index)
			return true;
	return false;
}

static bool takes_enum(const struct field *field, const struct db_value *value)
{
	int64_t index;

	if (value->kind == DB_TEXT)
		return find_choice(field, value->text, &index);
	return value->kind == DB_INT && has_choice(field, value->integer);
}

bool db_field_takes(const struct field *field, const struct db_value *value)
{
	enum db_kind kind = value->kind;

	if (value->is_null)
		return field->kind != FIELD_OBJECT && field->kind != FIELD_LIST;
	switch (field->kind) {
	case FIELD_TEXT:
	case FIELD_EMAIL:
	case FIELD_PASSWORD:
	case FIELD_TOKEN:
		return kind == DB_TEXT || kind == DB_BYTES;
	case FIELD_UUID:
		return kind == DB_UUID ||
			(kind == DB_BYTES && value->text.len == sizeof(value->uuid.bytes));
	case FIELD_INT:
		return kind == DB_INT;
	case FIELD_BOOL:
		return kind == DB_BOOL || (kind == DB_INT && (uint64_t)value->integer <= 1);
	case FIELD_TIME:
		return kind == DB_TIME || kind == DB_INT;
	case FIELD_DOUBLE:
		return kind == DB_DOUBLE || kind == DB_INT;
	case FIELD_ENUM:
		return takes_enum(field, value);
	case FIELD_OBJECT:
	case FIELD_LIST:
		return false;
	}
	return false;
}

static struct uuid uuid_value(const struct db_value *value)
{
	struct uuid uuid;

	if (value->kind == DB_UUID)
		return value->uuid;
	memcpy(uuid.bytes, value->text.data, sizeof(uuid.bytes));
	return uuid;
}

static int64_t enum_value(const struct field *field, const struct db_value *value)
{
	int64_t index = value->integer;

	if (value->kind == DB_TEXT)
		find_choice(field, value->text, &index);
	return index;
}

void db_field_put(const struct field *field, const struct db_value *value, void *out)
{
	void *member = (char *)out + field->offset;

	if (value->is_null || !db_field_takes(field, value))
		return;
	switch (field->kind) {
	case FIELD_TEXT:
	case FIELD_EMAIL:
	case FIELD_PASSWORD:
	case FIELD_TOKEN:
		*(struct text *)member = value->text;
		break;
	case FIELD_UUID:
		*(struct uuid *)member = uuid_value(value);
		break;
	case FIELD_INT:
	case FIELD_TIME:
		*(int64_t *)member = value->integer;
		break;
	case FIELD_ENUM:
		*(int64_t *)member = enum_value(field, value);
		break;
	case FIELD_BOOL:
		*(bool *)member = value->integer != 0;
		break;
	case FIELD_DOUBLE:
		*(double *)member = value->kind == DB_INT ? (double)value->integer : value->number;
		break;
	case FIELD_OBJECT:
	case FIELD_LIST:
		break;
	}
}
