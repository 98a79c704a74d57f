// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/server.h"
#include "millrace_version.h"

/* What a newcomer needs, on a terminal; the same facts as one log line elsewhere. */
struct facts {
	struct text env, data_dir, database, admin, api, docs, health, metrics, try_it;
};

static const char cache_name[] = "in the process";

static struct text environment_name(struct server *server)
{
	struct program *program = &server->program;

	return config_value_text(
		configuration_find(program->config, TEXT("app.env")), program->arena);
}

static struct text argument(struct arena *arena, const char *option, struct text value)
{
	return arena_printf(arena, " --%s %.*s", option, TEXT_ARG(shell_word(value, arena)));
}

/* To be pasted as it is: with what another call would not find by itself. A database's URL may hold a
 * password and is not repeated. */
static struct text first_admin(struct server *server)
{
	struct program *program = &server->program;
	struct arena *arena = program->arena;
	const struct config_value *folder = configuration_find(program->config, TEXT("data.dir"));
	const struct config_value *url = configuration_find(program->config, TEXT("database.url"));
	const char *file = command_option(server->command, "config");
	struct text folder_option = TEXT(""), file_option = TEXT("");

	if (folder->source != FROM_DEFAULT)
		folder_option = argument(arena, "data-dir", program->app->data_dir);
	if (file != NULL)
		file_option = argument(arena, "config", text_from_c(file));
	return arena_printf(arena, "%.*s admin create you@example.com%.*s%.*s%s",
		TEXT_ARG(command_program(server->command, arena)), TEXT_ARG(file_option),
		TEXT_ARG(folder_option), url->source == FROM_OPTION ? " --database-url URL" : "");
}

/* http://host:port as somebody on this machine would type it. */
static struct text url_of(struct arena *arena, struct text host, uint16_t port)
{
	bool any = text_equals(host, TEXT("0.0.0.0")) || text_equals(host, TEXT("::"));
	bool ipv6 = host.len > 0 && memchr(host.data, ':', host.len) != NULL;

	if (any)
		return arena_printf(arena, "http://localhost:%u", port);
	return arena_printf(
		arena, ipv6 ? "http://[%.*s]:%u" : "http://%.*s:%u", TEXT_ARG(host), port);
}

static struct text absolute(struct arena *arena, struct text path)
{
	char *real = realpath(arena_text(arena, path).data, NULL);
	struct text result = real != NULL ? arena_text(arena, text_from_c(real)) : path;

	free(real);
	return result;
}

static struct facts collect(struct server *server)
{
	struct program *program = &server->program;
	struct arena *arena = program->arena;
	const struct http_settings *http = program->http_settings;
	struct text api = url_of(arena, http->host, http_server_port(server->http, LISTENER_API));
	struct text ops = url_of(
		arena, http->ops_host, http_server_port(server->http, LISTENER_OPS));

	return (struct facts) {
		.env = environment_name(server),
		.data_dir = absolute(arena, program->app->data_dir),
		.database = db_describe(program->db, arena),
		.admin = first_admin(server),
		.api = api,
		.docs = arena_printf(arena, "%.*s/docs", TEXT_ARG(api)),
		.health = arena_printf(arena, "%.*s/health", TEXT_ARG(api)),
		.metrics = arena_printf(arena, "%.*s/metrics", TEXT_ARG(ops)),
		.try_it = arena_printf(arena,
			"curl -X POST %.*s/auth/register -H 'Content-Type: application/json' -d "
			"'{\"email\":\"you@example.com\",\"password\":\"correct horse battery staple\","
			"\"password_confirmation\":\"correct horse battery staple\"}'",
			TEXT_ARG(api)),
	};
}

static void print_row(bool colour, const char *name, struct text value)
{
	fprintf(stderr, colour ? "  \033[2m%-9s\033[0m %.*s\n" : "  %-9s %.*s\n", name,
		TEXT_ARG(value));
}

static void print_banner(const struct server *server, const struct facts *facts)
{
	bool colour = wants_colour(STDERR_FILENO);

	fprintf(stderr,
		colour ? "\n  \033[1mMillrace %s\033[0m (%.*s, %u loop%s)\n\n"
		       : "\n  Millrace %s (%.*s, %u loop%s)\n\n",
		MILLRACE_VERSION, TEXT_ARG(facts->env), server->loop_count,
		server->loop_count == 1 ? "" : "s");
	print_row(colour, "API", facts->api);
	print_row(colour, "explorer", facts->docs);
	print_row(colour, "health", facts->health);
	print_row(colour, "metrics", facts->metrics);
	print_row(colour, "data", facts->data_dir);
	print_row(colour, "database", facts->database);
	print_row(colour, "cache", text_from_c(cache_name));
	print_row(colour, "admin", facts->admin);
	fprintf(stderr, "\n  Register a user:\n  %.*s\n\n", TEXT_ARG(facts->try_it));
}

void server_tell_start(struct server *server)
{
	struct facts facts = collect(server);
	const struct program *program = &server->program;

	if (program->app->redis_url.len > 0)
		log_warn(program->ring, "redis_not_used",
			LOG_STRING("reason", "redis.url is used from the next release on"));
	if (isatty(STDERR_FILENO)) {
		print_banner(server, &facts);
		return;
	}
	log_info(program->ring, "server_started", LOG_STRING("version", MILLRACE_VERSION),
		LOG_STRING("commit", MILLRACE_COMMIT), LOG_TEXT("env", facts.env),
		LOG_NUMBER("loops", server->loop_count), LOG_TEXT("data_dir", facts.data_dir),
		LOG_TEXT("database", facts.database), LOG_STRING("cache", cache_name),
		LOG_TEXT("api", facts.api), LOG_TEXT("docs", facts.docs),
		LOG_TEXT("health", facts.health), LOG_TEXT("metrics", facts.metrics),
		LOG_TEXT("admin", facts.admin), LOG_TEXT("try", facts.try_it));
}
