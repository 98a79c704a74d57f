// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * text - a borrowed run of bytes: pointer and length, not terminated, never owned.
 * Whoever keeps one past the owner's life copies it (arena_text).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	const char *data; /* NULL: absent */
	size_t len;
};

#define TEXT(literal) ((struct text) {.data = (literal), .len = sizeof(literal) - 1})
/* The same where a constant expression is asked for (static tables). */
#define TEXT_INIT(literal) \
	{ \
		.data = (literal), .len = sizeof(literal) - 1 \
	}
#define TEXT_ABSENT ((struct text) {.data = NULL, .len = 0})
/* For printf: "%.*s", TEXT_ARG(text) */
#define TEXT_ARG(text) (int)(text).len, (text).data ? (text).data : ""

/* An explicit JSON null in a nullable field (RFC 7396: remove); len is 0, data is this address. */
extern const char text_null_mark[];

static inline struct text text_of(const char *data, size_t len)
{
	return (struct text) {.data = data, .len = len};
}

static inline bool text_is_absent(struct text text)
{
	return text.data == NULL;
}

static inline bool text_is_null(struct text text)
{
	return text.data == text_null_mark;
}

struct text text_from_c(const char *terminated); /* NULL gives TEXT_ABSENT */
bool text_equals(struct text a, struct text b);
bool text_equals_ignore_case(struct text a, struct text b); /* ASCII only */
bool text_starts_with(struct text text, struct text prefix);
bool text_ends_with(struct text text, struct text suffix);
struct text text_trim(struct text text); /* spaces, tabs, CR, LF at both ends */
/* Cuts at the first `separator`: returns what stands before it, *rest_out what follows
 * (absent when there was no separator). */
struct text text_cut(struct text text, char separator, struct text *rest_out);
/* Strict decimal (optional '-'), whole text, no spaces. False when malformed or out of int64. */
bool text_to_int(struct text text, int64_t *value_out);
bool text_is_utf8(struct text text); /* RFC 3629: no surrogates, no overlongs, <= U+10FFFF */
/* Bytes of the well-formed UTF-8 sequence that the text begins with, 0 when there is none. */
size_t text_utf8_sequence(struct text text);
size_t text_code_points(struct text utf8);
/* Edit distance (Levenshtein 1966), bounded by 32 bytes a side; SIZE_MAX beyond. For did-you-mean. */
size_t text_distance(struct text a, struct text b);
