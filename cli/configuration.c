// SPDX-License-Identifier: Apache-2.0
#include "cli/configuration.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/secret.h"
#include "db/db.h"
#include "domains/domain.h"
#include "http/server.h"
#include "observability/log.h"

static const char *const environments[] = {"development", "production", "test", NULL};
static const char *const auto_migrate_choices[] = {"auto", "on", "off", NULL};
static const char *const redis_schemes[] = {"redis", "rediss", NULL};

static const struct setting app_rows[] = {
	SETTING(SETTING_CHOICE, app_settings, environment, "app.env", "development",
		.choices = environments, .alias = "APP_ENV",
		.help = "production refuses default secrets and hides what only developers need."),
	SETTING(SETTING_PATH, app_settings, data_dir, "data.dir", "./data",
		.help = "The folder of everything the server keeps: the SQLite database and its own keys."),
	SETTING(SETTING_INT, app_settings, loops, "app.loops", "0", .max = 256,
		.help = "Event loops, each on a thread of its own; 0 is one for each core."),
	SETTING(SETTING_CHOICE, app_settings, auto_migrate, "database.auto_migrate", "auto",
		.choices = auto_migrate_choices,
		.help = "Whether serve applies pending migrations. auto: in development and test, while "
			"production refuses to start until `millrace migrate up` has run."),
	SETTING(SETTING_URL, app_settings, redis_url, "redis.url", "", .choices = redis_schemes,
		.alias = "REDIS_URL", .secret = true,
		.help = "A Redis to share the cache with other replicas. Checked now, used from the next "
			"release on; until then the cache lives in the process."),
};

const struct setting_group app_setting_group = SETTING_GROUP(
	"app", app_settings, app_rows, "The program as a whole.");

/* ---- joining -------------------------------------------------------------------------------- */

static void add_group(struct configuration *config, const struct setting_group *group)
{
	void *settings = arena_zalloc(config->arena, group->size);

	if (settings == NULL || config->group_count == CONFIG_GROUPS_MAX ||
		group->row_count > CONFIG_VALUES_MAX - config->value_count)
		abort(); /* the program's own tables: a defect, or no memory at the very start */
	config->groups[config->group_count] = group;
	config->structs[config->group_count++] = settings;
	for (size_t i = 0; i < group->row_count; i++) {
		const struct setting *row = &group->rows[i];
		struct text variable = setting_environment_name(row, config->arena);
		if (text_is_absent(variable))
			abort();
		config->values[config->value_count++] = (struct config_value) {
			.row = row, .group = group, .settings = settings, .variable = variable};
	}
}

static void add_all_groups(struct configuration *config)
{
	add_group(config, &app_setting_group);
	add_group(config, &http_setting_group);
	add_group(config, &db_setting_group);
	add_group(config, &log_setting_group);
	for (size_t i = 0; domain_list[i] != NULL; i++)
		if (domain_list[i]->settings != NULL)
			add_group(config, domain_list[i]->settings);
}

static void set_defaults(struct configuration *config)
{
	for (size_t i = 0; i < config->value_count; i++) {
		struct config_value *value = &config->values[i];
		struct text error = TEXT_ABSENT;
		if (!setting_parse(value->row, text_from_c(value->row->fallback), value->settings,
			    config->arena, &error))
			configuration_fail(config,
				"%s: the default \"%s\" %.*s: a defect of this program",
				value->row->key, value->row->fallback, TEXT_ARG(error));
	}
}

void *configuration_of(const struct configuration *config, const struct setting_group *group)
{
	for (size_t i = 0; i < config->group_count; i++)
		if (config->groups[i] == group)
			return config->structs[i];
	assert(!"the group was joined");
	return NULL;
}

/* ---- keys ----------------------------------------------------------------------------------- */

struct config_value *configuration_find(struct configuration *config, struct text key)
{
	for (size_t i = 0; i < config->value_count; i++)
		if (text_equals(text_from_c(config->values[i].row->key), key))
			return &config->values[i];
	return NULL;
}

const char *configuration_nearest(const struct configuration *config, struct text typed)
{
	const char *nearest = NULL;
	size_t nearest_distance = typed.len < 6 ? 3 : 5;

	for (size_t i = 0; i < config->value_count; i++) {
		const char *key = config->values[i].row->key;
		size_t distance = text_distance(typed, text_from_c(key));
		const char *name = strchr(key, '.') + 1;
		if (text_equals(typed, text_from_c(name)))
			distance = 1; /* the section was left out */
		if (distance < nearest_distance) {
			nearest_distance = distance;
			nearest = key;
		}
	}
	return nearest;
}

/* ---- setting -------------------------------------------------------------------------------- */

void configuration_fail(struct configuration *config, const char *format, ...)
{
	char message[1024];
	va_list arguments;

	if (config->error_count == CONFIG_ERRORS_MAX)
		return;
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	config->errors[config->error_count++] = arena_text(config->arena, text_from_c(message));
}

const char *value_source_name(enum value_source source)
{
	switch (source) {
	case FROM_DEFAULT:
		return "default";
	case FROM_FILE:
		return "file";
	case FROM_ENVIRONMENT:
		return "environment";
	case FROM_OPTION:
		return "option";
	}
	return "unknown";
}

