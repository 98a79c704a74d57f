// SPDX-License-Identifier: Apache-2.0
#pragma once

/* number - an integer in decimal, a double in the fewest digits that read back as the same double. */

#include <stddef.h>
#include <stdint.h>

enum { NUMBER_TEXT_MAX = 32 };

/* Without a NUL; returns the length. */
size_t number_format_integer(int64_t value, char out[static NUMBER_TEXT_MAX]);
/* Writes at most NUMBER_TEXT_MAX bytes with the NUL, returns the length. Not finite: NaN, +Inf, -Inf, as
 * Prometheus writes them. */
size_t number_format(double value, char out[static NUMBER_TEXT_MAX]);
