// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * postgres - the PostgreSQL driver's own structs. Private to db/postgres*.c.
 *
 *   connection  a libpq connection in pipeline mode, owned by one loop; its state is the list it stands
 *               in, moved by postgres_move alone
 *   lane        a shared connection: short statements of many flows, one sync each
 *   owned       a connection lent to one transaction or one slow statement
 *   flight      the operations sent on a connection, in the order of their answers
 *   line        the operations that wait for a connection
 *
 * Nothing here blocks: libpq is asked only for what has arrived, and a connection that does not answer in
 * time is closed, never waited for. Loop thread only, but for the atomics of struct postgres.
 */

#include <libpq-fe.h>
#include <stdatomic.h>
#include <sys/queue.h>

#include "core/loop.h"
#include "core/timer.h"
#include "db/engine.h"

enum {
	/* Measured: one connection does 186,000 statements a second with 64 in flight, two do 225,000
	 * with 256; more connections make both sides slower. */
	LANE_FILL = 64, /* in flight before another lane is taken */
	LANE_MAX = 256, /* in flight at most */
	LANE_STALL_MS = 20, /* a lane without an answer for so long takes no new statements */
	DRAIN_MS = 2000, /* an operation whose flow has gone may hold its connection so long */
	PING_AFTER_MS = 5000, /* a connection silent for so long is asked whether it lives */
	HOUSEKEEPING_MS = 1000,
	BACKOFF_MIN_MS = 50,
	BACKOFF_MAX_MS = 5000,
	DOWN_AFTER_FAILURES =
		3, /* then statements fail at once instead of waiting for the next try */
	CAUSE_MAX = 192,
	ADDRESSES_MAX = 8, /* of one host name */
	HOSTS_MAX = 8, /* in the URL */
};

struct postgres_pool;
struct postgres_connection;

enum postgres_kind {
	POSTGRES_QUERY,
	POSTGRES_BEGIN,
	POSTGRES_COMMIT,
	POSTGRES_ROLLBACK,
	POSTGRES_SESSION, /* the first statement of a connection: its settings */
	POSTGRES_PING,
};

struct postgres_op {
	struct op op; /* first */
	struct db_result result;
	TAILQ_ENTRY(postgres_op) entry; /* in a line or in a flight */
	struct postgres_pool *pool;
	struct postgres_connection *connection; /* NULL while it stands in line */
	struct db_statement_info *info; /* POSTGRES_QUERY */
	enum postgres_kind kind;
	bool wants_own; /* waits in the line for owned connections */
	bool prepares; /* its first command is the PREPARE */
	bool has_savepoint; /* a violation may be expected: within a transaction that needs a way back */
	bool is_unwinding; /* on that way */
	bool is_observed; /* the metrics know it already: it ran out of time */
	/* Which command of its sync is answered next, which one counts, which one failed. */
	uint8_t command, main_command, error_command;
	uint8_t generation; /* of the prepared name it was sent under */
	struct postgres_hold *hold; /* POSTGRES_BEGIN: made beforehand */
	struct timer timer; /* in line: acquire timeout; in flight: statement timeout, then drain */
	uint64_t asked_ns, sent_ns;
	PGresult *rows; /* of the main command */
	PGresult *error; /* the first of the sync */
	struct db_value *values; /* copies, only while in line; one heap block */
	size_t value_count, values_size;
	char cause[CAUSE_MAX];
};

TAILQ_HEAD(postgres_ops, postgres_op);

/* A transaction's tie to its connection. Outlives the connection when that is lost first. */
struct postgres_hold {
	struct flow_hold hold; /* first */
	struct postgres_connection *connection; /* NULL: lost */
};

enum postgres_state {
	POSTGRES_CONNECTING,
	POSTGRES_IDLE,
	POSTGRES_LANE,
	POSTGRES_OWNED,
	POSTGRES_RETIRING, /* takes nothing new, closes when the last answer is in */
	POSTGRES_CLOSED, /* waits for libuv to let go */
	POSTGRES_STATES,
};

struct postgres_poll {
	uv_poll_t handle; /* first; freed by its close callback */
	int fd;
	int events;
};

struct postgres_address {
	char host[256], port[8], literal[64]; /* literal "": a unix socket */
};

