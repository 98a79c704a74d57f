// SPDX-License-Identifier: Apache-2.0
#include "test/support/walk.h"

#include "core/clock.h"

enum { TURN_LIMIT_S = 10, IDLE_TURNS = 50 };

struct run {
	const struct walk *walk;
	unsigned leave_at; /* 0: never */
	unsigned waits;
	unsigned ended;
	enum failure failure;
};

static void on_end(struct flow *flow, enum failure failure, const char *cause)
{
	struct run *run = flow->owner_data;

	(void)cause;
	run->ended++;
	run->failure = failure;
}

static const struct flow_owner counting_owner = {.on_end = on_end};

static void on_second(uv_timer_t *timer)
{
	(void)timer;
}

bool turn_until(struct loop *loop, bool (*done)(void *context), void *context)
{
	uint64_t limit_ns = clock_now_ns() + TURN_LIMIT_S * 1000000000ull;
	uv_timer_t alarm;
	bool is_done;

	/* Keeps the loop from sleeping for ever when nothing comes. */
	uv_timer_init(&loop->uv, &alarm);
	uv_timer_start(&alarm, on_second, 100, 100);
	while (!(is_done = done(context)) && clock_now_ns() < limit_ns)
		uv_run(&loop->uv, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&alarm, NULL);
	uv_run(&loop->uv, UV_RUN_NOWAIT);
	return is_done;
}

void turn_idle(struct loop *loop)
{
	for (int i = 0; i < IDLE_TURNS; i++)
		uv_run(&loop->uv, UV_RUN_NOWAIT);
}

struct watch {
	struct run *run;
	struct flow *flow;
	struct op *seen;
	uint64_t seen_ns;
};

/* A wait is new when another operation is out, or the same memory was used for a later one. */
static bool is_over(void *context)
{
	struct watch *watch = context;
	struct flow *flow = watch->flow;
	const struct walk *walk = watch->run->walk;

	if (watch->run->ended > 0)
		return true;
	if (flow->pending == NULL ||
		(flow->pending == watch->seen && flow->pending->started_ns == watch->seen_ns))
		return false;
	watch->seen = flow->pending;
	watch->seen_ns = flow->pending->started_ns;
	if (++watch->run->waits == watch->run->leave_at)
		flow_stop(flow, walk->leave == FAILURE_NONE ? FAILURE_CLIENT_GONE : walk->leave);
	return watch->run->ended > 0;
}

static struct run run_once(const struct walk *walk, unsigned leave_at)
{
	struct run run = {.walk = walk, .leave_at = leave_at};
	struct flow *flow = flow_new(walk->loop, &counting_owner, &run, walk->deadline_ms, 1 << 20);
	struct watch watch = {.run = &run, .flow = flow};

	walk->prepare(flow, walk->context);
	flow_start(flow, walk->steps);
	turn_until(walk->loop, is_over, &watch);
	turn_idle(walk->loop);
	if (walk->check != NULL)
		walk->check(leave_at, run.failure, walk->context);
	return run;
}

struct walk_counts walk_steps(const struct walk *walk)
{
	struct run run = run_once(walk, 0);
	struct walk_counts counts = {
		.waits = run.waits, .runs = 1, .ended = run.ended, .failure = run.failure};

	for (unsigned leave_at = 1; leave_at <= counts.waits; leave_at++) {
		run = run_once(walk, leave_at);
		counts.runs++;
		counts.ended += run.ended;
	}
	return counts;
}
