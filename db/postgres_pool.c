// SPDX-License-Identifier: Apache-2.0
/*
 * pool - the connections of one loop: who gets which, who waits, when one is opened, replaced, closed.
 *
 * Of the loop's limit (at least two) lanes take at most half and owned connections all but one, so that
 * neither kind of work can starve the other. Short statements fill few lanes rather than spread.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/secret.h"
#include "db/postgres.h"
#include "observability/log.h"

enum { NS_PER_MS = 1000000 };

unsigned postgres_pool_limit(const struct postgres_pool *pool)
{
	unsigned loops = atomic_load_explicit(&pool->postgres->loops, memory_order_relaxed);
	unsigned total = (unsigned)pool->base.db->settings.connections_max;
	unsigned share = total / loops + (pool->base.loop->index < total % loops);

	return share < 2 ? 2 : share;
}

static unsigned open_count(const struct postgres_pool *pool)
{
	return pool->counts[POSTGRES_IDLE] + pool->counts[POSTGRES_LANE] +
		pool->counts[POSTGRES_OWNED] + pool->counts[POSTGRES_RETIRING];
}

void postgres_pool_count(struct postgres_pool *pool)
{
	unsigned idle = pool->counts[POSTGRES_IDLE];

	db_connections_observe(&pool->base, open_count(pool) - idle, idle);
}

void postgres_move(struct postgres_connection *connection, enum postgres_state state)
{
	struct postgres_pool *pool = connection->pool;

	TAILQ_REMOVE(&pool->lists[connection->state], connection, entry);
	pool->counts[connection->state]--;
	connection->state = state;
	/* The one used last is the one used next: the others may grow old and be closed. */
	TAILQ_INSERT_HEAD(&pool->lists[state], connection, entry);
	pool->counts[state]++;
}

/* ---- who gets which -------------------------------------------------------------------------- */

static struct postgres_connection *first_idle(struct postgres_pool *pool)
{
	struct postgres_connection *connection;

	TAILQ_FOREACH(connection, &pool->lists[POSTGRES_IDLE], entry)
	if (!connection->is_broken)
		return connection;
	return NULL;
}

static bool may_open(const struct postgres_pool *pool)
{
	return !pool->base.detached && !timer_is_set(&pool->retry) &&
		open_count(pool) + pool->counts[POSTGRES_CONNECTING] < postgres_pool_limit(pool);
}

static unsigned lanes_max(const struct postgres_pool *pool)
{
	return postgres_pool_limit(pool) / 2;
}

static struct postgres_connection *take_lane(struct postgres_pool *pool)
{
	struct postgres_connection *connection, *emptiest = NULL;
	unsigned usable = 0;

	TAILQ_FOREACH(connection, &pool->lists[POSTGRES_LANE], entry)
	{
		if (connection->is_broken || postgres_connection_is_stalled(connection))
			continue;
		if (connection->in_flight < LANE_FILL)
			return connection;
		usable++;
		if (emptiest == NULL || connection->in_flight < emptiest->in_flight)
			emptiest = connection;
	}
	if (emptiest != NULL && usable >= 2 && emptiest->in_flight < LANE_MAX)
		return emptiest;
	if (pool->counts[POSTGRES_LANE] < lanes_max(pool)) {
		connection = first_idle(pool);
		if (connection != NULL) {
			postgres_move(connection, POSTGRES_LANE);
			return connection;
		}
		pool->wants_lane = pool->counts[POSTGRES_CONNECTING] == 0 && may_open(pool);
	}
	return emptiest != NULL && emptiest->in_flight < LANE_MAX ? emptiest : NULL;
}

static struct postgres_connection *take_own(struct postgres_pool *pool)
{
	struct postgres_connection *connection;

	if (pool->counts[POSTGRES_OWNED] + 1 >= postgres_pool_limit(pool))
		return NULL;
	connection = first_idle(pool);
	if (connection != NULL)
		postgres_move(connection, POSTGRES_OWNED);
	return connection;
}

