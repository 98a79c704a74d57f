// SPDX-License-Identifier: Apache-2.0
#include "observability/number.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Six digits behind the point: seconds and milliseconds are measured no finer. */
enum { MILLIONTHS = 1000000 };
static const double millionths_max = 1e9;

/* Below it every whole double is exact and shorter written without an exponent. */
static const double whole_max = 1e15;

static size_t copy(char *out, const char *text)
{
	size_t len = strlen(text);

	memcpy(out, text, len + 1);
	return len;
}

static size_t put_whole(char *out, uint64_t value)
{
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	memcpy(out, digits + at, sizeof(digits) - at);
	return sizeof(digits) - at;
}

/*
 * n millionths, where that is exactly what the double is: n and a million are exact, so their quotient is the
 * double nearest to the decimal fraction, which is what reading it back gives (IEEE 754). 0 when not.
 */
static size_t format_millionths(double value, char *out)
{
	uint64_t millionths = (uint64_t)llround(value * MILLIONTHS);
	uint64_t fraction = millionths % MILLIONTHS;
	size_t len;

	if ((double)millionths / MILLIONTHS != value)
		return 0;
	len = put_whole(out, millionths / MILLIONTHS);
	if (fraction > 0) {
		out[len++] = '.';
		for (uint64_t unit = MILLIONTHS / 10; fraction > 0; unit /= 10) {
			out[len++] = (char)('0' + fraction / unit);
			fraction %= unit;
		}
	}
	out[len] = '\0';
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
	if (value > 0 && value < millionths_max) {
		size_t written = format_millionths(value, out);

		if (written > 0)
			return written;
	}
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
