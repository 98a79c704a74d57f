// SPDX-License-Identifier: Apache-2.0
/*
 * sqlite_job - one operation: its values copied in, run on a thread, its result judged there, read on the
 * loop.
 */
#include "db/sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/secret.h"

enum { NS_PER_MS = 1000000 };

static void read_row(const struct db_result *result, size_t index, void *out)
{
	const struct sqlite_job *job = (const struct sqlite_job *)((const char *)result -
		offsetof(struct sqlite_job, result));

	sqlite_rows_read(&job->rows, index, out);
}

static const struct db_result_driver result_driver = {.row = read_row};

/* ---- life ------------------------------------------------------------------------------------ */

static bool has_text(const struct db_value *value)
{
	return !value->is_null && (value->kind == DB_TEXT || value->kind == DB_BYTES);
}

static void copy_values(struct sqlite_job *job, const struct db_value *values)
{
	char *bytes = (char *)(job->values + job->value_count);

	for (size_t i = 0; i < job->value_count; i++) {
		struct db_value *copy = &job->values[i];

		*copy = values[i];
		if (!has_text(copy))
			continue;
		if (copy->text.len > 0)
			memcpy(bytes, copy->text.data, copy->text.len);
		copy->text.data = bytes;
		bytes += copy->text.len;
	}
}

static void set_deadlines(struct sqlite_job *job, const struct flow *flow)
{
	const struct db_settings *settings = &job->loop->base.db->settings;
	uint64_t now_ns = clock_now_ns();

	job->flow_deadline_ns = flow->deadline_ns;
	job->acquire_by_ns = UINT64_MAX;
	if (settings->acquire_timeout_ms > 0)
		job->acquire_by_ns = now_ns + (uint64_t)settings->acquire_timeout_ms * NS_PER_MS;
	job->statement_timeout_ns = UINT64_MAX;
	if (settings->statement_timeout_ms > 0)
		job->statement_timeout_ns = (uint64_t)settings->statement_timeout_ms * NS_PER_MS;
}

static void link_job(struct sqlite_job *job)
{
	struct sqlite_loop *loop = job->loop;

	job->loop_next = loop->jobs;
	job->loop_link = &loop->jobs;
	if (job->loop_next != NULL)
		job->loop_next->loop_link = &job->loop_next;
	loop->jobs = job;
}

struct sqlite_job *sqlite_job_new(struct flow *flow, enum sqlite_job_kind kind,
	const struct db_statement *statement, const struct db_value *values, size_t value_count)
{
	size_t size = value_count * sizeof(*values);
	struct sqlite_job *job;

	for (size_t i = 0; i < value_count; i++)
		if (has_text(&values[i]))
			size += values[i].text.len;
	job = malloc(sizeof(*job) + size);
	if (job == NULL)
		return NULL;
	*job = (struct sqlite_job) {
		.loop = (struct sqlite_loop *)flow->loop->db,
		.kind = kind,
		.statement = statement,
		.size = size,
		.value_count = value_count,
		.result = {.statement = statement, .driver = &result_driver},
	};
	copy_values(job, values);
	set_deadlines(job, flow);
	link_job(job);
	return job;
}

void sqlite_job_unlink(struct sqlite_job *job)
{
	if (job->loop_link == NULL)
		return;
	*job->loop_link = job->loop_next;
	if (job->loop_next != NULL)
		job->loop_next->loop_link = job->loop_link;
	job->loop_link = NULL;
}

void sqlite_job_free(struct sqlite_job *job)
{
	sqlite_job_unlink(job);
	if (job->size > 0)
		secret_wipe(job->values, job->size);
	sqlite_rows_free(&job->rows);
	free(job);
}

void sqlite_job_post(struct sqlite_job *job)
{
	struct sqlite_loop *loop = job->loop;

	job->done_ns = clock_now_ns();
	pthread_mutex_lock(&loop->gate);
	job->posted = !loop->closed;
	if (job->posted)
		loop_post(loop->base.loop, &job->message);
	pthread_mutex_unlock(&loop->gate);
}

void sqlite_job_fail(struct sqlite_job *job, enum failure failure, const char *cause)
{
	job->failure = failure;
	snprintf(job->cause, sizeof(job->cause), "%s", cause);
}

void sqlite_job_reset(struct sqlite_job *job)
{
	sqlite_rows_clear(&job->rows);
	job->result.outcome = DB_OK;
	job->result.rows = 0;
	job->result.affected = 0;
	job->result.constraint[0] = '\0';
	job->failure = FAILURE_NONE;
}

uint64_t sqlite_job_deadline_ns(const struct sqlite_job *job)
{
	uint64_t now_ns = clock_now_ns();

	if (job->statement_timeout_ns < UINT64_MAX - now_ns &&
		now_ns + job->statement_timeout_ns < job->flow_deadline_ns)
		return now_ns + job->statement_timeout_ns;
	return job->flow_deadline_ns;
}