static struct postgres_connection *take(struct postgres_pool *pool, bool own)
{
	return own ? take_own(pool) : take_lane(pool);
}

/* ---- the lines ------------------------------------------------------------------------------- */

static struct postgres_ops *line_of(struct postgres_pool *pool, bool own)
{
	return own ? &pool->own_line : &pool->shared_line;
}

void postgres_pool_leave_line(struct postgres_op *op)
{
	struct postgres_pool *pool = op->pool;

	TAILQ_REMOVE(line_of(pool, op->wants_own), op, entry);
	pool->in_line--;
	pool->own_in_line -= op->wants_own;
	timer_clear(&op->timer);
}

static bool join_line(struct postgres_pool *pool, struct postgres_op *op,
	const struct db_value *values, size_t value_count, enum failure *failure_out)
{
	const struct db_settings *settings = &pool->base.db->settings;

	if (pool->failures >= DOWN_AFTER_FAILURES && open_count(pool) == 0) {
		*failure_out = FAILURE_UNAVAILABLE;
		return false;
	}
	if (pool->in_line >= (size_t)settings->queue_max) {
		*failure_out = FAILURE_BUSY;
		return false;
	}
	if (!postgres_op_keep_values(op, values, value_count)) {
		*failure_out = FAILURE_MEMORY;
		return false;
	}
	TAILQ_INSERT_TAIL(line_of(pool, op->wants_own), op, entry);
	pool->in_line++;
	pool->own_in_line += op->wants_own;
	timer_set(pool->base.loop, &op->timer, (uint64_t)settings->acquire_timeout_ms);
	postgres_pool_kick(pool);
	return true;
}

static void dispatch(struct postgres_connection *connection, struct postgres_op *op,
	const struct db_value *values, size_t value_count)
{
	struct postgres_pool *pool = connection->pool;

	postgres_connection_send(connection, op, values, value_count);
	timer_set(pool->base.loop, &op->timer,
		(uint64_t)pool->base.db->settings.statement_timeout_ms);
}

bool postgres_pool_place(struct postgres_pool *pool, struct postgres_op *op,
	const struct db_value *values, size_t value_count, enum failure *failure_out)
{
	struct postgres_connection *connection = NULL;

	if (TAILQ_EMPTY(line_of(pool, op->wants_own)))
		connection = take(pool, op->wants_own);
	if (pool->wants_lane)
		postgres_pool_kick(pool);
	if (connection == NULL)
		return join_line(pool, op, values, value_count, failure_out);
	dispatch(connection, op, values, value_count);
	return true;
}

static void serve_line(struct postgres_pool *pool, bool own)
{
	struct postgres_ops *line = line_of(pool, own);

	while (!TAILQ_EMPTY(line)) {
		struct postgres_connection *connection = take(pool, own);
		struct postgres_op *op = TAILQ_FIRST(line);

		if (connection == NULL)
			return;
		postgres_pool_leave_line(op);
		db_wait_observe(&pool->base, clock_now_ns() - op->asked_ns);
		dispatch(connection, op, op->values, op->value_count);
		postgres_op_drop_values(op);
	}
}

/* Those that join while these flows fail stand behind them and wait for the next attempt. */
static void fail_line(struct postgres_pool *pool, bool own, enum failure failure, const char *cause)
{
	struct postgres_ops *line = line_of(pool, own);
	size_t left = own ? pool->own_in_line : pool->in_line - pool->own_in_line;

	for (; left > 0 && !TAILQ_EMPTY(line); left--) {
		struct postgres_op *op = TAILQ_FIRST(line);

		postgres_pool_leave_line(op);
		postgres_op_fail(op, failure, cause);
	}
}

/* ---- opening --------------------------------------------------------------------------------- */

static unsigned wanted_connections(struct postgres_pool *pool)
{
	unsigned owned_left = postgres_pool_limit(pool) - 1 - pool->counts[POSTGRES_OWNED];
	unsigned wanted = pool->own_in_line < owned_left ? (unsigned)pool->own_in_line : owned_left;

	if (pool->wants_lane || !TAILQ_EMPTY(&pool->shared_line))
		wanted++;
	if (wanted == 0 && open_count(pool) == 0)
		wanted = 1;
	return wanted;
}

