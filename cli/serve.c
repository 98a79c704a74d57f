// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <uv.h>

#include "cli/server.h"
#include "cli/start_watch.h"
#include "domains/ops/ops.h"
#include "http/document.h"
#include "http/openapi.h"
#include "millrace_version.h"
#include "web/explorer_assets.h"

enum { EXIT_INTERRUPTED = 128 + SIGINT };

static struct server_loop *server_loop_of(struct loop *loop)
{
	return (struct server_loop *)(void *)loop;
}

unsigned server_loop_count(const struct app_settings *app)
{
	return app->loops > 0 ? (unsigned)app->loops : uv_available_parallelism();
}

/* ---- the start ------------------------------------------------------------------------------ */

/* Signals are read by the main thread, from a descriptor: blocked here, before any thread is started. */
static bool take_signals(struct server *server, struct text *error_out)
{
	static const int taken[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
		sigaddset(&set, taken[i]);
	signal(SIGPIPE, SIG_IGN);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	server->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	server->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (server->signal_fd >= 0 && server->ended_fd >= 0)
		return true;
	*error_out = arena_printf(
		server->program.arena, "cannot wait for signals: %s", strerror(errno));
	return false;
}

static bool open_routes(struct server *server, struct text *error_out)
{
	struct program *program = &server->program;
	size_t count;
	const struct scope *const *scopes = program_scopes(program->arena, &count);
	struct http_documents documents = {
		.docs_html = text_of((const char *)docs_html, docs_html_len),
		.explorer_js_gz = text_of((const char *)explorer_js_gz, explorer_js_gz_len),
	};

	if (scopes != NULL)
		server->router = router_new(scopes, count, program->arena, error_out);
	if (server->router == NULL)
		return false;
	program->context.router = server->router;
	documents.openapi = openapi_document(server->router, program->arena, MILLRACE_VERSION);
	if (documents_set(server->router, &documents, program->arena))
		return true;
	*error_out = TEXT("no memory for the documents");
	return false;
}

static bool open_listeners(struct server *server, struct text *error_out)
{
	struct program *program = &server->program;

	server->http = http_server_new(program->http_settings, server->router, program->metrics,
		program->log, program->arena, error_out);
	return server->http != NULL;
}

static int attach_loop(struct server *server, struct server_loop *mine, unsigned index)
{
	struct program *program = &server->program;
	int result = loop_init(&mine->loop, index);

	if (result < 0)
		return result;
	mine->server = server;
	mine->loop.log = log_ring_new(program->log);
	mine->loop.metrics = metric_shard_new(program->metrics);
	mine->loop.domains = &program->domains;
	result = mine->loop.metrics == NULL ? UV_ENOMEM : loop_lag_attach(&mine->loop, &mine->lag);
	if (result == 0)
		result = db_attach(program->db, &mine->loop);
	return result == 0 ? http_attach(server->http, &mine->loop) : result;
}

static bool attach_loops(struct server *server, struct text *error_out)
{
	struct program *program = &server->program;
	int result = UV_ENOMEM;

	server->loops = arena_zalloc(program->arena, server->loop_count * sizeof(*server->loops));
	for (unsigned i = 0; i < server->loop_count && server->loops != NULL; i++) {
		result = attach_loop(server, &server->loops[i], i);
		if (result < 0)
			break;
		server->loops_attached++;
	}
	if (result == 0)
		return true;
	*error_out = arena_printf(program->arena, "cannot make event loop %u: %s",
		server->loops_attached, uv_strerror(result));
	return false;
}

static void *run_loop(void *data)
{
	struct server_loop *mine = data;
	char name[16];

	snprintf(name, sizeof(name), "loop %u", mine->loop.index);
	pthread_setname_np(pthread_self(), name);
	loop_run(&mine->loop);
	eventfd_write(mine->server->ended_fd, 1);
	return NULL;
}

static bool start_loops(struct server *server, struct text *error_out)
{
	if (pthread_barrier_init(&server->pause, NULL, server->loop_count + 1) != 0) {
		*error_out = TEXT("no memory for the loops");
		return false;
	}
	for (unsigned i = 0; i < server->loop_count; i++) {
		struct server_loop *mine = &server->loops[i];
		int result = pthread_create(&mine->thread, NULL, run_loop, mine);
		if (result != 0) {
			*error_out = arena_printf(server->program.arena,
				"cannot start thread %u: %s", i, strerror(result));
			return false;
		}
		mine->running = true;
	}
	return true;
}

/* ---- the end -------------------------------------------------------------------------------- */

static void on_drained(struct loop *loop)
{
	struct server_loop *mine = server_loop_of(loop);

	db_detach(loop);
	loop_lag_detach(mine->lag);
	loop_stop(loop);
}

static void drain_loop(struct loop *loop, struct loop_message *message)
{
	http_drain(loop, on_drained);
}

static void begin_stop(struct server *server, const char *why)
{
	server->stopping = true;
	log_info(server->program.ring, "server_stopping", LOG_STRING("signal", why),
		LOG_NUMBER("connections", http_connection_count(server->http)));
	ops_set_draining(&server->program.domains);
	for (unsigned i = 0; i < server->loop_count; i++) {
		server->loops[i].drain.run = drain_loop;
		loop_post(&server->loops[i].loop, &server->loops[i].drain);
	}
}

/* In the order that leaves nobody with a pointer to what is gone. */
static void close_all(struct server *server)
{
	for (unsigned i = 0; i < server->loops_attached; i++)
		if (server->loops[i].running)
			pthread_join(server->loops[i].thread, NULL);
	program_close_threads(&server->program);
	for (unsigned i = 0; i < server->loops_attached; i++)
		loop_deinit(&server->loops[i].loop);
	if (server->http != NULL)
		http_server_free(server->http);
	if (server->router != NULL)
		router_free(server->router);
	if (server->program.ring != NULL && server->stopping)
		log_write(server->program.ring, LOG_INFO, "server_stopped", NULL, 0);
	program_close(&server->program);
	if (server->signal_fd >= 0)
		close(server->signal_fd);
	if (server->ended_fd >= 0)
		close(server->ended_fd);
}

/* ---- signals -------------------------------------------------------------------------------- */

static void on_signal(struct server *server, int number)
{
	if (number == SIGHUP && !server->stopping)
		server_reload(server);
	else if (number == SIGUSR1)
		log_reopen(server->program.log);
	else if ((number == SIGTERM || number == SIGINT) && !server->stopping)
		begin_stop(server, number == SIGTERM ? "SIGTERM" : "SIGINT");
	else if (number == SIGINT)
		_exit(EXIT_INTERRUPTED); /* asked twice: at once */
}

static void read_signals(struct server *server)
{
	struct signalfd_siginfo info;

	while (read(server->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		on_signal(server, (int)info.ssi_signo);
}

/* Until every loop's thread has ended. */
static void wait_for_end(struct server *server)
{
	struct pollfd waits[] = {{.fd = server->signal_fd, .events = POLLIN},
		{.fd = server->ended_fd, .events = POLLIN}};
	unsigned ended = 0;
	eventfd_t count;

	while (ended < server->loop_count) {
		if (poll(waits, 2, -1) < 0 && errno != EINTR)
			return;
		read_signals(server);
		if (eventfd_read(server->ended_fd, &count) == 0)
			ended += (unsigned)count;
	}
}

static bool open_all(struct server *server, struct text *error_out)
{
	struct program *program = &server->program;

	return program_prepare_folder(program, error_out) && program_open_log(program, error_out) &&
		program_open_database(program, error_out) && program_migrate(program, error_out) &&
		program_open_domains(program, server->loop_count, error_out) &&
		open_routes(server, error_out) && open_listeners(server, error_out);
}

/* Until it returns, SIGTERM and SIGINT end the process. */
static bool open_watched(struct server *server, struct text *error_out)
{
	struct start_watch watch;
	int result = start_watch_begin(&watch);

	if (result < 0) {
		*error_out = arena_printf(
			server->program.arena, "cannot watch the start: %s", strerror(-result));
		return false;
	}
	bool good = open_all(server, error_out);
	start_watch_end(&watch);
	return good;
}

int run_serve(struct command *command)
{
	struct configuration *config = program_configure(command, true);
	struct server server = {.command = command, .signal_fd = -1, .ended_fd = -1};
	struct text error = TEXT_ABSENT;

	if (config == NULL)
		return EXIT_FAILED;
	program_init(&server.program, command, config);
	server.loop_count = server_loop_count(server.program.app);
	if (!take_signals(&server, &error) || !open_watched(&server, &error)) {
		close_all(&server);
		return command_failed(command, "%.*s", TEXT_ARG(error));
	}
	if (!attach_loops(&server, &error) || !start_loops(&server, &error)) {
		/* threads and handles are half-way: the process's end is the only clean way out */
		command_failed(command, "%.*s", TEXT_ARG(error));
		_exit(EXIT_FAILED);
	}
	ops_set_ready(&server.program.domains);
	server_tell_start(&server);
	wait_for_end(&server);
	close_all(&server);
	pthread_barrier_destroy(&server.pause);
	return EXIT_DONE;
}
