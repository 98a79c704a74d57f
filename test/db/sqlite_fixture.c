// SPDX-License-Identifier: Apache-2.0
#include "test/db/sqlite_fixture.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char schema_sql[] =
	"CREATE TABLE authors (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
	"CREATE TABLE books (id INTEGER PRIMARY KEY,"
	" author_id INTEGER NOT NULL REFERENCES authors (id),"
	" title TEXT NOT NULL, pages INTEGER CHECK (pages > 0)) STRICT;"
	"CREATE TABLE kinds (a_text TEXT, an_int INTEGER, a_bool INTEGER, a_uuid BLOB, a_time INTEGER,"
	" some_bytes BLOB, a_double REAL, a_choice TEXT) STRICT;";

void sqlite_fixture_init(struct sqlite_fixture *fixture)
{
	*fixture = (struct sqlite_fixture) {0};
	temporary_template(fixture->folder);
	assert_non_null(mkdtemp(fixture->folder));
	snprintf(fixture->path, sizeof(fixture->path), "%s/test.db", fixture->folder);
	snprintf(fixture->url, sizeof(fixture->url), "sqlite:%s", fixture->path);
	arena_init(&fixture->arena, NULL, 4 << 20);
	fixture->settings = (struct db_settings) {
		.url = text_from_c(fixture->url),
		.acquire_timeout_ms = 60000,
		.statement_timeout_ms = 60000,
		.slow_query_ms = 60000,
		.queue_max = 1024,
		.sqlite_readers = 2,
	};
}

bool sqlite_fixture_start(struct sqlite_fixture *fixture)
{
	fixture->db = db_open(&fixture->settings, NULL, NULL, text_from_c(fixture->folder),
		&fixture->arena, &fixture->error);
	if (fixture->db == NULL)
		return false;
	assert_int_equal(loop_init(&fixture->loop, 0), 0);
	fixture->has_loop = true;
	assert_int_equal(db_attach(fixture->db, &fixture->loop), 0);
	return true;
}

void sqlite_fixture_open(struct sqlite_fixture *fixture)
{
	sqlite3 *stranger;

	sqlite_fixture_init(fixture);
	stranger = sqlite_fixture_stranger(fixture);
	assert_int_equal(sqlite3_exec(stranger, schema_sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(stranger);
	if (!sqlite_fixture_start(fixture))
		fail_msg("%.*s", TEXT_ARG(fixture->error));
}

void sqlite_fixture_stop(struct sqlite_fixture *fixture)
{
	if (fixture->has_loop) {
		db_detach(&fixture->loop);
		loop_stop(&fixture->loop);
		loop_run(&fixture->loop);
		loop_deinit(&fixture->loop);
		fixture->has_loop = false;
	}
	db_close(fixture->db);
	fixture->db = NULL;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	return remove(path);
}

void sqlite_fixture_close(struct sqlite_fixture *fixture)
{
	sqlite_fixture_stop(fixture);
	arena_deinit(&fixture->arena);
	nftw(fixture->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void on_end(struct flow *flow, enum failure failure, const char *cause)
{
	struct ending *ending = flow->owner_data;

	ending->count++;
	ending->failure = failure;
	snprintf(ending->cause, sizeof(ending->cause), "%s", cause != NULL ? cause : "");
}

static const struct flow_owner owner = {.on_end = on_end};

struct flow *sqlite_fixture_flow(
	struct sqlite_fixture *fixture, struct ending *ending, uint64_t deadline_ms, void *state)
{
	struct flow *flow = flow_new(&fixture->loop, &owner, ending, deadline_ms, 1 << 20);

	assert_non_null(flow);
	*ending = (struct ending) {0};
	flow->state = state;
	return flow;
}

static bool has_ended(void *context)
{
	return ((struct ending *)context)->count > 0;
}

void sqlite_fixture_await(struct sqlite_fixture *fixture, struct ending *ending)
{
	assert_true(turn_until(&fixture->loop, has_ended, ending));
	assert_int_equal(ending->count, 1);
}

struct ending sqlite_fixture_run(struct sqlite_fixture *fixture, const struct flow_step *steps,
	uint64_t deadline_ms, void *state)
{
	struct ending ending;

	flow_start(sqlite_fixture_flow(fixture, &ending, deadline_ms, state), steps);
	sqlite_fixture_await(fixture, &ending);
	return ending;
}

sqlite3 *sqlite_fixture_stranger(const struct sqlite_fixture *fixture)
{
	sqlite3 *handle;

	assert_int_equal(sqlite3_open(fixture->path, &handle), SQLITE_OK);
	sqlite3_busy_timeout(handle, 5000);
	return handle;
}

int64_t sqlite_fixture_number(const struct sqlite_fixture *fixture, const char *sql)
{
	sqlite3 *stranger = sqlite_fixture_stranger(fixture);
	sqlite3_stmt *statement;
	int64_t number;

	assert_int_equal(sqlite3_prepare_v2(stranger, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(stranger);
	return number;
}
