// SPDX-License-Identifier: Apache-2.0
/*
 * settings - the rows of section `database`. 25 connections, 5 of them kept idle, 5 minutes of life,
 * 10 of idleness and 100 ms for a slow query are what users of the requirements rely on.
 */
#include "db/db.h"

#define ROW(kind_, member_, key_, fallback_, ...) \
	SETTING(SETTING_##kind_, db_settings, member_, "database." key_, fallback_, __VA_ARGS__)

static const struct setting rows[] = {
	ROW(TEXT, url, "url", "", .alias = "DATABASE_URL", .secret = true,
		.help = "Where the data lives: empty for SQLite in the data folder, sqlite:PATH, or "
			"postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full with any "
			"option of libpq."),
	ROW(INT, connections_max, "pool_max", "25", .min = 2, .max = 10000,
		.help = "PostgreSQL connections of this process at most, shared out over its loops; "
			"every loop has at least two."),
	ROW(INT, connections_idle, "pool_idle", "5", .min = 0, .max = 10000,
		.help = "PostgreSQL connections that stay open without work; every loop keeps one."),
	ROW(DURATION, connection_lifetime_ms, "connection_lifetime", "5m", .min = 1000,
		.max = 86400000,
		.help = "A PostgreSQL connection older than this is replaced once it is idle."),
	ROW(DURATION, connection_idle_ms, "connection_idle_time", "10m", .min = 1000,
		.max = 86400000,
		.help = "A PostgreSQL connection without work for so long is closed."),
	ROW(DURATION, connect_timeout_ms, "connect_timeout", "5s", .min = 100, .max = 60000,
		.help = "How long connecting may take, from the name lookup to the first answer."),
	ROW(DURATION, acquire_timeout_ms, "acquire_timeout", "2s", .min = 10, .max = 60000,
		.help = "How long a statement may wait for a connection before the client gets 503."),
	ROW(DURATION, statement_timeout_ms, "statement_timeout", "10s", .min = 100, .max = 3600000,
		.help = "How long a statement may run. A request's own deadline may end it sooner."),
	ROW(DURATION, slow_query_ms, "slow_query", "100ms", .min = 1, .max = 3600000,
		.help = "A statement that takes longer is logged, by name and without its values."),
	ROW(INT, queue_max, "queue_max", "1024", .min = 1, .max = 1000000,
		.help = "Statements of one loop that may wait for a connection; past it the answer is "
			"503 at once."),
	ROW(INT, sqlite_readers, "sqlite_readers", "4", .min = 1, .max = 64,
		.help = "Threads that read from SQLite; writes have one of their own."),
};

const struct setting_group db_setting_group = SETTING_GROUP(
	"database", db_settings, rows, "Where the data lives and how many may ask at once.");
