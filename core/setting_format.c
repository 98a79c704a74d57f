// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>

#include "core/setting.h"

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit duration_units[] = {
	{"d", 24 * 3600 * 1000},
	{"h", 3600 * 1000},
	{"m", 60 * 1000},
	{"s", 1000},
	{"ms", 1},
	{NULL, 0},
};
static const struct unit size_units[] = {
	{"TiB", INT64_C(1) << 40},
	{"GiB", INT64_C(1) << 30},
	{"MiB", INT64_C(1) << 20},
	{"KiB", INT64_C(1) << 10},
	{NULL, 0},
};

/* 90000 is "1m30s". */
static struct text format_duration(int64_t ms, struct arena *arena)
{
	struct text result = TEXT("");

	if (ms == 0)
		return TEXT("0s");
	for (const struct unit *unit = duration_units; unit->name != NULL && ms > 0; unit++) {
		if (ms >= unit->factor)
			result = arena_printf(arena, "%.*s%" PRId64 "%s", TEXT_ARG(result),
				ms / unit->factor, unit->name);
		ms %= unit->factor;
	}
	return result;
}

/* In the largest unit that leaves no rest: 65536 is "64KiB", 1000 is "1000". */
static struct text format_size(int64_t bytes, struct arena *arena)
{
	for (const struct unit *unit = size_units; unit->name != NULL; unit++)
		if (bytes >= unit->factor && bytes % unit->factor == 0)
			return arena_printf(
				arena, "%" PRId64 "%s", bytes / unit->factor, unit->name);
	return arena_printf(arena, "%" PRId64, bytes);
}

static struct text format_number(const struct setting *row, int64_t number, struct arena *arena)
{
	if (row->kind == SETTING_DURATION)
		return format_duration(number, arena);
	if (row->kind == SETTING_SIZE)
		return format_size(number, arena);
	if (row->kind != SETTING_CHOICE)
		return arena_printf(arena, "%" PRId64, number);
	for (int64_t i = 0; row->choices[i] != NULL; i++)
		if (i == number)
			return text_from_c(row->choices[i]);
	return TEXT("");
}

static bool is_text(const struct setting *row)
{
	return row->kind == SETTING_TEXT || row->kind == SETTING_PATH || row->kind == SETTING_URL;
}

struct text setting_format(const struct setting *row, const void *settings, struct arena *arena)
{
	const char *member = (const char *)settings + row->offset;
	int64_t number;

	if (is_text(row)) {
		struct text text = *(const struct text *)(const void *)member;
		if (text.len == 0)
			return TEXT("");
		return row->secret ? TEXT("[set]") : text;
	}
	if (row->secret)
		return TEXT("[set]");
	if (row->kind == SETTING_BOOL)
		return *(const bool *)(const void *)member ? TEXT("true") : TEXT("false");
	memcpy(&number, member, sizeof(number));
	return format_number(row, number, arena);
}

static struct text join_choices(
	const struct setting *row, const char *separator, struct arena *arena)
{
	struct text list = TEXT("");

	for (size_t i = 0; row->choices[i] != NULL; i++)
		list = arena_printf(
			arena, "%.*s%s%s", TEXT_ARG(list), i > 0 ? separator : "", row->choices[i]);
	return list;
}

static struct text range_of(const struct setting *row, struct arena *arena)
{
	struct text min, max;

	if (row->min == 0 && row->max == 0)
		return TEXT("");
	min = format_number(row, row->min, arena);
	if (row->max == INT64_MAX || row->max < row->min)
		return arena_printf(arena, " of at least %.*s", TEXT_ARG(min));
	max = format_number(row, row->max, arena);
	return arena_printf(arena, " from %.*s to %.*s", TEXT_ARG(min), TEXT_ARG(max));
}

static struct text length_of(const struct setting *row, struct arena *arena)
{
	if (row->min == 0 && row->max == 0)
		return TEXT("");
	if (row->max == INT64_MAX || row->max < row->min)
		return arena_printf(arena, " of at least %" PRId64 " bytes", row->min);
	return arena_printf(arena, " of %" PRId64 " to %" PRId64 " bytes", row->min, row->max);
}

struct text setting_expects(const struct setting *row, struct arena *arena)
{
	struct text detail;

	switch (row->kind) {
	case SETTING_TEXT:
		detail = length_of(row, arena);
		return arena_printf(arena, "text%.*s without control characters", TEXT_ARG(detail));
	case SETTING_INT:
		detail = range_of(row, arena);
		return arena_printf(arena, "a whole number%.*s", TEXT_ARG(detail));
	case SETTING_BOOL:
		return TEXT("true or false");
	case SETTING_DURATION:
		detail = range_of(row, arena);
		return arena_printf(
			arena, "a duration%.*s, such as 250ms, 5s, 15m", TEXT_ARG(detail));
	case SETTING_SIZE:
		detail = range_of(row, arena);
		return arena_printf(
			arena, "a size%.*s, such as 512, 64KiB, 10MiB", TEXT_ARG(detail));
	case SETTING_CHOICE:
		detail = join_choices(row, ", ", arena);
		return arena_printf(arena, "one of %.*s", TEXT_ARG(detail));
	case SETTING_PATH:
		return TEXT("a path of a file or folder");
	case SETTING_URL:
		if (row->choices == NULL)
			return TEXT("a URL, such as https://example.com");
		detail = join_choices(row, ": or ", arena);
		return arena_printf(arena, "a URL that begins with %.*s:", TEXT_ARG(detail));
	}
	return TEXT("something else");
}
