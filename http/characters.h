// SPDX-License-Identifier: Apache-2.0
#pragma once

/* characters - which bytes may stand where in a request: one table, a bit a class. */

#include <stdbool.h>
#include <stdint.h>

enum character_class {
	CHARACTER_TOKEN = 1, /* RFC 9110, 5.6.2: methods and header names */
	CHARACTER_PATH = 2, /* RFC 3986: pchar, "/" and "%" */
	CHARACTER_QUERY = 4, /* what browsers leave as it is: printable ASCII but " # < > */
	CHARACTER_HOST = 8, /* RFC 3986 reg-name and "%", without the comma */
	CHARACTER_TARGET = 16, /* printable ASCII, no space */
	CHARACTER_REQUEST_ID = 32, /* A-Z a-z 0-9 . _ - */
};

extern const uint8_t character_classes[256];

static inline bool character_is(char c, uint8_t class)
{
	return (character_classes[(unsigned char)c] & class) != 0;
}