static void open_wanted(struct postgres_pool *pool)
{
	unsigned wanted = wanted_connections(pool);

	pool->wants_lane = false;
	while (pool->counts[POSTGRES_CONNECTING] < wanted && may_open(pool))
		if (postgres_connection_open(pool) == NULL)
			return;
}

static void close_pool(struct postgres_pool *pool)
{
	if (open_count(pool) + pool->counts[POSTGRES_CONNECTING] > 0 ||
		uv_is_closing((uv_handle_t *)&pool->kick))
		return;
	timer_clear(&pool->retry);
	uv_close((uv_handle_t *)&pool->kick, NULL);
	uv_close((uv_handle_t *)&pool->housekeeping, NULL);
}

void postgres_pool_serve(struct postgres_pool *pool)
{
	serve_line(pool, false);
	serve_line(pool, true);
	open_wanted(pool);
	postgres_pool_count(pool);
	if (pool->base.detached)
		close_pool(pool);
}

/* Full jitter (Brooker, "Exponential Backoff and Jitter", 2015), but never at once. */
static uint64_t backoff_ms(unsigned failures)
{
	uint64_t span_ms = BACKOFF_MAX_MS;
	uint32_t random;

	if (failures < 7)
		span_ms = (uint64_t)BACKOFF_MIN_MS << failures;
	if (span_ms > BACKOFF_MAX_MS)
		span_ms = BACKOFF_MAX_MS;
	secret_random(&random, sizeof(random));
	return BACKOFF_MIN_MS + random % (span_ms - BACKOFF_MIN_MS + 1);
}

static void on_retry(struct timer *timer)
{
	postgres_pool_serve(
		(struct postgres_pool *)((char *)timer - offsetof(struct postgres_pool, retry)));
}

static void log_state(
	struct postgres_pool *pool, enum log_level level, const char *event, const char *cause)
{
	if (pool->base.loop->log != NULL)
		log_write(pool->base.loop->log, level, event,
			LOG_FIELDS(LOG_STRING("engine", "postgresql"), LOG_STRING("cause", cause)));
}

void postgres_pool_connect_failed(struct postgres_pool *pool, const char *cause)
{
	if (pool->base.detached) {
		postgres_pool_kick(pool);
		return;
	}
	if (pool->failures++ == 0)
		log_state(pool, LOG_WARN, "database_connect_failed", cause);
	if (!timer_is_set(&pool->retry))
		timer_set(pool->base.loop, &pool->retry, backoff_ms(pool->failures));
	if (open_count(pool) > 0)
		return;
	fail_line(pool, false, FAILURE_UNAVAILABLE, cause);
	fail_line(pool, true, FAILURE_UNAVAILABLE, cause);
}

void postgres_pool_connected(struct postgres_connection *connection)
{
	struct postgres_pool *pool = connection->pool;

	timer_clear(&connection->timer);
	timer_clear(&pool->retry);
	if (pool->failures > 0)
		log_state(pool, LOG_INFO, "database_connected", "the database answers again");
	pool->failures = 0;
	connection->is_live = true;
	atomic_fetch_add(&pool->postgres->live, 1);
	connection->used_ns = clock_now_ns();
	postgres_move(connection, POSTGRES_IDLE);
	if (pool->base.detached)
		postgres_connection_break(connection, "the database is being closed");
}

/* ---- giving back and growing old -------------------------------------------------------------- */

static bool is_expired(const struct postgres_connection *connection, uint64_t now_ns)
{
	return now_ns - connection->opened_ns > connection->lifetime_ns;
}

