// SPDX-License-Identifier: Apache-2.0
/*
 * postgres - the engine's table: what a step's call becomes.
 */
#include "db/postgres.h"

#include <assert.h>
#include <stdlib.h>

/* ---- process-wide ---------------------------------------------------------------------------- */

static bool postgres_open(struct db *db, struct arena *arena, struct text *error_out)
{
	struct postgres *postgres = calloc(1, sizeof(*postgres));

	if (postgres == NULL)
		return false;
	postgres->db = db;
	if (!PQisthreadsafe()) {
		*error_out = TEXT("this libpq was built without threads");
		free(postgres);
		return false;
	}
	if (!postgres_url_parse(db->url.data, postgres, arena, error_out)) {
		free(postgres);
		return false;
	}
	db->state = postgres;
	return true;
}

static void postgres_close(struct db *db)
{
	struct postgres *postgres = db->state;

	postgres_url_free(postgres);
	free(postgres);
	db->state = NULL;
}

static struct text postgres_describe(const struct db *db, struct arena *arena)
{
	return postgres_url_describe(db->state, arena);
}

static bool postgres_is_up(const struct db *db)
{
	const struct postgres *postgres = db->state;

	return atomic_load_explicit(&postgres->live, memory_order_relaxed) > 0;
}

/* ---- statements ------------------------------------------------------------------------------ */

static struct postgres_pool *pool_of(struct flow *flow)
{
	return (struct postgres_pool *)flow->loop->db;
}

static const char *refusal(enum failure failure)
{
	if (failure == FAILURE_BUSY)
		return "database.queue_max statements wait already";
	return failure == FAILURE_MEMORY ? "no memory for the statement"
					 : "the database does not answer";
}

static enum flow_verdict place(struct flow *flow, struct postgres_op *op,
	const struct db_value *values, size_t value_count)
{
	enum failure failure = FAILURE_NONE;

	if (!postgres_pool_place(pool_of(flow), op, values, value_count, &failure)) {
		postgres_op_free(op);
		return flow_fail(flow, failure, refusal(failure));
	}
	return flow_wait(flow, &op->op, &postgres_driver);
}

/* On the connection of the flow's transaction. */
static enum flow_verdict place_in_transaction(struct flow *flow, struct postgres_op *op,
	const struct db_value *values, size_t value_count)
{
	struct postgres_hold *hold = (struct postgres_hold *)flow->hold;
	struct postgres_pool *pool = pool_of(flow);

	if (hold->connection == NULL) {
		postgres_op_free(op);
		return flow_fail(
			flow, FAILURE_UNAVAILABLE, "the connection of the transaction was lost");
	}
	postgres_connection_send(hold->connection, op, values, value_count);
	timer_set(pool->base.loop, &op->timer,
		(uint64_t)pool->base.db->settings.statement_timeout_ms);
	return flow_wait(flow, &op->op, &postgres_driver);
}

static enum flow_verdict postgres_query(struct flow *flow, const struct db_statement *statement,
	const struct db_value *values, size_t value_count)
{
	struct postgres_pool *pool = pool_of(flow);
	struct db_statement_info *info = db_statement_info(&pool->base, statement);
	struct postgres_op *op = info == NULL ? NULL : postgres_op_new(pool, POSTGRES_QUERY);

	if (op == NULL)
		return flow_fail(flow, FAILURE_MEMORY, "no memory for the statement");
	op->info = info;
	op->result.statement = statement;
	op->wants_own = info->is_slow;
	if (db_in_transaction(flow))
		return place_in_transaction(flow, op, values, value_count);
	return place(flow, op, values, value_count);
}

static enum flow_verdict postgres_begin(struct flow *flow)
{
	struct postgres_op *op = postgres_op_new(pool_of(flow), POSTGRES_BEGIN);

	if (op == NULL)
		return flow_fail(flow, FAILURE_MEMORY, "no memory for the transaction");
	op->wants_own = true;
	op->hold = calloc(1, sizeof(*op->hold));
	if (op->hold == NULL) {
		postgres_op_free(op);
		return flow_fail(flow, FAILURE_MEMORY, "no memory for the transaction");
	}
	op->hold->hold.release = postgres_hold_release;
	return place(flow, op, NULL, 0);
}

/* The last statement of the transaction: with its answer the connection goes back. */
static enum flow_verdict end_transaction(struct flow *flow, enum postgres_kind kind)
{
	struct postgres_op *op = postgres_op_new(pool_of(flow), kind);
	struct postgres_hold *hold = (struct postgres_hold *)flow->hold;
	struct postgres_connection *connection = hold->connection;
	enum flow_verdict verdict;

	if (op == NULL)
		return flow_fail(flow, FAILURE_MEMORY, "no memory to end the transaction");
	verdict = place_in_transaction(flow, op, NULL, 0);
	if (verdict != FLOW_WAIT)
		return verdict;
	flow->hold = NULL;
	connection->hold = NULL;
	free(hold);
	return verdict;
}

static enum flow_verdict postgres_commit(struct flow *flow)
{
	return end_transaction(flow, POSTGRES_COMMIT);
}

static enum flow_verdict postgres_rollback(struct flow *flow)
{
	struct postgres_hold *hold = (struct postgres_hold *)flow->hold;

	if (hold->connection != NULL)
		return end_transaction(flow, POSTGRES_ROLLBACK);
	/* The server has rolled back when the connection went. */
	flow->hold = NULL;
	free(hold);
	return FLOW_NEXT;
}

const struct db_engine_ops postgres_engine = {
	.name = "postgresql",
	.open = postgres_open,
	.close = postgres_close,
	.probe = postgres_probe,
	.describe = postgres_describe,
	.is_up = postgres_is_up,
	.attach = postgres_pool_attach,
	.detach = postgres_pool_detach,
	.release = postgres_pool_release,
	.query = postgres_query,
	.begin = postgres_begin,
	.commit = postgres_commit,
	.rollback = postgres_rollback,
	.hold_release = postgres_hold_release,
};
