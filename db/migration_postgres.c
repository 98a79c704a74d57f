// SPDX-License-Identifier: Apache-2.0
/*
 * migration_postgres - the migrator's PostgreSQL side, on blocking libpq: no loop runs yet. The lock is an
 * advisory one of the transaction, so that it works behind a pooler too and no crash can leave it.
 */
#include "db/migration_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/postgres.h"

enum { DDL_LOCK_TIMEOUT_MS = 10000, MESSAGE_MAX = 1024 };

struct migration_connection {
	PGconn *handle;
};

/* "millrace" as a number: the key that all migrators of a database agree on. */
#define ADVISORY_LOCK_KEY "7883951835720016741"

static const char create_table[] = "CREATE TABLE IF NOT EXISTS schema_migrations ("
				   " version text PRIMARY KEY,"
				   " checksum text NOT NULL,"
				   " applied_at timestamptz NOT NULL,"
				   " took_ms bigint NOT NULL)";

/* ---- errors ---------------------------------------------------------------------------------- */

static struct text trim_message(struct arena *arena, const char *message)
{
	char line[MESSAGE_MAX];

	postgres_message_copy(line, sizeof(line), message);
	return arena_text(arena, text_from_c(line));
}

/* The line of a position that counts characters (not bytes) from 1. */
static unsigned line_of(const char *sql, long position)
{
	unsigned line = 1;

	for (; *sql != '\0' && position > 1; sql++) {
		line += *sql == '\n';
		/* a byte that continues a character is none */
		position -= (sql[1] & 0xc0) != 0x80;
	}
	return line;
}

static struct text describe_result(const PGresult *result, const char *sql, struct arena *arena)
{
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);

	if (message == NULL)
		return trim_message(arena, PQresultErrorMessage(result));
	if (position == NULL)
		return arena_printf(arena, "%s (SQLSTATE %s)%s%s", message, state ? state : "?",
			detail ? "; " : "", detail ? detail : "");
	return arena_printf(arena, "%s (SQLSTATE %s, line %u, character %s)", message,
		state ? state : "?", line_of(sql, strtol(position, NULL, 10)), position);
}

static bool run_sql(struct migration_connection *connection, const char *sql, struct arena *arena,
	struct text *error_out)
{
	PGresult *result = PQexec(connection->handle, sql);
	ExecStatusType status = PQresultStatus(result);
	bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ||
		status == PGRES_EMPTY_QUERY;

	if (!ok)
		*error_out = result != NULL
			? describe_result(result, sql, arena)
			: trim_message(arena, PQerrorMessage(connection->handle));
	PQclear(result);
	return ok;
}

/* ---- opening --------------------------------------------------------------------------------- */

static void ignore_notice(void *context, const PGresult *result)
{
}

/* Asked first, for libpq's own refusal quotes the URL, and with it the password. */
static bool is_readable(struct text url, struct arena *arena, struct text *error_out)
{
	struct postgres *parsed = arena_zalloc(arena, sizeof(*parsed));

	if (text_is_absent(url) || parsed == NULL) {
		*error_out = TEXT("no memory for a connection");
		return false;
	}
	if (!postgres_url_parse(url.data, parsed, arena, error_out))
		return false;
	postgres_url_free(parsed);
	return true;
}

static bool open_connection(const struct db_settings *settings, struct text data_dir, bool to_write,
	struct arena *arena, struct migration_connection **connection_out, struct text *error_out)
{
	struct migration_connection *connection = calloc(1, sizeof(*connection));
	struct text url = arena_text(arena, settings->url);
	char timeout_s[16];
	/* The first is expanded as a URL; what follows wins over what stands in it. */
	const char *keys[] = {"dbname", "connect_timeout", "application_name", NULL};
	const char *values[] = {url.data, timeout_s, "millrace migrate", NULL};

	*connection_out = NULL;
	if (!is_readable(url, arena, error_out)) {
		free(connection);
		return false;
	}
	snprintf(timeout_s, sizeof(timeout_s), "%d", MIGRATION_CONNECT_TIMEOUT_MS / 1000);
	if (connection == NULL) {
		*error_out = TEXT("no memory for a connection");
		return false;
	}
	connection->handle = PQconnectdbParams(keys, values, 1);
	if (PQstatus(connection->handle) != CONNECTION_OK) {
		struct text message = trim_message(arena, PQerrorMessage(connection->handle));

		*error_out = arena_printf(
			arena, "cannot connect to PostgreSQL: %.*s", TEXT_ARG(message));
		PQfinish(connection->handle);
		free(connection);
		return false;
	}
	PQsetNoticeReceiver(connection->handle, ignore_notice, NULL);
	*connection_out = connection;
	return true;
}

static void close_connection(struct migration_connection *connection)
{
	PQfinish(connection->handle);
	free(connection);
}

/* ---- the transaction ------------------------------------------------------------------------- */

static void rollback(struct migration_connection *connection)
{
	PQclear(PQexec(connection->handle, "ROLLBACK"));
}