void postgres_pool_give_back(struct postgres_connection *connection, bool was_used)
{
	assert(connection->in_flight == 0 && connection->hold == NULL);
	if (connection->pool->base.detached)
		postgres_connection_break(connection, "the database is being closed");
	else if (connection->state == POSTGRES_RETIRING)
		postgres_connection_break(connection, "its lifetime is over");
	else if (PQtransactionStatus(connection->libpq) != PQTRANS_IDLE)
		postgres_connection_break(connection, "a statement left a transaction open");
	if (was_used)
		connection->used_ns = clock_now_ns();
	postgres_move(connection, POSTGRES_IDLE);
}

static void ping(struct postgres_connection *connection)
{
	struct postgres_op *op = postgres_op_new(connection->pool, POSTGRES_PING);

	if (op == NULL)
		return;
	postgres_move(connection, POSTGRES_LANE);
	postgres_connection_send(connection, op, NULL, 0);
	timer_set(connection->pool->base.loop, &op->timer, DRAIN_MS);
}

static bool is_surplus(const struct postgres_connection *connection, uint64_t now_ns)
{
	const struct postgres_pool *pool = connection->pool;
	const struct db_settings *settings = &pool->base.db->settings;
	unsigned loops = atomic_load_explicit(&pool->postgres->loops, memory_order_relaxed);
	unsigned keep = (unsigned)settings->connections_idle / loops;
	uint64_t idle_ns = now_ns - connection->used_ns;

	return is_expired(connection, now_ns) ||
		idle_ns > (uint64_t)settings->connection_idle_ms * NS_PER_MS ||
		(pool->counts[POSTGRES_IDLE] > keep &&
			idle_ns > HOUSEKEEPING_MS * UINT64_C(1000000));
}

static void ping_silent(struct postgres_pool *pool, uint64_t now_ns)
{
	struct postgres_connection *connection, *next;

	for (connection = TAILQ_FIRST(&pool->lists[POSTGRES_IDLE]); connection != NULL;
		connection = next) {
		next = TAILQ_NEXT(connection, entry);
		if (!connection->is_broken &&
			now_ns - connection->progress_ns > PING_AFTER_MS * UINT64_C(1000000))
			ping(connection);
	}
}

static struct postgres_connection *longest_idle(struct postgres_pool *pool)
{
	struct postgres_connection *connection, *longest = NULL;

	TAILQ_FOREACH(connection, &pool->lists[POSTGRES_IDLE], entry)
	if (longest == NULL || connection->used_ns < longest->used_ns)
		longest = connection;
	return longest;
}

/* One a second is closed, so that a wave ebbs slowly; the last only when its successor is there. */
static void thin_out_idle(struct postgres_pool *pool, uint64_t now_ns)
{
	struct postgres_connection *connection = longest_idle(pool);

	if (connection == NULL || !is_surplus(connection, now_ns))
		return;
	if (open_count(pool) > 1)
		postgres_connection_break(connection, "idle for too long");
	else
		pool->wants_lane = is_expired(connection, now_ns);
}

/* A busy lane is never idle: it gets a successor first, then nothing new, and closes when empty. */
static void retire_lanes(struct postgres_pool *pool, uint64_t now_ns)
{
	struct postgres_connection *connection, *next;

	for (connection = TAILQ_FIRST(&pool->lists[POSTGRES_LANE]); connection != NULL;
		connection = next) {
		next = TAILQ_NEXT(connection, entry);
		if (!is_expired(connection, now_ns))
			continue;
		if (pool->counts[POSTGRES_IDLE] == 0 &&
			open_count(pool) < postgres_pool_limit(pool)) {
			pool->wants_lane = true;
			return;
		}
		postgres_move(connection, POSTGRES_RETIRING);
	}
}

static void on_housekeeping(uv_timer_t *timer)
{
	struct postgres_pool *pool = timer->data;
	uint64_t now_ns = clock_now_ns();

	retire_lanes(pool, now_ns);
	ping_silent(pool, now_ns);
	thin_out_idle(pool, now_ns);
	postgres_pool_serve(pool);
}

/* ---- the next turn --------------------------------------------------------------------------- */

static struct postgres_connection *first_broken(struct postgres_pool *pool)
{
	struct postgres_connection *connection;

