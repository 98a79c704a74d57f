// SPDX-License-Identifier: Apache-2.0
/*
 * op - one operation from its flow to its answer: judged once all answers up to its sync are in.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/secret.h"
#include "db/postgres.h"
#include "db/sqlstate.h"

enum { RESULT_MAX_BYTES = 16 << 20 }; /* as on SQLite */

static void on_due(struct timer *timer);

struct postgres_op *postgres_op_new(struct postgres_pool *pool, enum postgres_kind kind)
{
	struct postgres_op *op = calloc(1, sizeof(*op));

	if (op == NULL)
		return NULL;
	op->pool = pool;
	op->kind = kind;
	op->asked_ns = clock_now_ns();
	op->result.driver = &postgres_rows;
	timer_init(&op->timer, on_due);
	return op;
}

void postgres_op_drop_values(struct postgres_op *op)
{
	if (op->values != NULL)
		secret_wipe(op->values, op->values_size);
	free(op->values);
	op->values = NULL;
}

void postgres_op_free(struct postgres_op *op)
{
	timer_clear(&op->timer);
	postgres_op_drop_values(op);
	PQclear(op->rows);
	PQclear(op->error);
	free(op->hold);
	free(op);
}

static bool has_bytes(const struct db_value *value)
{
	return !value->is_null && (value->kind == DB_TEXT || value->kind == DB_BYTES);
}

bool postgres_op_keep_values(struct postgres_op *op, const struct db_value *values, size_t count)
{
	size_t size = count * sizeof(*values);
	char *bytes;

	for (size_t i = 0; i < count; i++)
		size += has_bytes(&values[i]) ? values[i].text.len : 0;
	if (count == 0)
		return true;
	op->values = malloc(size);
	if (op->values == NULL)
		return false;
	op->values_size = size;
	op->value_count = count;
	memcpy(op->values, values, count * sizeof(*values));
	bytes = (char *)(op->values + count);
	for (size_t i = 0; i < count; i++) {
		if (!has_bytes(&values[i]))
			continue;
		if (values[i].text.len > 0)
			memcpy(bytes, values[i].text.data, values[i].text.len);
		op->values[i].text.data = bytes;
		bytes += values[i].text.len;
	}
	return true;
}

/* ---- judging --------------------------------------------------------------------------------- */

static const char *error_field(const struct postgres_op *op, int field)
{
	const char *value = op->error == NULL ? NULL : PQresultErrorField(op->error, field);

	return value == NULL ? "" : value;
}

static const char *op_name(const struct postgres_op *op)
{
	switch (op->kind) {
	case POSTGRES_QUERY:
		return op->info->statement->name;
	case POSTGRES_BEGIN:
		return "begin";
	case POSTGRES_COMMIT:
		return "commit";
	case POSTGRES_ROLLBACK:
		return "rollback";
	case POSTGRES_SESSION:
		return "session settings";
	case POSTGRES_PING:
		return "ping";
	}
	return "";
}

static bool is_expected(const struct postgres_op *op, enum db_outcome outcome)
{
	unsigned expects = op->kind == POSTGRES_QUERY ? op->info->statement->expects : 0;

	switch (outcome) {
	case DB_UNIQUE_VIOLATION:
		return expects & DB_EXPECTS_UNIQUE;
	case DB_FOREIGN_KEY_VIOLATION:
		return expects & DB_EXPECTS_FOREIGN_KEY;
	case DB_OK:
		return false;
	}
	return false;
}

static bool is_plan_outdated(const struct postgres_op *op);

static enum failure judge_error(struct postgres_op *op)
{
	const char *sqlstate = error_field(op, PG_DIAG_SQLSTATE);
	enum db_outcome outcome = sqlstate_outcome(sqlstate);
	const char *message = "";

	if (is_expected(op, outcome)) {
		op->result.outcome = outcome;
		snprintf(op->result.constraint, sizeof(op->result.constraint), "%s",
			error_field(op, PG_DIAG_CONSTRAINT_NAME));
		return FAILURE_NONE;
	}
	if (sqlstate[0] == '\0')
		message = PQresultErrorMessage(op->error);
	else if (sqlstate_message_is_safe(sqlstate))
		message = error_field(op, PG_DIAG_MESSAGE_PRIMARY);
	else
		message = error_field(op, PG_DIAG_CONSTRAINT_NAME);
	snprintf(op->cause, sizeof(op->cause), "%s: SQLSTATE %s%s%.100s", op_name(op),
		sqlstate[0] != '\0' ? sqlstate : "none", message[0] != '\0' ? ": " : "", message);
	return is_plan_outdated(op) ? FAILURE_RETRY : sqlstate_failure(sqlstate);
}

static int64_t affected_rows(const PGresult *rows)
{
	/* "" for statements that touch no rows. */
	return strtoll(PQcmdTuples((PGresult *)rows), NULL, 10);
}

