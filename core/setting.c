// SPDX-License-Identifier: Apache-2.0
#include "core/setting.h"

#include <ctype.h>
#include <string.h>

struct unit {
	struct text name;
	int64_t factor;
};

static const struct unit duration_units[] = {
	{TEXT_INIT("d"), 24 * 3600 * 1000},
	{TEXT_INIT("h"), 3600 * 1000},
	{TEXT_INIT("m"), 60 * 1000},
	{TEXT_INIT("s"), 1000},
	{TEXT_INIT("ms"), 1},
};

static const struct unit size_units[] = {
	{TEXT_INIT(""), 1},
	{TEXT_INIT("B"), 1},
	{TEXT_INIT("KB"), 1000},
	{TEXT_INIT("MB"), 1000 * 1000},
	{TEXT_INIT("GB"), 1000 * 1000 * 1000},
	{TEXT_INIT("TB"), INT64_C(1000000000000)},
	{TEXT_INIT("KiB"), INT64_C(1) << 10},
	{TEXT_INIT("MiB"), INT64_C(1) << 20},
	{TEXT_INIT("GiB"), INT64_C(1) << 30},
	{TEXT_INIT("TiB"), INT64_C(1) << 40},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The digits that a text begins with. */
static struct text leading_digits(struct text text)
{
	size_t len = 0;

	while (len < text.len && text.data[len] >= '0' && text.data[len] <= '9')
		len++;
	return text_of(text.data, len);
}

/* Takes "12m" off the text if it begins with that unit. False when the amount is too large. */
static bool take_part(struct text *rest, const struct unit *unit, int64_t *total)
{
	struct text digits = leading_digits(*rest);
	struct text behind = text_of(rest->data + digits.len, rest->len - digits.len);
	int64_t number;

	if (digits.len == 0 || !text_starts_with(behind, unit->name))
		return true;
	if (behind.len > unit->name.len && isalpha((unsigned char)behind.data[unit->name.len]))
		return true;
	if (!text_to_int(digits, &number) ||
		__builtin_mul_overflow(number, unit->factor, &number) ||
		__builtin_add_overflow(*total, number, total))
		return false;
	*rest = text_of(behind.data + unit->name.len, behind.len - unit->name.len);
	return true;
}

/* "250ms", "1m30s", units going down; a bare number is seconds. */
static bool parse_duration(struct text value, int64_t *ms_out)
{
	int64_t seconds, total = 0;
	struct text rest = value;

	if (text_to_int(value, &seconds))
		return seconds >= 0 && !__builtin_mul_overflow(seconds, 1000, ms_out);
	for (size_t i = 0; i < COUNT(duration_units); i++)
		if (!take_part(&rest, &duration_units[i], &total))
			return false;
	*ms_out = total;
	return value.len > 0 && rest.len == 0;
}

static bool parse_size(struct text value, int64_t *bytes_out)
{
	struct text digits = leading_digits(value);
	struct text unit = text_trim(text_of(value.data + digits.len, value.len - digits.len));
	int64_t number;

	if (!text_to_int(digits, &number))
		return false;
	for (size_t i = 0; i < COUNT(size_units); i++)
		if (text_equals_ignore_case(unit, size_units[i].name))
			return !__builtin_mul_overflow(number, size_units[i].factor, bytes_out);
	return false;
}

static bool parse_bool(struct text value, bool *yes_out)
{
	static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};

	for (size_t i = 0; i < COUNT(words); i++)
		if (text_equals_ignore_case(value, text_from_c(words[i]))) {
			*yes_out = i % 2 == 1;
			return true;
		}
	return false;
}

static bool parse_choice(const struct setting *row, struct text value, int64_t *index_out)
{
	for (int64_t i = 0; row->choices[i] != NULL; i++)
		if (text_equals_ignore_case(value, text_from_c(row->choices[i]))) {
			*index_out = i;
			return true;
		}
	return false;
}

static bool is_printable_utf8(struct text value)
{
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.data[i] < 0x20 || value.data[i] == 0x7F)
			return false;
	return text_is_utf8(value);
}

