// SPDX-License-Identifier: Apache-2.0
/* timer - the wheel: order, clearing, setting again, long delays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/loop.h"
#include "core/timer.h"
#include "test/support/walk.h"

enum { MANY = 2000 };

struct ring {
	struct timer timer;
	struct loop *loop;
	uint64_t set_ms, delay_ms;
	unsigned fired;
	bool early;
	struct timer *clears; /* another timer that this one clears when it fires */
	bool again;
	bool stops_loop;
};

static struct loop loop;
static unsigned fired_total;

static void on_due(struct timer *timer)
{
	struct ring *ring = (struct ring *)timer;

	ring->fired++;
	fired_total++;
	ring->early |= uv_now(&loop.uv) < ring->set_ms + ring->delay_ms;
	if (ring->clears != NULL)
		timer_clear(ring->clears);
	if (ring->stops_loop)
		loop_stop(&loop);
	if (ring->again) {
		ring->again = false;
		ring->set_ms = uv_now(&loop.uv);
		timer_set(&loop, timer, ring->delay_ms);
	}
}

static void set_ring(struct ring *ring, uint64_t delay_ms)
{
	timer_init(&ring->timer, on_due);
	ring->set_ms = uv_now(&loop.uv);
	ring->delay_ms = delay_ms;
	timer_set(&loop, &ring->timer, delay_ms);
}

static int set_up(void **state)
{
	(void)state;
	fired_total = 0;
	return loop_init(&loop, 0);
}

static int tear_down(void **state)
{
	(void)state;
	loop_stop(&loop);
	loop_run(&loop);
	loop_deinit(&loop);
	return 0;
}

static bool has_fired(void *context)
{
	return fired_total >= *(unsigned *)context;
}

static void many_timers_each_fire_once_and_never_early(void **state)
{
	static struct ring rings[MANY];
	unsigned want = MANY;

	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		rings[i] = (struct ring) {0};
		set_ring(&rings[i], i % 300);
	}
	assert_true(turn_until(&loop, has_fired, &want));
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(rings[i].fired, 1);
		assert_false(rings[i].early);
		assert_false(timer_is_set(&rings[i].timer));
	}
}

static void a_cleared_timer_never_fires(void **state)
{
	struct ring kept = {0}, cleared = {0};
	unsigned want = 1;

	(void)state;
	set_ring(&cleared, 10);
	set_ring(&kept, 60);
	timer_clear(&cleared.timer);
	timer_clear(&cleared.timer);
	assert_true(turn_until(&loop, has_fired, &want));
	assert_int_equal(cleared.fired, 0);
	assert_int_equal(kept.fired, 1);
}

static void a_timer_may_clear_another_one_that_is_due_with_it(void **state)
{
	struct ring a = {0}, b = {0};
	unsigned want = 1;

	(void)state;
	set_ring(&a, 20);
	set_ring(&b, 20);
	a.clears = &b.timer;
	b.clears = &a.timer;
	assert_true(turn_until(&loop, has_fired, &want));
	turn_idle(&loop);
	assert_int_equal(a.fired + b.fired, 1);
}

static void a_timer_may_set_itself_again(void **state)
{
	struct ring ring = {.again = true};
	unsigned want = 2;

	(void)state;
	set_ring(&ring, 30);
	assert_true(turn_until(&loop, has_fired, &want));
	assert_int_equal(ring.fired, 2);
	assert_false(ring.early);
}

static void setting_a_set_timer_moves_it(void **state)
{
	struct ring moved = {0};
	unsigned want = 1;

	(void)state;
	set_ring(&moved, 100000);
	moved.delay_ms = 20;
	timer_set(&loop, &moved.timer, 20);
	assert_true(turn_until(&loop, has_fired, &want));
	assert_int_equal(moved.fired, 1);
}

static void a_delay_longer_than_a_round_waits_its_rounds(void **state)
{
	struct ring far = {0}, near = {0};
	unsigned want = 1;

	(void)state;
	set_ring(&far, 10240 + 30); /* the slot that `near` falls into */
	set_ring(&near, 30);
	assert_true(turn_until(&loop, has_fired, &want));
	turn_idle(&loop);
	assert_int_equal(near.fired, 1);
	assert_int_equal(far.fired, 0);
	timer_clear(&far.timer);
}

static void no_timer_fires_once_the_loop_has_stopped(void **state)
{
	struct ring rings[3] = {{.stops_loop = true}, {.stops_loop = true}, {.stops_loop = true}};

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		set_ring(&rings[i], 20);
	loop_run(&loop);
	assert_int_equal(fired_total, 1);
	for (unsigned i = 0; i < 3; i++)
		timer_clear(&rings[i].timer);
}

static void a_delay_beyond_all_time_never_fires(void **state)
{
	struct ring endless = {0}, near = {0};
	unsigned want = 1;

	(void)state;
	set_ring(&endless, UINT64_MAX);
	set_ring(&near, 30);
	assert_true(turn_until(&loop, has_fired, &want));
	turn_idle(&loop);
	assert_int_equal(endless.fired, 0);
	assert_int_equal(near.fired, 1);
	timer_clear(&endless.timer);
}

static void on_neighbour(uv_timer_t *neighbour)
{
	set_ring(neighbour->data, 20);
}

static void a_timer_set_just_before_a_late_tick_hides_no_other(void **state)
{
	static struct ring first, second;
	static uv_timer_t neighbour;
	unsigned want = 2;
	uint64_t since_ns;
	bool all_fired;

	(void)state;
	uv_timer_init(&loop.uv, &neighbour);
	neighbour.data = &second;
	set_ring(&first, 20);
	uv_timer_start(&neighbour, on_neighbour, 0, 0);
	usleep(100 * 1000); /* both are due in one turn, and the tick comes second */
	since_ns = clock_now_ns();
	all_fired = turn_until(&loop, has_fired, &want);
	uv_close((uv_handle_t *)&neighbour, NULL);
	assert_true(all_fired);
	assert_in_range(clock_now_ns() - since_ns, 0, 5000000000); /* a round is 10.24 s */
}

#define TIMER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TIMER_TEST(many_timers_each_fire_once_and_never_early),
		TIMER_TEST(a_cleared_timer_never_fires),
		TIMER_TEST(a_timer_may_clear_another_one_that_is_due_with_it),
		TIMER_TEST(a_timer_may_set_itself_again),
		TIMER_TEST(setting_a_set_timer_moves_it),
		TIMER_TEST(a_delay_longer_than_a_round_waits_its_rounds),
		TIMER_TEST(no_timer_fires_once_the_loop_has_stopped),
		TIMER_TEST(a_timer_set_just_before_a_late_tick_hides_no_other),
		TIMER_TEST(a_delay_beyond_all_time_never_fires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
