// SPDX-License-Identifier: Apache-2.0
#include "core/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

enum { CAPACITY_MIN = 64 };

void json_begin(struct json_writer *writer, struct arena *arena, size_t expected_bytes)
{
	*writer = (struct json_writer) {.arena = arena};
	if (expected_bytes < CAPACITY_MIN)
		expected_bytes = CAPACITY_MIN;
	writer->data = arena_alloc(arena, expected_bytes);
	writer->capacity = writer->data != NULL ? expected_bytes : 0;
	writer->failed = writer->data == NULL;
}

struct text json_text(const struct json_writer *writer)
{
	return writer->failed ? TEXT_ABSENT : text_of(writer->data, writer->len);
}

static bool grow(struct json_writer *writer, size_t more)
{
	if (writer->failed || more > SIZE_MAX / 4 - writer->len)
		goto fail;
	size_t needed = writer->len + more;
	size_t capacity = writer->capacity * 2 > needed ? writer->capacity * 2 : needed;
	char *data = arena_grow(writer->arena, writer->data, writer->capacity, capacity);
	if (data == NULL && capacity > needed) {
		capacity =
			needed; /* close to the cap what is needed may fit where the double does not */
		data = arena_grow(writer->arena, writer->data, writer->capacity, capacity);
	}
	if (data == NULL)
		goto fail;
	writer->data = data;
	writer->capacity = capacity;
	return true;
fail:
	writer->failed = true;
	return false;
}

static inline bool reserve(struct json_writer *writer, size_t more)
{
	return writer->capacity - writer->len >= more && !writer->failed ? true
									 : grow(writer, more);
}

/* Room for a comma and `size` bytes; the comma is written. NULL when there is none. */
static inline char *begin_value(struct json_writer *writer, size_t size)
{
	if (!reserve(writer, size + 1))
		return NULL;
	if (writer->comma)
		writer->data[writer->len++] = ',';
	writer->comma = true;
	return writer->data + writer->len;
}

static inline void put_value(struct json_writer *writer, const char *data, size_t len)
{
	char *at = begin_value(writer, len);

	if (at == NULL)
		return;
	if (len > 0)
		memcpy(at, data, len);
	writer->len += len;
}

static void open_bracket(struct json_writer *writer, char bracket)
{
	char *at = begin_value(writer, 1);

	if (at == NULL)
		return;
	*at = bracket;
	writer->len++;
	writer->comma = false;
}

static void close_bracket(struct json_writer *writer, char bracket)
{
	if (reserve(writer, 1))
		writer->data[writer->len++] = bracket;
	writer->comma = true;
}

void json_object(struct json_writer *writer)
{
	open_bracket(writer, '{');
}

void json_object_end(struct json_writer *writer)
{
	close_bracket(writer, '}');
}

void json_array(struct json_writer *writer)
{
	open_bracket(writer, '[');
}

void json_array_end(struct json_writer *writer)
{
	close_bracket(writer, ']');
}

/* Not 0 when one of the eight bytes is below 0x20, a quote, a backslash or not ASCII. */
static inline uint64_t special_bytes(uint64_t eight)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones * 0x80;
	uint64_t quote = eight ^ (ones * '"'), backslash = eight ^ (ones * '\\');

	return (((eight - ones * 0x20) & ~eight) | ((quote - ones) & ~quote) |
		       ((backslash - ones) & ~backslash) | eight) &
		tops;
}

