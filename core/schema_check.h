// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * schema_check - what decoding from JSON and from pairs share: where an error stands, the list of
 * errors, and one function per kind that checks a value and stores it. Private to core.
 */

#include "core/schema.h"

/* From a value up to the root; lives on the stack of the walk. */
struct schema_path {
	const struct schema_path *up; /* NULL: the root */
	struct text name; /* of a member */
	size_t index; /* of an item, when the name is absent */
};

struct schema_decoder {
	struct arena *arena;
	struct schema_errors *errors;
	size_t failures; /* all of them, also those beyond SCHEMA_ERRORS_MAX */
	bool bare_names; /* query parameters: no RFC 6901 */
	bool no_memory;
	bool too_deep;
};

/* Which fields of one object were met, and which of them were good. */
enum { SCHEMA_FIELDS_MAX = 128 };
struct schema_marks {
	uint64_t seen[SCHEMA_FIELDS_MAX / 64];
	uint64_t good[SCHEMA_FIELDS_MAX / 64];
};

bool schema_mark_seen(struct schema_marks *marks, size_t field); /* false: it was seen before */
void schema_mark_good(struct schema_marks *marks, size_t field);

/* Adds one error; always returns false, so that a check can end by it. */
bool schema_fail(struct schema_decoder *decoder, const struct schema_path *path, const char *code,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
enum schema_verdict schema_verdict(const struct schema_decoder *decoder);

/* The index of the field with this name, from `hint` on and around; SIZE_MAX when there is none. */
size_t schema_find(const struct schema *schema, struct text name, size_t hint);
bool schema_fail_unknown(struct schema_decoder *decoder, const struct schema *schema,
	struct text name, const struct schema_path *up);
bool schema_fail_type(
	struct schema_decoder *decoder, const struct field *field, const struct schema_path *path);
/* What an absent optional field holds. */
void schema_put_fallback(const struct field *field, char *out);
void schema_put_null(const struct field *field, char *out);
/* After all members: required ones, fallbacks, same_as. */
void schema_finish_object(struct schema_decoder *decoder, const struct schema *schema,
	const struct schema_marks *marks, char *out, const struct schema_path *path);

/* The bounds in force: text has an upper one always. */
int64_t field_min(const struct field *field);
int64_t field_max(const struct field *field);
bool field_is_text(const struct field *field); /* the member is a struct text */

/* Each checks and stores into the member; false when an error was added. */
bool schema_put_string(struct schema_decoder *decoder, const struct field *field, struct text value,
	char *out, const struct schema_path *path); /* every kind that is a JSON string */
bool schema_put_int(struct schema_decoder *decoder, const struct field *field, int64_t value,
	char *out, const struct schema_path *path);
bool schema_put_double(struct schema_decoder *decoder, const struct field *field, double value,
	char *out, const struct schema_path *path);
/* A whole number beyond int64_t. */
bool schema_fail_huge(struct schema_decoder *decoder, const struct field *field, bool negative,
	const struct schema_path *path);
