// SPDX-License-Identifier: Apache-2.0
#include "cli/server.h"

/*
 * SIGHUP: everything is read and checked again. One error and all stays as it was. Reloadable settings that
 * changed are copied into the structs the floors read, while every loop stands between two turns.
 */

static void pause_loop(struct loop *loop, struct loop_message *message)
{
	struct server *server = ((struct server_loop *)(void *)loop)->server;

	(void)message;
	pthread_barrier_wait(&server->pause); /* all stand still */
	pthread_barrier_wait(&server->pause); /* the change is made */
}

void server_change(
	struct server *server, void (*change)(struct server *server, void *context), void *context)
{
	for (unsigned i = 0; i < server->loop_count; i++) {
		server->loops[i].pause.run = pause_loop;
		loop_post(&server->loops[i].loop, &server->loops[i].pause);
	}
	pthread_barrier_wait(&server->pause);
	change(server, context);
	pthread_barrier_wait(&server->pause);
}

static void copy_changes(struct server *server, void *context)
{
	struct configuration *current = server->program.config, *fresh = context;

	for (size_t i = 0; i < current->value_count; i++)
		if (current->values[i].row->reloadable &&
			!config_value_equals(&current->values[i], &fresh->values[i]))
			config_value_copy(
				&current->values[i], &fresh->values[i], server->program.arena);
}

/* Tells each difference; returns how many can be applied now. */
static size_t tell_changes(struct server *server, struct configuration *fresh, struct arena *arena)
{
	struct configuration *current = server->program.config;
	size_t count = 0;

	for (size_t i = 0; i < current->value_count; i++) {
		const struct config_value *old = &current->values[i], *new = &fresh->values[i];
		if (config_value_equals(old, new))
			continue;
		if (!old->row->reloadable) {
			log_warn(server->program.ring, "setting_needs_restart",
				LOG_STRING("key", old->row->key),
				LOG_TEXT("origin", config_value_origin(new, arena)));
			continue;
		}
		log_info(server->program.ring, "setting_changed", LOG_STRING("key", old->row->key),
			LOG_TEXT("from", config_value_text(old, arena)),
			LOG_TEXT("to", config_value_text(new, arena)),
			LOG_TEXT("origin", config_value_origin(new, arena)));
		count++;
	}
	return count;
}

static void tell_errors(struct server *server, const struct configuration *fresh)
{
	for (size_t i = 0; i < fresh->error_count; i++)
		log_error(server->program.ring, "reload_refused",
			LOG_TEXT("reason", fresh->errors[i]));
}

void server_reload(struct server *server)
{
	struct config_option options[COMMAND_OPTIONS_MAX];
	struct config_input input;
	struct arena arena;

	arena_init(&arena, NULL, 64 << 20);
	struct configuration *fresh = arena_alloc(&arena, sizeof(*fresh));
	program_input(server->command, &input, options);
	input.serves = true;
	if (fresh == NULL) {
		log_error(
			server->program.ring, "reload_refused", LOG_STRING("reason", "no memory"));
	} else if (!configuration_load(fresh, &input, &arena)) {
		tell_errors(server, fresh);
	} else {
		if (!wants_colour(2))
			((struct log_settings *)configuration_of(fresh, &log_setting_group))
				->colour = false;
		size_t count = tell_changes(server, fresh, &arena);
		if (count > 0)
			server_change(server, copy_changes, fresh);
		log_reload(server->program.log, server->program.log_settings);
		log_info(server->program.ring, "reload_done", LOG_NUMBER("changed", count));
	}
	arena_deinit(&arena);
}
