// SPDX-License-Identifier: Apache-2.0
#include "db/db.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/secret.h"
#include "db/engine.h"

enum { VALUE_MAX_BYTES = 256 << 20, SCHEME_SHOWN_MAX = 32 };

static const struct db_engine_ops *const engines[] = {
	[DB_SQLITE] = &sqlite_engine,
	[DB_POSTGRESQL] = &postgres_engine,
};

bool db_url_engine(struct text url, enum db_engine *engine_out)
{
	if (url.len == 0 || text_starts_with(url, TEXT("sqlite:"))) {
		*engine_out = DB_SQLITE;
		return true;
	}
	if (text_starts_with(url, TEXT("postgresql://")) ||
		text_starts_with(url, TEXT("postgres://"))) {
		*engine_out = DB_POSTGRESQL;
		return true;
	}
	return false;
}

struct text db_url_refusal(struct text url, struct arena *arena)
{
	/* What stands behind the scheme may hold a password. */
	struct text rest, scheme = text_cut(url, ':', &rest);
	bool shown = !text_is_absent(rest) && scheme.len <= SCHEME_SHOWN_MAX;

	return arena_printf(arena,
		"database.url%s%.*s%s must be empty (SQLite in the data folder), sqlite:PATH or "
		"postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
		shown ? " (" : "", shown ? (int)scheme.len : 0, scheme.data, shown ? ":...)" : "");
}

struct text db_sqlite_path(struct text url, struct text data_dir, struct arena *arena)
{
	if (url.len == 0)
		return arena_printf(arena, "%.*s/millrace.db", TEXT_ARG(data_dir));
	if (!text_starts_with(url, TEXT("sqlite:")))
		return TEXT_ABSENT;
	url = text_of(url.data + strlen("sqlite:"), url.len - strlen("sqlite:"));
	if (text_starts_with(url, TEXT("//")))
		url = text_of(url.data + 2, url.len - 2);
	return arena_text(arena, url);
}

static struct text heap_text(struct text text)
{
	char *copy = malloc(text.len + 1);

	if (copy == NULL)
		return TEXT_ABSENT;
	if (text.len > 0)
		memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	return text_of(copy, text.len);
}

static void db_free(struct db *db)
{
	if (!text_is_absent(db->url))
		secret_wipe((char *)db->url.data, db->url.len);
	free((char *)db->url.data);
	free((char *)db->data_dir.data);
	free(db);
}

struct db *db_open(const struct db_settings *settings, struct metrics *metrics, struct log *log,
	struct text data_dir, struct arena *arena, struct text *error_out)
{
	struct db *db;
	enum db_engine engine;

	*error_out = TEXT("the machine has no memory");
	if (!db_url_engine(settings->url, &engine)) {
		*error_out = db_url_refusal(settings->url, arena);
		return NULL;
	}
	db = calloc(1, sizeof(*db));
	if (db == NULL)
		return NULL;
	db->engine = engine;
	db->ops = engines[engine];
	db->metrics = metrics;
	db->log = log;
	db->url = heap_text(settings->url);
	db->data_dir = heap_text(data_dir);
	db->settings = *settings;
	db->settings.url = db->url;
	if (text_is_absent(db->url) || text_is_absent(db->data_dir) ||
		!db->ops->open(db, arena, error_out)) {
		db_free(db);
		return NULL;
	}
	return db;
}

void db_close(struct db *db)
{
	if (db == NULL)
		return;
	while (db->loops != NULL) {
		struct db_loop *db_loop = db->loops;

		db->loops = db_loop->next;
		db_statements_free(db_loop);
		db->ops->release(db_loop);
	}
	db->ops->close(db);
	db_free(db);
}

bool db_probe(const struct db_settings *settings, struct text data_dir, struct arena *arena,
	struct text *error_out)
{
	enum db_engine engine;

	if (!db_url_engine(settings->url, &engine)) {
		*error_out = db_url_refusal(settings->url, arena);
		return false;
	}
	return engines[engine]->probe(settings, data_dir, arena, error_out);
}

enum db_engine db_engine(const struct db *db)
{
	return db->engine;
}

struct text db_describe(const struct db *db, struct arena *arena)
{
	return db->ops->describe(db, arena);
}

bool db_is_up(const struct db *db)
{
	return db->ops->is_up(db);
}

int db_attach(struct db *db, struct loop *loop)
{
	struct db_loop *db_loop = db->ops->attach(db, loop);

	if (db_loop == NULL)
		return -1;
	db_loop->db = db;
	db_loop->loop = loop;
	db_loop->next = db->loops;
	db->loops = db_loop;
	loop->db = db_loop;
	db_statements_init(db_loop);
	return 0;
}

void db_detach(struct loop *loop)
{
	struct db_loop *db_loop = loop->db;

	if (db_loop == NULL || db_loop->detached)
		return;
	db_loop->detached = true;
	db_loop->db->ops->detach(db_loop);
}

/* ---- statements ------------------------------------------------------------------------------ */