struct postgres_connection {
	TAILQ_ENTRY(postgres_connection) entry;
	struct postgres_pool *pool;
	enum postgres_state state;
	PGconn *libpq;
	struct postgres_poll *poll;
	struct postgres_ops flight;
	unsigned in_flight;
	struct postgres_hold *hold; /* the transaction that owns it */
	uint8_t *
		prepared; /* by statement number: PREPARED or not, and the generation of its name */
	size_t prepared_count;
	bool is_dirty; /* in the pool's list of connections to flush */
	bool is_broken; /* to be closed as soon as nobody is inside it */
	bool is_live; /* has been IDLE once: counted in struct postgres */
	SLIST_ENTRY(postgres_connection) dirty;
	struct timer timer; /* connect timeout */
	uint64_t opened_ns, lifetime_ns;
	uint64_t used_ns; /* when it last became idle */
	uint64_t progress_ns; /* last answer, or the first statement after silence */
	char cause[CAUSE_MAX]; /* why it broke */

	/* while it connects */
	uv_getaddrinfo_t lookup;
	bool is_looking_up;
	size_t address_count, host_index;
	struct postgres_address addresses[ADDRESSES_MAX];
};

TAILQ_HEAD(postgres_connections, postgres_connection);

struct postgres_pool {
	struct db_loop base; /* first */
	struct postgres *postgres;
	struct postgres_connections lists[POSTGRES_STATES];
	unsigned counts[POSTGRES_STATES];
	SLIST_HEAD(postgres_dirty, postgres_connection) dirty;
	struct postgres_ops shared_line, own_line;
	size_t in_line, own_in_line;
	bool wants_lane; /* the lanes are full or stalled, and there may be more */
	uv_timer_t kick; /* closes broken connections and serves the lines in the next turn */
	uv_timer_t housekeeping;
	struct timer retry;
	unsigned failures; /* connects in a row */
	uint64_t
		now_ns; /* read once per readable socket: the answers of one read arrived together */
};

struct postgres_host {
	char host[256], port[8], hostaddr[64];
};

struct postgres {
	struct db *db;
	PQconninfoOption *options; /* of the URL, with libpq's defaults; holds the password */
	struct postgres_host hosts[HOSTS_MAX];
	size_t host_count;
	char connect_timeout[12]; /* seconds, for the blocking probe: libpq wants it as text */
	_Atomic unsigned loops;
	_Atomic unsigned live; /* open connections of all loops */
};

/* ---- postgres_url.c ------------------------------------------------------------------------ */

/* Fills options and hosts in. False with a sentence: never libpq's own, which quotes the URL. */
bool postgres_url_parse(
	const char *url, struct postgres *postgres, struct arena *arena, struct text *error_out);
void postgres_url_free(struct postgres *postgres);
const char *postgres_option(const struct postgres *postgres, const char *keyword); /* or NULL */
/* host:port, database and user, for people. */
struct text postgres_url_describe(const struct postgres *postgres, struct arena *arena);
/* Starts connecting to these addresses (0: the URL's hosts as they are, which may block on names). */
PGconn *postgres_url_connect(const struct postgres *postgres,
	const struct postgres_address *addresses, size_t count,
	PGconn *connect(const char *const *, const char *const *, int));
bool postgres_probe(const struct db_settings *settings, struct text data_dir, struct arena *arena,
	struct text *error_out);
/* One line, terminated, for logs: libpq's messages have several. */
void postgres_message_copy(char *out, size_t size, const char *message);

/* ---- postgres_codec.c ----------------------------------------------------------------------- */

struct postgres_params {
	int count;
	const char *values[DB_PARAMS_MAX];
	int lengths[DB_PARAMS_MAX];
	int formats[DB_PARAMS_MAX]; /* 1: binary, all of them */
	Oid types[DB_PARAMS_MAX];
	char fixed[DB_PARAMS_MAX][16];
};

/* Points into `values` and itself: both must live until it is sent. */
void postgres_params_encode(
	struct postgres_params *params, const struct db_value *values, size_t count);
void postgres_params_types(
	const struct db_statement *statement, Oid types[static DB_PARAMS_MAX], int *count_out);
