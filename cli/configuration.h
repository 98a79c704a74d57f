// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * configuration - all settings of the program, joined from the rows of every floor, with where each value
 * came from. Options win over the environment, that over the file, that over the default. An empty
 * variable is unset; an unknown key or variable is an error that names the nearest.
 * This is the only reader of the environment.
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/setting.h"

enum environment { ENVIRONMENT_DEVELOPMENT, ENVIRONMENT_PRODUCTION, ENVIRONMENT_TEST };
enum auto_migrate { AUTO_MIGRATE_AUTO, AUTO_MIGRATE_ON, AUTO_MIGRATE_OFF };

/* The program's own settings. */
struct app_settings {
	int64_t environment; /* enum environment */
	struct text data_dir;
	int64_t loops; /* 0: one per core */
	int64_t auto_migrate; /* enum auto_migrate */
	struct text redis_url; /* accepted and checked, not used yet */
};
extern const struct setting_group app_setting_group;

enum value_source { FROM_DEFAULT, FROM_FILE, FROM_ENVIRONMENT, FROM_OPTION };

struct config_value {
	const struct setting *row;
	const struct setting_group *group;
	void *settings; /* the struct that holds the value */
	struct text variable; /* MILLRACE_SECTION_KEY */
	enum value_source source;
	struct text where; /* "millrace.yaml:3", "PORT", "--port" ...; absent for a default */
};

/* KEY=VALUE from the command line; `where` is how it was written: "--port", "--set". */
struct config_option {
	struct text key, value, where;
};

/* What is read; borrowed until the configuration is gone. */
struct config_input {
	const struct config_option *options;
	size_t option_count;
	char *const *environment; /* NAME=VALUE, ends with NULL */
	const char *file; /* --config; NULL: MILLRACE_CONFIG, then the usual places */
	bool search_file; /* look in the usual places */
	bool serves; /* production's rules for secrets apply */
};

enum { CONFIG_GROUPS_MAX = 48, CONFIG_VALUES_MAX = 512, CONFIG_ERRORS_MAX = 64 };

struct configuration {
	struct arena *arena;
	const struct setting_group *groups[CONFIG_GROUPS_MAX];
	void *structs[CONFIG_GROUPS_MAX];
	size_t group_count;
	struct config_value values[CONFIG_VALUES_MAX];
	size_t value_count;
	struct text file; /* absent: none was read */
	struct text errors[CONFIG_ERRORS_MAX];
	size_t error_count;
	bool production;
};

/* All errors at once in `errors`; false when there are any. The arena must outlive the configuration. */
bool configuration_load(
	struct configuration *config, const struct config_input *input, struct arena *arena);
/* The struct of one group. */
void *configuration_of(const struct configuration *config, const struct setting_group *group);
/* NULL when there is no such key. */
struct config_value *configuration_find(struct configuration *config, struct text key);
/* The key that `typed` was meant to be, or NULL. */
const char *configuration_nearest(const struct configuration *config, struct text typed);
const char *value_source_name(enum value_source source);
/* The value as people may see it. */
struct text config_value_text(const struct config_value *value, struct arena *arena);
/* "environment PORT", "default" ... */
struct text config_value_origin(const struct config_value *value, struct arena *arena);
/* Is it the same value? Secrets are compared too, in constant time. */
bool config_value_equals(const struct config_value *a, const struct config_value *b);
/* Takes the value over into `to`, texts copied to the arena. */
void config_value_copy(
	struct config_value *to, const struct config_value *from, struct arena *arena);

/* ---- for the readers of the sources, configuration_*.c ----------------------------------------- */

void configuration_fail(struct configuration *config, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A key as it may stand in a message: "a key of jwt" when it could be a secret in the wrong place. */
struct text configuration_key_shown(const struct configuration *config, struct text key);
void configuration_set(struct configuration *config, struct config_value *value,
	struct text written, enum value_source source, struct text where);
/* The same by key; an unknown one is an error. */
void configuration_set_key(struct configuration *config, struct text key, struct text written,
	enum value_source source, struct text where);
void configuration_read_file(struct configuration *config, const struct config_input *input);
void configuration_read_yaml(struct configuration *config, struct text yaml, struct text name);
void configuration_read_environment(struct configuration *config, char *const *environment);
void configuration_check_secrets(struct configuration *config);
void configuration_check_database(struct configuration *config);
/* Settings that must fit each other: at the start and at every reload. */
void configuration_check_limits(struct configuration *config);
/* NULL: not set or empty. */
const char *environment_value(char *const *environment, struct text name);
/* The whole file, at most max bytes. Absent with a reason in *error_out ("No such file or directory"). */
struct text read_whole_file(
	const char *path, size_t max, struct arena *arena, const char **error_out);