/* NULL, and the flow has failed, when the loop has no database (any more). */
static const struct db_engine_ops *engine_of(struct flow *flow)
{
	struct db_loop *db_loop = flow->loop->db;

	assert(db_loop != NULL && "db_attach was not called for this loop");
	if (db_loop->detached) {
		flow_fail(flow, FAILURE_SHUTDOWN, "the database is being closed");
		return NULL;
	}
	return db_loop->db->ops;
}

static bool values_match(
	const struct db_statement *statement, const struct db_value *values, size_t value_count)
{
	for (size_t i = 0; i < value_count; i++)
		if (i == DB_PARAMS_MAX || values[i].kind != statement->params[i])
			return false;
	return value_count == DB_PARAMS_MAX || statement->params[value_count] == DB_NONE;
}

/* What both engines can hold in one value; libpq counts it in an int. */
static bool values_fit(const struct db_value *values, size_t value_count)
{
	for (size_t i = 0; i < value_count; i++)
		if (!values[i].is_null &&
			(values[i].kind == DB_TEXT || values[i].kind == DB_BYTES) &&
			values[i].text.len > VALUE_MAX_BYTES)
			return false;
	return true;
}

enum flow_verdict db_query(struct flow *flow, const struct db_statement *statement,
	const struct db_value *values, size_t value_count)
{
	const struct db_engine_ops *ops = engine_of(flow);

	if (ops == NULL)
		return FLOW_DONE;
	if (!values_match(statement, values, value_count)) {
		assert(!"the values do not match the statement's params");
		return flow_fail(
			flow, FAILURE_INTERNAL, "the values do not match the statement's params");
	}
	if (!values_fit(values, value_count))
		return flow_fail(flow, FAILURE_INVALID, "a value of more than 256 MiB");
	return ops->query(flow, statement, values, value_count);
}

bool db_in_transaction(const struct flow *flow)
{
	const struct db_loop *db_loop = flow->loop->db;

	return flow->hold != NULL && flow->hold->release == db_loop->db->ops->hold_release;
}

enum flow_verdict db_begin(struct flow *flow)
{
	const struct db_engine_ops *ops = engine_of(flow);

	assert(flow->hold == NULL && "a transaction is open already");
	return ops == NULL ? FLOW_DONE : ops->begin(flow);
}

enum flow_verdict db_commit(struct flow *flow)
{
	const struct db_engine_ops *ops = engine_of(flow);

	assert(db_in_transaction(flow));
	return ops == NULL ? FLOW_DONE : ops->commit(flow);
}

enum flow_verdict db_rollback(struct flow *flow)
{
	const struct db_engine_ops *ops = engine_of(flow);

	assert(db_in_transaction(flow));
	return ops == NULL ? FLOW_DONE : ops->rollback(flow);
}

/* ---- results --------------------------------------------------------------------------------- */

const struct db_result *db_result(const struct flow *flow)
{
	assert(flow->result != NULL && "no operation has completed before this step");
	return flow->result;
}

void db_row(const struct flow *flow, size_t index, void *out)
{
	const struct db_result *result = db_result(flow);

	assert(result->statement != NULL && result->statement->row != NULL);
	memset(out, 0, result->statement->row->size);
	assert(index < result->rows);
	if (index < result->rows)
		result->driver->row(result, index, out);
}

static bool is_text(enum field_kind kind)
{
	return kind == FIELD_TEXT || kind == FIELD_EMAIL || kind == FIELD_PASSWORD ||
		kind == FIELD_TOKEN;
}

/* Past the arena's cap a text becomes absent, never a pointer into a result that will be gone. */
static bool keep_texts(struct arena *arena, const struct schema *schema, void *row)
{
	bool kept = true;

	for (size_t i = 0; i < schema->field_count; i++) {
		const struct field *field = &schema->fields[i];
		struct text *text = (struct text *)((char *)row + field->offset);

		if (!is_text(field->kind) || text_is_absent(*text))
			continue;
		*text = arena_text(arena, *text);
		kept &= !text_is_absent(*text);
	}
	return kept;
}

static void fail_copy(struct flow *flow)
{
	flow_fail(flow, FAILURE_MEMORY, "a result does not fit in the memory of its flow");
}

bool db_row_copy(struct flow *flow, size_t index, void *out)
{
	db_row(flow, index, out);
	if (keep_texts(&flow->arena, db_result(flow)->statement->row, out))
		return true;
	fail_copy(flow);
	return false;
}

void *db_rows_copy(struct flow *flow)
{
	const struct db_result *result = db_result(flow);
	const struct schema *row = result->statement->row;
	char *list = NULL;

	if (result->rows == 0)
		return NULL;
	if (result->rows <= SIZE_MAX / row->size)
		list = arena_alloc(&flow->arena, result->rows * row->size);
	if (list == NULL)
		fail_copy(flow);
	for (size_t i = 0; list != NULL && i < result->rows; i++)
		if (!db_row_copy(flow, i, list + i * row->size))
			return NULL;
	return list;
}