/* Kind of a column type, DB_NONE when we do not read it. */
enum db_kind postgres_kind_of(Oid type);
/* False when the bytes are not what the type promises. */
bool postgres_value_decode(Oid type, const char *data, size_t len, struct db_value *out);
/* Maps columns to fields and checks what the row's schema takes. False with a cause. */
bool postgres_rows_check(
	struct db_statement_info *info, const PGresult *rows, char *cause, size_t cause_size);
extern const struct db_result_driver postgres_rows;

/* ---- postgres_connection.c ------------------------------------------------------------------ */

/* Starts connecting; how it went is reported to the pool. NULL: no memory. */
struct postgres_connection *postgres_connection_open(struct postgres_pool *pool);
/* Sends the operation and its sync; on failure the connection is broken, which the next turn tells. */
void postgres_connection_send(struct postgres_connection *connection, struct postgres_op *op,
	const struct db_value *values, size_t value_count);
/* Marks it; closed in the next turn, or at the end of this callback. */
void postgres_connection_break(struct postgres_connection *connection, const char *cause);
/* Closes now; whatever is in flight fails with FAILURE_UNAVAILABLE. Not inside a step. */
void postgres_connection_close(struct postgres_connection *connection, enum failure failure);
/* Back to the savepoint of an operation whose answers are in; it is in flight again. */
void postgres_connection_unwind(struct postgres_connection *connection, struct postgres_op *op);
/* The prepared statement is not there or no longer good: it is prepared anew, under a new name. */
void postgres_connection_forget(
	struct postgres_connection *connection, const struct postgres_op *op);
void postgres_connection_free(struct postgres_connection *connection);
void postgres_connection_flush(struct postgres_connection *connection);
bool postgres_connection_is_stalled(const struct postgres_connection *connection);

/* ---- postgres_connect.c --------------------------------------------------------------------- */

/* Looks names up, then connects: until postgres_pool_connected or a broken connection. */
void postgres_connect_start(struct postgres_connection *connection);
void postgres_connect_watch(
	struct postgres_connection *connection, int events, uv_poll_cb on_ready);
void postgres_connect_unwatch(struct postgres_connection *connection);

/* ---- postgres_op.c --------------------------------------------------------------------------- */

struct postgres_op *postgres_op_new(struct postgres_pool *pool, enum postgres_kind kind);
void postgres_op_free(struct postgres_op *op);
bool postgres_op_keep_values(struct postgres_op *op, const struct db_value *values, size_t count);
void postgres_op_drop_values(struct postgres_op *op); /* wiped */
/* All answers up to the sync are in: judges them, gives the connection back, completes the flow, frees. */
void postgres_op_finish(struct postgres_op *op);
/* Its answer will not come. */
void postgres_op_fail(struct postgres_op *op, enum failure failure, const char *cause);
extern const struct op_driver postgres_driver;
/* struct flow_hold.release: rolls back, then the connection is free again. */
void postgres_hold_release(struct flow_hold *base);

/* ---- postgres_pool.c ------------------------------------------------------------------------- */

unsigned postgres_pool_limit(const struct postgres_pool *pool);
void postgres_move(struct postgres_connection *connection, enum postgres_state state);
/* Sends it on a connection that fits, or puts it in line. Returns false when the line is full or the
 * database is down: *failure_out says which. */
bool postgres_pool_place(struct postgres_pool *pool, struct postgres_op *op,
	const struct db_value *values, size_t value_count, enum failure *failure_out);
void postgres_pool_leave_line(struct postgres_op *op);
/* A connection has nothing in flight any more and nobody owns it. */
void postgres_pool_give_back(struct postgres_connection *connection, bool was_used);
/* A flow has left it. After the detach, when no timer may fire any more, one that no flow needs is closed:
 * the server rolls back what was open on it. */
void postgres_pool_left(struct postgres_connection *connection);
void postgres_pool_connected(struct postgres_connection *connection);
void postgres_pool_connect_failed(struct postgres_pool *pool, const char *cause);
/* Serves the lines, opens what is missing. Not inside a step. */
void postgres_pool_serve(struct postgres_pool *pool);
/* The same in the next turn. */
void postgres_pool_kick(struct postgres_pool *pool);
void postgres_pool_count(struct postgres_pool *pool);

struct db_loop *postgres_pool_attach(struct db *db, struct loop *loop);
void postgres_pool_detach(struct db_loop *db_loop);
void postgres_pool_release(struct db_loop *db_loop);
