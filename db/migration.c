// SPDX-License-Identifier: Apache-2.0
#include "db/migration.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/secret.h"
#include "db/engine.h"
#include "db/migration_engine.h"

enum { NS_PER_MS = 1000000 };

/* One run of the migrator. */
struct migrator {
	const struct migration_engine *engine;
	struct migration_connection *connection; /* NULL: there is no database yet */
	struct arena *arena;
	struct text *error_out;
	const struct migration **list; /* by version */
	size_t count;
	migration_progress_fn *progress;
	void *context;
};

static const struct migration_engine *const engines[] = {
	[DB_SQLITE] = &migration_sqlite,
	[DB_POSTGRESQL] = &migration_postgres,
};

static const char *up_sql(const struct migrator *migrator, const struct migration *migration)
{
	return migrator->engine == &migration_sqlite ? migration->sqlite_up : migration->up;
}

static const char *down_sql(const struct migrator *migrator, const struct migration *migration)
{
	return migrator->engine == &migration_sqlite ? migration->sqlite_down : migration->down;
}

static bool no_memory(struct migrator *migrator)
{
	*migrator->error_out = TEXT("no memory for the migrations");
	return false;
}

/* ---- the program's list ---------------------------------------------------------------------- */

static int by_version(const void *a, const void *b)
{
	const struct migration *const *left = a;
	const struct migration *const *right = b;

	return strcmp((*left)->version, (*right)->version);
}

static bool check_list(struct migrator *migrator)
{
	for (size_t i = 0; i < migrator->count; i++) {
		const struct migration *migration = migrator->list[i];

		if (up_sql(migrator, migration) == NULL) {
			*migrator->error_out = arena_printf(migrator->arena,
				"migration %s has no SQL for %s", migration->version,
				migrator->engine->name);
			return false;
		}
		if (i > 0 && strcmp(migrator->list[i - 1]->version, migration->version) == 0) {
			*migrator->error_out = arena_printf(migrator->arena,
				"two migrations have the version %s; rename one",
				migration->version);
			return false;
		}
	}
	return true;
}

static bool join_lists(
	struct migrator *migrator, const struct migration_list *lists, size_t list_count)
{
	size_t total = 0;

	for (size_t i = 0; i < list_count; i++)
		total += lists[i].count;
	migrator->list = arena_alloc(migrator->arena, (total + 1) * sizeof(*migrator->list));
	if (migrator->list == NULL)
		return no_memory(migrator);
	for (size_t i = 0; i < list_count; i++)
		for (size_t j = 0; j < lists[i].count; j++)
			migrator->list[migrator->count++] = &lists[i].list[j];
	if (migrator->count > 0)
		qsort(migrator->list, migrator->count, sizeof(*migrator->list), by_version);
	return check_list(migrator);
}

static const struct migration *find_migration(const struct migrator *migrator, struct text version)
{
	for (size_t i = 0; i < migrator->count; i++)
		if (text_equals(text_from_c(migrator->list[i]->version), version))
			return migrator->list[i];
	return NULL;
}

static bool start(struct migrator *migrator, const struct db_settings *settings,
	struct text data_dir, const struct migration_list *lists, size_t list_count, bool to_write)
{
	enum db_engine engine;

	if (!db_url_engine(settings->url, &engine)) {
		*migrator->error_out = db_url_refusal(settings->url, migrator->arena);
		return false;
	}
	migrator->engine = engines[engine];
	return join_lists(migrator, lists, list_count) &&
		migrator->engine->open(settings, data_dir, to_write, migrator->arena,
			&migrator->connection, migrator->error_out);
}

static void finish(struct migrator *migrator)
{
	if (migrator->connection != NULL)
		migrator->engine->close(migrator->connection);
}

/* ---- what the database knows ----------------------------------------------------------------- */

static struct text checksum(struct arena *arena, const char *sql)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t digest[SHA256_BYTES];
	char hex[MIGRATION_CHECKSUM_LEN];

	secret_sha256(sql, strlen(sql), digest);
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		hex[2 * i] = digits[digest[i] >> 4];
		hex[2 * i + 1] = digits[digest[i] & 15];
	}
	return arena_text(arena, text_of(hex, sizeof(hex)));
}

static const struct migration_record *find_record(
	const struct migration_record *list, const char *version)
{
	while (list != NULL && !text_equals(list->version, text_from_c(version)))
		list = list->next;
	return list;
}

static bool is_changed(const struct migrator *migrator, const struct migration *migration,
	const struct migration_record *record)
{
	return !text_equals(
		record->checksum, checksum(migrator->arena, up_sql(migrator, migration)));
}