static enum failure judge_success(struct postgres_op *op)
{
	if (op->rows == NULL) {
		snprintf(op->cause, sizeof(op->cause), "%s: no answer to it", op_name(op));
		return FAILURE_UNAVAILABLE;
	}
	/* COMMIT of a transaction that has failed is answered by ROLLBACK, without an error. */
	if (op->kind == POSTGRES_COMMIT && strcmp(PQcmdStatus(op->rows), "COMMIT") != 0) {
		snprintf(op->cause, sizeof(op->cause),
			"commit: a statement had failed, nothing was committed");
		return FAILURE_INTERNAL;
	}
	if (op->kind != POSTGRES_QUERY)
		return FAILURE_NONE;
	if (PQresultMemorySize(op->rows) > RESULT_MAX_BYTES) {
		snprintf(op->cause, sizeof(op->cause), "%.60s: a result of more than 16 MiB",
			op_name(op));
		return FAILURE_INVALID;
	}
	op->result.affected = affected_rows(op->rows);
	op->result.rows = (size_t)PQntuples(op->rows);
	if (!postgres_rows_check(op->info, op->rows, op->cause, sizeof(op->cause)))
		return FAILURE_INTERNAL;
	return FAILURE_NONE;
}

/* PostgreSQL keeps a plan for a prepared statement and refuses it when the columns have changed since, as
 * a migration may do. Nothing has run. */
static bool is_plan_outdated(const struct postgres_op *op)
{
	return strcmp(error_field(op, PG_DIAG_SQLSTATE), "0A000") == 0 &&
		strcmp(error_field(op, PG_DIAG_SOURCE_FUNCTION), "RevalidateCachedQuery") == 0;
}

/* It is gone (26000: DISCARD, a pooler), was never made, or is outdated: the next use prepares it again. */
static void check_prepared(struct postgres_op *op)
{
	if (op->kind != POSTGRES_QUERY || op->error == NULL)
		return;
	if ((op->prepares && op->error_command == 0) || is_plan_outdated(op) ||
		strcmp(error_field(op, PG_DIAG_SQLSTATE), "26000") == 0)
		postgres_connection_forget(op->connection, op);
}

/* ---- finishing ------------------------------------------------------------------------------- */

static void observe(struct postgres_op *op, enum failure failure)
{
	struct postgres_pool *pool = op->pool;
	uint64_t now_ns = pool->now_ns > op->sent_ns ? pool->now_ns : op->sent_ns;
	uint64_t busy_from_ns = op->connection->progress_ns;
	const char *error = NULL;

	if (op->kind != POSTGRES_QUERY)
		return;
	if (busy_from_ns < op->sent_ns)
		busy_from_ns = op->sent_ns;
	if (now_ns >= busy_from_ns)
		db_statement_learn(&pool->base, op->info, now_ns - busy_from_ns);
	if (op->is_observed)
		return;
	if (failure != FAILURE_NONE)
		error = op->error != NULL && error_field(op, PG_DIAG_SQLSTATE)[0] != '\0'
			? error_field(op, PG_DIAG_SQLSTATE)
			: failure_name(failure);
	db_statement_observe(&pool->base, op->info, op->op.flow, now_ns - op->sent_ns, error);
}

static void begin_done(struct postgres_op *op, enum failure failure)
{
	struct postgres_connection *connection = op->connection;

	if (failure != FAILURE_NONE || op->op.flow == NULL)
		return;
	connection->hold = op->hold;
	connection->hold->connection = connection;
	op->op.flow->hold = &connection->hold->hold;
	op->hold = NULL;
}

static void session_done(struct postgres_op *op, enum failure failure)
{
	if (failure != FAILURE_NONE)
		postgres_connection_break(op->connection, op->cause);
	else
		postgres_pool_connected(op->connection);
}

/* The connection first, so that the flow's next step finds it free again. */
static void give_connection_back(struct postgres_op *op, enum failure failure)
{
	struct postgres_connection *connection = op->connection;

	TAILQ_REMOVE(&connection->flight, op, entry);
	connection->in_flight--;
	if (op->pool->now_ns > connection->progress_ns)
		connection->progress_ns = op->pool->now_ns;
	if (sqlstate_ends_connection(error_field(op, PG_DIAG_SQLSTATE)))
		postgres_connection_break(connection, op->cause);
	if (op->kind == POSTGRES_BEGIN)
		begin_done(op, failure);
	if (op->kind == POSTGRES_SESSION)
		session_done(op, failure);
	else if (connection->in_flight == 0 && connection->hold == NULL)
		postgres_pool_give_back(connection, op->kind != POSTGRES_PING);
}

/* Within a transaction a violation, expected or not, spoils the transaction; an expected one is undone to
 * the savepoint, so that the next step may go on as it may on SQLite. */
static bool unwind(struct postgres_op *op)
{
	if (!op->has_savepoint || op->is_unwinding || op->result.outcome == DB_OK ||
		op->op.flow == NULL)
		return false;
	PQclear(op->error);
	op->error = NULL;
	postgres_connection_unwind(op->connection, op);
	return true;
}

