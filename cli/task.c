// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "cli/program.h"
#include "core/clock.h"
#include "core/loop.h"

/* A verb that needs the database and the domains, but no server: one flow on one loop on this thread. */

enum { TASK_DEADLINE_MS = 60 * 1000, TASK_MEMORY_MAX_BYTES = 16 << 20 };

struct task {
	struct loop loop; /* first: a callback gets the loop */
	struct loop_message begin;
	struct command *command;
	const struct flow_step *steps;
	void *state;
	int (*on_done)(struct command *command, void *state);
	int exit_code;
};

static struct task *task_of(struct loop *loop)
{
	return (struct task *)(void *)loop;
}

static void on_task_end(struct flow *flow, enum failure failure, const char *cause)
{
	struct task *task = flow->owner_data;

	if (failure == FAILURE_NONE)
		task->exit_code = task->on_done(task->command, task->state);
	else
		task->exit_code = command_failed(task->command, "it did not work: %s%s%s%s",
			failure_name(failure), cause != NULL ? " (" : "",
			cause != NULL ? cause : "", cause != NULL ? ")" : "");
	db_detach(flow->loop);
	loop_stop(flow->loop);
}

static void begin_flow(struct loop *loop, struct loop_message *message)
{
	static const struct flow_owner owner = {.on_end = on_task_end};
	struct task *task = task_of(loop);
	struct flow *flow = flow_new(loop, &owner, task, TASK_DEADLINE_MS, TASK_MEMORY_MAX_BYTES);

	if (flow == NULL) {
		task->exit_code = command_failed(task->command, "no memory");
		db_detach(loop);
		loop_stop(loop);
		return;
	}
	flow->state = task->state;
	flow_start(flow, task->steps);
}

static int run_flow(struct program *program, struct task *task)
{
	int result = loop_init(&task->loop, 0);

	if (result < 0)
		return command_failed(
			task->command, "cannot make an event loop: %s", uv_strerror(result));
	task->loop.log = program->ring;
	task->loop.metrics = metric_shard_new(program->metrics);
	task->loop.domains = &program->domains;
	task->begin.run = begin_flow;
	result = db_attach(program->db, &task->loop);
	if (result < 0)
		return command_failed(
			task->command, "cannot reach the database: %s", uv_strerror(result));
	loop_post(&task->loop, &task->begin);
	loop_run(&task->loop);
	program_close_threads(program);
	loop_deinit(&task->loop);
	return task->exit_code;
}

static bool open_all(struct program *program, struct text *error_out)
{
	return program_prepare_folder(program, error_out) && program_open_log(program, error_out) &&
		program_open_database(program, error_out) && program_migrate(program, error_out) &&
		program_open_domains(program, 1, error_out);
}

int program_run_task(struct command *command, const struct flow_step *steps, void *state,
	int (*on_done)(struct command *command, void *state))
{
	struct configuration *config = program_configure(command, true);
	struct task *task = arena_zalloc(command->arena, sizeof(*task));
	struct text error = TEXT_ABSENT;
	struct program program;
	int exit_code;

	if (config == NULL || task == NULL)
		return EXIT_FAILED;
	program_init(&program, command, config);
	if (program.log_settings->level < LOG_WARN)
		program.log_settings->level = LOG_WARN; /* the answer is what one wants to see */
	task->command = command;
	task->steps = steps;
	task->state = state;
	task->on_done = on_done;
	if (open_all(&program, &error))
		exit_code = run_flow(&program, task);
	else
		exit_code = command_failed(command, "%.*s", TEXT_ARG(error));
	program_close(&program);
	return exit_code;
}