/* ---- up -------------------------------------------------------------------------------------- */

static bool fail_migration(struct migrator *migrator, const char *version, const char *way)
{
	*migrator->error_out = arena_printf(migrator->arena,
		"migration %s (%s) failed, nothing of it was kept: %.*s", version, way,
		TEXT_ARG(*migrator->error_out));
	return false;
}

static bool check_changed(struct migrator *migrator, const struct migration_record *records)
{
	for (size_t i = 0; i < migrator->count; i++) {
		const struct migration *migration = migrator->list[i];
		const struct migration_record *record = find_record(records, migration->version);

		if (record == NULL || !is_changed(migrator, migration, record))
			continue;
		*migrator->error_out = arena_printf(migrator->arena,
			"migration %s was applied and has been edited since; put its file back and "
			"add a new migration, or take it back with `millrace migrate down` first",
			migration->version);
		return false;
	}
	return true;
}

static const struct migration *next_pending(
	const struct migrator *migrator, const struct migration_record *records)
{
	for (size_t i = 0; i < migrator->count; i++)
		if (find_record(records, migrator->list[i]->version) == NULL)
			return migrator->list[i];
	return NULL;
}

static bool apply(struct migrator *migrator, const struct migration *migration)
{
	const struct migration_engine *engine = migrator->engine;
	const char *sql = up_sql(migrator, migration);
	uint64_t started_ns = clock_now_ns();
	struct migration_record record = {
		.version = text_from_c(migration->version),
		.checksum = checksum(migrator->arena, sql),
		.applied_at_ms = clock_unix_ms(),
	};
	uint64_t took_ms;

	if (!engine->run(migrator->connection, sql, migrator->arena, migrator->error_out))
		return fail_migration(migrator, migration->version, "up");
	took_ms = (clock_now_ns() - started_ns) / NS_PER_MS;
	if (!engine->add(
		    migrator->connection, &record, took_ms, migrator->arena, migrator->error_out) ||
		!engine->commit(migrator->connection, migrator->arena, migrator->error_out))
		return fail_migration(migrator, migration->version, "up");
	if (migrator->progress != NULL)
		migrator->progress(migrator->context, migration->version, true, took_ms);
	return true;
}

/* One transaction: what another replica did while we waited for the lock is seen here. *done_out: there
 * was one to apply. */
static bool apply_next(struct migrator *migrator, bool *done_out)
{
	const struct migration_engine *engine = migrator->engine;
	struct migration_record *records;
	const struct migration *pending;

	*done_out = false;
	if (!engine->begin(migrator->connection, migrator->arena, migrator->error_out))
		return false;
	if (!engine->read(migrator->connection, migrator->arena, &records, migrator->error_out) ||
		!check_changed(migrator, records))
		goto fail;
	pending = next_pending(migrator, records);
	if (pending == NULL)
		return engine->commit(migrator->connection, migrator->arena, migrator->error_out);
	if (!apply(migrator, pending))
		goto fail;
	*done_out = true;
	return true;

fail:
	engine->rollback(migrator->connection);
	return false;
}

typedef bool round_fn(struct migrator *migrator, bool *done_out);

/* One transaction a round, until nothing is left to do or `limit` are done. */
static bool repeat(round_fn *round, struct migrator *migrator, const struct db_settings *settings,
	struct text data_dir, const struct migration_list *lists, size_t list_count, size_t limit,
	size_t *done_out)
{
	bool more = true;
	bool ok = start(migrator, settings, data_dir, lists, list_count, true);

	*done_out = 0;
	while (ok && more && (limit == 0 || *done_out < limit)) {
		ok = round(migrator, &more);
		*done_out += ok && more;
	}
	finish(migrator);
	return ok;
}

bool migrations_up(const struct db_settings *settings, struct text data_dir,
	const struct migration_list *lists, size_t list_count, size_t limit,
	migration_progress_fn *progress, void *context, struct arena *arena, size_t *done_out,
	struct text *error_out)
{
	struct migrator migrator = {
		.arena = arena, .error_out = error_out, .progress = progress, .context = context};

	return repeat(
		apply_next, &migrator, settings, data_dir, lists, list_count, limit, done_out);
}

/* ---- down ------------------------------------------------------------------------------------ */

