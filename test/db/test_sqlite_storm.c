// SPDX-License-Identifier: Apache-2.0
/*
 * SQLite in a storm: two loops, flows of every sort that run out of time at any moment, and another
 * process that takes the lock again and again. Nothing may be lost, counted twice or left held.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "test/db/sqlite_fixture.h"

enum { LOOPS = 2, FLOWS_PER_LOOP = 1500, ALIVE_MAX = 100 };

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

struct storm {
	struct loop loop;
	struct loop_message begin;
	pthread_t thread;
	unsigned started, ended, alive;
	uint32_t random;
	int64_t sure; /* rows of flows that were told of their success */
	int64_t unsure; /* of flows that ended while their last word was out */
	unsigned odd; /* failures that no storm explains */
};

struct drop {
	struct storm *storm;
	int rows;
	bool in_doubt; /* the write or commit that makes the rows stay has been asked for */
	bool done;
};

struct count_row {
	int64_t count;
};
static const struct field count_fields[] = {FIELD(FIELD_INT, count_row, count)};
static const struct schema count_row = SCHEMA(count_row, count_fields, "A number");

static const struct db_statement add_row = {
	.name = "add_row",
	.sql = "INSERT INTO kinds (an_int) VALUES ($1)",
	.params = {DB_INT},
};
static const struct db_statement count_rows = {
	.name = "count_rows",
	.sql = "SELECT count(*) AS count FROM kinds",
	.row = &count_row,
	.reads = true,
};

static enum flow_verdict begin(struct flow *flow)
{
	return db_begin(flow);
}

static enum flow_verdict add(struct flow *flow)
{
	struct drop *drop = flow->state;

	drop->rows++;
	drop->in_doubt = !db_in_transaction(flow);
	return db_query(flow, &add_row, DB_VALUES(db_int(1)));
}

static enum flow_verdict count(struct flow *flow)
{
	return db_query(flow, &count_rows, DB_NO_VALUES);
}

static enum flow_verdict commit(struct flow *flow)
{
	((struct drop *)flow->state)->in_doubt = true;
	return db_commit(flow);
}

static enum flow_verdict rollback(struct flow *flow)
{
	((struct drop *)flow->state)->rows = 0;
	return db_rollback(flow);
}

static enum flow_verdict finish(struct flow *flow)
{
	((struct drop *)flow->state)->done = true;
	return FLOW_DONE;
}

static enum flow_verdict forget(struct flow *flow)
{
	((struct drop *)flow->state)->rows = 0;
	return FLOW_DONE;
}

static const struct flow_step write_steps[] = {STEP(add), STEP(finish), STEPS_END};
static const struct flow_step read_steps[] = {STEP(count), STEP(count), STEP(finish), STEPS_END};
static const struct flow_step commit_steps[] = {
	STEP(begin), STEP(add), STEP(count), STEP(add), STEP(commit), STEP(finish), STEPS_END};
static const struct flow_step rollback_steps[] = {
	STEP(begin), STEP(add), STEP(rollback), STEP(finish), STEPS_END};
static const struct flow_step forget_steps[] = {STEP(begin), STEP(add), STEP(forget), STEPS_END};

static const struct flow_step *const sorts[] = {
	write_steps, write_steps, read_steps, commit_steps, rollback_steps, forget_steps};

/* xorshift32 (Marsaglia 2003): the same storm every time. */
static uint32_t draw(struct storm *storm, uint32_t below)
{
	storm->random ^= storm->random << 13;
	storm->random ^= storm->random >> 17;
	storm->random ^= storm->random << 5;
	return storm->random % below;
}

static void start_flows(struct storm *storm);

static void on_end(struct flow *flow, enum failure failure, const char *cause)
{
	struct drop *drop = flow->state;
	struct storm *storm = drop->storm;

	if (drop->done)
		storm->sure += drop->rows;
	else if (drop->in_doubt)
		storm->unsure += drop->rows;
	if (failure != FAILURE_NONE && failure != FAILURE_DEADLINE && failure != FAILURE_BUSY) {
		fprintf(stderr, "%s: %s\n", failure_name(failure), cause);
		storm->odd++;
	}
	storm->ended++;
	storm->alive--;
}

static const struct flow_owner owner = {.on_end = on_end};

static void start_flow(struct storm *storm)
{
	uint64_t deadline_ms = draw(storm, 3) == 0 ? 1 + draw(storm, 30) : 0;
	struct flow *flow = flow_new(&storm->loop, &owner, storm, deadline_ms, 1 << 16);
	struct drop *drop = arena_zalloc(&flow->arena, sizeof(*drop));

	drop->storm = storm;
	flow->state = drop;
	storm->started++;
	storm->alive++;
	flow_start(flow, sorts[draw(storm, sizeof(sorts) / sizeof(sorts[0]))]);
}

static void start_flows(struct storm *storm)
{
	while (storm->started < FLOWS_PER_LOOP && storm->alive < ALIVE_MAX)
		start_flow(storm);
}

static void keep_going(struct loop *loop, void *context)
{
	struct storm *storm = context;

	start_flows(storm);
	if (storm->ended < FLOWS_PER_LOOP || loop->stopping)
		return;
	db_detach(loop);
	loop_stop(loop);
}

static void wake_up(struct loop *loop, struct loop_message *message)
{
	/* the flush at the end of this turn does the rest */
}

static void *run_storm(void *storm)
{
	loop_run(storm);
	return NULL;
}

static atomic_bool weather_is_over;

static void *run_stranger(void *unused)
{
	sqlite3 *stranger = sqlite_fixture_stranger(&fixture);

	while (!atomic_load(&weather_is_over)) {
		if (sqlite3_exec(stranger, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
			continue;
		sqlite3_sleep(3);
		sqlite3_exec(stranger, "ROLLBACK", NULL, NULL, NULL);
		sqlite3_sleep(5);
	}
	sqlite3_close(stranger);
	return NULL;
}

static void a_storm_of_deadlines_and_locks_loses_nothing(void **state)
{
	static struct storm storms[LOOPS];
	int64_t rows, sure = 0, unsure = 0;
	pthread_t stranger;

	atomic_store(&weather_is_over, false);
	pthread_create(&stranger, NULL, run_stranger, NULL);
	for (unsigned i = 0; i < LOOPS; i++) {
		storms[i] = (struct storm) {.begin = {.run = wake_up}, .random = 2463534242u + i};
		assert_int_equal(loop_init(&storms[i].loop, i), 0);
		assert_int_equal(db_attach(fixture.db, &storms[i].loop), 0);
		loop_on_flush(&storms[i].loop, keep_going, &storms[i]);
		loop_post(&storms[i].loop, &storms[i].begin);
		pthread_create(&storms[i].thread, NULL, run_storm, &storms[i]);
	}
	for (unsigned i = 0; i < LOOPS; i++) {
		pthread_join(storms[i].thread, NULL);
		loop_deinit(&storms[i].loop);
		assert_int_equal(storms[i].ended, FLOWS_PER_LOOP);
		assert_int_equal(storms[i].odd, 0);
		sure += storms[i].sure;
		unsure += storms[i].unsure;
	}
	atomic_store(&weather_is_over, true);
	pthread_join(stranger, NULL);
	sqlite_fixture_stop(&fixture);
	rows = sqlite_fixture_number(&fixture, "SELECT count(*) FROM kinds");
	assert_in_range(rows, sure, sure + unsure);
	assert_true(sure > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_storm_of_deadlines_and_locks_loses_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("sqlite storm", tests, NULL, NULL);
}
