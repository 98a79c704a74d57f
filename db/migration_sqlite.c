// SPDX-License-Identifier: Apache-2.0
/*
 * migration_sqlite - the migrator's SQLite side. The lock is the file's write lock (BEGIN IMMEDIATE). Foreign
 * keys are off while a migration runs, so that it may rebuild a table (SQLite, "Making Other Kinds Of
 * Table Schema Changes"), and checked before the commit.
 */
#include "db/migration_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/clock.h"
#include "db/sqlite.h"

enum { NS_PER_MS = 1000000 };

struct migration_connection {
	struct sqlite_connection base;
};

static const char create_table[] = "CREATE TABLE IF NOT EXISTS schema_migrations ("
				   " version TEXT NOT NULL PRIMARY KEY,"
				   " checksum TEXT NOT NULL,"
				   " applied_at INTEGER NOT NULL,"
				   " took_ms INTEGER NOT NULL"
				   ") STRICT, WITHOUT ROWID";

static bool complain(
	struct migration_connection *connection, struct arena *arena, struct text *error_out)
{
	*error_out = arena_printf(arena, "%s", sqlite3_errmsg(connection->base.handle));
	return false;
}

static bool run_sql(struct migration_connection *connection, const char *sql, struct arena *arena,
	struct text *error_out)
{
	return sqlite3_exec(connection->base.handle, sql, NULL, NULL, NULL) == SQLITE_OK ||
		complain(connection, arena, error_out);
}

/* ---- opening --------------------------------------------------------------------------------- */

static bool is_missing(struct text path)
{
	struct stat status;

	return !sqlite_path_is_memory(path) && stat(path.data, &status) < 0;
}

static bool open_connection(const struct db_settings *settings, struct text data_dir, bool to_write,
	struct arena *arena, struct migration_connection **connection_out, struct text *error_out)
{
	struct text path = db_sqlite_path(settings->url, data_dir, arena);
	enum sqlite_role role = to_write ? SQLITE_ROLE_MIGRATOR : SQLITE_ROLE_READER;
	struct migration_connection *connection;

	*connection_out = NULL;
	if (!to_write && is_missing(path))
		return true;
	if (to_write && !sqlite_file_prepare(path, data_dir, arena, error_out))
		return false;
	connection = calloc(1, sizeof(*connection));
	if (connection == NULL) {
		*error_out = TEXT("no memory for a connection");
		return false;
	}
	if (!sqlite_connection_open(&connection->base, path, role, arena, error_out)) {
		free(connection);
		return false;
	}
	*connection_out = connection;
	return true;
}

static void close_connection(struct migration_connection *connection)
{
	sqlite_connection_close(&connection->base);
	free(connection);
}

/* ---- the transaction ------------------------------------------------------------------------- */

static bool begin(
	struct migration_connection *connection, struct arena *arena, struct text *error_out)
{
	int code;

	/* Without effect inside a transaction, so it comes before. */
	if (!run_sql(connection, "PRAGMA foreign_keys=OFF", arena, error_out))
		return false;
	connection->base.deadline_ns = clock_now_ns() +
		(uint64_t)MIGRATION_LOCK_TIMEOUT_MS * NS_PER_MS;
	code = sqlite_connection_run(connection->base.begin);
	connection->base.deadline_ns = UINT64_MAX;
	if (code == SQLITE_DONE)
		return run_sql(connection, create_table, arena, error_out);
	if (sqlite_failure(code) != FAILURE_BUSY)
		return complain(connection, arena, error_out);
	*error_out = arena_printf(arena,
		"another process has held the database's write lock for %d s",
		MIGRATION_LOCK_TIMEOUT_MS / 1000);
	return false;
}

static void rollback(struct migration_connection *connection)
{
	if (sqlite3_get_autocommit(connection->base.handle) == 0)
		sqlite_connection_run(connection->base.rollback);
	sqlite3_exec(connection->base.handle, "PRAGMA foreign_keys=ON", NULL, NULL, NULL);
}

static bool check_foreign_keys(
	struct migration_connection *connection, struct arena *arena, struct text *error_out)
{
	sqlite3_stmt *check;
	bool ok;

	if (sqlite3_prepare_v2(connection->base.handle, "PRAGMA foreign_key_check", -1, &check,
		    NULL) != SQLITE_OK)
		return complain(connection, arena, error_out);
	switch (sqlite3_step(check)) {
	case SQLITE_DONE:
		ok = true;
		break;
	case SQLITE_ROW:
		ok = false;
		*error_out = arena_printf(arena,
			"rows of %s would refer to rows of %s that do not exist",
			(const char *)sqlite3_column_text(check, 0),
			(const char *)sqlite3_column_text(check, 2));
		break;
	default:
		ok = complain(connection, arena, error_out);
	}
	sqlite3_finalize(check);
	return ok;
}

static bool commit(
	struct migration_connection *connection, struct arena *arena, struct text *error_out)
{
	if (!check_foreign_keys(connection, arena, error_out))
		return false;
	if (sqlite_connection_run(connection->base.commit) != SQLITE_DONE)
		return complain(connection, arena, error_out);
	return run_sql(connection, "PRAGMA foreign_keys=ON", arena, error_out);
}

