// SPDX-License-Identifier: Apache-2.0
#include "db/sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"

enum {
	PROGRESS_STEPS =
		4000, /* virtual machine steps between two looks at the clock: tens of us */
	BUSY_SLEEP_MAX_US = 10000,
	OPEN_TIMEOUT_MS = 5000,
	NS_PER_MS = 1000000,
};

/* One database in memory for the whole process: connections that name it share it. */
static const char memory_uri[] = "file:/millrace?vfs=memdb";

/* journal_mode is asked for apart: its answer must be read. secure_delete=FAST clears what can be cleared
 * without another write. */
static const char configure_sql[] = "PRAGMA foreign_keys=ON;"
				    "PRAGMA synchronous=NORMAL;"
				    "PRAGMA secure_delete=FAST;"
				    "PRAGMA temp_store=MEMORY;"
				    "PRAGMA cell_size_check=ON;"
				    "PRAGMA journal_size_limit=67108864;"
				    "PRAGMA analysis_limit=400;"
				    "PRAGMA cache_size=-8192;";

/* ---- while something runs ------------------------------------------------------------------- */

static bool must_stop(struct sqlite_connection *connection)
{
	if (connection->abandoned != NULL &&
		atomic_load_explicit(connection->abandoned, memory_order_relaxed))
		return true;
	return connection->deadline_ns != UINT64_MAX && clock_now_ns() >= connection->deadline_ns;
}

static int on_progress(void *context)
{
	return must_stop(context);
}

/* Another process has the lock. Sleeping is fine: no loop runs on this thread. */
static int on_busy(void *context, int tries)
{
	struct sqlite_connection *connection = context;
	long sleep_us = tries < 4 ? 500L << tries : BUSY_SLEEP_MAX_US;
	struct timespec pause = {.tv_nsec = sleep_us * 1000};

	if (connection->stopping != NULL && atomic_load(connection->stopping))
		return 0;
	if (must_stop(connection))
		return 0;
	if (connection->while_busy != NULL)
		connection->while_busy(connection);
	nanosleep(&pause, NULL);
	return 1;
}

/* ---- opening --------------------------------------------------------------------------------- */

static bool complain(struct sqlite_connection *connection, struct text path, struct arena *arena,
	struct text *error_out)
{
	*error_out = arena_printf(arena, "cannot use the SQLite database %.*s: %s", TEXT_ARG(path),
		connection->handle != NULL ? sqlite3_errmsg(connection->handle) : "no memory");
	return false;
}

static int read_int(sqlite3 *handle, const char *sql, int *value_out)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(handle, sql, -1, &statement, NULL);

	if (code != SQLITE_OK)
		return code;
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*value_out = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

/* A file of another program is refused before anything is written to it. */
static bool claim(struct sqlite_connection *connection, struct text path, struct arena *arena,
	struct text *error_out)
{
	sqlite3 *handle = connection->handle;
	int id = 0, tables = 0;
	char sql[64];

	if (read_int(handle, "PRAGMA application_id", &id) != SQLITE_OK ||
		read_int(handle, "SELECT count(*) FROM sqlite_schema", &tables) != SQLITE_OK)
		return complain(connection, path, arena, error_out);
	if (id == SQLITE_APPLICATION_ID)
		return true;
	if (id != 0) {
		*error_out = arena_printf(arena,
			"%.*s is the SQLite database of another program "
			"(application_id %d); name another file",
			TEXT_ARG(path), id);
		return false;
	}
	snprintf(sql, sizeof(sql), "PRAGMA application_id=%d", SQLITE_APPLICATION_ID);
	if (sqlite3_db_readonly(handle, "main") == 0 &&
		sqlite3_exec(handle, sql, NULL, NULL, NULL) != SQLITE_OK)
		return complain(connection, path, arena, error_out);
	return true;
}

static bool use_wal(struct sqlite_connection *connection, struct text path, struct arena *arena,
	struct text *error_out)
{
	sqlite3_stmt *statement;
	bool is_wal;

	if (sqlite3_prepare_v2(connection->handle, "PRAGMA journal_mode=WAL", -1, &statement,
		    NULL) != SQLITE_OK)
		return complain(connection, path, arena, error_out);
	if (sqlite3_step(statement) != SQLITE_ROW) {
		sqlite3_finalize(statement);
		return complain(connection, path, arena, error_out);
	}
	is_wal = strcmp((const char *)sqlite3_column_text(statement, 0), "wal") == 0;
	sqlite3_finalize(statement);
	if (!is_wal)
		*error_out = arena_printf(arena,
			"%.*s cannot be put into WAL mode: the file system must be "
			"local and writable",
			TEXT_ARG(path));
	return is_wal;
}

