// SPDX-License-Identifier: Apache-2.0
#include "core/setting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct sample_settings {
	struct text name;
	int64_t count;
	bool on;
	int64_t wait_ms;
	int64_t buffer_bytes;
	int64_t level;
	struct text url;
	struct text secret;
	int64_t least;
};

static const char *const levels[] = {"debug", "info", NULL};
static const char *const schemes[] = {"http", "https", NULL};
static const struct setting rows[] = {
	SETTING(SETTING_TEXT, sample_settings, name, "sample.name", ""),
	SETTING(SETTING_INT, sample_settings, count, "sample.count", "1", .max = 65535),
	SETTING(SETTING_BOOL, sample_settings, on, "sample.on", "true"),
	SETTING(SETTING_DURATION, sample_settings, wait_ms, "sample.wait_time", "5s", .min = 1000,
		.max = 3600000),
	SETTING(SETTING_SIZE, sample_settings, buffer_bytes, "sample.buffer", "64KiB"),
	SETTING(SETTING_CHOICE, sample_settings, level, "sample.level", "info", .choices = levels),
	SETTING(SETTING_URL, sample_settings, url, "sample.url", "", .choices = schemes),
	SETTING(SETTING_TEXT, sample_settings, secret, "sample.secret", "", .secret = true,
		.min = 4, .max = 8),
	SETTING(SETTING_INT, sample_settings, least, "sample.least", "1", .min = 1),
};
enum { NAME, COUNT, ON, WAIT, BUFFER, LEVEL, LINK, SECRET, LEAST };

static struct arena arena;
static struct sample_settings settings;

static int open_arena(void **state)
{
	arena_init(&arena, NULL, SIZE_MAX);
	return 0;
}

static int close_arena(void **state)
{
	arena_deinit(&arena);
	return 0;
}

static void written_values_are_understood_and_written_back(void **state)
{
	static const struct {
		int row;
		const char *written, *canonical;
	} good[] = {
		{NAME, " a b ", " a b "},
		{NAME, "", ""},
		{COUNT, " 42 ", "42"},
		{COUNT, "0", "0"},
		{ON, "YES", "true"},
		{ON, "off", "false"},
		{ON, "1", "true"},
		{ON, "0", "false"},
		{WAIT, "90", "1m30s"},
		{WAIT, "1m30s", "1m30s"},
		{WAIT, "1500ms", "1s500ms"},
		{WAIT, "1h", "1h"},
		{WAIT, "60m", "1h"},
		{BUFFER, "1048576", "1MiB"},
		{BUFFER, "10 mib", "10MiB"},
		{BUFFER, "1KB", "1000"},
		{BUFFER, "0", "0"},
		{BUFFER, "12b", "12"},
		{LEVEL, "DEBUG", "debug"},
		{LINK, "https://x.example", "https://x.example"},
		{LINK, "", ""},
		{SECRET, "12345", "[set]"},
		{SECRET, "", ""},
		{LEAST, "9223372036854775807", "9223372036854775807"},
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		const struct setting *row = &rows[good[i].row];
		struct text error;
		assert_true(setting_parse(
			row, text_from_c(good[i].written), &settings, &arena, &error));
		struct text back = setting_format(row, &settings, &arena);
		assert_true(text_equals(back, text_from_c(good[i].canonical)));
		if (row->secret)
			continue;
		assert_true(setting_parse(row, back, &settings, &arena, &error));
		assert_true(text_equals(setting_format(row, &settings, &arena), back));
	}
}

static void a_bad_value_changes_nothing_and_says_what_would_be_valid(void **state)
{
	static const struct {
		int row;
		const char *written, *says;
	} bad[] = {
		{NAME, "a\nb", "must be text"},
		{NAME, "\xFF", "must be text"},
		{COUNT, "", "must be a whole number from 0 to 65535"},
		{COUNT, "-1", "from 0 to 65535"},
		{COUNT, "65536", "from 0 to 65535"},
		{COUNT, "1.5", "whole number"},
		{COUNT, "0x10", "whole number"},
		{COUNT, "99999999999999999999", "whole number"},
		{ON, "", "true or false"},
		{ON, "maybe", "true or false"},
		{WAIT, "999ms", "from 1s to 1h, such as 250ms, 5s, 15m"},
		{WAIT, "2h", "from 1s to 1h"},
		{WAIT, "5x", "a duration"},
		{WAIT, "", "a duration"},
		{WAIT, "s", "a duration"},
		{WAIT, "30s1m", "a duration"},
		{WAIT, "1s1s", "a duration"},
		{WAIT, "1m 30s", "a duration"},
		{WAIT, "-5s", "a duration"},
		{WAIT, "5S", "a duration"},
		{WAIT, "9999999999999999999d", "a duration"},
		{WAIT, "99999999999999d", "a duration"},
		{BUFFER, "1XB", "a size"},
		{BUFFER, "-1", "a size"},
		{BUFFER, "", "a size"},
		{BUFFER, "9999999999TiB", "a size"},
		{LEVEL, "loud", "one of debug, info"},
		{LEVEL, "", "one of"},
		{LINK, "ftp://x", "begins with http: or https:"},
		{LINK, "http", "a URL"},
		{LINK, "http:", "a URL"},
		{LINK, "ht tp://x", "a URL"},
		{LINK, "http://a b", "a URL"},
		{SECRET, "123", "of 4 to 8 bytes"},
		{SECRET, "123456789", "of 4 to 8 bytes"},
		{LEAST, "0", "of at least 1"},
	};
	struct sample_settings before;

	memset(&settings, 0x11, sizeof(settings));
	memcpy(&before, &settings, sizeof(before));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct text error = TEXT_ABSENT;
		assert_false(setting_parse(
			&rows[bad[i].row], text_from_c(bad[i].written), &settings, &arena, &error));
		assert_non_null(strstr(error.data, bad[i].says));
		assert_memory_equal(&before, &settings, sizeof(before));
	}
}

static void a_secret_is_never_repeated(void **state)
{
	struct text error;

	assert_false(
		setting_parse(&rows[SECRET], TEXT("hunter2hunter2"), &settings, &arena, &error));
	assert_null(strstr(error.data, "hunter2"));
}

static void the_environment_name_follows_the_key(void **state)
{
	assert_string_equal(
		setting_environment_name(&rows[WAIT], &arena).data, "MILLRACE_SAMPLE_WAIT_TIME");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_values_are_understood_and_written_back),
		cmocka_unit_test(a_bad_value_changes_nothing_and_says_what_would_be_valid),
		cmocka_unit_test(a_secret_is_never_repeated),
		cmocka_unit_test(the_environment_name_follows_the_key),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
