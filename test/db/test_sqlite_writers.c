// SPDX-License-Identifier: Apache-2.0
/* SQLite: many writers at once, groups that share a commit, another process's lock. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "test/db/sqlite_fixture.h"

enum { LOOPS = 2, FLOWS_PER_LOOP = 100, WRITES_PER_FLOW = 10, GROUP = 20 };

static struct sqlite_fixture fixture;

static int set_up(void **state)
{
	sqlite_fixture_open(&fixture);
	return 0;
}

static int tear_down(void **state)
{
	sqlite_fixture_close(&fixture);
	return 0;
}

static const struct db_statement add_author = {
	.name = "add_author",
	.sql = "INSERT INTO authors (name) VALUES ($1)",
	.params = {DB_TEXT},
};

struct id_row {
	int64_t id;
};
static const struct field id_fields[] = {FIELD(FIELD_INT, id_row, id)};
static const struct schema id_row = SCHEMA(id_row, id_fields, "A number");

static const struct db_statement find_author = {
	.name = "find_author",
	.sql = "SELECT id FROM authors WHERE name = $1",
	.params = {DB_TEXT},
	.row = &id_row,
	.reads = true,
};

/* ---- 200 writers ----------------------------------------------------------------------------- */

struct crowd {
	struct loop loop;
	struct loop_message begin;
	pthread_t thread;
	unsigned ended, failed;
};

struct writer {
	unsigned number, written;
	char name[48];
};

static enum flow_verdict write_one(struct flow *flow);
static enum flow_verdict read_own(struct flow *flow);
static enum flow_verdict write_next(struct flow *flow);

static const struct flow_step write_steps[] = {
	STEP(write_one), STEP(read_own), STEP(write_next), STEPS_END};

static enum flow_verdict write_one(struct flow *flow)
{
	struct writer *writer = flow->state;
	int len = snprintf(writer->name, sizeof(writer->name), "%u/%u/%u", flow->loop->index,
		writer->number, writer->written++);

	return db_query(flow, &add_author, DB_VALUES(db_text(text_of(writer->name, (size_t)len))));
}

static enum flow_verdict read_own(struct flow *flow)
{
	struct writer *writer = flow->state;

	assert_int_equal(db_result(flow)->affected, 1);
	return db_query(flow, &find_author, DB_VALUES(db_text(text_from_c(writer->name))));
}

static enum flow_verdict write_next(struct flow *flow)
{
	struct writer *writer = flow->state;

	/* what was answered is committed: any reader sees it */
	assert_int_equal(db_result(flow)->rows, 1);
	return writer->written < WRITES_PER_FLOW ? flow_switch(flow, write_steps) : FLOW_DONE;
}

static void on_writer_end(struct flow *flow, enum failure failure, const char *cause)
{
	struct crowd *crowd = flow->owner_data;

	if (failure != FAILURE_NONE)
		fprintf(stderr, "writer failed: %s: %s\n", failure_name(failure), cause);
	crowd->failed += failure != FAILURE_NONE;
	if (++crowd->ended < FLOWS_PER_LOOP)
		return;
	db_detach(&crowd->loop);
	loop_stop(&crowd->loop);
}

static const struct flow_owner crowd_owner = {.on_end = on_writer_end};

static void start_crowd(struct loop *loop, struct loop_message *message)
{
	struct crowd *crowd = (struct crowd *)loop;

	for (unsigned i = 0; i < FLOWS_PER_LOOP; i++) {
		struct flow *flow = flow_new(loop, &crowd_owner, crowd, 0, 1 << 20);
		struct writer *writer = arena_zalloc(&flow->arena, sizeof(*writer));

		writer->number = i;
		flow->state = writer;
		flow_start(flow, write_steps);
	}
}

static void *run_crowd(void *crowd)
{
	loop_run(crowd);
	return NULL;
}

static void two_hundred_writers_on_two_loops_never_fail(void **state)
{
	static struct crowd crowds[LOOPS];

	for (unsigned i = 0; i < LOOPS; i++) {
		crowds[i] = (struct crowd) {.begin = {.run = start_crowd}};
		assert_int_equal(loop_init(&crowds[i].loop, i), 0);
		assert_int_equal(db_attach(fixture.db, &crowds[i].loop), 0);
		loop_post(&crowds[i].loop, &crowds[i].begin);
		pthread_create(&crowds[i].thread, NULL, run_crowd, &crowds[i]);
	}
	for (unsigned i = 0; i < LOOPS; i++) {
		pthread_join(crowds[i].thread, NULL);
		loop_deinit(&crowds[i].loop);
		assert_int_equal(crowds[i].ended, FLOWS_PER_LOOP);
		assert_int_equal(crowds[i].failed, 0);
	}
	assert_int_equal(sqlite_fixture_number(&fixture, "SELECT count(*) FROM authors"),
		LOOPS * FLOWS_PER_LOOP * WRITES_PER_FLOW);
}

