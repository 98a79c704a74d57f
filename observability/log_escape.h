// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * log_escape - bytes from anywhere as the inside of a JSON string, or JSON from us made safe for one
 * line. At most six bytes come out for each that goes in. Returns the end of what was written.
 */

#include <stdbool.h>

#include "core/text.h"

char *log_escape_string(char *out, struct text text);
/* Only for a text that log_is_json accepts. */
char *log_escape_json(char *out, struct text json);
bool log_is_json(struct text text); /* RFC 8259, one value, UTF-8 */