/* A migration that waits for a table's lock makes every later query wait behind it, so it gives up soon. */
static bool begin(
	struct migration_connection *connection, struct arena *arena, struct text *error_out)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
		"BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = %d; "
		"SELECT pg_advisory_xact_lock(" ADVISORY_LOCK_KEY "); SET LOCAL lock_timeout = %d",
		MIGRATION_LOCK_TIMEOUT_MS, DDL_LOCK_TIMEOUT_MS);
	if (run_sql(connection, sql, arena, error_out) &&
		run_sql(connection, create_table, arena, error_out))
		return true;
	*error_out = arena_printf(
		arena, "cannot lock schema_migrations: %.*s", TEXT_ARG(*error_out));
	rollback(connection);
	return false;
}

static bool commit(
	struct migration_connection *connection, struct arena *arena, struct text *error_out)
{
	return run_sql(connection, "COMMIT", arena, error_out);
}

static bool run(struct migration_connection *connection, const char *sql, struct arena *arena,
	struct text *error_out)
{
	if (!run_sql(connection, sql, arena, error_out))
		return false;
	if (PQtransactionStatus(connection->handle) == PQTRANS_INTRANS)
		return true;
	*error_out = TEXT(
		"it ended the migrator's transaction; take COMMIT and ROLLBACK out of it");
	return false;
}

/* ---- the table ------------------------------------------------------------------------------- */

static bool has_table(struct migration_connection *connection)
{
	PGresult *result = PQexec(
		connection->handle, "SELECT to_regclass('schema_migrations') IS NOT NULL");
	bool has = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 &&
		strcmp(PQgetvalue(result, 0, 0), "t") == 0;

	PQclear(result);
	return has;
}

static struct migration_record *read_record(const PGresult *result, int row, struct arena *arena)
{
	struct migration_record *record = arena_zalloc(arena, sizeof(*record));

	if (record == NULL)
		return NULL;
	record->version = arena_text(arena, text_from_c(PQgetvalue(result, row, 0)));
	record->checksum = arena_text(arena, text_from_c(PQgetvalue(result, row, 1)));
	record->applied_at_ms = strtoll(PQgetvalue(result, row, 2), NULL, 10);
	if (text_is_absent(record->version) || text_is_absent(record->checksum))
		return NULL;
	return record;
}

static bool read_records(const PGresult *result, struct arena *arena,
	struct migration_record **link, struct text *error_out)
{
	for (int row = 0; row < PQntuples(result); row++) {
		struct migration_record *record = read_record(result, row, arena);

		if (record == NULL) {
			*error_out = TEXT("no memory for the migrations");
			return false;
		}
		*link = record;
		link = &record->next;
	}
	return true;
}

/* The order is that of bytes, as in the program, whatever the database's collation is. */
static bool read_table(struct migration_connection *connection, struct arena *arena,
	struct migration_record **list_out, struct text *error_out)
{
	static const char sql[] =
		"SELECT version, checksum, (extract(epoch FROM applied_at) * 1000)::bigint"
		" FROM schema_migrations ORDER BY version COLLATE \"C\"";
	PGresult *result;
	bool ok;

	*list_out = NULL;
	if (!has_table(connection))
		return true;
	result = PQexec(connection->handle, sql);
	ok = PQresultStatus(result) == PGRES_TUPLES_OK;
	if (ok)
		ok = read_records(result, arena, list_out, error_out);
	else
		*error_out = describe_result(result, sql, arena);
	PQclear(result);
	return ok;
}

static bool run_values(struct migration_connection *connection, const char *sql, int count,
	const char *const *values, struct arena *arena, struct text *error_out)
{
	PGresult *result = PQexecParams(
		connection->handle, sql, count, NULL, values, NULL, NULL, 0);
	bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;

	if (!ok)
		*error_out = describe_result(result, sql, arena);
	PQclear(result);
	return ok;
}

static bool add(struct migration_connection *connection, const struct migration_record *record,
	uint64_t took_ms, struct arena *arena, struct text *error_out)
{
	char applied_at_ms[24], took[24];
	const char *values[] = {arena_text(arena, record->version).data,
		arena_text(arena, record->checksum).data, applied_at_ms, took};

	snprintf(applied_at_ms, sizeof(applied_at_ms), "%lld", (long long)record->applied_at_ms);
	snprintf(took, sizeof(took), "%llu", (unsigned long long)took_ms);
	return run_values(connection,
		"INSERT INTO schema_migrations (version, checksum, applied_at, took_ms)"
		" VALUES ($1, $2, to_timestamp($3::bigint / 1000.0), $4::bigint)",
		4, values, arena, error_out);
}

static bool remove_record(struct migration_connection *connection, struct text version,
	struct arena *arena, struct text *error_out)
{
	const char *values[] = {arena_text(arena, version).data};

	return run_values(connection, "DELETE FROM schema_migrations WHERE version = $1", 1, values,
		arena, error_out);
}

const struct migration_engine migration_postgres = {
	.name = "PostgreSQL",
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