	for (int state = POSTGRES_CONNECTING; state < POSTGRES_CLOSED; state++)
		TAILQ_FOREACH(connection, &pool->lists[state], entry)
	if (connection->is_broken)
		return connection;
	return NULL;
}

static void on_kick(uv_timer_t *kick)
{
	struct postgres_pool *pool = kick->data;
	struct postgres_connection *connection;

	while ((connection = first_broken(pool)) != NULL)
		postgres_connection_close(connection, FAILURE_UNAVAILABLE);
	postgres_pool_serve(pool);
}

void postgres_pool_kick(struct postgres_pool *pool)
{
	if (!uv_is_closing((uv_handle_t *)&pool->kick))
		uv_timer_start(&pool->kick, on_kick, 0, 0);
}

static void on_flush(struct loop *loop, void *context)
{
	struct postgres_pool *pool = context;

	while (!SLIST_EMPTY(&pool->dirty)) {
		struct postgres_connection *connection = SLIST_FIRST(&pool->dirty);

		SLIST_REMOVE_HEAD(&pool->dirty, dirty);
		connection->is_dirty = false;
		postgres_connection_flush(connection);
	}
}

/* ---- life ------------------------------------------------------------------------------------ */

static void init_timer(struct postgres_pool *pool, struct loop *loop, uv_timer_t *timer)
{
	uv_timer_init(&loop->uv, timer);
	uv_unref((uv_handle_t *)timer);
	timer->data = pool;
}

struct db_loop *postgres_pool_attach(struct db *db, struct loop *loop)
{
	struct postgres_pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	pool->postgres = db->state;
	for (int state = 0; state < POSTGRES_STATES; state++)
		TAILQ_INIT(&pool->lists[state]);
	TAILQ_INIT(&pool->shared_line);
	TAILQ_INIT(&pool->own_line);
	SLIST_INIT(&pool->dirty);
	timer_init(&pool->retry, on_retry);
	init_timer(pool, loop, &pool->kick);
	init_timer(pool, loop, &pool->housekeeping);
	/* Not on the loop's wheel, which would then tick for ever on an idle loop. */
	uv_timer_start(&pool->housekeeping, on_housekeeping, HOUSEKEEPING_MS, HOUSEKEEPING_MS);
	loop_on_flush(loop, on_flush, pool);
	atomic_fetch_add(&pool->postgres->loops, 1);
	/* The loop's first turn opens the first connection. */
	postgres_pool_kick(pool);
	return &pool->base;
}

/* By a flow. What nobody waits for any more the server rolls back when we hang up. */
static bool is_needed(const struct postgres_connection *connection)
{
	const struct postgres_op *op;

	if (connection->hold != NULL)
		return true;
	TAILQ_FOREACH(op, &connection->flight, entry)
	if (op->op.flow != NULL)
		return true;
	return false;
}

void postgres_pool_left(struct postgres_connection *connection)
{
	if (connection->pool->base.detached && !is_needed(connection))
		postgres_connection_break(connection, "the database is being closed");
}

void postgres_pool_detach(struct db_loop *db_loop)
{
	struct postgres_pool *pool = (struct postgres_pool *)db_loop;
	struct postgres_connection *connection;

	timer_clear(&pool->retry);
	fail_line(pool, false, FAILURE_SHUTDOWN, "the database is being closed");
	fail_line(pool, true, FAILURE_SHUTDOWN, "the database is being closed");
	for (int state = POSTGRES_CONNECTING; state < POSTGRES_CLOSED; state++)
		TAILQ_FOREACH(connection, &pool->lists[state], entry)
	if (!is_needed(connection))
		postgres_connection_break(connection, "the database is being closed");
	/* A loop that stops before its first turn has nothing else to turn for: it must still close this. */
	uv_ref((uv_handle_t *)&pool->kick);
	postgres_pool_kick(pool);
}

void postgres_pool_release(struct db_loop *db_loop)
{
	free(db_loop);
}
