// SPDX-License-Identifier: Apache-2.0
/*
 * connection - sends operations into a pipeline, each with a sync of its own so that one failure never
 * aborts another, and takes their answers in the same order.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/secret.h"
#include "db/postgres.h"

enum { PREPARED = 0x80, GENERATION = 0x7f, NAME_MAX_BYTES = 64, NULLS_MAX = 4 };

/* Session settings. The server gives up a statement shortly after we did, ends a transaction that was
 * forgotten, and (PostgreSQL 14 and later) notices within a second that we have hung up: closing a
 * connection cancels what runs on it. */
static const char session_sql[] =
	"SELECT set_config('TimeZone', 'UTC', false),"
	" set_config('statement_timeout', $1, false),"
	" set_config('idle_in_transaction_session_timeout', $2, false),"
	" set_config(CASE WHEN current_setting('client_connection_check_interval', true) IS NULL"
	" THEN 'millrace.ignored' ELSE 'client_connection_check_interval' END, '1000', false)";

static void on_ready(uv_poll_t *handle, int status, int events);

/* ---- life ------------------------------------------------------------------------------------ */

static void on_connect_timeout(struct timer *timer)
{
	struct postgres_connection *connection = (struct postgres_connection *)((char *)timer -
		offsetof(struct postgres_connection, timer));

	postgres_connection_break(
		connection, "connecting took longer than database.connect_timeout");
	postgres_connection_close(connection, FAILURE_UNAVAILABLE);
}

/* A tenth either way, so that connections opened together do not end together. */
static uint64_t pick_lifetime_ns(const struct db_settings *settings)
{
	uint64_t lifetime_ms = (uint64_t)settings->connection_lifetime_ms;
	uint32_t random;

	secret_random(&random, sizeof(random));
	return (lifetime_ms - lifetime_ms / 10 + random % (lifetime_ms / 5 + 1)) * 1000000;
}

struct postgres_connection *postgres_connection_open(struct postgres_pool *pool)
{
	const struct db_settings *settings = &pool->base.db->settings;
	struct postgres_connection *connection = calloc(1, sizeof(*connection));

	if (connection == NULL)
		return NULL;
	connection->pool = pool;
	TAILQ_INIT(&connection->flight);
	connection->opened_ns = clock_now_ns();
	connection->lifetime_ns = pick_lifetime_ns(settings);
	connection->state = POSTGRES_CONNECTING;
	TAILQ_INSERT_TAIL(&pool->lists[POSTGRES_CONNECTING], connection, entry);
	pool->counts[POSTGRES_CONNECTING]++;
	timer_init(&connection->timer, on_connect_timeout);
	timer_set(pool->base.loop, &connection->timer, (uint64_t)settings->connect_timeout_ms);
	postgres_connect_start(connection);
	return connection;
}

void postgres_connection_free(struct postgres_connection *connection)
{
	struct postgres_pool *pool = connection->pool;

	TAILQ_REMOVE(&pool->lists[connection->state], connection, entry);
	pool->counts[connection->state]--;
	free(connection->prepared);
	free(connection);
}

void postgres_connection_break(struct postgres_connection *connection, const char *cause)
{
	if (connection->is_broken)
		return;
	connection->is_broken = true;
	/* libpq may have closed its socket, whose number the next accept gets: no watch outlives it. */
	postgres_connect_unwatch(connection);
	postgres_message_copy(connection->cause, sizeof(connection->cause), cause);
	postgres_pool_kick(connection->pool);
}

/* What is left of it: nothing that a callback or a list could still reach, but a name lookup. */
static void let_go(struct postgres_connection *connection)
{
	struct postgres_pool *pool = connection->pool;

	timer_clear(&connection->timer);
	if (connection->is_dirty)
		SLIST_REMOVE(&pool->dirty, connection, postgres_connection, dirty);
	connection->is_dirty = false;
	if (connection->is_live)
		atomic_fetch_sub(&pool->postgres->live, 1);
	if (connection->hold != NULL)
		connection->hold->connection = NULL;
	connection->hold = NULL;
	postgres_connect_unwatch(connection);
	PQfinish(connection->libpq);
	connection->libpq = NULL;
	postgres_move(connection, POSTGRES_CLOSED);
}

void postgres_connection_close(struct postgres_connection *connection, enum failure failure)
{
	struct postgres_pool *pool = connection->pool;
	bool was_connecting = connection->state == POSTGRES_CONNECTING;
	char cause[CAUSE_MAX];

	assert(connection->state != POSTGRES_CLOSED);
	memcpy(cause, connection->cause, sizeof(cause));
	let_go(connection);
	while (!TAILQ_EMPTY(&connection->flight)) {
		struct postgres_op *op = TAILQ_FIRST(&connection->flight);

		TAILQ_REMOVE(&connection->flight, op, entry);
		postgres_op_fail(op, failure, cause);
	}
	if (!connection->is_looking_up)
		postgres_connection_free(connection);
	else
		uv_cancel((uv_req_t *)&connection->lookup);
	if (was_connecting)
		postgres_pool_connect_failed(pool, cause);
	else
		postgres_pool_kick(pool);
}

