// SPDX-License-Identifier: Apache-2.0
#pragma once

/* number - a double in the fewest digits that read back as the same double. */

#include <stddef.h>

enum { NUMBER_TEXT_MAX = 32 };

/* Writes at most NUMBER_TEXT_MAX bytes with the NUL, returns the length. Not finite: NaN, +Inf, -Inf, as
 * Prometheus writes them. */
size_t number_format(double value, char out[static NUMBER_TEXT_MAX]);
