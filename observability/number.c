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

static inline void put_pair(char *out, unsigned below_100)
{
	out[0] = (char)('0' + below_100 / 10);
	out[1] = (char)('0' + below_100 % 10);
}

static size_t put_whole(char *out, uint64_t value)
{
	char digits[20]; /* of 2^64 - 1 */
	char *at = digits + sizeof(digits);

	for (; value >= 10; value /= 100)
		put_pair(at -= 2, (unsigned)(value % 100));
	if (value > 0 || at == digits + sizeof(digits))
		*--at = (char)('0' + value);

	size_t len = (size_t)(digits + sizeof(digits) - at);

	memcpy(out, at, len);
	return len;
}

/* A point and up to six digits, no zeros at the end; nothing for a whole number. */
static size_t put_fraction(char *out, unsigned millionths)
{
	size_t len = sizeof(".123456") - 1;

	if (millionths == 0)
		return 0;
	out[0] = '.';
	put_pair(out + 1, millionths / 10000);
	put_pair(out + 3, millionths / 100 % 100);
	put_pair(out + 5, millionths % 100);
	while (out[len - 1] == '0')
		len--;
	return len;
}

size_t number_format_integer(int64_t value, char out[static NUMBER_TEXT_MAX])
{
	if (value >= 0)
		return put_whole(out, (uint64_t)value);
	out[0] = '-';
	return 1 + put_whole(out + 1, 0 - (uint64_t)value);
}

/*
 * n millionths, where that is exactly what the double is: n and a million are exact, so their quotient is the
 * double nearest to the decimal fraction, which is what reading it back gives (IEEE 754). 0 when not.
 */
static size_t format_millionths(double value, char *out)
{
	uint64_t millionths = (uint64_t)llround(value * MILLIONTHS);
	size_t len;

	if ((double)millionths / MILLIONTHS != value)
		return 0;
	len = put_whole(out, millionths / MILLIONTHS);
	len += put_fraction(out + len, (unsigned)(millionths % MILLIONTHS));
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
