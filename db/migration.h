// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * migration - the schema's history, embedded: each domain lists its files, in order, for both engines.
 * Applied under a lock (PostgreSQL: advisory; SQLite: the write lock), each in a transaction, recorded
 * with a SHA-256 of its text in schema_migrations; an edited file that was applied already stops the start.
 * Blocking: called at the start and by `millrace migrate`, never on a running loop.
 */

#include "db/db.h"

struct migration {
	const char *version; /* "20261120_0001_users": sorts by time, unique over all domains */
	const char *up; /* PostgreSQL */
	const char *down;
	const char *sqlite_up;
	const char *sqlite_down;
};

struct migration_list {
	const struct migration *list;
	size_t count;
};

enum migration_state { MIGRATION_APPLIED, MIGRATION_PENDING, MIGRATION_CHANGED, MIGRATION_UNKNOWN };

struct migration_status {
	struct text version;
	enum migration_state state;
	int64_t applied_at_ms; /* 0: never */
};

typedef void migration_progress_fn(void *context, const char *version, bool up, uint64_t took_ms);

/* All of these return false with a sentence in *error_out; lists may come in any order. What another version
 * of the program has applied is left alone. *done_out counts what stays done when a later one fails. */
bool migrations_up(const struct db_settings *settings, struct text data_dir,
	const struct migration_list *lists, size_t list_count, size_t limit /* 0: all */,
	migration_progress_fn *progress, void *context, struct arena *arena, size_t *done_out,
	struct text *error_out);
/* Newest first. An edited one can be taken back, one that is not in the program cannot. */
bool migrations_down(const struct db_settings *settings, struct text data_dir,
	const struct migration_list *lists, size_t list_count, size_t limit /* 0: all */,
	migration_progress_fn *progress, void *context, struct arena *arena, size_t *done_out,
	struct text *error_out);
/* Only looks: makes neither the table nor the database. Sorted by version. */
bool migrations_status(const struct db_settings *settings, struct text data_dir,
	const struct migration_list *lists, size_t list_count, struct arena *arena,
	struct migration_status **list_out, size_t *count_out, struct text *error_out);
