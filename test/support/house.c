// SPDX-License-Identifier: Apache-2.0
#include "test/support/house.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/secret.h"
#include "domains/ops/ops.h"
#include "http/document.h"
#include "http/server.h"
#include "test/support/walk.h"

enum { ARENA_BYTES = 64 * 1024 * 1024, SCOPES_MAX = 64 };

static void *defaults(const struct setting_group *group, struct arena *arena)
{
	void *settings = arena_zalloc(arena, group->size);
	struct text error;

	for (size_t i = 0; i < group->row_count; i++) {
		const struct setting *row = &group->rows[i];

		if (row->fallback[0] != '\0' &&
			!setting_parse(row, text_from_c(row->fallback), settings, arena, &error))
			fail_msg("%s: %.*s", row->key, TEXT_ARG(error));
	}
	return settings;
}

static void run_sql(const char *url, const char *sql)
{
	PGconn *connection = PQconnectdb(url);
	PGresult *result = PQexec(connection, sql);

	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(connection));
	PQclear(result);
	PQfinish(connection);
}

static bool make_database(struct house *house, const char *engine)
{
	const char *url = getenv("MILLRACE_TEST_POSTGRES_URL");
	const char *name;
	uint32_t number;
	char sql[128];

	if (strcmp(engine, "sqlite") == 0)
		return true;
	if (url == NULL)
		return false;
	secret_random(&number, sizeof(number));
	snprintf(house->database, sizeof(house->database), "house_%08x", number);
	snprintf(sql, sizeof(sql), "CREATE DATABASE %s", house->database);
	run_sql(url, sql);
	name = strrchr(url, '/');
	snprintf(
		house->url, sizeof(house->url), "%.*s/%s", (int)(name - url), url, house->database);
	return true;
}

static void migrate(struct house *house)
{
	struct migration_list lists[DOMAINS_MAX];
	struct text error = TEXT_ABSENT;
	size_t count = 0, done;

	for (; domain_list[count] != NULL; count++)
		lists[count] = domain_list[count]->migrations;
	if (!migrations_up(&house->db_settings, text_from_c(house->folder), lists, count, 0, NULL,
		    NULL, &house->arena, &done, &error))
		fail_msg("migrations: %.*s", TEXT_ARG(error));
}

static void open_database(struct house *house)
{
	struct text error = TEXT_ABSENT;

	house->db_settings = *(struct db_settings *)defaults(&db_setting_group, &house->arena);
	house->db_settings.url = house->url[0] != '\0' ? text_from_c(house->url) : TEXT_ABSENT;
	migrate(house);
	house->db = db_open(&house->db_settings, house->metrics, NULL, text_from_c(house->folder),
		&house->arena, &error);
	if (house->db == NULL)
		fail_msg("db_open: %.*s", TEXT_ARG(error));
	assert_int_equal(db_attach(house->db, &house->loop), 0);
}

static void open_domains(struct house *house)
{
	struct text error = TEXT_ABSENT;

	house->context = (struct domain_context) {
		.arena = &house->arena,
		.metrics = house->metrics,
		.db = house->db,
		.loop_count = 1,
		.data_dir = text_from_c(house->folder),
		.version = "test",
	};
	house->domains.context = &house->context;
	house->loop.domains = &house->domains;
	for (size_t i = 0; domain_list[i] != NULL; i++) {
		const struct domain *domain = domain_list[i];
		void *settings = domain->settings ? defaults(domain->settings, &house->arena)
						  : NULL;

		if (domain->open != NULL &&
			!domain->open(&house->context, settings, &house->domains.states[i], &error))
			fail_msg("%s: %.*s", domain->name, TEXT_ARG(error));
	}
}