void postgres_op_finish(struct postgres_op *op)
{
	enum failure failure = FAILURE_NONE;

	if (op->error != NULL)
		failure = judge_error(op);
	else if (op->result.outcome == DB_OK)
		failure = judge_success(op);
	check_prepared(op);
	if (failure == FAILURE_NONE && unwind(op))
		return;
	timer_clear(&op->timer);
	observe(op, failure);
	give_connection_back(op, failure);
	if (failure == FAILURE_NONE)
		flow_complete(&op->op, &op->result);
	else
		flow_complete_failed(&op->op, failure, op->cause);
	postgres_op_free(op);
}

void postgres_op_fail(struct postgres_op *op, enum failure failure, const char *cause)
{
	timer_clear(&op->timer);
	if (op->kind == POSTGRES_COMMIT && op->connection != NULL)
		snprintf(op->cause, sizeof(op->cause), "commit outcome unknown: %.150s", cause);
	else
		snprintf(op->cause, sizeof(op->cause), "%.40s: %.140s", op_name(op), cause);
	if (op->kind == POSTGRES_QUERY && !op->is_observed && op->connection != NULL)
		db_statement_observe(&op->pool->base, op->info, op->op.flow,
			clock_now_ns() - op->sent_ns, failure_name(failure));
	flow_complete_failed(&op->op, failure, op->cause);
	postgres_op_free(op);
}

/* ---- running out of time --------------------------------------------------------------------- */

static void waited_too_long(struct postgres_op *op)
{
	postgres_pool_leave_line(op);
	postgres_op_fail(op, FAILURE_BUSY, "no connection within database.acquire_timeout");
}

static void ran_too_long(struct postgres_op *op)
{
	struct postgres_pool *pool = op->pool;

	timer_set(pool->base.loop, &op->timer, DRAIN_MS);
	if (op->kind == POSTGRES_QUERY) {
		op->is_observed = true;
		db_statement_observe(&pool->base, op->info, op->op.flow,
			clock_now_ns() - op->sent_ns, failure_name(FAILURE_DEADLINE));
	}
	snprintf(op->cause, sizeof(op->cause), "%.60s: longer than database.statement_timeout%s",
		op_name(op), op->kind == POSTGRES_COMMIT ? ", outcome unknown" : "");
	/* The transaction rolls back after BEGIN, which may yet come. */
	if (op->kind == POSTGRES_BEGIN) {
		postgres_connection_break(op->connection, "BEGIN was not answered");
		return;
	}
	flow_complete_failed(&op->op, FAILURE_DEADLINE, op->cause);
}

/* It begins when what stands before it is answered, which has time limits of its own. */
static uint64_t drain_left_ms(const struct postgres_op *op)
{
	uint64_t running_ms = (clock_now_ns() - op->connection->progress_ns) / 1000000;

	if (op != TAILQ_FIRST(&op->connection->flight))
		return DRAIN_MS;
	return running_ms < DRAIN_MS ? DRAIN_MS - running_ms : 0;
}

static void on_due(struct timer *timer)
{
	struct postgres_op *op = (struct postgres_op *)((char *)timer -
		offsetof(struct postgres_op, timer));

	if (op->connection == NULL) {
		waited_too_long(op);
	} else if (op->op.flow != NULL) {
		ran_too_long(op);
	} else if (drain_left_ms(op) > 0) {
		timer_set(op->pool->base.loop, timer, drain_left_ms(op));
	} else {
		postgres_connection_break(op->connection, "an abandoned statement did not end");
		postgres_connection_close(op->connection, FAILURE_UNAVAILABLE);
	}
}

/* ---- the flow has gone ----------------------------------------------------------------------- */

static void roll_back_begun(struct postgres_connection *connection)
{
	struct postgres_op *rollback = postgres_op_new(connection->pool, POSTGRES_ROLLBACK);

	if (rollback == NULL) {
		postgres_connection_break(connection, "no memory to roll back");
		return;
	}
	postgres_connection_send(connection, rollback, NULL, 0);
	timer_set(connection->pool->base.loop, &rollback->timer, DRAIN_MS);
}

static void abandon(struct op *base)
{
	struct postgres_op *op = (struct postgres_op *)base;

	if (op->connection == NULL) {
		postgres_pool_leave_line(op);
		postgres_op_free(op);
		return;
	}
	timer_set(op->pool->base.loop, &op->timer, DRAIN_MS);
	if (op->kind == POSTGRES_BEGIN)
		roll_back_begun(op->connection);
	postgres_pool_left(op->connection);
}

const struct op_driver postgres_driver = {.name = "postgresql", .abandon = abandon};

void postgres_hold_release(struct flow_hold *base)
{
	struct postgres_hold *hold = (struct postgres_hold *)base;
	struct postgres_connection *connection = hold->connection;

	free(hold);
	if (connection == NULL)
		return;
	connection->hold = NULL;
	roll_back_begun(connection);
	postgres_pool_left(connection);
}
