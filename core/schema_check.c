// SPDX-License-Identifier: Apache-2.0
#include "core/schema_check.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/secret.h"

enum { TEXT_MAX_BYTES = 64 * 1024, EMAIL_MAX_BYTES = 254, NAME_SHOWN_MAX_BYTES = 64 };

bool schema_mark_seen(struct schema_marks *marks, size_t field)
{
	uint64_t bit = UINT64_C(1) << (field % 64);
	bool first = (marks->seen[field / 64] & bit) == 0;

	marks->seen[field / 64] |= bit;
	return first;
}

void schema_mark_good(struct schema_marks *marks, size_t field)
{
	marks->good[field / 64] |= UINT64_C(1) << (field % 64);
}

static bool is_marked(const uint64_t *bits, size_t field)
{
	return (bits[field / 64] >> (field % 64) & 1) != 0;
}

/* ---- where an error stands ------------------------------------------------------------------ */

/* A name that a client made up may be long: what is shown of it is cut between two characters. */
static struct text shown(struct text name)
{
	if (name.len <= NAME_SHOWN_MAX_BYTES)
		return name;
	name.len = NAME_SHOWN_MAX_BYTES;
	while (name.len > 0 && ((unsigned char)name.data[name.len] & 0xC0) == 0x80)
		name.len--;
	return name;
}

enum { POINTER_MAX_BYTES = (SCHEMA_DEPTH_MAX + 1) * (2 * NAME_SHOWN_MAX_BYTES + 1) };

struct pointer {
	char data[POINTER_MAX_BYTES];
	size_t len;
};

static void put_segment(struct pointer *pointer, struct text name)
{
	for (size_t i = 0; i < name.len && pointer->len + 2 <= sizeof(pointer->data); i++) {
		char c = name.data[i];
		if (c == '~' || c == '/') {
			pointer->data[pointer->len++] = '~';
			c = c == '~' ? '0' : '1';
		}
		pointer->data[pointer->len++] = c;
	}
}

static void put_path(struct pointer *pointer, const struct schema_path *path)
{
	char number[24];
	struct text name;

	if (path == NULL)
		return;
	put_path(pointer, path->up);
	name = shown(path->name);
	if (text_is_absent(path->name))
		name = text_of(
			number, (size_t)snprintf(number, sizeof(number), "%zu", path->index));
	if (pointer->len < sizeof(pointer->data))
		pointer->data[pointer->len++] = '/';
	put_segment(pointer, name);
}

static struct text path_text(struct schema_decoder *decoder, const struct schema_path *path)
{
	struct pointer pointer = {.len = 0};

	if (decoder->bare_names && path != NULL)
		return arena_text(decoder->arena, shown(path->name));
	put_path(&pointer, path);
	return arena_text(decoder->arena, text_of(pointer.data, pointer.len));
}

/* ---- errors --------------------------------------------------------------------------------- */

static struct schema_error *error_new(struct schema_decoder *decoder)
{
	struct schema_errors *errors = decoder->errors;

	if (errors->list == NULL)
		errors->list = arena_alloc(
			decoder->arena, SCHEMA_ERRORS_MAX * sizeof(*errors->list));
	if (errors->list == NULL) {
		decoder->no_memory = true;
		return NULL;
	}
	return errors->count < SCHEMA_ERRORS_MAX ? &errors->list[errors->count++] : NULL;
}

bool schema_fail(struct schema_decoder *decoder, const struct schema_path *path, const char *code,
	const char *format, ...)
{
	struct schema_error *error = error_new(decoder);
	char message[512];
	va_list arguments;

	decoder->failures++;
	if (error == NULL)
		return false;
	va_start(arguments, format);
	int len = vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	if (len >= (int)sizeof(message))
		len = sizeof(message) - 1;
	*error = (struct schema_error) {
		.pointer = path_text(decoder, path),
		.code = code,
		.message = arena_text(decoder->arena, text_of(message, len > 0 ? (size_t)len : 0)),
	};
	if (text_is_absent(error->pointer) || text_is_absent(error->message))
		decoder->no_memory = true;
	return false;
}

