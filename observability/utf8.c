// SPDX-License-Identifier: Apache-2.0
#include "observability/utf8.h"

static bool is_continuation(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

static size_t length_of(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	if (first >= 0xf0 && first <= 0xf4)
		return 4;
	return 0;
}

size_t utf8_take(const char *data, size_t len, uint32_t *character_out)
{
	static const uint8_t first_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *bytes = (const unsigned char *)data;
	size_t length = len == 0 ? 0 : length_of(bytes[0]);

	if (length == 0 || length > len)
		return 0;

	uint32_t character = bytes[0] & first_mask[length];

	for (size_t i = 1; i < length; i++) {
		if (!is_continuation(bytes[i]))
			return 0;
		character = character << 6 | (bytes[i] & 0x3f);
	}
	if (character < least[length] || character > 0x10ffff)
		return 0;
	if (character >= 0xd800 && character <= 0xdfff)
		return 0;
	*character_out = character;
	return length;
}

bool utf8_is_control(uint32_t character)
{
	if (character < 0x20 || (character >= 0x7f && character <= 0x9f))
		return true;
	if (character == 0x061c || character == 0xfeff)
		return true;
	return (character >= 0x200e && character <= 0x200f) ||
		(character >= 0x2028 && character <= 0x202e) ||
		(character >= 0x2066 && character <= 0x2069);
}
