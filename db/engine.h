// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * engine - what stands between the statement API (db.c) and an engine (postgres*.c, sqlite*.c). Private
 * to db/. An engine gives its table of operations; db.c checks the arguments and dispatches.
 *
 * An engine's operation embeds struct op and struct db_result, completes with
 * flow_complete(&op, &result) and frees itself after that call returns. It knows four ways to end:
 * rows, an outcome the statement expects (outcome set, rows 0), a failure (flow_complete_failed),
 * abandoned (the result is dropped). Values are copied before the starter returns, and wiped before free:
 * they may be secrets.
 */

#include "db/db.h"

struct db_engine_ops {
	const char *name; /* "postgresql", "sqlite" */

	/* Main thread. db->settings and db->url are checked and stay; sets db->state. */
	bool (*open)(struct db *db, struct arena *arena, struct text *error_out);
	void (*close)(struct db *db); /* after the loops have stopped; frees db->state */
	/* Is the database there, can it be used? Blocking, before the loops run. */
	bool (*probe)(const struct db_settings *settings, struct text data_dir, struct arena *arena,
		struct text *error_out);
	struct text (*describe)(const struct db *db, struct arena *arena);
	bool (*is_up)(const struct db *db); /* any thread */

	/* attach: before the loop runs, maybe on another thread; `base` is filled in by db.c after it
	 * returns. NULL: no memory. detach: loop thread, once; whatever is in flight is failed or drained,
	 * uv handles are closed. release: after the loop has stopped and every handle is closed (db_close). */
	struct db_loop *(*attach)(struct db *db, struct loop *loop);
	void (*detach)(struct db_loop *db_loop);
	void (*release)(struct db_loop *db_loop);

	/* Loop thread. Arguments are checked by db.c: value_count and kinds match statement->params, begin
	 * only without a transaction, commit and rollback only within one. */
	enum flow_verdict (*query)(struct flow *flow, const struct db_statement *statement,
		const struct db_value *values, size_t value_count);
	enum flow_verdict (*begin)(struct flow *flow); /* sets flow->hold once it has begun */
	enum flow_verdict (*commit)(struct flow *flow); /* clears flow->hold before it completes */
	enum flow_verdict (*rollback)(struct flow *flow);
	/* What flow->hold->release is while this engine's transaction is open. */
	void (*hold_release)(struct flow_hold *hold);
};

extern const struct db_engine_ops postgres_engine;
extern const struct db_engine_ops sqlite_engine;

/* How rows of a result are read: row `index` (checked) into `out` (cleared). */
struct db_result_driver {
	void (*row)(const struct db_result *result, size_t index, void *out);
};

struct db {
	enum db_engine engine;
	const struct db_engine_ops *ops;
	void *state; /* the engine's, process-wide */
	struct db_settings settings; /* url replaced by the copy below */
	struct text url; /* heap, terminated; wiped at the end: it may hold a password */
	struct text data_dir; /* heap, terminated */
	struct metrics *metrics; /* NULL in tools and tests: nothing is counted */
	struct log *log; /* may be NULL */
	struct db_loop *loops; /* every attached loop, released by db_close */
};

/* First member of the engine's own per-loop struct; loop->db points to it. */
struct db_loop {
	struct db *db;
	struct loop *loop;
	struct db_loop *next;
	struct db_statement_info **statements; /* hash table, see statement.c */
	size_t statement_slots, statement_count;
	uint32_t active_series, idle_series, wait_series; /* metric_id */
	bool detached;
};

/* ---- statement.c: what a loop knows of a statement ------------------------------------------ */

enum { DB_COLUMNS_MAX = 48 };

/* Column c of the result belongs to fields[c]. */
struct db_columns {
	size_t count;
	const struct field *fields[DB_COLUMNS_MAX];
};

struct db_statement_info {
	const struct db_statement *statement;
	uint32_t number; /* dense, from 0: for sets of prepared statements */
	uint32_t duration_series; /* metric_id */
	uint64_t average_us; /* moving average of its own time; 0: never measured */
	bool is_slow; /* by declaration or because the average says so */
	bool columns_known; /* loop thread; the engine's to fill */
	struct db_columns columns;
};

/* Loop thread; found by address, made at the first use, good until db_close. NULL: no memory. */
struct db_statement_info *db_statement_info(
	struct db_loop *db_loop, const struct db_statement *statement);
/* How long the engine itself was busy with it (without waiting behind others): feeds the average. A
 * statement above database.slow_query becomes slow, and stays so until it is under half of that. */
void db_statement_learn(struct db_loop *db_loop, struct db_statement_info *info, uint64_t busy_ns);
/* After each statement: metrics and the slow query log. `error` is a metric label ("unique_violation",
 * "deadline" ...) or NULL. flow may be NULL (abandoned). */
void db_statement_observe(struct db_loop *db_loop, struct db_statement_info *info,
	struct flow *flow, uint64_t took_ns, const char *error);
/* A statement waited this long for a connection or a thread. */
void db_wait_observe(struct db_loop *db_loop, uint64_t waited_ns);
void db_statements_init(struct db_loop *db_loop); /* db_attach and db_close call these two */
void db_statements_free(struct db_loop *db_loop);
/* This loop's connections (SQLite: threads) at work and idle, whenever they change. */
void db_connections_observe(struct db_loop *db_loop, size_t active, size_t idle);

/* ---- row.c: columns to fields, the same on both engines ------------------------------------- */

/* Finds the field of column `name` for the map's next column. Any thread. False when the statement has no
 * row schema, the schema no such field, or there are too many columns: *error_out (size bytes) then names
 * statement and column. */
bool db_columns_add(struct db_columns *columns, const struct db_statement *statement,
	const char *name, char *error_out, size_t error_size);
/* May a value of this kind be put in this field? Checked before a step sees the result. Beyond the
 * obvious: DB_INT into bool, time, enum (the choice's index); DB_BYTES into texts and, 16 bytes long, into
 * a uuid; DB_TEXT into enum (the choice's name). */
bool db_field_takes(const struct field *field, const struct db_value *value);
/* Puts it there. NULL and what db_field_takes refuses leave the field cleared. Texts are borrowed. */
void db_field_put(const struct field *field, const struct db_value *value, void *out);

/* ---- db.c ------------------------------------------------------------------------------------ */

/* Which engine a database.url means; false when it is none we know. "" is SQLite. */
bool db_url_engine(struct text url, enum db_engine *engine_out);
/* What is wrong with it and what would be valid, without what may be a password. */
struct text db_url_refusal(struct text url, struct arena *arena);
/* "" gives data_dir/millrace.db, "sqlite:a/b.db" a/b.db, "sqlite:///a/b.db" /a/b.db. Terminated, arena;
 * absent when the URL is not SQLite's or there is no memory. */
struct text db_sqlite_path(struct text url, struct text data_dir, struct arena *arena);
