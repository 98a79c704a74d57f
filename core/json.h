// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * json - writing JSON into a growing buffer of an arena, reading it by yyjson (core/schema_decode).
 * The writer places commas itself; it never fails half-way: past the arena's cap `failed` is set and
 * json_text returns TEXT_ABSENT.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/uuid.h"

struct json_writer {
	struct arena *arena;
	char *data;
	size_t len;
	size_t capacity;
	bool comma;
	bool failed;
};

void json_begin(struct json_writer *writer, struct arena *arena, size_t expected_bytes);
struct text json_text(const struct json_writer *writer); /* what was written, in the arena */

void json_object(struct json_writer *writer);
void json_object_end(struct json_writer *writer);
void json_array(struct json_writer *writer);
void json_array_end(struct json_writer *writer);
void json_key(struct json_writer *writer, struct text key);
void json_string(struct json_writer *writer, struct text value); /* absent or null text: null */
void json_int(struct json_writer *writer, int64_t value);
void json_double(
	struct json_writer *writer, double value); /* shortest round trip; not finite: null */
void json_bool(struct json_writer *writer, bool value);
void json_null(struct json_writer *writer);
void json_uuid(struct json_writer *writer, const struct uuid *value);
void json_time(struct json_writer *writer, int64_t unix_ms); /* RFC 3339 string */
void json_raw(struct json_writer *writer, struct text json); /* already JSON, copied as it is */
/* Bytes as they are, no comma logic: for precomputed pieces. */
void json_append(struct json_writer *writer, const char *data, size_t len);