/* ---- groups ---------------------------------------------------------------------------------- */

struct outcome {
	const struct db_statement *statement;
	struct text name;
	enum db_outcome outcome;
	char constraint[64];
};

static const struct db_statement add_author_maybe = {
	.name = "add_author_maybe",
	.sql = "INSERT INTO authors (name) VALUES ($1)",
	.params = {DB_TEXT},
	.expects = DB_EXPECTS_UNIQUE,
};
static const struct db_statement add_author_or_rollback = {
	.name = "add_author_or_rollback",
	.sql = "INSERT OR ROLLBACK INTO authors (name) VALUES ($1)",
	.params = {DB_TEXT},
	.expects = DB_EXPECTS_UNIQUE,
};

static enum flow_verdict write_name(struct flow *flow)
{
	struct outcome *outcome = flow->state;

	return db_query(flow, outcome->statement, DB_VALUES(db_text(outcome->name)));
}

static enum flow_verdict keep_outcome(struct flow *flow)
{
	struct outcome *outcome = flow->state;

	outcome->outcome = db_result(flow)->outcome;
	memcpy(outcome->constraint, db_result(flow)->constraint, sizeof(outcome->constraint));
	return FLOW_DONE;
}

static const struct flow_step name_steps[] = {STEP(write_name), STEP(keep_outcome), STEPS_END};

