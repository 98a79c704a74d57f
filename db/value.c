// SPDX-License-Identifier: Apache-2.0
#include "db/db.h"

struct db_value db_text(struct text text)
{
	bool is_null = text_is_absent(text) || text_is_null(text);

	return (struct db_value) {.kind = DB_TEXT, .is_null = is_null, .text = text};
}

struct db_value db_int(int64_t value)
{
	return (struct db_value) {.kind = DB_INT, .integer = value};
}

struct db_value db_bool(bool value)
{
	return (struct db_value) {.kind = DB_BOOL, .integer = value};
}

struct db_value db_uuid(struct uuid value)
{
	return (struct db_value) {.kind = DB_UUID, .uuid = value};
}

struct db_value db_uuid_or_null(struct uuid value)
{
	return (struct db_value) {.kind = DB_UUID, .is_null = uuid_is_nil(&value), .uuid = value};
}

struct db_value db_time(int64_t unix_ms)
{
	return (struct db_value) {.kind = DB_TIME, .integer = unix_ms};
}

struct db_value db_time_or_null(int64_t unix_ms)
{
	return (struct db_value) {.kind = DB_TIME, .is_null = unix_ms == 0, .integer = unix_ms};
}

struct db_value db_bytes(const void *data, size_t len)
{
	return (struct db_value) {
		.kind = DB_BYTES,
		.is_null = data == NULL,
		.text = text_of(data, len),
	};
}
