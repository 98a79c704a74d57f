// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "cli/program.h"
#include "core/json.h"

static const char *kind_name(enum setting_kind kind)
{
	switch (kind) {
	case SETTING_TEXT:
		return "text";
	case SETTING_INT:
		return "whole number";
	case SETTING_BOOL:
		return "boolean";
	case SETTING_DURATION:
		return "duration";
	case SETTING_SIZE:
		return "size";
	case SETTING_CHOICE:
		return "choice";
	case SETTING_PATH:
		return "path";
	case SETTING_URL:
		return "URL";
	}
	return "text";
}

/* "PORT, MILLRACE_HTTP_PORT"; of a secret its _FILE names too. */
static struct text variable_names(const struct setting *row, struct arena *arena)
{
	struct text own = setting_environment_name(row, arena), names = own;

	if (row->secret)
		names = arena_printf(arena, "%.*s, %.*s_FILE", TEXT_ARG(own), TEXT_ARG(own));
	if (row->alias != NULL && row->secret)
		return arena_printf(
			arena, "%s, %s_FILE, %.*s", row->alias, row->alias, TEXT_ARG(names));
	if (row->alias != NULL)
		return arena_printf(arena, "%s, %.*s", row->alias, TEXT_ARG(names));
	return names;
}

/* ---- show ----------------------------------------------------------------------------------- */

static void write_value(
	struct json_writer *writer, const struct config_value *value, struct arena *arena)
{
	json_object(writer);
	json_key(writer, TEXT("key"));
	json_string(writer, text_from_c(value->row->key));
	json_key(writer, TEXT("value"));
	json_string(writer, config_value_text(value, arena));
	json_key(writer, TEXT("source"));
	json_string(writer, text_from_c(value_source_name(value->source)));
	json_key(writer, TEXT("where"));
	json_string(writer, value->where);
	json_object_end(writer);
}

static int show(struct command *command, struct configuration *config)
{
	struct json_writer writer;
	bool json = command_option(command, "json") != NULL;

	json_begin(&writer, command->arena, 8192);
	json_array(&writer);
	for (size_t i = 0; i < config->value_count; i++) {
		const struct config_value *value = &config->values[i];
		struct text shown = config_value_text(value, command->arena);
		struct text origin = config_value_origin(value, command->arena);
		if (json)
			write_value(&writer, value, command->arena);
		else
			printf("%-32s %-28.*s %.*s\n", value->row->key, TEXT_ARG(shown),
				TEXT_ARG(origin));
	}
	json_array_end(&writer);
	if (json)
		printf("%.*s\n", TEXT_ARG(json_text(&writer)));
	return EXIT_DONE;
}

/* ---- explain -------------------------------------------------------------------------------- */

static void explain_json(struct command *command, const struct config_value *value)
{
	const struct setting *row = value->row;
	struct json_writer writer;

	json_begin(&writer, command->arena, 1024);
	json_object(&writer);
	json_key(&writer, TEXT("key"));
	json_string(&writer, text_from_c(row->key));
	json_key(&writer, TEXT("value"));
	json_string(&writer, config_value_text(value, command->arena));
	json_key(&writer, TEXT("source"));
	json_string(&writer, config_value_origin(value, command->arena));
	json_key(&writer, TEXT("default"));
	json_string(&writer, text_from_c(row->fallback));
	json_key(&writer, TEXT("kind"));
	json_string(&writer, text_from_c(kind_name(row->kind)));
	json_key(&writer, TEXT("valid"));
	json_string(&writer, setting_expects(row, command->arena));
	json_key(&writer, TEXT("environment"));
	json_string(&writer, variable_names(row, command->arena));
	json_key(&writer, TEXT("secret"));
	json_bool(&writer, row->secret);
	json_key(&writer, TEXT("reloadable"));
	json_bool(&writer, row->reloadable);
	json_key(&writer, TEXT("help"));
	json_string(&writer, text_from_c(row->help));
	json_object_end(&writer);
	printf("%.*s\n", TEXT_ARG(json_text(&writer)));
}

static void print_fact(const char *name, struct text value)
{
	printf("  %-12s %.*s\n", name, TEXT_ARG(value));
}

