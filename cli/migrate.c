// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "cli/program.h"
#include "core/clock.h"
#include "core/json.h"

struct migrate {
	struct command *command;
	struct program program;
	struct migration_list lists[DOMAINS_MAX];
	size_t list_count;
	struct json_writer writer; /* --json */
	bool json;
};

static const char *state_name(enum migration_state state)
{
	switch (state) {
	case MIGRATION_APPLIED:
		return "applied";
	case MIGRATION_PENDING:
		return "pending";
	case MIGRATION_CHANGED:
		return "changed";
	case MIGRATION_UNKNOWN:
		return "unknown";
	}
	return "unknown";
}

static void tell_progress(void *context, const char *version, bool up, uint64_t took_ms)
{
	struct migrate *migrate = context;

	if (!migrate->json) {
		printf("%-4s %s  %llu ms\n", up ? "up" : "down", version,
			(unsigned long long)took_ms);
		fflush(stdout);
		return;
	}
	json_object(&migrate->writer);
	json_key(&migrate->writer, TEXT("version"));
	json_string(&migrate->writer, text_from_c(version));
	json_key(&migrate->writer, TEXT("direction"));
	json_string(&migrate->writer, up ? TEXT("up") : TEXT("down"));
	json_key(&migrate->writer, TEXT("took_ms"));
	json_int(&migrate->writer, (int64_t)took_ms);
	json_object_end(&migrate->writer);
}

static void begin_json(struct migrate *migrate)
{
	json_begin(&migrate->writer, migrate->command->arena, 1024);
	json_object(&migrate->writer);
	json_key(&migrate->writer, TEXT("migrations"));
	json_array(&migrate->writer);
}

static void end_json(struct migrate *migrate)
{
	json_array_end(&migrate->writer);
	json_object_end(&migrate->writer);
	printf("%.*s\n", TEXT_ARG(json_text(&migrate->writer)));
}

static bool get_count(struct migrate *migrate, size_t *count_out)
{
	struct command *command = migrate->command;
	int64_t count;

	if (command->word_count < 2)
		return true;
	if (!text_to_int(text_from_c(command->words[1]), &count) || count < 1 || count > 10000) {
		command_misused(command, "'%s' must be a count from 1 to 10000", command->words[1]);
		return false;
	}
	*count_out = (size_t)count;
	return true;
}

static int move(struct migrate *migrate, bool up)
{
	struct program *program = &migrate->program;
	size_t done = 0, limit = up ? 0 : 1;
	struct text error = TEXT_ABSENT;

	if (!get_count(migrate, &limit))
		return EXIT_MISUSED;
	if (!up && program->config->production && command_option(migrate->command, "yes") == NULL)
		return command_misused(migrate->command,
			"down takes tables and their data away; in production it wants --yes");
	if (migrate->json)
		begin_json(migrate);
	bool good = (up ? migrations_up : migrations_down)(program->db_settings,
		program->app->data_dir, migrate->lists, migrate->list_count, limit, tell_progress,
		migrate, program->arena, &done, &error);
	if (migrate->json && good)
		end_json(migrate);
	else if (good && done == 0)
		printf("nothing to do\n");
	return good ? EXIT_DONE : command_failed(migrate->command, "%.*s", TEXT_ARG(error));
}

static void write_status(struct migrate *migrate, const struct migration_status *list, size_t count)
{
	struct json_writer *writer = &migrate->writer;

	begin_json(migrate);
	for (size_t i = 0; i < count; i++) {
		json_object(writer);
		json_key(writer, TEXT("version"));
		json_string(writer, list[i].version);
		json_key(writer, TEXT("state"));
		json_string(writer, text_from_c(state_name(list[i].state)));
		json_key(writer, TEXT("applied_at"));
		if (list[i].applied_at_ms != 0)
			json_time(writer, list[i].applied_at_ms);
		else
			json_null(writer);
		json_object_end(writer);
	}
	end_json(migrate);
}

static int show_status(struct migrate *migrate)
{
	struct program *program = &migrate->program;
	struct migration_status *list;
	struct text error = TEXT_ABSENT;
	size_t count;

	if (!migrations_status(program->db_settings, program->app->data_dir, migrate->lists,
		    migrate->list_count, program->arena, &list, &count, &error))
		return command_failed(migrate->command, "%.*s", TEXT_ARG(error));
	if (migrate->json) {
		write_status(migrate, list, count);
		return EXIT_DONE;
	}
	for (size_t i = 0; i < count; i++) {
		char at[CLOCK_RFC3339_LEN];
		clock_format_rfc3339(list[i].applied_at_ms, at);
		printf("%-8s %-40.*s %.*s\n", state_name(list[i].state), TEXT_ARG(list[i].version),
			list[i].applied_at_ms != 0 ? CLOCK_RFC3339_LEN : 0, at);
	}
	return EXIT_DONE;
}

int run_migrate(struct command *command)
{
	struct configuration *config = program_configure(command, false);
	struct migrate migrate = {.command = command};
	struct text error = TEXT_ABSENT;

	if (config == NULL)
		return EXIT_FAILED;
	migrate.json = command_option(command, "json") != NULL;
	program_init(&migrate.program, command, config);
	program_list_migrations(migrate.lists, &migrate.list_count);
	if (!program_prepare_folder(&migrate.program, &error))
		return command_failed(command, "%.*s", TEXT_ARG(error));
	if (strcmp(command->words[0], "status") == 0)
		return show_status(&migrate);
	return move(&migrate, strcmp(command->words[0], "up") == 0);
}
