// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * db - one statement API over two engines. A statement is a named const with its SQL; a step runs it and
 * the next step reads the result. PostgreSQL: nonblocking libpq, connections owned by a loop, prepared
 * once, pipelined, one sync per statement. SQLite: WAL, one writer thread, reader threads.
 *
 *   const struct db_statement user_by_email = {
 *           .name = "user_by_email",
 *           .sql = "SELECT id, email FROM users WHERE email = $1",
 *           .params = { DB_TEXT }, .row = &user_row, .reads = true,
 *   };
 *   return db_query(flow, &user_by_email, DB_VALUES(db_text(email)));
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/flow.h"
#include "core/schema.h"
#include "core/setting.h"
#include "core/text.h"
#include "core/uuid.h"

/* kind        PostgreSQL     SQLite (STRICT) */
enum db_kind {
	DB_NONE,
	DB_TEXT, /* text          TEXT */
	DB_INT, /* bigint        INTEGER */
	DB_BOOL, /* boolean       INTEGER 0/1 */
	DB_UUID, /* uuid          BLOB, 16 bytes */
	DB_TIME, /* timestamptz   INTEGER, Unix ms */
	DB_BYTES, /* bytea         BLOB */
	DB_DOUBLE, /* float8        REAL */
};

struct db_value {
	enum db_kind kind;
	bool is_null;
	union {
		struct text text; /* DB_TEXT, DB_BYTES */
		int64_t integer; /* DB_INT, DB_BOOL, DB_TIME (Unix ms) */
		double number;
		struct uuid uuid;
	};
};

struct db_value db_text(struct text text); /* absent or null text: NULL */
struct db_value db_int(int64_t value);
struct db_value db_bool(bool value);
struct db_value db_uuid(struct uuid value);
struct db_value db_uuid_or_null(struct uuid value); /* nil: NULL */
struct db_value db_time(int64_t unix_ms);
struct db_value db_time_or_null(int64_t unix_ms); /* 0: NULL */
struct db_value db_bytes(const void *data, size_t len);

enum { DB_PARAMS_MAX = 16 };

/* What a step may expect instead of rows; anything else the engine refuses ends the flow. */
enum db_expects { DB_EXPECTS_UNIQUE = 1, DB_EXPECTS_FOREIGN_KEY = 2 };

struct db_statement {
	const char *name; /* unique; metric label, prepared name */
	const char *sql; /* $1 ... $n; portable over both engines unless sqlite_sql is given */
	const char *sqlite_sql; /* NULL: the same */
	enum db_kind params[DB_PARAMS_MAX]; /* ends with DB_NONE */
	const struct schema *row; /* columns by field name; NULL: no rows expected */
	bool reads; /* changes nothing: any reader or replica */
	bool slow; /* known to be long: never on a shared pipelined connection */
	unsigned expects; /* bit set of enum db_expects */
};

enum db_outcome { DB_OK, DB_UNIQUE_VIOLATION, DB_FOREIGN_KEY_VIOLATION };

/* Borrowed until the step returns. */
struct db_result {
	enum db_outcome outcome;
	size_t rows;
	int64_t affected; /* rows inserted, updated, deleted */
	char constraint[64]; /* of a violation; SQLite: "table.column" */
	const struct db_statement *statement;
	const struct db_result_driver *driver;
};

#define DB_VALUES(...) \
	(const struct db_value[]) {__VA_ARGS__}, \
		sizeof((const struct db_value[]) {__VA_ARGS__}) / sizeof(struct db_value)
#define DB_NO_VALUES NULL, 0

/* Starts the statement on the flow's transaction if one is open, else wherever it fits. Values are copied.
 * Returns FLOW_WAIT, or FLOW_DONE when the flow was failed (pool and queue full: FAILURE_BUSY). */
enum flow_verdict db_query(struct flow *flow, const struct db_statement *statement,
	const struct db_value *values, size_t value_count);

/* A connection of its own from begin to commit; BEGIN IMMEDIATE on SQLite. Whatever ends the flow earlier
 * rolls back. */
enum flow_verdict db_begin(struct flow *flow);
enum flow_verdict db_commit(struct flow *flow);
enum flow_verdict db_rollback(struct flow *flow); /* and goes on */
bool db_in_transaction(const struct flow *flow);

/* In the step after the wait. */
const struct db_result *db_result(const struct flow *flow);
/* Decodes row `index` into the struct of statement->row (cleared first); texts are borrowed until the step
 * returns. NULL columns: text absent, uuid nil, numbers 0. */
void db_row(const struct flow *flow, size_t index, void *out);
/* The same, texts copied to the flow's arena. Past its cap false, and the flow has failed (FAILURE_MEMORY):
 * `if (!db_row_copy(flow, 0, &row)) return FLOW_DONE;` */
bool db_row_copy(struct flow *flow, size_t index, void *out) __attribute__((warn_unused_result));
/* All rows as an array in the arena (texts copied). NULL when there are none, and past the arena's cap, where
 * the flow has failed (FAILURE_MEMORY). */
void *db_rows_copy(struct flow *flow);

/* Every statement of the program: a domain lists its own, cli joins the lists. Tests prepare all of them
 * on both engines. */
struct db_statement_list {
	const struct db_statement *const *list;
	size_t count;
};

struct db_settings {
	struct text url; /* "sqlite:data/millrace.db" (default: in data.dir) or postgresql://... */
	int64_t connections_max; /* per process, PostgreSQL: 25 */
	int64_t connections_idle; /* 5 */
	int64_t connection_lifetime_ms; /* 5 min */
	int64_t connection_idle_ms; /* 10 min */
	int64_t connect_timeout_ms;
	int64_t acquire_timeout_ms;
	int64_t statement_timeout_ms;
	int64_t slow_query_ms; /* 100 */
	int64_t queue_max;
	int64_t sqlite_readers;
};
extern const struct setting_group db_setting_group;

enum db_engine { DB_SQLITE, DB_POSTGRESQL };

struct db;
struct metrics;
struct log;

/* Process-wide. Parses and checks the settings, opens SQLite; PostgreSQL connects later, on the loops.
 * On failure NULL and a sentence in *error_out (arena). */
struct db *db_open(const struct db_settings *settings, struct metrics *metrics, struct log *log,
	struct text data_dir, struct arena *arena, struct text *error_out);
/* After the loops have stopped. */
void db_close(struct db *db);
/* Is the database there, may we use it? Blocking, for the start and for `doctor`. On failure false and a
 * sentence that names host, port, database and user, never the password. */
bool db_probe(const struct db_settings *settings, struct text data_dir, struct arena *arena,
	struct text *error_out);
enum db_engine db_engine(const struct db *db);
struct text db_describe(
	const struct db *db, struct arena *arena); /* for people, without the password */
/* Per loop, before loop_run: sets loop->db. */
int db_attach(struct db *db, struct loop *loop);
/* Loop thread: stops taking work, closes connections once idle; idempotent. */
void db_detach(struct loop *loop);

/* For readiness: is the engine answering? Cheap, any thread: the state the drivers keep. */
bool db_is_up(const struct db *db);