static void open_server(struct house *house)
{
	const struct scope *scopes[SCOPES_MAX] = {&document_scope};
	struct http_settings *settings = defaults(&http_setting_group, &house->arena);
	struct text error = TEXT_ABSENT;
	size_t count = 1;

	for (size_t i = 0; domain_list[i] != NULL; i++)
		for (size_t j = 0; j < domain_list[i]->scope_count; j++)
			scopes[count++] = domain_list[i]->scopes[j];
	house->router = router_new(scopes, count, &house->arena, &error);
	if (house->router == NULL)
		fail_msg("router_new: %.*s", TEXT_ARG(error));
	settings->port = 0;
	settings->ops_port = 0;
	house->server = http_server_new(
		settings, house->router, house->metrics, NULL, &house->arena, &error);
	if (house->server == NULL)
		fail_msg("http_server_new: %.*s", TEXT_ARG(error));
	assert_int_equal(http_attach(house->server, &house->loop), 0);
}

bool house_open(struct house *house, const char *engine)
{
	*house = (struct house) {0};
	if (!make_database(house, engine))
		return false;
	temporary_template(house->folder);
	assert_non_null(mkdtemp(house->folder));
	arena_init(&house->arena, NULL, ARENA_BYTES);
	house->metrics = metrics_new();
	assert_int_equal(loop_init(&house->loop, 0), 0);
	house->loop.metrics = metric_shard_new(house->metrics);
	open_database(house);
	open_domains(house);
	open_server(house);
	ops_set_ready(&house->domains);
	return true;
}

static void on_drained(struct loop *loop)
{
	((struct house *)((char *)loop - offsetof(struct house, loop)))->drained = true;
}

static bool is_drained(void *context)
{
	return ((struct house *)context)->drained;
}

static void remove_folder(const char *folder)
{
	char command[TEMPORARY_MAX + 32];

	snprintf(command, sizeof(command), "rm -rf -- '%s'", folder);
	assert_int_equal(system(command), 0);
}

static void drop_database(struct house *house)
{
	char sql[128];

	if (house->database[0] == '\0')
		return;
	snprintf(sql, sizeof(sql), "DROP DATABASE %s WITH (FORCE)", house->database);
	run_sql(getenv("MILLRACE_TEST_POSTGRES_URL"), sql);
}

void house_close(struct house *house)
{
	http_drain(&house->loop, on_drained);
	assert_true(turn_until(&house->loop, is_drained, house));
	assert_int_equal(house->loop.flow_count, 0);
	db_detach(&house->loop);
	loop_stop(&house->loop);
	loop_run(&house->loop);
	for (size_t i = 0; domain_list[i] != NULL; i++)
		if (domain_list[i]->close != NULL)
			domain_list[i]->close(house->domains.states[i]);
	db_close(house->db);
	http_server_free(house->server);
	router_free(house->router);
	loop_deinit(&house->loop);
	metrics_free(house->metrics);
	arena_deinit(&house->arena);
	remove_folder(house->folder);
	drop_database(house);
}

int house_connect(struct house *house)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(http_server_port(house->server, LISTENER_API)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* The kernel's backlog takes the connection before the loop turns. */
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

struct asking {
	int fd;
	char *answer;
	size_t len, size;
	bool over;
};

static bool has_answer(void *context)
{
	struct asking *asking = context;
	ssize_t got = recv(
		asking->fd, asking->answer + asking->len, asking->size - 1 - asking->len, 0);

	if (got > 0)
		asking->len += (size_t)got;
	else if (got == 0 || errno != EAGAIN)
		asking->over = true;
	asking->answer[asking->len] = '\0';
	return asking->over;
}

int house_ask(struct house *house, const char *request, char *answer, size_t answer_size)
{
	struct asking asking = {.fd = house_connect(house), .answer = answer, .size = answer_size};
	int status = 0;

	answer[0] = '\0';
	assert_int_equal(send(asking.fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	turn_until(&house->loop, has_answer, &asking);
	close(asking.fd);
	sscanf(answer, "HTTP/1.1 %d", &status);
	return status;
}
