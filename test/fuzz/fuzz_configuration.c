// SPDX-License-Identifier: Apache-2.0

/* A configuration file of any bytes, and an environment of any lines: errors in UTF-8, or settings that are
 * within their rows. */

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "cli/configuration.h"

enum { LINES_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct configuration *config, struct arena *arena)
{
	for (size_t i = 0; i < config->error_count; i++)
		assert(config->errors[i].len > 0);
	for (size_t i = 0; i < config->value_count; i++)
		assert(!text_is_absent(config_value_text(&config->values[i], arena)));
}

static void read_lines(struct configuration *config, struct text lines, struct arena *arena)
{
	char *environment[LINES_MAX + 1] = {NULL};
	struct text rest = lines;

	for (size_t i = 0; i < LINES_MAX && !text_is_absent(rest); i++)
		environment[i] =
			(char *)(uintptr_t)arena_text(arena, text_cut(rest, '\n', &rest)).data;
	configuration_read_environment(config, environment);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct configuration config;
	static char *const nothing[] = {NULL};
	const struct config_input input = {.environment = nothing};
	struct arena arena;

	arena_init(&arena, NULL, 32 << 20);
	configuration_load(&config, &input, &arena);
	if (size > 0 && data[0] == '!') /* no file names: a fuzzer must not open what it likes */
		read_lines(&config,
			text_of((const char *)data + 1,
				memmem(data, size, "_FILE", 5) ? 0 : size - 1),
			&arena);
	else
		configuration_read_yaml(
			&config, text_of((const char *)data, size), TEXT("fuzz.yaml"));
	check(&config, &arena);
	arena_deinit(&arena);
	return 0;
}