enum schema_verdict schema_verdict(const struct schema_decoder *decoder)
{
	if (decoder->no_memory)
		return SCHEMA_NO_MEMORY;
	if (decoder->too_deep)
		return SCHEMA_BAD_SYNTAX;
	return decoder->failures > 0 ? SCHEMA_BAD_FIELDS : SCHEMA_OK;
}

size_t schema_find(const struct schema *schema, struct text name, size_t hint)
{
	for (size_t i = 0; i < schema->field_count; i++) {
		size_t at = hint + i < schema->field_count ? hint + i
							   : hint + i - schema->field_count;
		const char *candidate = schema->fields[at].name;
		if (strlen(candidate) == name.len && memcmp(candidate, name.data, name.len) == 0)
			return at;
	}
	return SIZE_MAX;
}

bool schema_fail_unknown(struct schema_decoder *decoder, const struct schema *schema,
	struct text name, const struct schema_path *up)
{
	struct schema_path path = {
		.up = up, .name = text_of(name.len > 0 ? name.data : "", name.len)};
	const char *nearest = NULL;
	size_t nearest_distance = 3;

	if (decoder->errors->count == SCHEMA_ERRORS_MAX) {
		decoder->failures++;
		return false;
	}
	for (size_t i = 0; i < schema->field_count; i++) {
		size_t distance = text_distance(text_from_c(schema->fields[i].name), name);
		if (distance < nearest_distance) {
			nearest_distance = distance;
			nearest = schema->fields[i].name;
		}
	}
	if (nearest == NULL)
		return schema_fail(decoder, &path, "UNKNOWN_FIELD", "is not known here");
	return schema_fail(
		decoder, &path, "UNKNOWN_FIELD", "is not known here; did you mean %s?", nearest);
}

static const char *kind_expects(enum field_kind kind)
{
	switch (kind) {
	case FIELD_TEXT:
	case FIELD_EMAIL:
	case FIELD_PASSWORD:
	case FIELD_TOKEN:
	case FIELD_ENUM:
		return "a string";
	case FIELD_UUID:
		return "a string with a UUID";
	case FIELD_TIME:
		return "a string with a time";
	case FIELD_INT:
		return "a whole number, written without fraction and exponent";
	case FIELD_DOUBLE:
		return "a number";
	case FIELD_BOOL:
		return "true or false";
	case FIELD_OBJECT:
		return "an object";
	case FIELD_LIST:
		return "a list";
	}
	return "something else";
}

bool schema_fail_type(
	struct schema_decoder *decoder, const struct field *field, const struct schema_path *path)
{
	return schema_fail(decoder, path, "TYPE", "must be %s", kind_expects(field->kind));
}

/* ---- absent and null ------------------------------------------------------------------------ */

bool field_is_text(const struct field *field)
{
	return field->kind == FIELD_TEXT || field->kind == FIELD_EMAIL ||
		field->kind == FIELD_PASSWORD || field->kind == FIELD_TOKEN;
}

void schema_put_fallback(const struct field *field, char *out)
{
	char *member = out + field->offset;

	if (field->kind == FIELD_INT || field->kind == FIELD_ENUM)
		memcpy(member, &field->fallback, sizeof(field->fallback));
	else if (field->kind == FIELD_BOOL)
		*(bool *)member = field->fallback != 0;
	/* an absent object stays all zero: that is how it is told from one that is there */
}

void schema_put_null(const struct field *field, char *out)
{
	if (field_is_text(field))
		*(struct text *)(void *)(out + field->offset) = text_of(text_null_mark, 0);
	else
		schema_put_fallback(field, out);
}