/* RFC 3986, 3.1: a scheme, which is one of the choices when there are any, ":", and something behind. */
static bool is_url(const struct setting *row, struct text value)
{
	struct text rest, scheme = text_cut(value, ':', &rest);

	if (text_is_absent(rest) || rest.len == 0 || scheme.len == 0 ||
		!isalpha((unsigned char)scheme.data[0]))
		return false;
	for (size_t i = 0; i < scheme.len; i++)
		if (!isalnum((unsigned char)scheme.data[i]) &&
			memchr("+-.", scheme.data[i], 3) == NULL)
			return false;
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] == ' ')
			return false;
	if (row->choices == NULL)
		return true;
	for (size_t i = 0; row->choices[i] != NULL; i++)
		if (text_equals_ignore_case(scheme, text_from_c(row->choices[i])))
			return true;
	return false;
}

/* Both 0: unbounded; a max below the min: no upper bound. */
static bool is_in_range(const struct setting *row, int64_t number)
{
	if (row->min == 0 && row->max == 0)
		return true;
	return number >= row->min && (number <= row->max || row->max < row->min);
}

static bool parse_number(const struct setting *row, struct text value, int64_t *number_out)
{
	int64_t number;
	bool good;

	if (row->kind == SETTING_DURATION)
		good = parse_duration(value, &number);
	else if (row->kind == SETTING_SIZE)
		good = parse_size(value, &number);
	else
		good = text_to_int(value, &number);
	if (!good || !is_in_range(row, number))
		return false;
	*number_out = number;
	return true;
}

/* The bounds of a text are its length in bytes; empty is unset and always allowed. */
static bool is_text(const struct setting *row, struct text value)
{
	if (!is_printable_utf8(value))
		return false;
	if (row->kind == SETTING_URL && value.len > 0 && !is_url(row, value))
		return false;
	return value.len == 0 || is_in_range(row, (int64_t)value.len);
}

static bool store(const struct setting *row, struct text value, char *member, struct arena *arena)
{
	int64_t number = 0;
	bool yes;

	switch (row->kind) {
	case SETTING_BOOL:
		if (!parse_bool(value, &yes))
			return false;
		*(bool *)(void *)member = yes;
		return true;
	case SETTING_CHOICE:
		if (!parse_choice(row, value, &number))
			return false;
		break;
	case SETTING_INT:
	case SETTING_DURATION:
	case SETTING_SIZE:
		if (!parse_number(row, value, &number))
			return false;
		break;
	case SETTING_TEXT:
	case SETTING_PATH:
	case SETTING_URL:
		if (!is_text(row, value))
			return false;
		*(struct text *)(void *)member = arena_text(
			arena, value.len > 0 ? value : TEXT(""));
		return true;
	}
	memcpy(member, &number, sizeof(number));
	return true;
}

bool setting_parse(const struct setting *row, struct text value, void *settings,
	struct arena *arena, struct text *error_out)
{
	bool exact = row->kind == SETTING_TEXT || row->kind == SETTING_PATH;

	if (text_is_absent(value))
		value = TEXT("");
	if (store(row, exact ? value : text_trim(value), (char *)settings + row->offset, arena))
		return true;
	struct text expects = setting_expects(row, arena);
	*error_out = arena_printf(arena, "must be %.*s", TEXT_ARG(expects));
	return false;
}

struct text setting_environment_name(const struct setting *row, struct arena *arena)
{
	static const char prefix[] = "MILLRACE_";
	size_t len = strlen(row->key);
	char *name = arena_alloc(arena, sizeof(prefix) + len);

	if (name == NULL)
		return TEXT_ABSENT;
	memcpy(name, prefix, sizeof(prefix) - 1);
	for (size_t i = 0; i < len; i++) {
		char c = row->key[i];
		name[sizeof(prefix) - 1 + i] = c == '.' ? '_' : (char)toupper((unsigned char)c);
	}
	name[sizeof(prefix) - 1 + len] = '\0';
	return text_of(name, sizeof(prefix) - 1 + len);
}
