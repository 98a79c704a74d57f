// SPDX-License-Identifier: Apache-2.0

/* The first byte picks a row, the rest is the value: what is taken formats to a value that is taken and
 * means the same. */

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "core/setting.h"

struct sample_settings {
	struct text name, url;
	int64_t count, wait_ms, buffer_bytes, level;
	bool on;
};

static const char *const levels[] = {"debug", "info", NULL};
static const char *const schemes[] = {"http", "https", NULL};
static const struct setting rows[] = {
	SETTING(SETTING_TEXT, sample_settings, name, "sample.name", "", .min = 2, .max = 9),
	SETTING(SETTING_URL, sample_settings, url, "sample.url", "", .choices = schemes),
	SETTING(SETTING_INT, sample_settings, count, "sample.count", "1"),
	SETTING(SETTING_DURATION, sample_settings, wait_ms, "sample.wait", "5s", .max = INT64_MAX),
	SETTING(SETTING_SIZE, sample_settings, buffer_bytes, "sample.buffer", "64KiB"),
	SETTING(SETTING_CHOICE, sample_settings, level, "sample.level", "info", .choices = levels),
	SETTING(SETTING_BOOL, sample_settings, on, "sample.on", "true"),
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sample_settings settings = {0}, again = {0};
	struct text error = TEXT_ABSENT;
	struct arena arena;

	if (size == 0)
		return 0;
	const struct setting *row = &rows[data[0] % (sizeof(rows) / sizeof(*rows))];
	arena_init(&arena, NULL, 1 << 22);
	if (setting_parse(
		    row, text_of((const char *)data + 1, size - 1), &settings, &arena, &error)) {
		struct text canonical = setting_format(row, &settings, &arena);
		assert(setting_parse(row, canonical, &again, &arena, &error));
		assert(text_equals(canonical, setting_format(row, &again, &arena)));
	} else {
		assert(text_starts_with(error, TEXT("must be ")));
	}
	arena_deinit(&arena);
	return 0;
}