static void explain_plainly(struct command *command, const struct config_value *value)
{
	const struct setting *row = value->row;
	struct arena *arena = command->arena;
	struct text shown = config_value_text(value, arena);

	printf("%s\n  %s\n\n", row->key, row->help != NULL ? row->help : "");
	print_fact("value", shown.len > 0 ? shown : TEXT("(unset)"));
	print_fact("from", config_value_origin(value, arena));
	print_fact(
		"default", row->fallback[0] != '\0' ? text_from_c(row->fallback) : TEXT("(unset)"));
	print_fact("valid", setting_expects(row, arena));
	print_fact("environment", variable_names(row, arena));
	print_fact("file",
		arena_printf(arena, "%.*s: { %s: ... }", (int)(strchr(row->key, '.') - row->key),
			row->key, strchr(row->key, '.') + 1));
	print_fact("secret", row->secret ? TEXT("yes: never shown") : TEXT("no"));
	print_fact("reloadable",
		row->reloadable ? TEXT("yes: SIGHUP applies it") : TEXT("no: needs a restart"));
}

static int explain(struct command *command, struct configuration *config)
{
	if (command->word_count < 2)
		return command_misused(
			command, "something is missing: millrace config explain KEY");
	struct text key = text_from_c(command->words[1]);
	const struct config_value *value = configuration_find(config, key);
	if (value == NULL) {
		const char *nearest = configuration_nearest(config, key);
		if (nearest == NULL)
			return command_misused(command,
				"%s is no setting; `millrace config show` lists them",
				command->words[1]);
		return command_misused(
			command, "%s is no setting; did you mean %s?", command->words[1], nearest);
	}
	if (command_option(command, "json") != NULL)
		explain_json(command, value);
	else
		explain_plainly(command, value);
	return EXIT_DONE;
}

/* ---- docs ----------------------------------------------------------------------------------- */

static void print_group(struct command *command, const struct setting_group *group)
{
	printf("\n## %s\n\n%s\n\n", group->section, group->about != NULL ? group->about : "");
	printf("| setting | default | valid | environment | reload | meaning |\n|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < group->row_count; i++) {
		const struct setting *row = &group->rows[i];
		struct text valid = setting_expects(row, command->arena);
		struct text names = variable_names(row, command->arena);
		printf("| `%s` | %s%s%s | %.*s | %.*s | %s | %s%s |\n", row->key,
			row->fallback[0] != '\0' ? "`" : "", row->fallback,
			row->fallback[0] != '\0' ? "`" : "", TEXT_ARG(valid), TEXT_ARG(names),
			row->reloadable ? "yes" : "no", row->secret ? "**Secret.** " : "",
			row->help != NULL ? row->help : "");
	}
}

static const char docs_introduction[] =
	"# Configuration\n\n"
	"Written by `./dev docs` from the rows of the code (`millrace config docs`): edit those.\n\n"
	"A value comes from an option of the command line, else from the environment, else from\n"
	"the file, else it is the default. `millrace config show` tells which; `millrace config\n"
	"explain KEY` tells all about one.\n\n"
	"- **Options**: `--port`, `--host`, `--log-level` and the like (`millrace help serve`);\n"
	"  `--set KEY=VALUE` for every setting.\n"
	"- **Environment**: the names below. An empty variable is unset. Where a setting has two\n"
	"  names, the one that begins with `MILLRACE_` wins. A secret is also read from the file\n"
	"  that its `_FILE` variable names.\n"
	"- **File**: `--config FILE`, else `$MILLRACE_CONFIG`, else `./millrace.yaml`, else\n"
	"  `/etc/millrace/millrace.yaml`; sections with keys:\n\n"
	"```yaml\nhttp:\n  port: 8080\n  idle_timeout: 30s\nlog:\n  level: warn\n```\n\n"
	"An unknown key or variable stops the start and names the nearest. Durations are written\n"
	"`250ms`, `5s`, `1m30s`, `24h`, `7d` (a bare number is seconds), sizes `512`, `64KiB`,\n"
	"`10MiB`. SIGHUP reads everything again and applies what is marked reload; one error and\n"
	"all stays as it was.\n";

static int print_docs(struct command *command, const struct configuration *config)
{
	fputs(docs_introduction, stdout);
	for (size_t i = 0; i < config->group_count; i++)
		print_group(command, config->groups[i]);
	return EXIT_DONE;
}

static struct configuration *defaults_only(struct command *command)
{
	static char *const nothing[] = {NULL};
	const struct config_input input = {.environment = nothing};
	struct configuration *config = arena_alloc(command->arena, sizeof(*config));

	if (config != NULL)
		configuration_load(config, &input, command->arena);
	return config;
}

int run_config(struct command *command)
{
	struct configuration *config;

	if (strcmp(command->words[0], "docs") == 0) {
		config = defaults_only(command);
		return config != NULL ? print_docs(command, config) : EXIT_FAILED;
	}
	config = program_configure(command, false);
	if (config == NULL)
		return EXIT_FAILED;
	return strcmp(command->words[0], "show") == 0 ? show(command, config)
						      : explain(command, config);
}