/* Holds the write lock as another process would, so that what is started waits together. */
static sqlite3 *lock_file(void)
{
	sqlite3 *stranger = sqlite_fixture_stranger(&fixture);

	assert_int_equal(sqlite3_exec(stranger, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return stranger;
}

static void unlock_file(sqlite3 *stranger)
{
	assert_int_equal(sqlite3_exec(stranger, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(stranger);
}

static void run_group_with_culprit(const struct db_statement *statement)
{
	static char names[GROUP][24];
	struct outcome outcomes[GROUP];
	struct ending endings[GROUP];
	sqlite3 *stranger = lock_file();

	for (int i = 0; i < GROUP; i++) {
		snprintf(names[i], sizeof(names[i]), "name %d", i == GROUP / 2 ? 1 : i);
		outcomes[i] = (struct outcome) {
			.statement = i == GROUP / 2 ? statement : &add_author,
			.name = text_from_c(names[i])};
		flow_start(sqlite_fixture_flow(&fixture, &endings[i], 0, &outcomes[i]), name_steps);
	}
	unlock_file(stranger);
	for (int i = 0; i < GROUP; i++) {
		sqlite_fixture_await(&fixture, &endings[i]);
		assert_int_equal(endings[i].failure, FAILURE_NONE);
		assert_int_equal(outcomes[i].outcome, i == GROUP / 2 ? DB_UNIQUE_VIOLATION : DB_OK);
	}
	assert_string_equal(outcomes[GROUP / 2].constraint, "authors.name");
	assert_int_equal(
		sqlite_fixture_number(&fixture, "SELECT count(*) FROM authors"), GROUP - 1);
}

static void one_bad_write_among_good_ones_leaves_them_standing(void **state)
{
	run_group_with_culprit(&add_author_maybe);
}

static void a_write_that_rolls_its_group_back_leaves_the_others_standing(void **state)
{
	run_group_with_culprit(&add_author_or_rollback);
}

static void a_write_whose_flow_has_gone_is_not_done(void **state)
{
	struct outcome outcomes[2] = {
		{.statement = &add_author, .name = TEXT_INIT("goes")},
		{.statement = &add_author, .name = TEXT_INIT("stays")},
	};
	struct ending goes, stays, first;
	sqlite3 *stranger = lock_file();
	struct flow *flow;

	/* the first one is being waited with; the others are in the queue or its group */
	flow_start(sqlite_fixture_flow(&fixture, &first, 20, &outcomes[0]), name_steps);
	flow = sqlite_fixture_flow(&fixture, &goes, 0, &outcomes[0]);
	flow_start(flow, name_steps);
	flow_start(sqlite_fixture_flow(&fixture, &stays, 0, &outcomes[1]), name_steps);
	sqlite_fixture_await(&fixture, &first);
	flow_stop(flow, FAILURE_CLIENT_GONE);
	assert_int_equal(goes.failure, FAILURE_CLIENT_GONE);
	unlock_file(stranger);
	sqlite_fixture_await(&fixture, &stays);
	assert_int_equal(stays.failure, FAILURE_NONE);
	assert_int_equal(sqlite_fixture_number(&fixture, "SELECT count(*) FROM authors"), 1);
}

/* ---- another process ------------------------------------------------------------------------- */

static void restart_with_timeout(int64_t statement_timeout_ms)
{
	sqlite_fixture_stop(&fixture);
	fixture.settings.statement_timeout_ms = statement_timeout_ms;
	assert_true(sqlite_fixture_start(&fixture));
}

static void another_process_that_keeps_the_lock_makes_writes_busy(void **state)
{
	struct outcome outcome = {.statement = &add_author, .name = TEXT_INIT("ann")};
	struct ending endings[GROUP];
	sqlite3 *stranger;

	restart_with_timeout(60);
	stranger = lock_file();
	for (int i = 0; i < GROUP; i++)
		flow_start(sqlite_fixture_flow(&fixture, &endings[i], 0, &outcome), name_steps);
	for (int i = 0; i < GROUP; i++) {
		sqlite_fixture_await(&fixture, &endings[i]);
		assert_int_equal(endings[i].failure, FAILURE_BUSY);
		assert_null(strstr(endings[i].cause, "database is locked"));
	}
	unlock_file(stranger);
	assert_int_equal(
		sqlite_fixture_run(&fixture, name_steps, 0, &outcome).failure, FAILURE_NONE);
	assert_true(db_is_up(fixture.db));
}

static void those_who_wait_behind_a_foreign_lock_wait_no_longer_than_they_may(void **state)
{
	struct outcome outcome = {.statement = &add_author, .name = TEXT_INIT("ann")};
	struct outcome other = {.statement = &add_author, .name = TEXT_INIT("bob")};
	struct ending first, behind;
	sqlite3 *stranger;

	sqlite_fixture_stop(&fixture);
	fixture.settings.acquire_timeout_ms = 2000;
	fixture.settings.queue_max = 1;
	assert_true(sqlite_fixture_start(&fixture));
	stranger = lock_file();
	flow_start(sqlite_fixture_flow(&fixture, &first, 0, &outcome), name_steps);
	/* a queue of one has room again once the writer has taken the first and waits for the lock */
	do {
		flow_start(sqlite_fixture_flow(&fixture, &behind, 0, &other), name_steps);
	} while (behind.count > 0);
	sqlite_fixture_await(&fixture, &behind);
	assert_int_equal(behind.failure, FAILURE_BUSY);
	assert_non_null(strstr(behind.cause, "waited too long"));
	assert_int_equal(first.count, 0);
	unlock_file(stranger);
	sqlite_fixture_await(&fixture, &first);
	assert_int_equal(first.failure, FAILURE_NONE);
}

static void readers_do_not_mind_another_process_that_writes(void **state)
{
	struct outcome outcome = {.statement = &find_author, .name = TEXT_INIT("nobody")};
	sqlite3 *stranger = lock_file();

	assert_int_equal(
		sqlite3_exec(stranger, "INSERT INTO authors (name) VALUES ('x')", NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(
		sqlite_fixture_run(&fixture, name_steps, 0, &outcome).failure, FAILURE_NONE);
	unlock_file(stranger);
}

static void closing_while_another_process_keeps_the_lock_does_not_wait_for_it(void **state)
{
	struct outcome outcome = {.statement = &add_author, .name = TEXT_INIT("ann")};
	struct ending endings[GROUP];
	sqlite3 *stranger = lock_file();

	for (int i = 0; i < GROUP; i++)
		flow_start(sqlite_fixture_flow(&fixture, &endings[i], 0, &outcome), name_steps);
	sqlite_fixture_stop(&fixture);
	for (int i = 0; i < GROUP; i++) {
		assert_int_equal(endings[i].count, 1);
		assert_int_equal(endings[i].failure, FAILURE_SHUTDOWN);
	}
	unlock_file(stranger);
}

/* What another process changes is seen, even the schema behind compiled statements. */
static void a_schema_changed_by_another_process_is_taken_up(void **state)
{
	struct outcome outcome = {.statement = &add_author, .name = TEXT_INIT("ann")};
	sqlite3 *stranger;

	assert_int_equal(
		sqlite_fixture_run(&fixture, name_steps, 0, &outcome).failure, FAILURE_NONE);
	stranger = sqlite_fixture_stranger(&fixture);
	assert_int_equal(sqlite3_exec(stranger, "ALTER TABLE authors ADD COLUMN born INTEGER", NULL,
				 NULL, NULL),
		SQLITE_OK);
	sqlite3_close(stranger);
	outcome.name = TEXT("bob");
	assert_int_equal(
		sqlite_fixture_run(&fixture, name_steps, 0, &outcome).failure, FAILURE_NONE);
	outcome.statement = &find_author;
	assert_int_equal(
		sqlite_fixture_run(&fixture, name_steps, 0, &outcome).failure, FAILURE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			two_hundred_writers_on_two_loops_never_fail, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			one_bad_write_among_good_ones_leaves_them_standing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_write_that_rolls_its_group_back_leaves_the_others_standing, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_write_whose_flow_has_gone_is_not_done, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			another_process_that_keeps_the_lock_makes_writes_busy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			those_who_wait_behind_a_foreign_lock_wait_no_longer_than_they_may, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			readers_do_not_mind_another_process_that_writes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			closing_while_another_process_keeps_the_lock_does_not_wait_for_it, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_schema_changed_by_another_process_is_taken_up, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("sqlite writers", tests, NULL, NULL);
}