static void check_same(struct schema_decoder *decoder, const struct schema *schema, size_t index,
	const struct schema_marks *marks, const char *out, const struct schema_path *path)
{
	const struct field *field = &schema->fields[index];
	size_t other = schema_find(schema, text_from_c(field->same_as), 0);

	assert(other != SIZE_MAX && field_is_text(field) && field_is_text(&schema->fields[other]));
	if (!is_marked(marks->good, index) || !is_marked(marks->good, other))
		return; /* what is wrong with either was said already */
	const struct text *mine = (const void *)(out + field->offset);
	const struct text *theirs = (const void *)(out + schema->fields[other].offset);
	if (mine->len == theirs->len && secret_equals(mine->data, theirs->data, mine->len))
		return;
	schema_fail(decoder, path, "NOT_THE_SAME", "must be the same as %s", field->same_as);
}

void schema_finish_object(struct schema_decoder *decoder, const struct schema *schema,
	const struct schema_marks *marks, char *out, const struct schema_path *path)
{
	for (size_t i = 0; i < schema->field_count; i++) {
		const struct field *field = &schema->fields[i];
		struct schema_path at = {.up = path, .name = text_from_c(field->name)};
		if (!is_marked(marks->seen, i)) {
			if (field->optional)
				schema_put_fallback(field, out);
			else
				schema_fail(decoder, &at, "REQUIRED", "is required");
		}
		if (field->same_as != NULL)
			check_same(decoder, schema, i, marks, out, &at);
	}
}

/* ---- bounds --------------------------------------------------------------------------------- */

static bool has_max(const struct field *field)
{
	return field->max != 0 ? field->max >= field->min : field->min < 0;
}

static bool is_bounded(const struct field *field)
{
	return field->min != 0 || field->max != 0;
}

int64_t field_min(const struct field *field)
{
	if (field->kind == FIELD_INT && !is_bounded(field))
		return INT64_MIN;
	return field->min;
}

int64_t field_max(const struct field *field)
{
	if (has_max(field))
		return field->max;
	if (field->kind == FIELD_EMAIL)
		return EMAIL_MAX_BYTES;
	return field_is_text(field) ? TEXT_MAX_BYTES : INT64_MAX;
}

static bool check_length(struct schema_decoder *decoder, const struct field *field, size_t len,
	const char *unit, const struct schema_path *path)
{
	int64_t min = field_min(field), max = field_max(field);

	if ((int64_t)len < min)
		return schema_fail(decoder, path, "TOO_SHORT",
			"must have at least %" PRId64 " %s%s", min, unit, min == 1 ? "" : "s");
	if ((int64_t)len > max)
		return schema_fail(decoder, path, "TOO_LONG", "must have at most %" PRId64 " %s%s",
			max, unit, max == 1 ? "" : "s");
	return true;
}

/* ---- strings -------------------------------------------------------------------------------- */

/* C0 and C1 controls and DEL; a line feed and a tab may stand in prose. */
static bool has_control(struct text text, bool prose)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];
		bool allowed = prose && (c == '\n' || c == '\t');
		if ((c < 0x20 && !allowed) || c == 0x7F)
			return true;
		if (c == 0xC2 && i + 1 < text.len && (unsigned char)text.data[i + 1] < 0xA0)
			return true;
	}
	return false;
}

static bool put_text(struct schema_decoder *decoder, const struct field *field, struct text value,
	char *out, const struct schema_path *path)
{
	bool nul = value.len > 0 && memchr(value.data, '\0', value.len) != NULL;
	bool opaque = field->kind == FIELD_TOKEN;

	/* a password is taken as it is: any character but the one that would end it for a C library */
	if (nul || (field->kind != FIELD_PASSWORD && has_control(value, field->kind == FIELD_TEXT)))
		return schema_fail(
			decoder, path, "CONTROL_CHARACTER", "must not contain control characters");
	if (!check_length(decoder, field, opaque ? value.len : text_code_points(value),
		    opaque ? "byte" : "character", path))
		return false;
	*(struct text *)(void *)(out + field->offset) = value;
	return true;
}