/* ---- running --------------------------------------------------------------------------------- */

static int bind_value(sqlite3_stmt *handle, int index, const struct db_value *value)
{
	if (value->is_null)
		return sqlite3_bind_null(handle, index);
	switch (value->kind) {
	case DB_NONE:
		return sqlite3_bind_null(handle, index);
	case DB_TEXT:
		return sqlite3_bind_text64(handle, index, value->text.data, value->text.len,
			SQLITE_STATIC, SQLITE_UTF8);
	case DB_BYTES:
		/* a NULL address would be bound as NULL, and an empty copy has none behind it */
		return value->text.len == 0 ? sqlite3_bind_zeroblob(handle, index, 0)
					    : sqlite3_bind_blob64(handle, index, value->text.data,
						      value->text.len, SQLITE_STATIC);
	case DB_UUID:
		return sqlite3_bind_blob(
			handle, index, value->uuid.bytes, sizeof(value->uuid.bytes), SQLITE_STATIC);
	case DB_INT:
	case DB_BOOL:
	case DB_TIME:
		return sqlite3_bind_int64(handle, index, value->integer);
	case DB_DOUBLE:
		return sqlite3_bind_double(handle, index, value->number);
	}
	return SQLITE_MISUSE;
}

static int bind_values(const struct sqlite_job *job, const struct sqlite_prepared *prepared)
{
	for (size_t i = 0; i < job->value_count; i++) {
		int code;

		if (prepared->parameters[i] == 0)
			continue;
		code = bind_value(prepared->handle, prepared->parameters[i], &job->values[i]);
		if (code != SQLITE_OK)
			return code;
	}
	return SQLITE_OK;
}

/* SQLITE_DONE, or how it failed. */
static int step_rows(struct sqlite_job *job, sqlite3_stmt *handle)
{
	int code;

	while ((code = sqlite3_step(handle)) == SQLITE_ROW) {
		/* a column more after a migration behind our back: SQLite compiles again by itself */
		if ((size_t)sqlite3_column_count(handle) != job->rows.columns.count)
			return SQLITE_SCHEMA;
		code = sqlite_rows_add(&job->rows, handle);
		if (code != SQLITE_OK)
			return code;
		job->result.rows++;
	}
	return code;
}

static void judge_error(struct sqlite_job *job, struct sqlite_connection *connection, int code)
{
	const char *message = sqlite3_errmsg(connection->handle);
	enum db_outcome outcome = sqlite_expected(job->statement, code);

	sqlite_job_reset(job);
	if (outcome != DB_OK) {
		job->result.outcome = outcome;
		sqlite_constraint(message, job->result.constraint, sizeof(job->result.constraint));
		return;
	}
	job->failure = sqlite_failure(code);
	snprintf(job->cause, sizeof(job->cause), "statement %s: %s", job->statement->name,
		code == SQLITE_TOOBIG ? "too large a value or result" : message);
}

static void judge_rows(struct sqlite_job *job)
{
	const struct field *misfit = sqlite_rows_misfit(&job->rows);

	if (misfit == NULL)
		return;
	sqlite_job_reset(job);
	job->failure = FAILURE_INTERNAL;
	snprintf(job->cause, sizeof(job->cause),
		"statement %s: column %s has a value of another kind", job->statement->name,
		misfit->name);
}

static void run_prepared(struct sqlite_job *job, struct sqlite_connection *connection,
	const struct sqlite_prepared *prepared)
{
	int64_t changes_before = sqlite3_total_changes64(connection->handle);
	int code;

	job->rows.columns = prepared->columns;
	code = bind_values(job, prepared);
	if (code == SQLITE_OK)
		code = step_rows(job, prepared->handle);
	if (code == SQLITE_DONE) {
		/* changes() keeps the number of an earlier statement when this one changed nothing */
		if (sqlite3_total_changes64(connection->handle) != changes_before)
			job->result.affected = sqlite3_changes64(connection->handle);
		judge_rows(job);
	} else {
		judge_error(job, connection, code);
	}
	sqlite3_reset(prepared->handle);
	sqlite3_clear_bindings(prepared->handle);
}

void sqlite_job_run(struct sqlite_job *job, struct sqlite_connection *connection)
{
	struct sqlite_prepared *prepared;
	int code;

	sqlite_job_reset(job);
	connection->deadline_ns = sqlite_job_deadline_ns(job);
	prepared = sqlite_connection_prepare(connection, job->statement, &code, job->cause);
	if (prepared != NULL)
		run_prepared(job, connection, prepared);
	else
		job->failure = sqlite_failure(code);
	connection->deadline_ns = UINT64_MAX;
}
