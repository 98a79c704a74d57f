// SPDX-License-Identifier: Apache-2.0
#include "core/clock.h"

#include <time.h>

enum { DAY_SECONDS = 86400, DAYS_PER_400_YEARS = 146097, DAYS_PER_CENTURY = 36524 };

/* Day 0 is 1970-01-01; the year of this count begins on 1 March, so that a leap day comes last. */
enum { DAYS_FROM_MARCH_OF_0000 = 719468 };

static const int64_t unix_ms_min = INT64_C(-62167219200000); /* 0000-01-01T00:00:00Z */
static const int64_t unix_ms_max = INT64_C(253402300799999); /* 9999-12-31T23:59:59.999Z */

struct moment {
	int year, month, day, hour, minute, second, ms;
	int weekday; /* 0 is Sunday */
};

static uint64_t read_clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_now_ns(void)
{
	return read_clock_ns(CLOCK_MONOTONIC);
}

int64_t clock_unix_ms(void)
{
	return (int64_t)(read_clock_ns(CLOCK_REALTIME) / 1000000u);
}

uint64_t clock_thread_cpu_ns(void)
{
	return read_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* Proleptic Gregorian date, month 1 to 12, to days since 1970-01-01. Years 0 to 9999. */
static int64_t days_of_date(int year, int month, int day)
{
	int months = (month + 9) % 12; /* since March */
	int march_year = year - (month <= 2) + 400; /* one cycle up: never negative */
	int leap_days = march_year / 4 - march_year / 100 + march_year / 400;
	int day_of_year = (months * 153 + 2) / 5 + day - 1; /* months of 31, 30, 31, 30, 31 days */

	return (int64_t)march_year * 365 + leap_days + day_of_year - DAYS_PER_400_YEARS -
		DAYS_FROM_MARCH_OF_0000;
}

static void date_of_days(int64_t days, struct moment *moment)
{
	int64_t count = days + DAYS_FROM_MARCH_OF_0000 + DAYS_PER_400_YEARS;
	int cycle = (int)(count / DAYS_PER_400_YEARS);
	int left = (int)(count % DAYS_PER_400_YEARS);
	int century = left / DAYS_PER_CENTURY - (left / DAYS_PER_CENTURY == 4);

	left -= century * DAYS_PER_CENTURY;
	int four = left / 1461;
	left -= four * 1461;
	int year = left / 365 - (left / 365 == 4);
	left -= year * 365;
	int months = (left * 5 + 2) / 153;
	moment->day = left - (months * 153 + 2) / 5 + 1;
	moment->month = months < 10 ? months + 3 : months - 9;
	moment->year = cycle * 400 + century * 100 + four * 4 + year - 400 + (moment->month <= 2);
	moment->weekday = (int)((count + 3) % 7); /* 1970 began on a Thursday */
}

static struct moment moment_of(int64_t unix_ms)
{
	struct moment moment;

	if (unix_ms < unix_ms_min)
		unix_ms = unix_ms_min;
	if (unix_ms > unix_ms_max)
		unix_ms = unix_ms_max;
	int64_t since_0 = unix_ms - unix_ms_min;
	int64_t day = since_0 / (DAY_SECONDS * 1000);
	int in_day_ms = (int)(since_0 % (DAY_SECONDS * 1000));
	date_of_days(day + unix_ms_min / 1000 / DAY_SECONDS, &moment);
	moment.ms = in_day_ms % 1000;
	moment.second = in_day_ms / 1000 % 60;
	moment.minute = in_day_ms / 60000 % 60;
	moment.hour = in_day_ms / 3600000;
	return moment;
}

static char *put_two(char *out, int value)
{
	out[0] = (char)('0' + value / 10);
	out[1] = (char)('0' + value % 10);
	return out + 2;
}

static char *put_year(char *out, int year)
{
	return put_two(put_two(out, year / 100), year % 100);
}

static char *put_time_of_day(char *out, const struct moment *moment)
{
	out = put_two(out, moment->hour);
	*out++ = ':';
	out = put_two(out, moment->minute);
	*out++ = ':';
	return put_two(out, moment->second);
}

void clock_format_rfc3339(int64_t unix_ms, char out[static CLOCK_RFC3339_LEN])
{
	struct moment moment = moment_of(unix_ms);

	out = put_year(out, moment.year);
	*out++ = '-';
	out = put_two(out, moment.month);
	*out++ = '-';
	out = put_two(out, moment.day);
	*out++ = 'T';
	out = put_time_of_day(out, &moment);
	*out++ = '.';
	*out++ = (char)('0' + moment.ms / 100);
	out = put_two(out, moment.ms % 100);
	*out = 'Z';
}

static char *put_letters(char *out, const char *names, int index)
{
	for (int i = 0; i < 3; i++)
		*out++ = names[index * 3 + i];
	return out;
}

void clock_format_http_date(int64_t unix_ms, char out[static CLOCK_HTTP_DATE_LEN])
{
	struct moment moment = moment_of(unix_ms);

	out = put_letters(out, "SunMonTueWedThuFriSat", moment.weekday);
	*out++ = ',';
	*out++ = ' ';
	out = put_two(out, moment.day);
	*out++ = ' ';
	out = put_letters(out, "JanFebMarAprMayJunJulAugSepOctNovDec", moment.month - 1);
	*out++ = ' ';
	out = put_year(out, moment.year);
	*out++ = ' ';
	out = put_time_of_day(out, &moment);
	for (const char *zone = " GMT"; *zone != '\0'; zone++)
		*out++ = *zone;
}

static bool take_char(struct text *rest, char wanted)
{
	if (rest->len == 0 || rest->data[0] != wanted)
		return false;
	*rest = text_of(rest->data + 1, rest->len - 1);
	return true;
}

static bool take_digits(struct text *rest, int digits, int min, int max, int *value_out)
{
	int value = 0;

	if (rest->len < (size_t)digits)
		return false;
	for (int i = 0; i < digits; i++) {
		if (rest->data[i] < '0' || rest->data[i] > '9')
			return false;
		value = value * 10 + (rest->data[i] - '0');
	}
	*rest = text_of(rest->data + digits, rest->len - (size_t)digits);
	*value_out = value;
	return value >= min && value <= max;
}

static int days_in_month(int year, int month)
{
	static const char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* "." and one digit or more; below the millisecond they are dropped. */
static bool take_fraction(struct text *rest, int *ms_out)
{
	int ms = 0, digits = 0;

	*ms_out = 0;
	if (!take_char(rest, '.'))
		return true;
	while (rest->len > 0 && rest->data[0] >= '0' && rest->data[0] <= '9') {
		if (digits < 3)
			ms = ms * 10 + (rest->data[0] - '0');
		digits++;
		*rest = text_of(rest->data + 1, rest->len - 1);
	}
	for (int i = digits; i < 3; i++)
		ms *= 10;
	*ms_out = ms;
	return digits > 0;
}

static bool take_offset(struct text *rest, int *minutes_out)
{
	int hours, minutes;

	*minutes_out = 0;
	if (take_char(rest, 'Z') || take_char(rest, 'z'))
		return true;
	bool behind = take_char(rest, '-');
	if (!behind && !take_char(rest, '+'))
		return false;
	if (!take_digits(rest, 2, 0, 23, &hours) || !take_char(rest, ':') ||
		!take_digits(rest, 2, 0, 59, &minutes))
		return false;
	*minutes_out = (hours * 60 + minutes) * (behind ? -1 : 1);
	return true;
}

bool clock_parse_rfc3339(struct text text, int64_t *unix_ms_out)
{
	struct moment at;
	int offset;

	if (!take_digits(&text, 4, 0, 9999, &at.year) || !take_char(&text, '-') ||
		!take_digits(&text, 2, 1, 12, &at.month) || !take_char(&text, '-') ||
		!take_digits(&text, 2, 1, days_in_month(at.year, at.month), &at.day))
		return false;
	if (!take_char(&text, 'T') && !take_char(&text, 't'))
		return false;
	if (!take_digits(&text, 2, 0, 23, &at.hour) || !take_char(&text, ':') ||
		!take_digits(&text, 2, 0, 59, &at.minute) || !take_char(&text, ':') ||
		!take_digits(&text, 2, 0, 60, &at.second) || !take_fraction(&text, &at.ms) ||
		!take_offset(&text, &offset) || text.len > 0)
		return false;

	int64_t minutes = days_of_date(at.year, at.month, at.day) * 1440 + at.hour * 60 +
		at.minute - offset;
	/* a leap second is the last of a UTC day (RFC 3339, 5.7); Unix time counts it as the next one */
	if (at.second == 60 && (minutes % 1440 + 1440) % 1440 != 1439)
		return false;
	int64_t unix_ms = (minutes * 60 + at.second) * 1000 + at.ms;
	if (unix_ms < unix_ms_min || unix_ms > unix_ms_max)
		return false;
	*unix_ms_out = unix_ms;
	return true;
}