static bool put_email(struct schema_decoder *decoder, const struct field *field, struct text value,
	char *out, const struct schema_path *path)
{
	struct text address = email_normalise(decoder->arena, value);

	if (text_is_absent(address) && (int64_t)text_trim(value).len > field_max(field))
		return check_length(decoder, field, text_trim(value).len, "byte", path);
	if (text_is_absent(address))
		return schema_fail(decoder, path, "EMAIL_INVALID",
			"must be an e-mail address, such as ada@example.com");
	if (!check_length(decoder, field, address.len, "byte", path))
		return false;
	*(struct text *)(void *)(out + field->offset) = address;
	return true;
}

static bool put_choice(struct schema_decoder *decoder, const struct field *field, struct text value,
	char *out, const struct schema_path *path)
{
	char list[256] = "";
	size_t len = 0;

	for (int64_t i = 0; field->choices[i] != NULL; i++)
		if (text_equals(text_from_c(field->choices[i]), value)) {
			memcpy(out + field->offset, &i, sizeof(i));
			return true;
		}
	for (size_t i = 0; field->choices[i] != NULL && len < sizeof(list); i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", i > 0 ? ", " : "",
			field->choices[i]);
	return schema_fail(decoder, path, "NOT_A_CHOICE", "must be one of %s", list);
}

static bool put_uuid(struct schema_decoder *decoder, const struct field *field, struct text value,
	char *out, const struct schema_path *path)
{
	struct uuid uuid;

	if (!uuid_parse(value, &uuid))
		return schema_fail(decoder, path, "UUID_INVALID",
			"must be a UUID, such as 0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b");
	memcpy(out + field->offset, &uuid, sizeof(uuid));
	return true;
}

static bool put_time(struct schema_decoder *decoder, const struct field *field, struct text value,
	char *out, const struct schema_path *path)
{
	int64_t unix_ms;

	if (!clock_parse_rfc3339(value, &unix_ms))
		return schema_fail(decoder, path, "TIME_INVALID",
			"must be a time with its offset (RFC 3339), such as 2026-01-31T23:59:59Z");
	memcpy(out + field->offset, &unix_ms, sizeof(unix_ms));
	return true;
}

bool schema_put_string(struct schema_decoder *decoder, const struct field *field, struct text value,
	char *out, const struct schema_path *path)
{
	switch (field->kind) {
	case FIELD_PASSWORD:
	case FIELD_TOKEN:
		decoder->arena->has_secrets =
			true; /* the body stands in it, and the decoder's copy */
		return put_text(decoder, field, value, out, path);
	case FIELD_TEXT:
		return put_text(decoder, field, value, out, path);
	case FIELD_EMAIL:
		return put_email(decoder, field, value, out, path);
	case FIELD_UUID:
		return put_uuid(decoder, field, value, out, path);
	case FIELD_TIME:
		return put_time(decoder, field, value, out, path);
	case FIELD_ENUM:
		return put_choice(decoder, field, value, out, path);
	case FIELD_INT:
	case FIELD_DOUBLE:
	case FIELD_BOOL:
	case FIELD_OBJECT:
	case FIELD_LIST:
		break;
	}
	return schema_fail_type(decoder, field, path);
}

/* ---- numbers -------------------------------------------------------------------------------- */

bool schema_fail_huge(struct schema_decoder *decoder, const struct field *field, bool negative,
	const struct schema_path *path)
{
	if (negative)
		return schema_fail(
			decoder, path, "TOO_SMALL", "must be at least %" PRId64, field_min(field));
	return schema_fail(
		decoder, path, "TOO_LARGE", "must be at most %" PRId64, field_max(field));
}

bool schema_put_int(struct schema_decoder *decoder, const struct field *field, int64_t value,
	char *out, const struct schema_path *path)
{
	if (value < field_min(field) || value > field_max(field))
		return schema_fail_huge(decoder, field, value < field_min(field), path);
	memcpy(out + field->offset, &value, sizeof(value));
	return true;
}

bool schema_put_double(struct schema_decoder *decoder, const struct field *field, double value,
	char *out, const struct schema_path *path)
{
	if (!isfinite(value))
		return schema_fail(decoder, path, "TOO_LARGE", "must fit into 64 bits (IEEE 754)");
	memcpy(out + field->offset, &value, sizeof(value));
	return true;
}
