// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * sqlite - the embedded engine, private to db/. One writer thread owns the only connection that writes; a few
 * reader threads serve statements that read. A job travels loop -> queue -> thread -> loop and is touched
 * by one of them at a time.
 *
 *   job          an operation: a statement, or the begin, commit or rollback of a transaction
 *   group        autocommit writes that share one transaction, answered after its commit
 *   transaction  the writer, lent to one flow from begin to commit
 *
 * No thread here ever waits for a loop, and no loop for a thread.
 */

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "core/timer.h"
#include "db/engine.h"

enum {
	SQLITE_GROUP_MAX = 64, /* writes that share a commit */
	SQLITE_RESULT_MAX_BYTES = 16 << 20, /* of one result */
	SQLITE_TRANSACTION_MAX_MS = 30000, /* for a flow without a deadline */
	SQLITE_READERS_MAX = 64,
	SQLITE_CAUSE_MAX = 192,
	SQLITE_APPLICATION_ID = 0x4d494c4c, /* "MILL", for file(1) */
};

/* ---- sqlite_rows.c: what a statement gave, copied off its thread -------------------------------- */

struct sqlite_cell {
	union {
		int64_t integer;
		double number;
		size_t offset; /* of text and blob, into bytes */
	};
	uint32_t len;
	uint8_t type; /* SQLITE_INTEGER, _FLOAT, _TEXT, _BLOB, _NULL */
};

struct sqlite_rows {
	struct sqlite_cell *cells; /* row by row */
	size_t cell_count, cell_capacity;
	char *bytes;
	size_t byte_count, byte_capacity;
	struct db_columns columns;
};

/* The current row of `statement`, appended. SQLITE_OK, SQLITE_NOMEM or SQLITE_TOOBIG. */
int sqlite_rows_add(struct sqlite_rows *rows, sqlite3_stmt *statement);
/* The first column whose values its field cannot take, or NULL. */
const struct field *sqlite_rows_misfit(const struct sqlite_rows *rows);
void sqlite_rows_clear(struct sqlite_rows *rows); /* wiped, kept for another run */
void sqlite_rows_free(struct sqlite_rows *rows); /* wiped */
void sqlite_rows_read(const struct sqlite_rows *rows, size_t index, void *out);

/* ---- sqlite_file.c: where the database lives ------------------------------------------------------ */

/* Folders under data_dir are made with 0700, the file with 0600. A sentence in *error_out. */
bool sqlite_file_prepare(
	struct text path, struct text data_dir, struct arena *arena, struct text *error_out);
bool sqlite_path_is_memory(struct text path);

/* ---- sqlite_connection.c ---------------------------------------------------------------------------- */

struct sqlite_prepared {
	const struct db_statement *statement; /* NULL: an empty slot */
	sqlite3_stmt *handle;
	int parameters[DB_PARAMS_MAX]; /* SQLite's index of $1, $2 ...; 0: not used */
	struct db_columns columns;
};

struct sqlite_job;

/* One thread at a time. Never moves: SQLite keeps its address. */
struct sqlite_connection {
	sqlite3 *handle;
	struct sqlite_prepared *prepared; /* hash table by the statement's address */
	size_t prepared_slots, prepared_count;
	sqlite3_stmt *begin, *commit, *rollback, *savepoint, *release, *rollback_to;
	/* what runs now: read by the progress and busy handlers, on the same thread */
	uint64_t deadline_ns; /* UINT64_MAX: none */
	const _Atomic(bool) *abandoned; /* NULL: not to be interrupted by it */
	const _Atomic(bool) *stopping; /* NULL: never */
	void (*while_busy)(
		struct sqlite_connection *connection); /* NULL: nothing; another process has
								   * the lock */
};

enum sqlite_role { SQLITE_ROLE_WRITER, SQLITE_ROLE_READER, SQLITE_ROLE_MIGRATOR };

/* Opens and configures. path ":memory:" is the process's one database in memory. */
bool sqlite_connection_open(struct sqlite_connection *connection, struct text path,
	enum sqlite_role role, struct arena *arena, struct text *error_out);
void sqlite_connection_close(struct sqlite_connection *connection);
/* Compiled at the first use. NULL with an SQLite code and a cause. */
struct sqlite_prepared *sqlite_connection_prepare(struct sqlite_connection *connection,
	const struct db_statement *statement, int *code_out, char cause[static SQLITE_CAUSE_MAX]);
/* The file has been moved, deleted or replaced while it was open: what is written now would be lost. */
bool sqlite_connection_is_orphaned(struct sqlite_connection *connection);
extern const char sqlite_orphaned_cause[];
/* One of the six statements above, run to its end. An extended code, SQLITE_DONE when it worked. */
int sqlite_connection_run(sqlite3_stmt *statement);

/* ---- sqlite_error.c ---------------------------------------------------------------------------------- */

enum failure sqlite_failure(int extended_code);
/* The outcome the statement expects for this code, or DB_OK: none. */
enum db_outcome sqlite_expected(const struct db_statement *statement, int extended_code);
/* "UNIQUE constraint failed: users.email" gives "users.email". */
void sqlite_constraint(const char *message, char *out, size_t size);

/* ---- sqlite_job.c ------------------------------------------------------------------------------------- */

enum sqlite_job_kind { SQLITE_JOB_QUERY, SQLITE_JOB_BEGIN, SQLITE_JOB_COMMIT, SQLITE_JOB_ROLLBACK };

struct sqlite_queue;
struct sqlite_loop;
struct sqlite_transaction;