static inline bool is_plain(char c)
{
	return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* How many bytes from `at` on need no look. */
static size_t plain_run(const char *data, size_t at, size_t len)
{
	size_t end = at;
	uint64_t eight;

	while (len - end >= sizeof(eight)) {
		memcpy(&eight, data + end, sizeof(eight));
		if (special_bytes(eight) != 0)
			break;
		end += sizeof(eight);
	}
	while (end < len && is_plain(data[end]))
		end++;
	return end - at;
}

/* Whether none of the bytes needs a look: names of fields and most short values. */
static bool is_all_plain(struct text text)
{
	const char *end = text.data + text.len;
	uint64_t eight;
	uint32_t first, last;

	if (text.len < sizeof(first))
		return plain_run(text.data, 0, text.len) == text.len;
	if (text.len < sizeof(eight)) {
		memcpy(&first, text.data, sizeof(first));
		memcpy(&last, end - sizeof(last), sizeof(last));
		return special_bytes((uint64_t)first << 32 | last) == 0;
	}
	for (const char *at = text.data; (size_t)(end - at) > sizeof(eight); at += sizeof(eight)) {
		memcpy(&eight, at, sizeof(eight));
		if (special_bytes(eight) != 0)
			return false;
	}
	memcpy(&eight, end - sizeof(eight), sizeof(eight)); /* some bytes of it a second time */
	return special_bytes(eight) == 0;
}

/* RFC 8259, section 7: the short escapes, else \u00xx. Returns what was written. */
static size_t put_escape(char out[static 6], unsigned char c)
{
	static const char from[] = "\"\\\b\f\n\r\t";
	static const char to[] = "\"\\bfnrt";
	static const char digits[] = "0123456789abcdef";
	const char *found = c != 0 ? strchr(from, c) : NULL;

	out[0] = '\\';
	if (found != NULL) {
		out[1] = to[found - from];
		return 2;
	}
	memcpy(out + 1, "u00", 3);
	out[4] = digits[c >> 4];
	out[5] = digits[c & 15];
	return 6;
}

/* One special character of `rest`: escaped, copied when it is UTF-8, U+FFFD when it is not. Returns the
 * bytes it took from `rest`. */
static size_t put_special(struct json_writer *writer, struct text rest)
{
	unsigned char c = (unsigned char)rest.data[0];
	char escape[6];

	if (c < 0x80) {
		json_append(writer, escape, put_escape(escape, c));
		return 1;
	}
	size_t sequence = text_utf8_sequence(rest);
	if (sequence == 0) {
		json_append(writer, "\xEF\xBF\xBD", 3);
		return 1;
	}
	json_append(writer, rest.data, sequence);
	return sequence;
}

static void put_quoted(struct json_writer *writer, struct text text)
{
	size_t at = 0;

	if (!reserve(writer, text.len + 2))
		return;
	if (is_all_plain(text)) {
		char *out = writer->data + writer->len;
		out[0] = '"';
		if (text.len > 0)
			memcpy(out + 1, text.data, text.len);
		out[text.len + 1] = '"';
		writer->len += text.len + 2;
		return;
	}
	writer->data[writer->len++] = '"';
	while (at < text.len && !writer->failed) {
		size_t run = plain_run(text.data, at, text.len);
		json_append(writer, text.data + at, run);
		at += run;
		if (at < text.len)
			at += put_special(writer, text_of(text.data + at, text.len - at));
	}
	json_append(writer, "\"", 1);
}

void json_key(struct json_writer *writer, struct text key)
{
	if (begin_value(writer, key.len + 3) == NULL)
		return;
	put_quoted(writer, key);
	if (reserve(writer, 1))
		writer->data[writer->len++] = ':';
	writer->comma = false;
}

void json_string(struct json_writer *writer, struct text value)
{
	if (text_is_absent(value) || text_is_null(value)) {
		json_null(writer);
		return;
	}
	if (begin_value(writer, value.len + 2) != NULL)
		put_quoted(writer, value);
}

void json_int(struct json_writer *writer, int64_t value)
{
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	char digits[20];
	char *at = digits + sizeof(digits);

	do {
		*--at = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (value < 0)
		*--at = '-';
	put_value(writer, at, (size_t)(digits + sizeof(digits) - at));
}

void json_double(struct json_writer *writer, double value)
{
	char number[32];
	int len = 0;

	if (!isfinite(value)) {
		json_null(writer);
		return;
	}
	if (fabs(value) < 1e15 && value == (double)(int64_t)value && !signbit(value)) {
		json_int(writer, (int64_t)value);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) { /* 17 always round-trip (IEEE 754) */
		len = snprintf(number, sizeof(number), "%.*g", digits, value);
		if (strtod(number, NULL) == value)
			break;
	}
	put_value(writer, number, (size_t)len);
}

void json_bool(struct json_writer *writer, bool value)
{
	if (value)
		put_value(writer, "true", 4);
	else
		put_value(writer, "false", 5);
}

void json_null(struct json_writer *writer)
{
	put_value(writer, "null", 4);
}

void json_uuid(struct json_writer *writer, const struct uuid *value)
{
	char *at = begin_value(writer, UUID_TEXT_LEN + 2);

	if (at == NULL)
		return;
	at[0] = '"';
	uuid_format(value, at + 1);
	at[UUID_TEXT_LEN + 1] = '"';
	writer->len += UUID_TEXT_LEN + 2;
}

void json_time(struct json_writer *writer, int64_t unix_ms)
{
	char *at = begin_value(writer, CLOCK_RFC3339_LEN + 2);

	if (at == NULL)
		return;
	at[0] = '"';
	clock_format_rfc3339(unix_ms, at + 1);
	at[CLOCK_RFC3339_LEN + 1] = '"';
	writer->len += CLOCK_RFC3339_LEN + 2;
}

void json_raw(struct json_writer *writer, struct text json)
{
	if (text_is_absent(json))
		json_null(writer);
	else
		put_value(writer, json.data, json.len);
}

void json_append(struct json_writer *writer, const char *data, size_t len)
{
	if (len == 0 || !reserve(writer, len))
		return;
	memcpy(writer->data + writer->len, data, len);
	writer->len += len;
}
