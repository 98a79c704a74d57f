// SPDX-License-Identifier: Apache-2.0
#include "observability/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Below it every whole double is exact and shorter written without an exponent. */
static const double whole_max = 1e15;

static size_t copy(char *out, const char *text)
{
	size_t len = strlen(text);

	memcpy(out, text, len + 1);
	return len;
}

size_t number_format(double value, char out[static NUMBER_TEXT_MAX])
{
	int len = 0;

	if (isnan(value))
		return copy(out, "NaN");
	if (isinf(value))
		return copy(out, value > 0 ? "+Inf" : "-Inf");
	if (value == 0)
		return copy(out, "0");
	if (fabs(value) < whole_max && value == trunc(value))
		return (size_t)snprintf(out, NUMBER_TEXT_MAX, "%lld", (long long)value);
	/* 15 digits are always kept by a double, 17 always tell two doubles apart (IEEE 754). */
	for (int digits = 15; digits <= 17; digits++) {
		len = snprintf(out, NUMBER_TEXT_MAX, "%.*g", digits, value);
		if (strtod(out, NULL) == value)
			break;
	}
	return (size_t)len;
}
