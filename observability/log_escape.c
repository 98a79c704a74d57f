// SPDX-License-Identifier: Apache-2.0
#include "observability/log_escape.h"

#include <string.h>
#include <yyjson.h>

#include "observability/utf8.h"

static char *put_code(char *out, uint32_t code)
{
	static const char digits[] = "0123456789abcdef";

	*out++ = '\\';
	*out++ = 'u';
	for (int shift = 12; shift >= 0; shift -= 4)
		*out++ = digits[code >> shift & 0xf];
	return out;
}

static char *put_bytes(char *out, const char *data, size_t len)
{
	memcpy(out, data, len);
	return out + len;
}

/* The short escapes of RFC 8259, section 7; 0: there is none. */
static char short_escape(uint32_t character)
{
	switch (character) {
	case '"':
	case '\\':
		return (char)character;
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

/* All controls are below U+FFFF: never a surrogate pair. */
static char *put_character(char *out, uint32_t character, const char *data, size_t len)
{
	char letter = short_escape(character);

	if (letter != 0) {
		*out++ = '\\';
		*out++ = letter;
		return out;
	}
	if (utf8_is_control(character))
		return put_code(out, character);
	return put_bytes(out, data, len);
}

/* Plain is what needs no escape: printable ASCII but " and \. Nearly all there is. */
static inline bool is_plain(char character)
{
	return character >= ' ' && character < 0x7f && character != '"' && character != '\\';
}

/* The same for eight bytes at once. A borrow or carry reaches other bytes only from one that is not plain. */
static inline bool are_plain(uint64_t eight)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones * 0x80;
	uint64_t control = eight - ones * ' ', beyond = eight | (eight + ones);
	uint64_t quote = (eight ^ ones * '"') - ones, backslash = (eight ^ ones * '\\') - ones;

	return ((control | quote | backslash | beyond) & tops) == 0;
}

static inline bool copy_eight(char *out, const char *data)
{
	uint64_t eight;

	memcpy(&eight, data, sizeof(eight));
	memcpy(out, &eight, sizeof(eight));
	return are_plain(eight);
}

/* Four to seven bytes: the first and the last four. */
static inline bool copy_few(char *out, const char *data, size_t len)
{
	uint32_t first, last;

	memcpy(&first, data, sizeof(first));
	memcpy(&last, data + len - sizeof(last), sizeof(last));
	memcpy(out, &first, sizeof(first));
	memcpy(out + len - sizeof(last), &last, sizeof(last));
	return are_plain((uint64_t)first << 32 | last);
}

/*
 * Copies the plain bytes that the text begins with, returns how many. What it copied beyond them, never
 * beyond `len`, is written over by the caller.
 */
static inline size_t copy_plain(char *out, const char *data, size_t len)
{
	size_t at = 0;

	while (len - at >= 8 && copy_eight(out + at, data + at))
		at += 8;
	/* The end of a longer text: eight once more, some of them for the second time. */
	if (at == len || (at > 0 && len - at < 8 && copy_eight(out + len - 8, data + len - 8)))
		return len;
	if (len >= 4 && len < 8 && copy_few(out, data, len))
		return len;
	for (; at < len && is_plain(data[at]); at++)
		out[at] = data[at];
	return at;
}

/* A character that is not plain, or is broken. Returns how many bytes it takes of the text. */
static size_t escape_one(char **out, struct text text)
{
	uint32_t character = 0;
	size_t len = utf8_take(text.data, text.len, &character);

	if (len == 0) {
		*out = put_bytes(*out, UTF8_REPLACEMENT, sizeof(UTF8_REPLACEMENT) - 1);
		return 1;
	}
	*out = put_character(*out, character, text.data, len);
	return len;
}

/* Rare and apart: the way of plain texts saves no registers for it. */
__attribute__((noinline)) static char *escape_rest(char *out, struct text text)
{
	for (size_t at = 0; at < text.len;) {
		at += escape_one(&out, text_of(text.data + at, text.len - at));

		size_t run = copy_plain(out, text.data + at, text.len - at);

		out += run;
		at += run;
	}
	return out;
}

char *log_escape_string(char *out, struct text text)
{
	size_t run = copy_plain(out, text.data, text.len);

	if (run == text.len)
		return out + run;
	return escape_rest(out + run, text_of(text.data + run, text.len - run));
}

char *log_escape_json(char *out, struct text json)
{
	for (size_t at = 0; at < json.len;) {
		uint32_t character = 0;
		size_t len = utf8_take(json.data + at, json.len - at, &character);

		if (len == 0)
			break;
		/* In valid JSON these stand between tokens only, all other controls within strings only. */
		if (character < 0x20)
			*out++ = ' ';
		else if (utf8_is_control(character))
			out = put_code(out, character);
		else
			out = put_bytes(out, json.data + at, len);
		at += len;
	}
	return out;
}

bool log_is_json(struct text text)
{
	yyjson_doc *document = yyjson_read(text.data, text.len, YYJSON_READ_NOFLAG);

	yyjson_doc_free(document);
	return document != NULL;
}