bool postgres_connection_is_stalled(const struct postgres_connection *connection)
{
	return connection->in_flight > 0 &&
		clock_now_ns() - connection->progress_ns > LANE_STALL_MS * UINT64_C(1000000);
}

/* ---- prepared statements --------------------------------------------------------------------- */

static uint8_t *prepared_entry(struct postgres_connection *connection, uint32_t number)
{
	size_t count = connection->prepared_count == 0 ? 64 : connection->prepared_count;
	uint8_t *grown;

	if (number < connection->prepared_count)
		return &connection->prepared[number];
	while (count <= number)
		count *= 2;
	grown = realloc(connection->prepared, count);
	if (grown == NULL)
		return NULL;
	memset(grown + connection->prepared_count, 0, count - connection->prepared_count);
	connection->prepared = grown;
	connection->prepared_count = count;
	return &grown[number];
}

void postgres_connection_forget(
	struct postgres_connection *connection, const struct postgres_op *op)
{
	uint8_t *entry = &connection->prepared[op->info->number];

	/* Many may have been in flight under the name that one of them has given up already. */
	if ((*entry & GENERATION) == op->generation)
		*entry = (uint8_t)((*entry + 1) & GENERATION);
}

/* The server knows only the first 63 bytes of a name, and another statement may have it. */
static const char *prepared_name(const struct postgres_op *op, char buffer[static NAME_MAX_BYTES])
{
	const char *name = op->info->statement->name;

	if (op->generation == 0 && strlen(name) < NAME_MAX_BYTES)
		return name;
	snprintf(buffer, NAME_MAX_BYTES, "%.40s:%u:%u", name, op->info->number, op->generation);
	return buffer;
}

/* ---- sending --------------------------------------------------------------------------------- */

static bool send_command(struct postgres_connection *connection, const char *sql)
{
	return PQsendQueryParams(connection->libpq, sql, 0, NULL, NULL, NULL, NULL, 0) == 1;
}

static bool send_prepare(struct postgres_connection *connection, struct postgres_op *op,
	const char *name, uint8_t *entry)
{
	const struct db_statement *statement = op->info->statement;
	Oid types[DB_PARAMS_MAX];
	int count;

	postgres_params_types(statement, types, &count);
	op->prepares = true;
	op->main_command++;
	*entry |= PREPARED;
	return PQsendPrepare(connection->libpq, name, statement->sql, count, types) == 1;
}

static bool send_query(struct postgres_connection *connection, struct postgres_op *op,
	const struct db_value *values, size_t value_count)
{
	uint8_t *entry = prepared_entry(connection, op->info->number);
	struct postgres_params params;
	char buffer[NAME_MAX_BYTES];
	const char *name;

	if (entry == NULL)
		return false;
	op->generation = *entry & GENERATION;
	name = prepared_name(op, buffer);
	if (!(*entry & PREPARED) && !send_prepare(connection, op, name, entry))
		return false;
	op->has_savepoint = connection->hold != NULL && op->info->statement->expects != 0;
	if (op->has_savepoint) {
		op->main_command++;
		if (!send_command(connection, "SAVEPOINT millrace"))
			return false;
	}
	postgres_params_encode(&params, values, value_count);
	if (PQsendQueryPrepared(connection->libpq, name, params.count, params.values,
		    params.lengths, params.formats, 1) != 1)
		return false;
	return !op->has_savepoint || send_command(connection, "RELEASE SAVEPOINT millrace");
}

static bool send_session(struct postgres_connection *connection)
{
	const struct db_settings *settings = &connection->pool->base.db->settings;
	char statement_ms[24], idle_ms[24];
	const char *values[] = {statement_ms, idle_ms};
	int64_t timeout_ms = settings->statement_timeout_ms;

	snprintf(statement_ms, sizeof(statement_ms), "%lld", (long long)timeout_ms + 250);
	snprintf(idle_ms, sizeof(idle_ms), "%lld",
		(long long)(timeout_ms > 60000 ? timeout_ms : 60000));
	return PQsendQueryParams(connection->libpq, session_sql, 2, NULL, values, NULL, NULL, 0) ==
		1;
}

static bool send_kind(struct postgres_connection *connection, struct postgres_op *op,
	const struct db_value *values, size_t value_count)
{
	switch (op->kind) {
	case POSTGRES_QUERY:
		return send_query(connection, op, values, value_count);
	case POSTGRES_BEGIN:
		return send_command(connection, "BEGIN");
	case POSTGRES_COMMIT:
		return send_command(connection, "COMMIT");
	case POSTGRES_ROLLBACK:
		return send_command(connection, "ROLLBACK");
	case POSTGRES_SESSION:
		return send_session(connection);
	case POSTGRES_PING:
		return send_command(connection, "SELECT 1");
	}
	return false;
}

