// SPDX-License-Identifier: Apache-2.0
#include "test/db/postgres_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/secret.h"

static const char schema_sql[] =
	"CREATE TABLE authors (id bigint PRIMARY KEY, name text NOT NULL UNIQUE);"
	"CREATE TABLE books (id bigint PRIMARY KEY, author_id bigint NOT NULL REFERENCES authors (id),"
	" title text NOT NULL, pages bigint CHECK (pages > 0));"
	"CREATE TYPE colour AS ENUM ('red', 'green');"
	"CREATE TABLE kinds (a_text text, an_int bigint, a_bool boolean, a_uuid uuid,"
	" a_time timestamptz, some_bytes bytea, a_double float8, a_choice text)";

static const char *server_url(void)
{
	return getenv("MILLRACE_TEST_POSTGRES_URL");
}

void postgres_fixture_need_server(void)
{
	if (server_url() == NULL) {
		puts("MILLRACE_TEST_POSTGRES_URL is not set: skipped");
		exit(77);
	}
}

static void execute_on(PGconn *libpq, const char *sql)
{
	PGresult *result = PQexec(libpq, sql);

	if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQresultErrorMessage(result));
	PQclear(result);
}

static void execute_on_server(const char *sql)
{
	PGconn *libpq = PQconnectdb(server_url());

	assert_int_equal(PQstatus(libpq), CONNECTION_OK);
	execute_on(libpq, sql);
	PQfinish(libpq);
}

/* The same URL with another database: postgresql://user@host:port/HERE?options */
static void name_database(struct postgres_fixture *fixture)
{
	const char *authority = strstr(server_url(), "://") + 3;
	const char *path = strchr(authority, '/');
	const char *options = strchr(authority, '?');
	size_t before = path != NULL ? (size_t)(path - server_url()) : strlen(server_url());

	snprintf(fixture->url, sizeof(fixture->url), "%.*s/%s%s", (int)before, server_url(),
		fixture->name, options != NULL ? options : "");
}

void postgres_fixture_init(struct postgres_fixture *fixture)
{
	char sql[128];
	uint32_t random;

	memset(fixture, 0, sizeof(*fixture));
	secret_random(&random, sizeof(random));
	snprintf(fixture->name, sizeof(fixture->name), "millrace_test_%d_%08x", getpid(), random);
	snprintf(sql, sizeof(sql), "CREATE DATABASE %s TEMPLATE template0 ENCODING 'UTF8'",
		fixture->name);
	execute_on_server(sql);
	name_database(fixture);
	postgres_fixture_execute(fixture, schema_sql);
	arena_init(&fixture->arena, NULL, 4 << 20);
	fixture->settings = (struct db_settings) {
		.url = text_from_c(fixture->url),
		.connections_max = 4,
		.connections_idle = 2,
		.connection_lifetime_ms = 600000,
		.connection_idle_ms = 600000,
		.connect_timeout_ms = 10000,
		.acquire_timeout_ms = 20000,
		.statement_timeout_ms = 20000,
		.slow_query_ms = 60000,
		.queue_max = 1024,
	};
}

void postgres_fixture_start(struct postgres_fixture *fixture)
{
	fixture->db = db_open(
		&fixture->settings, NULL, NULL, TEXT("/nowhere"), &fixture->arena, &fixture->error);
	if (fixture->db == NULL)
		fail_msg("%.*s", TEXT_ARG(fixture->error));
	assert_int_equal(loop_init(&fixture->loop, 0), 0);
	fixture->has_loop = true;
	assert_int_equal(db_attach(fixture->db, &fixture->loop), 0);
}

void postgres_fixture_open(struct postgres_fixture *fixture)
{
	postgres_fixture_init(fixture);
	postgres_fixture_start(fixture);
}

void postgres_fixture_stop(struct postgres_fixture *fixture)
{
	if (fixture->has_loop) {
		db_detach(&fixture->loop);
		/* What is still rolled back or drained needs the loop's timers. */
		turn_idle(&fixture->loop);
		loop_stop(&fixture->loop);
		loop_run(&fixture->loop);
		loop_deinit(&fixture->loop);
		fixture->has_loop = false;
	}
	db_close(fixture->db);
	fixture->db = NULL;
}

void postgres_fixture_close(struct postgres_fixture *fixture)
{
	char sql[128];

	postgres_fixture_stop(fixture);
	arena_deinit(&fixture->arena);
	snprintf(sql, sizeof(sql), "DROP DATABASE %s WITH (FORCE)", fixture->name);
	execute_on_server(sql);
}

static void on_end(struct flow *flow, enum failure failure, const char *cause)
{
	struct ending *ending = flow->owner_data;

	ending->count++;
	ending->failure = failure;
	snprintf(ending->cause, sizeof(ending->cause), "%s", cause != NULL ? cause : "");
}

static const struct flow_owner owner = {.on_end = on_end};

struct flow *postgres_fixture_flow(
	struct postgres_fixture *fixture, struct ending *ending, uint64_t deadline_ms, void *state)
{
	struct flow *flow = flow_new(&fixture->loop, &owner, ending, deadline_ms, 1 << 20);

	assert_non_null(flow);
	*ending = (struct ending) {0};
	flow->state = state;
	return flow;
}

static bool has_ended(void *context)
{
	return ((struct ending *)context)->count > 0;
}

void postgres_fixture_await(struct postgres_fixture *fixture, struct ending *ending)
{
	assert_true(turn_until(&fixture->loop, has_ended, ending));
	assert_int_equal(ending->count, 1);
}

struct ending postgres_fixture_run(struct postgres_fixture *fixture, const struct flow_step *steps,
	uint64_t deadline_ms, void *state)
{
	struct ending ending;

	flow_start(postgres_fixture_flow(fixture, &ending, deadline_ms, state), steps);
	postgres_fixture_await(fixture, &ending);
	return ending;
}

PGconn *postgres_fixture_stranger(const struct postgres_fixture *fixture)
{
	PGconn *libpq = PQconnectdb(fixture->url);

	if (PQstatus(libpq) != CONNECTION_OK)
		fail_msg("%s", PQerrorMessage(libpq));
	return libpq;
}

void postgres_fixture_execute(const struct postgres_fixture *fixture, const char *sql)
{
	PGconn *libpq = postgres_fixture_stranger(fixture);

	execute_on(libpq, sql);
	PQfinish(libpq);
}

static int64_t number_on(PGconn *libpq, const char *sql)
{
	PGresult *result = PQexec(libpq, sql);
	int64_t number;

	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
		fail_msg("%s: %s", sql, PQresultErrorMessage(result));
	number = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return number;
}

int64_t postgres_fixture_number(const struct postgres_fixture *fixture, const char *sql)
{
	PGconn *libpq = postgres_fixture_stranger(fixture);
	int64_t number = number_on(libpq, sql);

	PQfinish(libpq);
	return number;
}

struct awaited {
	PGconn *libpq;
	const char *sql;
	int64_t expected;
};

static bool is_number(void *context)
{
	const struct awaited *awaited = context;

	return number_on(awaited->libpq, awaited->sql) == awaited->expected;
}

void postgres_fixture_await_number(
	struct postgres_fixture *fixture, const char *sql, int64_t expected)
{
	struct awaited awaited = {
		.libpq = postgres_fixture_stranger(fixture),
		.sql = sql,
		.expected = expected,
	};

	assert_true(turn_until(&fixture->loop, is_number, &awaited));
	PQfinish(awaited.libpq);
}