static void harden(sqlite3 *handle)
{
	sqlite3_extended_result_codes(handle, 1);
	sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
}

static bool prepare_own(struct sqlite_connection *connection)
{
	const struct {
		sqlite3_stmt **handle;
		const char *sql;
	} own[] = {
		{&connection->begin, "BEGIN IMMEDIATE"},
		{&connection->commit, "COMMIT"},
		{&connection->rollback, "ROLLBACK"},
		{&connection->savepoint, "SAVEPOINT job"},
		{&connection->release, "RELEASE job"},
		{&connection->rollback_to, "ROLLBACK TO job"},
	};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (sqlite3_prepare_v3(connection->handle, own[i].sql, -1,
			    SQLITE_PREPARE_PERSISTENT, own[i].handle, NULL) != SQLITE_OK)
			return false;
	return true;
}

static bool configure(struct sqlite_connection *connection, struct text path, enum sqlite_role role,
	struct arena *arena, struct text *error_out)
{
	sqlite3 *handle = connection->handle;

	if (sqlite3_exec(handle, configure_sql, NULL, NULL, NULL) != SQLITE_OK)
		return complain(connection, path, arena, error_out);
	switch (role) {
	case SQLITE_ROLE_WRITER:
	case SQLITE_ROLE_MIGRATOR:
		if (!claim(connection, path, arena, error_out))
			return false;
		if (!sqlite_path_is_memory(path) && sqlite3_db_readonly(handle, "main") == 0 &&
			!use_wal(connection, path, arena, error_out))
			return false;
		break;
	case SQLITE_ROLE_READER:
		if (sqlite3_exec(handle, "PRAGMA query_only=ON", NULL, NULL, NULL) != SQLITE_OK)
			return complain(connection, path, arena, error_out);
		break;
	}
	return prepare_own(connection) || complain(connection, path, arena, error_out);
}

bool sqlite_connection_open(struct sqlite_connection *connection, struct text path,
	enum sqlite_role role, struct arena *arena, struct text *error_out)
{
	bool in_memory = sqlite_path_is_memory(path);
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;

	*connection = (struct sqlite_connection) {.deadline_ns = UINT64_MAX};
	if (in_memory)
		flags |= SQLITE_OPEN_URI | SQLITE_OPEN_CREATE;
	if (sqlite3_open_v2(in_memory ? memory_uri : path.data, &connection->handle, flags, NULL) !=
		SQLITE_OK) {
		complain(connection, path, arena, error_out);
		sqlite_connection_close(connection);
		return false;
	}
	harden(connection->handle);
	sqlite3_busy_handler(connection->handle, on_busy, connection);
	connection->deadline_ns = clock_now_ns() + (uint64_t)OPEN_TIMEOUT_MS * NS_PER_MS;
	if (!configure(connection, path, role, arena, error_out)) {
		sqlite_connection_close(connection);
		return false;
	}
	connection->deadline_ns = UINT64_MAX;
	sqlite3_progress_handler(connection->handle, PROGRESS_STEPS, on_progress, connection);
	return true;
}

void sqlite_connection_close(struct sqlite_connection *connection)
{
	sqlite3_stmt *own[] = {connection->begin, connection->commit, connection->rollback,
		connection->savepoint, connection->release, connection->rollback_to};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sqlite3_finalize(own[i]);
	for (size_t i = 0; i < connection->prepared_slots; i++)
		if (connection->prepared[i].statement != NULL)
			sqlite3_finalize(connection->prepared[i].handle);
	free(connection->prepared);
	sqlite3_close(connection->handle);
	*connection = (struct sqlite_connection) {.deadline_ns = UINT64_MAX};
}

const char sqlite_orphaned_cause[] =
	"the database's file was moved, deleted or replaced while it was open: put it back or "
	"start again";

/* Costs one stat. In WAL mode SQLite itself never looks (os_unix.c, SQLITE_FCNTL_HAS_MOVED). */
bool sqlite_connection_is_orphaned(struct sqlite_connection *connection)
{
	int has_moved = 0;

	sqlite3_file_control(connection->handle, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
	return has_moved != 0;
}

int sqlite_connection_run(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	sqlite3_reset(statement);
	return code;
}
