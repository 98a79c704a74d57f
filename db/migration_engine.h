// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * migration_engine - what the migrator needs of an engine, private to db/. Blocking. Every change happens
 * between begin and commit, and begin takes the one lock that all migrators of this database share.
 */

#include "db/migration.h"

enum {
	MIGRATION_CHECKSUM_LEN = 64, /* SHA-256 in hex */
	MIGRATION_LOCK_TIMEOUT_MS = 120000, /* another replica may be applying a long one */
	MIGRATION_CONNECT_TIMEOUT_MS = 10000,
};

struct migration_connection;

/* One row of schema_migrations. */
struct migration_record {
	struct text version;
	struct text checksum; /* lower-case hex */
	int64_t applied_at_ms;
	struct migration_record *next;
};

/* All but close return false with a sentence or a phrase in *error_out (arena). */
struct migration_engine {
	const char *name;
	/* to_write false: looks only, and a database that is not there yet gives *connection_out NULL. */
	bool (*open)(const struct db_settings *settings, struct text data_dir, bool to_write,
		struct arena *arena, struct migration_connection **connection_out,
		struct text *error_out);
	void (*close)(struct migration_connection *connection);
	/* Takes the lock; makes the table where it is missing. */
	bool (*begin)(struct migration_connection *connection, struct arena *arena,
		struct text *error_out);
	bool (*commit)(struct migration_connection *connection, struct arena *arena,
		struct text *error_out);
	void (*rollback)(struct migration_connection *connection);
	/* Oldest version first; none when the table does not exist. */
	bool (*read)(struct migration_connection *connection, struct arena *arena,
		struct migration_record **list_out, struct text *error_out);
	/* Several statements at once. */
	bool (*run)(struct migration_connection *connection, const char *sql, struct arena *arena,
		struct text *error_out);
	bool (*add)(struct migration_connection *connection, const struct migration_record *record,
		uint64_t took_ms, struct arena *arena, struct text *error_out);
	bool (*remove)(struct migration_connection *connection, struct text version,
		struct arena *arena, struct text *error_out);
};

extern const struct migration_engine migration_sqlite;
extern const struct migration_engine migration_postgres;