static bool send_sync(struct postgres_connection *connection)
{
#ifdef LIBPQ_HAS_SEND_PIPELINE_SYNC
	return PQsendPipelineSync(connection->libpq) == 1;
#else
	/* libpq before 17 writes at each sync: one system call a statement. */
	return PQpipelineSync(connection->libpq) == 1;
#endif
}

static void mark_dirty(struct postgres_connection *connection)
{
	if (connection->is_dirty)
		return;
	connection->is_dirty = true;
	SLIST_INSERT_HEAD(&connection->pool->dirty, connection, dirty);
}

void postgres_connection_send(struct postgres_connection *connection, struct postgres_op *op,
	const struct db_value *values, size_t value_count)
{
	op->connection = connection;
	op->sent_ns = clock_now_ns();
	if (connection->in_flight == 0)
		connection->progress_ns = op->sent_ns;
	TAILQ_INSERT_TAIL(&connection->flight, op, entry);
	connection->in_flight++;
	mark_dirty(connection);
	if (connection->is_broken)
		return;
	if (!send_kind(connection, op, values, value_count) || !send_sync(connection))
		postgres_connection_break(connection, PQerrorMessage(connection->libpq));
}

void postgres_connection_unwind(struct postgres_connection *connection, struct postgres_op *op)
{
	op->is_unwinding = true;
	op->command = 0;
	mark_dirty(connection);
	if (!send_command(connection, "ROLLBACK TO SAVEPOINT millrace") ||
		!send_command(connection, "RELEASE SAVEPOINT millrace") || !send_sync(connection))
		postgres_connection_break(connection, PQerrorMessage(connection->libpq));
}

void postgres_connection_flush(struct postgres_connection *connection)
{
	int left;

	if (connection->is_broken)
		return;
	left = PQflush(connection->libpq);
	if (left < 0)
		postgres_connection_break(connection, PQerrorMessage(connection->libpq));
	else
		postgres_connect_watch(
			connection, left > 0 ? UV_READABLE | UV_WRITABLE : UV_READABLE, on_ready);
}

/* ---- answers --------------------------------------------------------------------------------- */

static void take_answer(struct postgres_op *op, PGresult *answer)
{
	ExecStatusType status = PQresultStatus(answer);
	bool is_good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;

	if (is_good && op->command == op->main_command && op->rows == NULL) {
		op->rows = answer;
	} else if (!is_good && status != PGRES_PIPELINE_ABORTED && op->error == NULL) {
		op->error = answer;
		op->error_command = op->command;
	} else {
		PQclear(answer);
	}
	op->command++;
}

/* A command is answered by one result and a NULL, a sync by one result. */
static void take_answers(struct postgres_connection *connection)
{
	unsigned nulls = 0;

	while (!connection->is_broken && connection->in_flight > 0 &&
		!PQisBusy(connection->libpq)) {
		struct postgres_op *op = TAILQ_FIRST(&connection->flight);
		PGresult *answer = PQgetResult(connection->libpq);

		if (answer == NULL) {
			if (++nulls > NULLS_MAX)
				postgres_connection_break(connection, "it answered out of step");
			continue;
		}
		nulls = 0;
		if (PQresultStatus(answer) == PGRES_PIPELINE_SYNC) {
			PQclear(answer);
			postgres_op_finish(op);
		} else {
			take_answer(op, answer);
		}
		if (PQstatus(connection->libpq) == CONNECTION_BAD)
			postgres_connection_break(connection, PQerrorMessage(connection->libpq));
	}
}

static void drop_notifications(struct postgres_connection *connection)
{
	PGnotify *notification;

	while ((notification = PQnotifies(connection->libpq)) != NULL)
		PQfreemem(notification);
}

static void read_answers(struct postgres_connection *connection)
{
	connection->pool->now_ns = clock_now_ns();
	if (PQconsumeInput(connection->libpq) != 1) {
		/* What came before the end still counts: an answer, or the server's reason. */
		postgres_connect_unwatch(connection);
		take_answers(connection);
		postgres_connection_break(connection, PQerrorMessage(connection->libpq));
		return;
	}
	take_answers(connection);
	if (!connection->is_broken)
		drop_notifications(connection);
}

static void on_ready(uv_poll_t *handle, int status, int events)
{
	struct postgres_connection *connection = handle->data;
	struct postgres_pool *pool = connection->pool;

	/* An error on the socket (libuv calls each UV_EBADF) may stand behind answers. */
	if (status < 0 || (events & UV_READABLE))
		read_answers(connection);
	if (status < 0)
		postgres_connection_break(connection, "its socket has failed");
	if ((events & UV_WRITABLE) && !connection->is_broken)
		postgres_connection_flush(connection);
	if (connection->is_broken)
		postgres_connection_close(connection, FAILURE_UNAVAILABLE);
	postgres_pool_serve(pool);
}
