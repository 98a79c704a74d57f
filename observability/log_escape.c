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

/* How many bytes from here need no escape: printable ASCII but " and \. Nearly all there are. */
static size_t plain_run(const char *data, size_t len)
{
	size_t run = 0;

	while (run < len && (unsigned char)data[run] >= ' ' && (unsigned char)data[run] < 0x7f &&
		data[run] != '"' && data[run] != '\\')
		run++;
	return run;
}

char *log_escape_string(char *out, struct text text)
{
	for (size_t at = 0; at < text.len;) {
		size_t run = plain_run(text.data + at, text.len - at);
		uint32_t character = 0;

		out = put_bytes(out, text.data + at, run);
		at += run;
		if (at == text.len)
			break;

		size_t len = utf8_take(text.data + at, text.len - at, &character);

		if (len == 0) {
			out = put_bytes(out, UTF8_REPLACEMENT, sizeof(UTF8_REPLACEMENT) - 1);
			at++;
			continue;
		}
		out = put_character(out, character, text.data + at, len);
		at += len;
	}
	return out;
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
