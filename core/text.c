// SPDX-License-Identifier: Apache-2.0
#include "core/text.h"

#include <string.h>

const char text_null_mark[] = "";

struct text text_from_c(const char *terminated)
{
	if (terminated == NULL)
		return TEXT_ABSENT;
	return text_of(terminated, strlen(terminated));
}

bool text_equals(struct text a, struct text b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static unsigned char lower_ascii(char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : (unsigned char)c;
}

bool text_equals_ignore_case(struct text a, struct text b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower_ascii(a.data[i]) != lower_ascii(b.data[i]))
			return false;
	return true;
}

bool text_starts_with(struct text text, struct text prefix)
{
	return text.len >= prefix.len && text_equals(text_of(text.data, prefix.len), prefix);
}

bool text_ends_with(struct text text, struct text suffix)
{
	if (suffix.len == 0)
		return true;
	return text.len >= suffix.len &&
		memcmp(text.data + (text.len - suffix.len), suffix.data, suffix.len) == 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct text text_trim(struct text text)
{
	while (text.len > 0 && is_blank(text.data[0])) {
		text.data++;
		text.len--;
	}
	while (text.len > 0 && is_blank(text.data[text.len - 1]))
		text.len--;
	return text;
}

struct text text_cut(struct text text, char separator, struct text *rest_out)
{
	const char *at = text.len > 0 ? memchr(text.data, separator, text.len) : NULL;

	if (at == NULL) {
		*rest_out = TEXT_ABSENT;
		return text;
	}
	size_t before = (size_t)(at - text.data);
	*rest_out = text_of(at + 1, text.len - before - 1);
	return text_of(text.data, before);
}

bool text_to_int(struct text text, int64_t *value_out)
{
	bool negative = text.len > 0 && text.data[0] == '-';
	uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
	uint64_t value = 0;
	size_t i = negative ? 1 : 0;

	if (i == text.len)
		return false;
	for (; i < text.len; i++) {
		unsigned digit = (unsigned)(unsigned char)text.data[i] - '0';
		if (digit > 9 || value > (limit - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*value_out = negative ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}

/* RFC 3629 section 4: how long the sequence at `at` is, 0 when it is not well-formed. */
static size_t utf8_sequence(const unsigned char *at, size_t left)
{
	unsigned char lead = at[0];
	unsigned char low = 0x80, high = 0xBF;
	size_t len;

	if (lead < 0x80)
		return 1;
	if (lead >= 0xC2 && lead <= 0xDF)
		len = 2;
	else if (lead >= 0xE0 && lead <= 0xEF)
		len = 3;
	else if (lead >= 0xF0 && lead <= 0xF4)
		len = 4;
	else
		return 0;
	if (lead == 0xE0)
		low = 0xA0; /* no overlongs */
	else if (lead == 0xED)
		high = 0x9F; /* no surrogates */
	else if (lead == 0xF0)
		low = 0x90;
	else if (lead == 0xF4)
		high = 0x8F; /* nothing above U+10FFFF */
	if (left < len || at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if (at[i] < 0x80 || at[i] > 0xBF)
			return 0;
	return len;
}

bool text_is_utf8(struct text text)
{
	const unsigned char *bytes = (const unsigned char *)text.data;
	size_t i = 0;

	while (i < text.len) {
		uint64_t eight;
		if (text.len - i >= sizeof(eight)) {
			memcpy(&eight, bytes + i, sizeof(eight));
			if ((eight & UINT64_C(0x8080808080808080)) == 0) {
				i += sizeof(eight);
				continue;
			}
		}
		size_t len = utf8_sequence(bytes + i, text.len - i);
		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

size_t text_utf8_sequence(struct text text)
{
	return text.len == 0 ? 0 : utf8_sequence((const unsigned char *)text.data, text.len);
}

size_t text_code_points(struct text utf8)
{
	size_t count = 0;

	for (size_t i = 0; i < utf8.len; i++)
		count += ((unsigned char)utf8.data[i] & 0xC0) != 0x80;
	return count;
}

size_t text_distance(struct text a, struct text b)
{
	enum { SIDE_MAX = 32 };
	size_t row[SIDE_MAX + 1];

	if (a.len > SIDE_MAX || b.len > SIDE_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 0; i < a.len; i++) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < b.len; j++) {
			size_t replaced = diagonal + (a.data[i] != b.data[j]);
			size_t removed = row[j + 1] + 1, added = row[j] + 1;
			diagonal = row[j + 1];
			row[j + 1] = replaced < removed ? replaced : removed;
			if (added < row[j + 1])
				row[j + 1] = added;
		}
	}
	return row[b.len];
}