static bool take_back(struct migrator *migrator, const struct migration_record *newest)
{
	const struct migration_engine *engine = migrator->engine;
	const struct migration *migration = find_migration(migrator, newest->version);
	uint64_t started_ns = clock_now_ns();

	if (migration == NULL || down_sql(migrator, migration) == NULL) {
		*migrator->error_out = arena_printf(migrator->arena, "migration %.*s %s",
			TEXT_ARG(newest->version),
			migration == NULL ? "is not in this program: another "
					    "version of it applied it and must "
					    "take it back"
					  : "has no way back");
		return false;
	}
	if (!engine->run(migrator->connection, down_sql(migrator, migration), migrator->arena,
		    migrator->error_out) ||
		!engine->remove(migrator->connection, newest->version, migrator->arena,
			migrator->error_out) ||
		!engine->commit(migrator->connection, migrator->arena, migrator->error_out))
		return fail_migration(migrator, migration->version, "down");
	if (migrator->progress != NULL)
		migrator->progress(migrator->context, migration->version, false,
			(clock_now_ns() - started_ns) / NS_PER_MS);
	return true;
}

static bool take_back_newest(struct migrator *migrator, bool *done_out)
{
	const struct migration_engine *engine = migrator->engine;
	struct migration_record *record;

	*done_out = false;
	if (!engine->begin(migrator->connection, migrator->arena, migrator->error_out))
		return false;
	if (!engine->read(migrator->connection, migrator->arena, &record, migrator->error_out))
		goto fail;
	if (record == NULL)
		return engine->commit(migrator->connection, migrator->arena, migrator->error_out);
	while (record->next != NULL)
		record = record->next;
	if (!take_back(migrator, record))
		goto fail;
	*done_out = true;
	return true;

fail:
	engine->rollback(migrator->connection);
	return false;
}

bool migrations_down(const struct db_settings *settings, struct text data_dir,
	const struct migration_list *lists, size_t list_count, size_t limit,
	migration_progress_fn *progress, void *context, struct arena *arena, size_t *done_out,
	struct text *error_out)
{
	struct migrator migrator = {
		.arena = arena, .error_out = error_out, .progress = progress, .context = context};

	return repeat(take_back_newest, &migrator, settings, data_dir, lists, list_count, limit,
		done_out);
}

/* ---- status ---------------------------------------------------------------------------------- */

static int by_status_version(const void *a, const void *b)
{
	struct text left = ((const struct migration_status *)a)->version;
	struct text right = ((const struct migration_status *)b)->version;
	int order = memcmp(left.data, right.data, left.len < right.len ? left.len : right.len);

	return order != 0 ? order : (left.len > right.len) - (left.len < right.len);
}

static size_t add_unknown(const struct migrator *migrator, const struct migration_record *records,
	struct migration_status *list, size_t count)
{
	for (; records != NULL; records = records->next)
		if (find_migration(migrator, records->version) == NULL)
			list[count++] = (struct migration_status) {
				.version = records->version,
				.state = MIGRATION_UNKNOWN,
				.applied_at_ms = records->applied_at_ms,
			};
	return count;
}

static struct migration_status status_of(const struct migrator *migrator,
	const struct migration *migration, const struct migration_record *records)
{
	const struct migration_record *record = find_record(records, migration->version);
	struct migration_status status = {
		.version = text_from_c(migration->version),
		.state = MIGRATION_PENDING,
	};

	if (record == NULL)
		return status;
	status.applied_at_ms = record->applied_at_ms;
	status.state = is_changed(migrator, migration, record) ? MIGRATION_CHANGED
							       : MIGRATION_APPLIED;
	return status;
}

static bool list_status(struct migrator *migrator, const struct migration_record *records,
	struct migration_status **list_out, size_t *count_out)
{
	struct migration_status *list;
	size_t count = migrator->count;

	for (const struct migration_record *record = records; record != NULL; record = record->next)
		count++;
	list = arena_alloc(migrator->arena, (count + 1) * sizeof(*list));
	if (list == NULL)
		return no_memory(migrator);
	for (size_t i = 0; i < migrator->count; i++)
		list[i] = status_of(migrator, migrator->list[i], records);
	count = add_unknown(migrator, records, list, migrator->count);
	if (count > 0)
		qsort(list, count, sizeof(*list), by_status_version);
	*list_out = list;
	*count_out = count;
	return true;
}

bool migrations_status(const struct db_settings *settings, struct text data_dir,
	const struct migration_list *lists, size_t list_count, struct arena *arena,
	struct migration_status **list_out, size_t *count_out, struct text *error_out)
{
	struct migrator migrator = {.arena = arena, .error_out = error_out};
	struct migration_record *records = NULL;
	bool ok = start(&migrator, settings, data_dir, lists, list_count, false);

	if (ok && migrator.connection != NULL)
		ok = migrator.engine->read(migrator.connection, arena, &records, error_out);
	finish(&migrator);
	return ok && list_status(&migrator, records, list_out, count_out);
}
