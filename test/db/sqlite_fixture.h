// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * sqlite_fixture - a database in a folder of its own, one loop, and flows run to their end on it.
 * Its schema: authors(id, name unique), books(id, author_id -> authors, title, pages > 0),
 * kinds(one column per db_kind).
 */

#include <sqlite3.h>

#include "core/arena.h"
#include "db/db.h"
#include "test/support/temporary.h"
#include "test/support/walk.h"

struct sqlite_fixture {
	char folder[TEMPORARY_MAX];
	char path[TEMPORARY_MAX + 32];
	char url[TEMPORARY_MAX + 48];
	struct arena arena;
	struct text error;
	struct db_settings settings;
	struct db *db;
	struct loop loop;
	bool has_loop;
};

/* How a flow ended. */
struct ending {
	unsigned count;
	enum failure failure;
	char cause[192];
};

void sqlite_fixture_init(struct sqlite_fixture *fixture); /* folder and settings, no database yet */
void sqlite_fixture_open(struct sqlite_fixture *fixture); /* init, schema, database, loop */
bool sqlite_fixture_start(struct sqlite_fixture *fixture); /* database and loop only */
void sqlite_fixture_stop(struct sqlite_fixture *fixture);
void sqlite_fixture_close(struct sqlite_fixture *fixture); /* and removes the folder */

/* A flow that reports into `ending`, not started. */
struct flow *sqlite_fixture_flow(
	struct sqlite_fixture *fixture, struct ending *ending, uint64_t deadline_ms, void *state);
/* Runs the steps on the loop until their flow ends. */
struct ending sqlite_fixture_run(struct sqlite_fixture *fixture, const struct flow_step *steps,
	uint64_t deadline_ms, void *state);
/* Turns the loop until `ending` has come. */
void sqlite_fixture_await(struct sqlite_fixture *fixture, struct ending *ending);

/* Another connection, as another process would have it. */
sqlite3 *sqlite_fixture_stranger(const struct sqlite_fixture *fixture);
int64_t sqlite_fixture_number(const struct sqlite_fixture *fixture, const char *sql);
