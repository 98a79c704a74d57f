// SPDX-License-Identifier: Apache-2.0
/* SQLite: the writer lent to one flow, and given back however the flow ends. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "db/sqlite.h"
#include "test/db/sqlite_fixture.h"

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

struct count_row {
	int64_t count;
};
static const struct field count_fields[] = {FIELD(FIELD_INT, count_row, count)};
static const struct schema count_row = SCHEMA(count_row, count_fields, "A number");

static const struct db_statement add_author = {
	.name = "add_author",
	.sql = "INSERT INTO authors (name) VALUES ($1)",
	.params = {DB_TEXT},
	.expects = DB_EXPECTS_UNIQUE,
};
static const struct db_statement count_authors = {
	.name = "count_authors",
	.sql = "SELECT count(*) AS count FROM authors",
	.row = &count_row,
	.reads = true,
};

static int64_t authors(void)
{
	return sqlite_fixture_number(&fixture, "SELECT count(*) FROM authors");
}

/* ---- steps ----------------------------------------------------------------------------------- */

static enum flow_verdict begin(struct flow *flow)
{
	return db_begin(flow);
}

static enum flow_verdict add_ann(struct flow *flow)
{
	assert_true(db_in_transaction(flow));
	return db_query(flow, &add_author, DB_VALUES(db_text(TEXT("ann"))));
}

static enum flow_verdict add_bob(struct flow *flow)
{
	assert_int_equal(db_result(flow)->outcome, DB_OK);
	return db_query(flow, &add_author, DB_VALUES(db_text(TEXT("bob"))));
}

static enum flow_verdict add_ann_again(struct flow *flow)
{
	return db_query(flow, &add_author, DB_VALUES(db_text(TEXT("ann"))));
}

static enum flow_verdict see_violation(struct flow *flow)
{
	assert_int_equal(db_result(flow)->outcome, DB_UNIQUE_VIOLATION);
	assert_true(db_in_transaction(flow));
	return FLOW_NEXT;
}

static enum flow_verdict count_inside(struct flow *flow)
{
	return db_query(flow, &count_authors, DB_NO_VALUES);
}

static enum flow_verdict see_two(struct flow *flow)
{
	struct count_row row;

	db_row(flow, 0, &row);
	assert_int_equal(row.count, 2);
	return FLOW_NEXT;
}

static enum flow_verdict commit(struct flow *flow)
{
	return db_commit(flow);
}

static enum flow_verdict rollback(struct flow *flow)
{
	return db_rollback(flow);
}

static enum flow_verdict see_no_transaction(struct flow *flow)
{
	assert_false(db_in_transaction(flow));
	return FLOW_DONE;
}

static enum flow_verdict give_up(struct flow *flow)
{
	return flow_fail(flow, FAILURE_INVALID, "on purpose");
}

static const struct flow_step committed_steps[] = {
	STEP(begin),
	STEP(add_ann),
	STEP(add_bob),
	STEP(count_inside),
	STEP(see_two),
	STEP(commit),
	STEP(see_no_transaction),
	STEPS_END,
};
static const struct flow_step rolled_back_steps[] = {
	STEP(begin),
	STEP(add_ann),
	STEP(add_bob),
	STEP(rollback),
	STEP(see_no_transaction),
	STEPS_END,
};
static const struct flow_step given_up_steps[] = {
	STEP(begin), STEP(add_ann), STEP(give_up), STEPS_END};
static const struct flow_step forgotten_steps[] = {STEP(begin), STEP(add_ann), STEPS_END};
static const struct flow_step violated_steps[] = {
	STEP(begin),
	STEP(add_ann),
	STEP(add_ann_again),
	STEP(see_violation),
	STEP(add_ann_again),
	STEP(see_violation),
	STEP(commit),
	STEP(see_no_transaction),
	STEPS_END,
};

/* ---- tests ----------------------------------------------------------------------------------- */

static void what_was_committed_stays(void **state)
{
	assert_int_equal(
		sqlite_fixture_run(&fixture, committed_steps, 0, NULL).failure, FAILURE_NONE);
	assert_int_equal(authors(), 2);
}

static void what_was_rolled_back_is_gone(void **state)
{
	assert_int_equal(
		sqlite_fixture_run(&fixture, rolled_back_steps, 0, NULL).failure, FAILURE_NONE);
	assert_int_equal(authors(), 0);
}

static void a_flow_that_fails_or_forgets_to_commit_is_rolled_back(void **state)
{
	assert_int_equal(
		sqlite_fixture_run(&fixture, given_up_steps, 0, NULL).failure, FAILURE_INVALID);
	assert_int_equal(
		sqlite_fixture_run(&fixture, forgotten_steps, 0, NULL).failure, FAILURE_NONE);
	/* the writer works on: the next transaction begins after the rollback */
	assert_int_equal(
		sqlite_fixture_run(&fixture, rolled_back_steps, 0, NULL).failure, FAILURE_NONE);
	assert_int_equal(authors(), 0);
}