/* What an operator wrote, for a message: cut, and never a secret. */
static struct text shown(struct text written)
{
	enum { SHOWN_MAX = 80 };

	if (written.len > SHOWN_MAX)
		written.len = SHOWN_MAX;
	return written;
}

void configuration_set(struct configuration *config, struct config_value *value,
	struct text written, enum value_source source, struct text where)
{
	struct text error = TEXT_ABSENT;

	if (setting_parse(value->row, written, value->settings, config->arena, &error)) {
		value->source = source;
		value->where = where;
		return;
	}
	if (value->row->secret)
		configuration_fail(config, "%s (%s %.*s): the value %.*s", value->row->key,
			value_source_name(source), TEXT_ARG(where), TEXT_ARG(error));
	else
		configuration_fail(config, "%s (%s %.*s): \"%.*s\" %.*s", value->row->key,
			value_source_name(source), TEXT_ARG(where), TEXT_ARG(shown(written)),
			TEXT_ARG(error));
}

/* The letters of our keys, and not many: anything else may be a secret in the place of a key. */
static bool looks_like_key(struct text key)
{
	enum { KEY_SHOWN_MAX_BYTES = 64 };

	for (size_t i = 0; i < key.len; i++)
		if (!((key.data[i] >= 'a' && key.data[i] <= 'z') || key.data[i] == '_' ||
			    key.data[i] == '.' || key.data[i] == '-'))
			return false;
	return key.len > 0 && key.len <= KEY_SHOWN_MAX_BYTES;
}

struct text configuration_key_shown(const struct configuration *config, struct text key)
{
	struct text name, section = text_cut(key, '.', &name);

	if (looks_like_key(key))
		return key;
	for (size_t i = 0; i < config->value_count && !text_is_absent(name); i++) {
		struct text own = text_from_c(config->values[i].row->key);
		if (text_starts_with(own, section) && own.data[section.len] == '.')
			return arena_printf(config->arena, "a key of %.*s", TEXT_ARG(section));
	}
	return TEXT("a key");
}

void configuration_set_key(struct configuration *config, struct text key, struct text written,
	enum value_source source, struct text where)
{
	struct config_value *value = configuration_find(config, key);
	const char *nearest = configuration_nearest(config, key);
	struct text told = configuration_key_shown(config, key);

	if (value != NULL)
		configuration_set(config, value, written, source, where);
	else if (nearest != NULL)
		configuration_fail(config, "%.*s (%s %.*s) is no setting; did you mean %s?",
			TEXT_ARG(told), value_source_name(source), TEXT_ARG(where), nearest);
	else
		configuration_fail(config,
			"%.*s (%s %.*s) is no setting; `millrace config show` lists them",
			TEXT_ARG(told), value_source_name(source), TEXT_ARG(where));
}

bool configuration_load(
	struct configuration *config, const struct config_input *input, struct arena *arena)
{
	*config = (struct configuration) {.arena = arena};
	add_all_groups(config);
	set_defaults(config);
	configuration_read_file(config, input);
	configuration_read_environment(config, input->environment);
	for (size_t i = 0; i < input->option_count; i++)
		configuration_set_key(config, input->options[i].key, input->options[i].value,
			FROM_OPTION, input->options[i].where);
	configuration_check_database(config);
	configuration_check_limits(config);
	const struct app_settings *app = configuration_of(config, &app_setting_group);
	config->production = app->environment == ENVIRONMENT_PRODUCTION;
	if (config->production && input->serves)
		configuration_check_secrets(config);
	return config->error_count == 0;
}

/* ---- values --------------------------------------------------------------------------------- */

static bool is_text(const struct setting *row)
{
	return row->kind == SETTING_TEXT || row->kind == SETTING_PATH || row->kind == SETTING_URL;
}

static void *member_of(const struct config_value *value)
{
	return (char *)value->settings + value->row->offset;
}

struct text config_value_text(const struct config_value *value, struct arena *arena)
{
	return setting_format(value->row, value->settings, arena);
}

struct text config_value_origin(const struct config_value *value, struct arena *arena)
{
	if (value->source == FROM_DEFAULT)
		return TEXT("default");
	return arena_printf(
		arena, "%s %.*s", value_source_name(value->source), TEXT_ARG(value->where));
}

bool config_value_equals(const struct config_value *a, const struct config_value *b)
{
	if (is_text(a->row)) {
		const struct text *left = member_of(a), *right = member_of(b);
		return left->len == right->len && secret_equals(left->data, right->data, left->len);
	}
	if (a->row->kind == SETTING_BOOL)
		return *(const bool *)member_of(a) == *(const bool *)member_of(b);
	return *(const int64_t *)member_of(a) == *(const int64_t *)member_of(b);
}

void config_value_copy(
	struct config_value *to, const struct config_value *from, struct arena *arena)
{
	if (is_text(to->row))
		*(struct text *)member_of(to) = arena_text(
			arena, *(const struct text *)member_of(from));
	else if (to->row->kind == SETTING_BOOL)
		*(bool *)member_of(to) = *(const bool *)member_of(from);
	else
		*(int64_t *)member_of(to) = *(const int64_t *)member_of(from);
	to->source = from->source;
	to->where = arena_text(arena, from->where);
}
