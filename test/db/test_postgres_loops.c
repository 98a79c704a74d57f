// SPDX-License-Identifier: Apache-2.0
/* PostgreSQL: several loops, each on a thread of its own, share one database and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "db/postgres.h"
#include "test/db/postgres_fixture.h"

enum { LOOPS = 3, FLOWS = 200 };

static struct postgres_fixture fixture;

struct worker_loop {
	struct loop loop;
	uv_thread_t thread;
	uv_timer_t start;
	int64_t next_id;
	unsigned started, ended, failed;
};

static struct worker_loop loops[LOOPS];

static const struct db_statement insert_author = {
	.name = "insert_author",
	.sql = "INSERT INTO authors (id, name) VALUES ($1, 'author ' || $1::text)",
	.params = {DB_INT},
};

static enum flow_verdict insert(struct flow *flow)
{
	struct worker_loop *own = flow->owner_data;

	return db_query(flow, &insert_author, DB_VALUES(db_int(own->next_id++)));
}

static enum flow_verdict check(struct flow *flow)
{
	return db_result(flow)->affected == 1 ? FLOW_DONE
					      : flow_fail(flow, FAILURE_INTERNAL, "not one row");
}

static const struct flow_step steps[] = {STEP(insert), STEP(check), STEPS_END};

static void start_flow(struct worker_loop *own);

static void on_end(struct flow *flow, enum failure failure, const char *cause)
{
	struct worker_loop *own = flow->owner_data;

	own->ended++;
	own->failed += failure != FAILURE_NONE;
	if (own->started < FLOWS)
		start_flow(own);
	if (own->ended == FLOWS) {
		db_detach(&own->loop);
		loop_stop(&own->loop);
	}
}

static const struct flow_owner owner = {.on_end = on_end};

static void start_flow(struct worker_loop *own)
{
	own->started++;
	flow_start(flow_new(&own->loop, &owner, own, 0, 1 << 16), steps);
}

static void on_start(uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, NULL);
	for (int i = 0; i < 16; i++)
		start_flow(timer->data);
}

static void run_thread(void *argument)
{
	struct worker_loop *own = argument;

	loop_run(&own->loop);
}

static void attach_loops(void)
{
	for (unsigned i = 0; i < LOOPS; i++) {
		assert_int_equal(loop_init(&loops[i].loop, i), 0);
		assert_int_equal(db_attach(fixture.db, &loops[i].loop), 0);
		loops[i].next_id = i * 1000;
		uv_timer_init(&loops[i].loop.uv, &loops[i].start);
		loops[i].start.data = &loops[i];
		uv_timer_start(&loops[i].start, on_start, 0, 0);
	}
}

static void each_loop_works_on_connections_of_its_own(void **state)
{
	postgres_fixture_init(&fixture);
	fixture.db = db_open(
		&fixture.settings, NULL, NULL, TEXT("/nowhere"), &fixture.arena, &fixture.error);
	assert_non_null(fixture.db);
	attach_loops();
	for (unsigned i = 0; i < LOOPS; i++)
		uv_thread_create(&loops[i].thread, run_thread, &loops[i]);
	for (unsigned i = 0; i < LOOPS; i++) {
		uv_thread_join(&loops[i].thread);
		assert_int_equal(loops[i].ended, FLOWS);
		assert_int_equal(loops[i].failed, 0);
		loop_deinit(&loops[i].loop);
	}
	assert_int_equal(
		postgres_fixture_number(&fixture, "SELECT count(*) FROM authors"), LOOPS * FLOWS);
	postgres_fixture_close(&fixture);
}

static unsigned limit_of(unsigned connections_max, unsigned loop_count, unsigned index)
{
	struct db db = {.settings.connections_max = connections_max};
	struct postgres postgres = {.loops = loop_count};
	struct loop loop = {.index = index};
	struct postgres_pool pool = {.base = {.db = &db, .loop = &loop}, .postgres = &postgres};

	return postgres_pool_limit(&pool);
}

static void the_pool_is_shared_out_over_the_loops(void **state)
{
	assert_int_equal(limit_of(25, 1, 0), 25);
	assert_int_equal(limit_of(25, 2, 0) + limit_of(25, 2, 1), 25);
	assert_int_equal(limit_of(25, 4, 0), 7);
	assert_int_equal(limit_of(25, 4, 3), 6);
	/* Every loop has a lane and a connection for transactions. */
	assert_int_equal(limit_of(4, 16, 9), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_loop_works_on_connections_of_its_own),
		cmocka_unit_test(the_pool_is_shared_out_over_the_loops),
	};

	postgres_fixture_need_server();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