static void an_expected_violation_leaves_the_transaction_open(void **state)
{
	assert_int_equal(
		sqlite_fixture_run(&fixture, violated_steps, 0, NULL).failure, FAILURE_NONE);
	assert_int_equal(authors(), 1);
}

static const struct flow_step empty_steps[] = {
	STEP(begin), STEP(rollback), STEP(see_no_transaction), STEPS_END};

static void nothing(struct flow *flow, void *context)
{
}

/* In the undisturbed run two rows are added; whoever leaves earlier leaves none behind, except when the
 * commit had been begun. */
static void check_all_or_nothing(unsigned left_at, enum failure failure, void *context)
{
	sqlite3 *stranger;

	/* waits for whatever the writer still does: it has one transaction at a time */
	assert_int_equal(sqlite_fixture_run(&fixture, empty_steps, 0, NULL).failure, FAILURE_NONE);
	assert_true(authors() == 0 || (authors() == 2 && (left_at == 0 || left_at == 5)));
	stranger = sqlite_fixture_stranger(&fixture);
	assert_int_equal(
		sqlite3_exec(stranger, "DELETE FROM authors", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(stranger);
}

static void walk_with(enum failure leave)
{
	const struct walk walk = {
		.loop = &fixture.loop,
		.steps = committed_steps,
		.leave = leave,
		.prepare = nothing,
		.check = check_all_or_nothing,
	};
	struct walk_counts counts = walk_steps(&walk);

	assert_int_equal(counts.failure, FAILURE_NONE);
	assert_int_equal(counts.waits, 5);
	assert_int_equal(counts.ended, counts.runs);
}

static void a_client_that_leaves_at_any_wait_leaves_nothing_behind(void **state)
{
	walk_with(FAILURE_CLIENT_GONE);
}

static void a_deadline_at_any_wait_leaves_nothing_behind(void **state)
{
	walk_with(FAILURE_DEADLINE);
}

/* ---- one transaction held open --------------------------------------------------------------- */

struct sleeper {
	struct op op;
	bool is_out;
};

static void ignore_abandon(struct op *op)
{
	((struct sleeper *)op)->is_out = false;
}

static const struct op_driver sleep_driver = {.name = "sleep", .abandon = ignore_abandon};

static enum flow_verdict sleep_long(struct flow *flow)
{
	struct sleeper *sleeper = flow->state;

	sleeper->is_out = true;
	return flow_wait(flow, &sleeper->op, &sleep_driver);
}

static bool is_asleep(void *context)
{
	return ((struct sleeper *)context)->is_out;
}

static const struct flow_step sleeping_steps[] = {
	STEP(begin),
	STEP(add_ann),
	STEP(sleep_long),
	STEP(add_bob),
	STEP(commit),
	STEP(see_no_transaction),
	STEPS_END,
};

static enum flow_verdict add_carl(struct flow *flow)
{
	return db_query(flow, &add_author, DB_VALUES(db_text(TEXT("carl"))));
}

static enum flow_verdict read_outside(struct flow *flow)
{
	return db_query(flow, &count_authors, DB_NO_VALUES);
}

static enum flow_verdict see_none(struct flow *flow)
{
	struct count_row row;

	db_row(flow, 0, &row);
	assert_int_equal(row.count, 0);
	return FLOW_DONE;
}

static const struct flow_step read_steps[] = {STEP(read_outside), STEP(see_none), STEPS_END};
static const struct flow_step write_steps[] = {STEP(add_carl), STEPS_END};

static struct flow *hold_transaction(
	struct ending *ending, struct sleeper *sleeper, uint64_t deadline_ms)
{
	struct flow *flow = sqlite_fixture_flow(&fixture, ending, deadline_ms, sleeper);

	flow_start(flow, sleeping_steps);
	assert_true(turn_until(&fixture.loop, is_asleep, sleeper));
	return flow;
}

static void a_transaction_held_open_blocks_no_reader_and_orders_writers(void **state)
{
	struct sleeper sleeper = {0};
	struct ending held, write;

	hold_transaction(&held, &sleeper, 0);
	assert_int_equal(sqlite_fixture_run(&fixture, read_steps, 0, NULL).failure, FAILURE_NONE);
	flow_start(sqlite_fixture_flow(&fixture, &write, 0, NULL), write_steps);
	assert_int_equal(sqlite_fixture_run(&fixture, read_steps, 0, NULL).failure, FAILURE_NONE);
	assert_int_equal(write.count, 0);
	flow_complete(&sleeper.op, &(struct db_result) {0});
	sqlite_fixture_await(&fixture, &held);
	sqlite_fixture_await(&fixture, &write);
	assert_int_equal(held.failure, FAILURE_NONE);
	assert_int_equal(write.failure, FAILURE_NONE);
	assert_int_equal(authors(), 3);
}

static void a_write_waits_behind_a_transaction_no_longer_than_it_may(void **state)
{
	struct sleeper sleeper = {0};
	struct ending held, late, busy;

	sqlite_fixture_stop(&fixture);
	fixture.settings.acquire_timeout_ms = 50;
	assert_true(sqlite_fixture_start(&fixture));
	hold_transaction(&held, &sleeper, 0);
	flow_start(sqlite_fixture_flow(&fixture, &busy, 0, NULL), write_steps);
	flow_start(sqlite_fixture_flow(&fixture, &late, 20, NULL), write_steps);
	sqlite_fixture_await(&fixture, &late);
	assert_int_equal(late.failure, FAILURE_DEADLINE);
	sqlite_fixture_await(&fixture, &busy);
	assert_int_equal(busy.failure, FAILURE_BUSY);
	/* a begin waits in the same queue */
	assert_int_equal(
		sqlite_fixture_run(&fixture, rolled_back_steps, 0, NULL).failure, FAILURE_BUSY);
	flow_complete(&sleeper.op, &(struct db_result) {0});
	sqlite_fixture_await(&fixture, &held);
	assert_int_equal(held.failure, FAILURE_NONE);
	assert_int_equal(authors(), 2);
}

static void a_flow_that_sleeps_past_its_deadline_gives_the_writer_back(void **state)
{
	struct sleeper sleeper = {0};
	struct ending held;

	hold_transaction(&held, &sleeper, 300);
	assert_int_equal(
		sqlite_fixture_run(&fixture, committed_steps, 0, NULL).failure, FAILURE_NONE);
	/* the writer keeps the deadline by itself: the flow may hear of it a little later */
	sqlite_fixture_await(&fixture, &held);
	assert_int_equal(held.failure, FAILURE_DEADLINE);
	assert_int_equal(authors(), 2);
}

static void closing_rolls_an_open_transaction_back(void **state)
{
	struct sleeper sleeper = {0};
	struct ending held, write;
	struct flow *flow = hold_transaction(&held, &sleeper, 0);

	flow_start(sqlite_fixture_flow(&fixture, &write, 0, NULL), write_steps);
	db_detach(&fixture.loop);
	assert_int_equal(write.failure, FAILURE_SHUTDOWN);
	flow_stop(flow, FAILURE_SHUTDOWN);
	sqlite_fixture_stop(&fixture);
	assert_int_equal(authors(), 0);
}

static void a_flow_that_goes_on_after_the_detach_is_refused(void **state)
{
	struct sleeper sleeper = {0};
	struct ending held;

	hold_transaction(&held, &sleeper, 0);
	db_detach(&fixture.loop);
	flow_complete(&sleeper.op, &(struct db_result) {0});
	assert_int_equal(held.count, 1);
	assert_int_equal(held.failure, FAILURE_SHUTDOWN);
}

/* As the server closes: the answer is on its way to a loop that has stopped, the database goes first. */
static void an_answer_that_comes_after_the_last_turn_is_freed(void **state)
{
	struct ending write;
	struct sqlite *sqlite = fixture.db->state;

	flow_start(sqlite_fixture_flow(&fixture, &write, 0, NULL), write_steps);
	while (authors() == 0 || atomic_load(&sqlite->busy) > 0)
		sched_yield();
	db_detach(&fixture.loop);
	assert_int_equal(write.failure, FAILURE_SHUTDOWN);
	loop_stop(&fixture.loop);
	loop_run(&fixture.loop);
	db_close(fixture.db);
	fixture.db = NULL;
	loop_deinit(&fixture.loop);
	fixture.has_loop = false;
}

static void a_transaction_that_another_process_keeps_out_is_busy(void **state)
{
	sqlite3 *stranger;

	sqlite_fixture_stop(&fixture);
	fixture.settings.statement_timeout_ms = 60;
	assert_true(sqlite_fixture_start(&fixture));
	stranger = sqlite_fixture_stranger(&fixture);
	assert_int_equal(sqlite3_exec(stranger, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(
		sqlite_fixture_run(&fixture, committed_steps, 0, NULL).failure, FAILURE_BUSY);
	assert_int_equal(sqlite3_exec(stranger, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(stranger);
	assert_int_equal(
		sqlite_fixture_run(&fixture, committed_steps, 0, NULL).failure, FAILURE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_committed_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_was_rolled_back_is_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_flow_that_fails_or_forgets_to_commit_is_rolled_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_expected_violation_leaves_the_transaction_open, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_client_that_leaves_at_any_wait_leaves_nothing_behind, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_deadline_at_any_wait_leaves_nothing_behind, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_transaction_held_open_blocks_no_reader_and_orders_writers, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_write_waits_behind_a_transaction_no_longer_than_it_may, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_flow_that_sleeps_past_its_deadline_gives_the_writer_back, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			closing_rolls_an_open_transaction_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_flow_that_goes_on_after_the_detach_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_answer_that_comes_after_the_last_turn_is_freed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_transaction_that_another_process_keeps_out_is_busy, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("sqlite transactions", tests, NULL, NULL);
}
