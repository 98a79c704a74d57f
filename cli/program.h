// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * program - the floors put together: what serve, admin, token and doctor have in common. Opened from the
 * bottom up, closed from the top down; main thread only.
 */

#include <stdbool.h>
#include <stddef.h>

#include "cli/command.h"
#include "cli/configuration.h"
#include "db/migration.h"
#include "domains/domain.h"
#include "http/server.h"

struct program {
	struct arena *arena; /* lives as long as the process */
	struct configuration *config;
	const struct app_settings *app;
	const struct db_settings *db_settings;
	const struct http_settings *http_settings;
	struct log_settings *log_settings;
	struct log *log;
	struct log_ring *ring; /* of the main thread */
	struct metrics *metrics;
	struct db *db;
	struct domain_context context;
	struct domains domains;
	size_t open_domains;
};

/* Options of the command, environment and file. NULL when something is wrong, which it has said. */
struct configuration *program_configure(struct command *command, bool serves);
/* What program_configure reads. */
void program_input(const struct command *command, struct config_input *input_out,
	struct config_option options[static COMMAND_OPTIONS_MAX]);
/* In production: no core dumps, and no other process of the same user reads this one's memory or environment,
 * where the secrets stand. */
void program_keep_private(const struct configuration *config);
void program_init(struct program *program, struct command *command, struct configuration *config);

/* Each returns false with a sentence in *error_out. In this order. */
bool program_prepare_folder(struct program *program, struct text *error_out);
bool program_open_log(struct program *program, struct text *error_out);
/* Looks first whether it can be used. Before the migrations: a database in memory lives as long as it is
 * open. */
bool program_open_database(struct program *program, struct text *error_out);
bool program_migrate(
	struct program *program, struct text *error_out); /* as database.auto_migrate says */
bool program_open_domains(struct program *program, unsigned loop_count, struct text *error_out);
/* After the loops have stopped: closes what is open. Loops are deinitialised after program_close_threads,
 * which joins every thread that may still post to them. */
void program_close_threads(struct program *program);
void program_close(struct program *program);

void program_list_migrations(struct migration_list lists[static DOMAINS_MAX], size_t *count_out);
/* Every scope of the program, in the arena, with the documents' own. */
const struct scope *const *program_scopes(struct arena *arena, size_t *count_out);

/* One flow on a loop of its own, on this thread: all of `program` is opened before and closed after.
 * on_done sees the state before the flow's memory goes; not called after a failure. Returns the
 * exit code; what failed was said. */
int program_run_task(struct command *command, const struct flow_step *steps, void *state,
	int (*on_done)(struct command *command, void *state));
