// SPDX-License-Identifier: Apache-2.0
#pragma once

/* uuid - RFC 9562 identifiers; new ones are version 7 (section 5.7), ordered by time within a thread. */

#include <stdbool.h>
#include <stdint.h>

#include "core/text.h"

struct uuid {
	uint8_t bytes[16];
};

enum { UUID_TEXT_LEN = 36 };

struct uuid uuid_new(void); /* v7; monotonic within the calling thread (RFC 9562, 6.2 method 1) */
bool uuid_parse(
	struct text text, struct uuid *uuid_out); /* 8-4-4-4-12 hex, either case; any version */
void uuid_format(const struct uuid *uuid, char out[static UUID_TEXT_LEN]); /* lower case, no NUL */
bool uuid_is_nil(const struct uuid *uuid);
bool uuid_equals(const struct uuid *a, const struct uuid *b);
