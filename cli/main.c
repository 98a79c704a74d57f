// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>

#include "cli/command.h"

/* The table of verbs. Whatever the program can be asked is a row here. */

static const char *const migrate_choices[] = {"up", "down", "status", NULL};
static const char *const config_choices[] = {"show", "explain", "docs", NULL};
static const char *const create_choices[] = {"create", NULL};
static const char *const mint_choices[] = {"mint", NULL};

static const struct option migrate_options[] = {
	{"yes", NULL, NULL, "really take migrations back in production"},
	{0},
};
static const struct option routes_options[] = {
	{"markdown", NULL, NULL, "as a table for docs/routes.md"},
	{0},
};
static const struct option doctor_options[] = {
	{"prod", NULL, NULL, "judge as if app.env were production"},
	{0},
};
static const struct option admin_options[] = {
	{"name", "NAME", NULL, "the name of a new user"},
	{"password-stdin", NULL, NULL, "take the password from the first line of standard input"},
	{"generate-password", NULL, NULL, "make a password and print it once"},
	{0},
};

static const struct verb serve = {
	.name = "serve",
	.alias = "start",
	.arguments = "",
	.run = run_serve,
	.reads_settings = true,
	.about = "Start the server",
	.details =
		"SIGTERM and SIGINT let requests finish, then leave; a second SIGINT leaves at once. SIGHUP reads\n"
		"the settings again and applies the reloadable ones. SIGUSR1 opens log.file again.",
};
static const struct verb migrate = {
	.name = "migrate",
	.arguments = "up|down|status [COUNT]",
	.run = run_migrate,
	.reads_settings = true,
	.choices = migrate_choices,
	.options = migrate_options,
	.words_min = 1,
	.words_max = 2,
	.about = "Apply migrations, take them back, or list them",
	.details =
		"up applies all pending ones, or COUNT of them; down takes back the newest, or COUNT.",
};
static const struct verb routes = {
	.name = "routes",
	.arguments = "",
	.run = run_routes,
	.options = routes_options,
	.about = "List every route with its name and guards",
};
static const struct verb openapi = {
	.name = "openapi",
	.arguments = "",
	.run = run_openapi,
	.about = "Print the OpenAPI 3.1 description of the API",
};
static const struct verb config = {
	.name = "config",
	.arguments = "show|explain|docs [KEY]",
	.run = run_config,
	.reads_settings = true,
	.choices = config_choices,
	.words_min = 1,
	.words_max = 2,
	.about = "Show settings: their values, where they come from, what they mean",
	.details =
		"show lists all of them, explain tells everything about one KEY, docs prints docs/configuration.md.",
};
static const struct verb admin = {
	.name = "admin",
	.arguments = "create EMAIL",
	.run = run_admin,
	.reads_settings = true,
	.choices = create_choices,
	.options = admin_options,
	.words_min = 2,
	.words_max = 2,
	.about = "Create an admin, or make an existing user one",
	.details =
		"Asks for the password of a new user on a terminal; elsewhere it makes one and prints it once.",
};
static const struct verb token = {
	.name = "token",
	.arguments = "mint EMAIL",
	.run = run_token,
	.reads_settings = true,
	.choices = mint_choices,
	.words_min = 2,
	.words_max = 2,
	.about = "Print an access token of a user (not in production)",
};
static const struct verb doctor = {
	.name = "doctor",
	.arguments = "",
	.run = run_doctor,
	.reads_settings = true,
	.options = doctor_options,
	.about = "Check settings, folder, database, ports, secrets and limits of this machine",
};
static const struct verb version = {
	.name = "version",
	.arguments = "",
	.run = run_version,
	.about = "Print the version, the commit and the libraries",
};
static const struct verb help = {
	.name = "help",
	.arguments = "[VERB]",
	.run = run_help,
	.words_max = 1,
	.about = "Explain a verb",
};

const struct verb *const verbs[] = {&serve, &migrate, &routes, &openapi, &config, &admin, &token,
	&doctor, &version, &help, NULL};

const struct option setting_options[] = {
	{"config", "FILE", NULL, "read this file instead of millrace.yaml"},
	{"set", "KEY=VALUE", NULL, "any setting, e.g. --set http.idle_timeout=30s"},
	{"env", "ENV", "app.env", "development, production or test"},
	{"host", "ADDRESS", "http.host", "listen on this address"},
	{"port", "PORT", "http.port", "listen on this port"},
	{"ops-port", "PORT", "ops.port", "metrics and health on this port"},
	{"loops", "COUNT", "app.loops", "event loops; 0 is one for each core"},
	{"data-dir", "FOLDER", "data.dir", "keep everything here"},
	{"database-url", "URL", "database.url", "postgresql://... or sqlite:PATH"},
	{"log-level", "LEVEL", "log.level", "debug, info, warn or error"},
	{0},
};

const struct option general_options[] = {
	{"json", NULL, NULL, "answer in JSON, for machines"},
	{"help", NULL, NULL, "explain this verb"},
	{0},
};

int main(int argument_count, char **arguments)
{
	struct command command = {0};
	struct arena arena;
	int exit_code;

	arena_init(&arena, NULL, SIZE_MAX);
	command.arena = &arena;
	command.program = argument_count > 0 ? arguments[0] : NULL;
	exit_code = command_parse(
		&command, argument_count > 0 ? argument_count - 1 : 0, arguments + 1);
	if (exit_code == EXIT_DONE && command_option(&command, "help") != NULL)
		help_verb(command.verb);
	else if (exit_code == EXIT_DONE)
		exit_code = command.verb->run(&command);
	if (fflush(stdout) != 0 && exit_code == EXIT_DONE)
		exit_code = command_failed(&command, "standard output takes no more");
	arena_deinit(&arena);
	return exit_code;
}
