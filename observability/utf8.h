// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * utf8 - what must never reach a log or an exposition as it came: bytes that are no UTF-8, and
 * characters that move a terminal's cursor or turn the reading direction.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* U+FFFD, what stands for a byte that is no UTF-8. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/* Length of the well-formed character that starts at data (RFC 3629, section 4), 0 when there is none. */
size_t utf8_take(const char *data, size_t len, uint32_t *character_out);
/* C0, DEL, C1, line and paragraph separators, and the bidirectional controls (Unicode TR 36, 3.1). */
bool utf8_is_control(uint32_t character);
