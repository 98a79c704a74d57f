// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "cli/configuration.h"

enum { SECRET_FILE_MAX_BYTES = 64 * 1024 };

const char *environment_value(char *const *environment, struct text name)
{
	for (; *environment != NULL; environment++) {
		const char *at = *environment;
		if (strncmp(at, name.data, name.len) == 0 && at[name.len] == '=')
			return at[name.len + 1] != '\0' ? at + name.len + 1 : NULL;
	}
	return NULL;
}

/* Whoever leaves a secret where its file's path belongs does not see it again. */
static const char *path_shown(const char *path)
{
	enum { PATH_SHOWN_MAX_BYTES = 200 };
	struct text shown = text_from_c(path);

	for (size_t i = 0; i < shown.len; i++)
		if ((unsigned char)shown.data[i] < ' ')
			return "its file";
	return (path[0] == '/' || path[0] == '.') && shown.len <= PATH_SHOWN_MAX_BYTES ? path
										       : "its file";
}

static void read_secret_file(struct configuration *config, struct config_value *value,
	struct text variable, const char *path)
{
	const char *error = NULL;
	struct text content = read_whole_file(path, SECRET_FILE_MAX_BYTES, config->arena, &error);

	if (text_is_absent(content)) {
		configuration_fail(config, "%s (environment %.*s): cannot read %s: %s",
			value->row->key, TEXT_ARG(variable), path_shown(path), error);
		return;
	}
	if (text_ends_with(content, TEXT("\n")))
		content.len--;
	if (text_ends_with(content, TEXT("\r")))
		content.len--;
	if (content.len == 0) {
		configuration_fail(config, "%s (environment %.*s): %s is empty", value->row->key,
			TEXT_ARG(variable), path_shown(path));
		return;
	}
	configuration_set(config, value, content, FROM_ENVIRONMENT, variable);
}

/* One name of a setting; a secret's also with _FILE. */
static void read_variable(struct configuration *config, struct config_value *value,
	char *const *environment, struct text name)
{
	const char *written = environment_value(environment, name);
	const char *path = NULL;

	if (value->row->secret) {
		struct text file = arena_printf(config->arena, "%.*s_FILE", TEXT_ARG(name));
		path = environment_value(environment, file);
		if (path != NULL && written != NULL) {
			configuration_fail(config,
				"%s: both %.*s and %.*s are set; unset one of them",
				value->row->key, TEXT_ARG(name), TEXT_ARG(file));
			return;
		}
		if (path != NULL)
			read_secret_file(config, value, file, path);
	}
	if (written != NULL)
		configuration_set(config, value, text_from_c(written), FROM_ENVIRONMENT, name);
}

/* ---- names that nobody knows ---------------------------------------------------------------- */

static bool is_name_of(const struct config_value *value, struct text name)
{
	struct text own = value->variable;

	if (text_equals(name, own))
		return true;
	return value->row->secret && text_starts_with(name, own) &&
		text_equals(text_of(name.data + own.len, name.len - own.len), TEXT("_FILE"));
}

static bool contains(struct text text, struct text part)
{
	return text.data != NULL && memmem(text.data, text.len, part.data, part.len) != NULL;
}

/* Not ours to judge: what the development tools use, and what Kubernetes gives every pod beside a service
 * whose name begins with millrace (MILLRACE_SERVICE_HOST, MILLRACE_REDIS_PORT_6379_TCP ...). */
static bool is_somebody_elses(struct text name, struct text value)
{
	static const struct text names[] = {
		TEXT_INIT("MILLRACE_CONFIG"),
		TEXT_INIT("MILLRACE_BINARY"),
	};
	static const struct text prefixes[] = {
		TEXT_INIT("MILLRACE_TEST_"),
		TEXT_INIT("MILLRACE_BENCH_"),
		TEXT_INIT("MILLRACE_FUZZ_"),
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (text_equals(name, names[i]))
			return true;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (text_starts_with(name, prefixes[i]))
			return true;
	if (contains(name, TEXT("_SERVICE_HOST")) || contains(name, TEXT("_SERVICE_PORT")))
		return true;
	return contains(name, TEXT("_PORT")) &&
		(text_starts_with(value, TEXT("tcp://")) ||
			text_starts_with(value, TEXT("udp://")) || contains(name, TEXT("_TCP")) ||
			contains(name, TEXT("_UDP")));
}

/* MILLRACE_HTTP_IDLE_TIMOUT: the nearest of the names behind the prefix. */
static const struct config_value *nearest_name(struct configuration *config, struct text name)
{
	const struct text prefix = TEXT("MILLRACE_");
	const struct config_value *nearest = NULL;
	size_t nearest_distance = 5;

	for (size_t i = 0; i < config->value_count; i++) {
		struct text own = config->values[i].variable;
		size_t distance = text_distance(
			text_of(name.data + prefix.len, name.len - prefix.len),
			text_of(own.data + prefix.len, own.len - prefix.len));
		if (distance < nearest_distance) {
			nearest_distance = distance;
			nearest = &config->values[i];
		}
	}
	return nearest;
}

static void refuse_unknown(struct configuration *config, char *const *environment)
{
	for (; *environment != NULL; environment++) {
		struct text value, name = text_cut(text_from_c(*environment), '=', &value);
		bool known = value.len == 0 || !text_starts_with(name, TEXT("MILLRACE_")) ||
			is_somebody_elses(name, value);
		for (size_t i = 0; i < config->value_count && !known; i++)
			known = is_name_of(&config->values[i], name);
		if (known)
			continue;
		const struct config_value *nearest = nearest_name(config, name);
		if (nearest == NULL) {
			configuration_fail(config,
				"%.*s (environment) is no setting; `millrace config docs` "
				"lists them",
				TEXT_ARG(name));
			continue;
		}
		configuration_fail(config, "%.*s (environment) is no setting; did you mean %.*s?",
			TEXT_ARG(name), TEXT_ARG(nearest->variable));
	}
}

void configuration_read_environment(struct configuration *config, char *const *environment)
{
	for (size_t i = 0; i < config->value_count; i++) {
		struct config_value *value = &config->values[i];
		if (value->row->alias != NULL)
			read_variable(config, value, environment, text_from_c(value->row->alias));
		/* the full name is the more deliberate one: it wins over the alias */
		read_variable(config, value, environment, value->variable);
	}
	refuse_unknown(config, environment);
}
