// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * postgres_fixture - a database of its own on the server that MILLRACE_TEST_POSTGRES_URL names, one loop,
 * and flows run to their end on it. Its schema: authors(id, name unique), books(id, author_id -> authors,
 * title, pages > 0), kinds(one column per db_kind).
 */

#include <libpq-fe.h>

#include "core/arena.h"
#include "db/db.h"
#include "test/support/walk.h"

struct postgres_fixture {
	char name[64];
	char url[1024];
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

/* Calls exit(77), which Meson shows as skipped, when there is no server to test with. */
void postgres_fixture_need_server(void);

void postgres_fixture_init(struct postgres_fixture *fixture); /* database and settings, no db yet */
void postgres_fixture_open(struct postgres_fixture *fixture); /* init and start */
void postgres_fixture_start(struct postgres_fixture *fixture); /* db and loop only */
void postgres_fixture_stop(struct postgres_fixture *fixture);
void postgres_fixture_close(struct postgres_fixture *fixture); /* and drops the database */

/* A flow that reports into `ending`, not started. */
struct flow *postgres_fixture_flow(
	struct postgres_fixture *fixture, struct ending *ending, uint64_t deadline_ms, void *state);
/* Runs the steps on the loop until their flow ends. */
struct ending postgres_fixture_run(struct postgres_fixture *fixture, const struct flow_step *steps,
	uint64_t deadline_ms, void *state);
/* Turns the loop until `ending` has come. */
void postgres_fixture_await(struct postgres_fixture *fixture, struct ending *ending);

/* Another connection, blocking, as another process would have it. */
PGconn *postgres_fixture_stranger(const struct postgres_fixture *fixture);
void postgres_fixture_execute(const struct postgres_fixture *fixture, const char *sql);
int64_t postgres_fixture_number(const struct postgres_fixture *fixture, const char *sql);
/* Turns the loop until the number is what is expected; fails after some seconds. */
void postgres_fixture_await_number(
	struct postgres_fixture *fixture, const char *sql, int64_t expected);