/* A migration that commits could be left half-written: refused before it runs. */
static int refuse_transactions(void *context, int action, const char *first, const char *second,
	const char *database, const char *trigger)
{
	switch (action) {
	case SQLITE_TRANSACTION:
	case SQLITE_SAVEPOINT:
	case SQLITE_ATTACH:
	case SQLITE_DETACH:
		return SQLITE_DENY;
	}
	return SQLITE_OK;
}

static bool run(struct migration_connection *connection, const char *sql, struct arena *arena,
	struct text *error_out)
{
	sqlite3 *handle = connection->base.handle;
	char *message = NULL;
	int code;

	sqlite3_set_authorizer(handle, refuse_transactions, NULL);
	code = sqlite3_exec(handle, sql, NULL, NULL, &message);
	sqlite3_set_authorizer(handle, NULL, NULL);
	if (code == SQLITE_OK)
		return true;
	*error_out = (code & 0xff) == SQLITE_AUTH
		? TEXT("it begins, ends or nests a transaction, or attaches a database")
		: arena_printf(arena, "%s", message != NULL ? message : "no memory");
	sqlite3_free(message);
	return false;
}

/* ---- the table ------------------------------------------------------------------------------- */

static struct text column_text(sqlite3_stmt *statement, int column, struct arena *arena)
{
	const char *data = (const char *)sqlite3_column_text(statement, column);

	return arena_text(arena,
		text_of(data != NULL ? data : "", (size_t)sqlite3_column_bytes(statement, column)));
}

static int read_records(
	sqlite3_stmt *statement, struct arena *arena, struct migration_record **link)
{
	int code;

	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		struct migration_record *record = arena_zalloc(arena, sizeof(*record));

		if (record == NULL)
			return SQLITE_NOMEM;
		record->version = column_text(statement, 0, arena);
		record->checksum = column_text(statement, 1, arena);
		record->applied_at_ms = sqlite3_column_int64(statement, 2);
		if (text_is_absent(record->version) || text_is_absent(record->checksum))
			return SQLITE_NOMEM;
		*link = record;
		link = &record->next;
	}
	return code;
}

static bool has_table(struct migration_connection *connection)
{
	return sqlite3_table_column_metadata(connection->base.handle, NULL, "schema_migrations",
		       NULL, NULL, NULL, NULL, NULL, NULL) == SQLITE_OK;
}

static bool read_table(struct migration_connection *connection, struct arena *arena,
	struct migration_record **list_out, struct text *error_out)
{
	sqlite3_stmt *statement;
	int code;

	*list_out = NULL;
	if (!has_table(connection))
		return true;
	if (sqlite3_prepare_v2(connection->base.handle,
		    "SELECT version, checksum, applied_at FROM schema_migrations"
		    " ORDER BY version",
		    -1, &statement, NULL) != SQLITE_OK)
		return complain(connection, arena, error_out);
	code = read_records(statement, arena, list_out);
	sqlite3_finalize(statement);
	return code == SQLITE_DONE || complain(connection, arena, error_out);
}

static bool finish(struct migration_connection *connection, sqlite3_stmt *statement,
	struct arena *arena, struct text *error_out)
{
	int code = sqlite3_step(statement);

	sqlite3_finalize(statement);
	return code == SQLITE_DONE || complain(connection, arena, error_out);
}

static bool add(struct migration_connection *connection, const struct migration_record *record,
	uint64_t took_ms, struct arena *arena, struct text *error_out)
{
	sqlite3_stmt *statement;

	if (sqlite3_prepare_v2(connection->base.handle,
		    "INSERT INTO schema_migrations (version, checksum, applied_at, took_ms)"
		    " VALUES (?, ?, ?, ?)",
		    -1, &statement, NULL) != SQLITE_OK)
		return complain(connection, arena, error_out);
	sqlite3_bind_text(
		statement, 1, record->version.data, (int)record->version.len, SQLITE_STATIC);
	sqlite3_bind_text(
		statement, 2, record->checksum.data, (int)record->checksum.len, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 3, record->applied_at_ms);
	sqlite3_bind_int64(statement, 4, (int64_t)took_ms);
	return finish(connection, statement, arena, error_out);
}

static bool remove_record(struct migration_connection *connection, struct text version,
	struct arena *arena, struct text *error_out)
{
	sqlite3_stmt *statement;

	if (sqlite3_prepare_v2(connection->base.handle,
		    "DELETE FROM schema_migrations WHERE version = ?", -1, &statement,
		    NULL) != SQLITE_OK)
		return complain(connection, arena, error_out);
	sqlite3_bind_text(statement, 1, version.data, (int)version.len, SQLITE_STATIC);
	return finish(connection, statement, arena, error_out);
}

const struct migration_engine migration_sqlite = {
	.name = "SQLite",
	.open = open_connection,
	.close = close_connection,
	.begin = begin,
	.commit = commit,
	.rollback = rollback,
	.read = read_table,
	.run = run,
	.add = add,
	.remove = remove_record,
};