struct sqlite_job {
	struct op op; /* loop thread */
	struct loop_message message;
	struct timer waiting; /* a read in its queue; loop thread */
	struct sqlite_job *loop_next, **loop_link; /* every job of its loop; loop thread */
	struct sqlite_loop *loop;
	struct sqlite_queue *queue; /* where it waits or waited; never changes */
	struct sqlite_job *next, *previous; /* in the queue or a group: whoever holds it */
	bool queued; /* under the queue's lock */
	bool posted; /* under the loop's gate: it is in the loop's inbox until it is freed */
	bool is_slow; /* by declaration or because it has been */
	struct sqlite_transaction *transaction;
	enum sqlite_job_kind kind;
	const struct db_statement *statement; /* SQLITE_JOB_QUERY */
	_Atomic(bool) abandoned;
	uint64_t flow_deadline_ns, acquire_by_ns; /* UINT64_MAX: none */
	uint64_t statement_timeout_ns;
	uint64_t begun_ns, done_ns;

	struct db_result result; /* the thread's until posted, then the loop's */
	struct sqlite_rows rows;
	enum failure failure;
	char cause[SQLITE_CAUSE_MAX];

	size_t size; /* of values and what they point to, for wiping */
	size_t value_count;
	struct db_value values[]; /* texts lie behind them */
};

/* A job with copies of the values. NULL: no memory. Loop thread. */
struct sqlite_job *sqlite_job_new(struct flow *flow, enum sqlite_job_kind kind,
	const struct db_statement *statement, const struct db_value *values, size_t value_count);
void sqlite_job_free(struct sqlite_job *job); /* loop thread, or after the loop has stopped */
void sqlite_job_unlink(struct sqlite_job *job); /* from its loop's list, which may go before it */
/* Any thread that holds the job: hands it back to its loop. */
void sqlite_job_post(struct sqlite_job *job);
void sqlite_job_fail(struct sqlite_job *job, enum failure failure, const char *cause);
/* Runs the statement; judges the result into outcome or failure. The connection's own thread. */
void sqlite_job_run(struct sqlite_job *job, struct sqlite_connection *connection);
/* Undoes what a run left in the job. */
void sqlite_job_reset(struct sqlite_job *job);
/* The nearer of the flow's deadline and the statement's timeout from now. */
uint64_t sqlite_job_deadline_ns(const struct sqlite_job *job);

/* ---- sqlite_queue.c: bounded, many producers, one or several consumers --------------------------------- */

struct sqlite_queue {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* monotonic clock */
	struct sqlite_job *first, *last;
	size_t count, max;
	uint64_t next_expiry_ns; /* no job waiting expires before */
	unsigned slow_running, slow_max; /* so that slow statements leave a reader to the others */
	bool stopping;
};

void sqlite_queue_init(struct sqlite_queue *queue, size_t max);
void sqlite_queue_deinit(struct sqlite_queue *queue);
bool sqlite_queue_push(struct sqlite_queue *queue, struct sqlite_job *job); /* false: full */
/* Takes it out if it still waits. */
bool sqlite_queue_remove(struct sqlite_queue *queue, struct sqlite_job *job);
void sqlite_queue_stop(struct sqlite_queue *queue);
/* These under the lock. */
struct sqlite_job *sqlite_queue_pop(struct sqlite_queue *queue);
/* The first that may run now: a slow one only while fewer than slow_max of them do. It is counted until
 * sqlite_queue_done. */
struct sqlite_job *sqlite_queue_pop_fair(struct sqlite_queue *queue);
void sqlite_queue_done(struct sqlite_queue *queue, bool was_slow); /* takes the lock itself */
/* Takes out what has waited too long; the caller posts it. */
struct sqlite_job *sqlite_queue_take_expired(struct sqlite_queue *queue, uint64_t now_ns);
/* Judges a job that has just been taken: true when it has waited too long (failed then). */
bool sqlite_job_expire(struct sqlite_job *job, uint64_t now_ns);
void sqlite_queue_wait(struct sqlite_queue *queue, uint64_t until_ns);

/* ---- sqlite_writer.c, sqlite_reader.c --------------------------------------------------------------------- */

/* Freed by whoever leaves second, the writer or the flow. */
struct sqlite_transaction {
	struct flow_hold hold;
	struct sqlite_queue *queue; /* its lock guards what follows */
	struct sqlite_job *mail; /* the flow's next operation */
	bool released; /* the flow has gone: roll back */
	bool lost; /* rolled back behind the flow's back: too slow, or by SQLite */
	bool writer_left, flow_left;
	uint64_t limit_ns;
};

void sqlite_transaction_leave(struct sqlite_transaction *transaction, bool writer);

struct sqlite {
	char *path;
	bool in_memory; /* readers share the writer */
	_Atomic(bool) up;
	_Atomic(bool) stopping;
	_Atomic(unsigned) busy; /* threads at work */
	struct sqlite_queue writes, reads;
	struct sqlite_connection writer;
	struct sqlite_connection readers[SQLITE_READERS_MAX];
	pthread_t writer_thread, reader_threads[SQLITE_READERS_MAX];
	unsigned reader_count, readers_started;
	bool writer_started;
};

struct sqlite_reader_start {
	struct sqlite *sqlite;
	struct sqlite_connection *connection;
};

void *sqlite_writer_main(void *context);
void *sqlite_reader_main(void *start); /* frees it */
/* A job ended with this: what does it say about the database? */
void sqlite_judge(struct sqlite *sqlite, enum failure failure);

/* ---- sqlite.c ------------------------------------------------------------------------------------------------ */

struct sqlite_loop {
	struct db_loop base;
	pthread_mutex_t gate; /* held while a thread posts; past `closed` nothing is posted */
	bool closed;
	struct sqlite_job *jobs;
};
