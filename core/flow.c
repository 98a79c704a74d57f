// SPDX-License-Identifier: Apache-2.0
#include "core/flow.h"

#include <assert.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/flow_pool.h"

#ifdef ARENA_POISONS
enum { FLOWS_IDLE_MAX = 0 }; /* freed at once, so that AddressSanitizer sees a use after the end */
#else
enum { FLOWS_IDLE_MAX = 512 };
#endif

enum { NS_PER_MS = 1000000 };
static const uint64_t deadline_max_ms = UINT64_MAX / 2 / NS_PER_MS; /* 292 years */

static void on_deadline(struct timer *timer)
{
	struct flow *flow = (struct flow *)((char *)timer - offsetof(struct flow, deadline));

	flow_stop(flow, FAILURE_DEADLINE);
}

static void link_flow(struct flow *flow)
{
	struct loop *loop = flow->loop;

	flow->next = loop->flows;
	flow->link = &loop->flows;
	if (flow->next != NULL)
		flow->next->link = &flow->next;
	loop->flows = flow;
	loop->flow_count++;
}

static void unlink_flow(struct flow *flow)
{
	*flow->link = flow->next;
	if (flow->next != NULL)
		flow->next->link = flow->link;
	flow->loop->flow_count--;
}

static struct flow *take_idle(struct loop *loop)
{
	struct flow *flow = loop->flows_idle;

	if (flow == NULL)
		return malloc(sizeof(*flow));
	loop->flows_idle = flow->next;
	loop->flows_idle_count--;
	return flow;
}

static void keep_idle(struct loop *loop, struct flow *flow)
{
	if (loop->flows_idle_count + 1 > FLOWS_IDLE_MAX) {
		free(flow);
		return;
	}
	flow->next = loop->flows_idle;
	loop->flows_idle = flow;
	loop->flows_idle_count++;
}

struct flow *flow_new(struct loop *loop, const struct flow_owner *owner, void *owner_data,
	uint64_t deadline_ms, size_t arena_cap_bytes)
{
	struct flow *flow = take_idle(loop);

	if (flow == NULL)
		return NULL;
	*flow = (struct flow) {
		.loop = loop,
		.owner = owner,
		.owner_data = owner_data,
		.started_ns = clock_now_ns(),
	};
	arena_init(&flow->arena, &loop->blocks, arena_cap_bytes);
	timer_init(&flow->deadline, on_deadline);
	link_flow(flow);
	flow_set_deadline(flow, deadline_ms);
	return flow;
}

void flow_set_deadline(struct flow *flow, uint64_t deadline_ms)
{
	if (deadline_ms == 0 || deadline_ms > deadline_max_ms) {
		timer_clear(&flow->deadline);
		flow->deadline_ns = UINT64_MAX;
		return;
	}
	/* the loop's time, which the timer goes by too: the same clock, read once a turn */
	flow->deadline_ns = (uv_now(&flow->loop->uv) + deadline_ms) * NS_PER_MS;
	timer_set(flow->loop, &flow->deadline, deadline_ms);
}

uint64_t flow_remaining_ms(const struct flow *flow)
{
	uint64_t now_ns;

	if (flow->deadline_ns == UINT64_MAX)
		return UINT64_MAX;
	now_ns = clock_now_ns();
	if (now_ns + NS_PER_MS > flow->deadline_ns)
		return 1;
	return (flow->deadline_ns - now_ns) / NS_PER_MS;
}

static void free_flow(struct flow *flow)
{
	struct loop *loop = flow->loop;

	timer_clear(&flow->deadline);
	unlink_flow(flow);
	arena_deinit(&flow->arena);
	keep_idle(loop, flow);
}

/* What an early end leaves undone: the operation in flight and the open transaction. */
static void cut_ties(struct flow *flow)
{
	struct op *op = flow->pending;
	struct flow_hold *hold;

	if (op != NULL) {
		flow->pending = NULL;
		op->flow = NULL;
		op->driver->abandon(op);
	}
	hold = flow->hold;
	if (hold != NULL) {
		flow->hold = NULL;
		hold->release(hold);
	}
}

static void end(struct flow *flow, enum failure failure, const char *cause)
{
	assert(!flow->ended);
	flow->ended = true;
	cut_ties(flow);
	flow->owner->on_end(flow, failure, cause);
	free_flow(flow);
}

void flow_discard(struct flow *flow)
{
	assert(flow->step == NULL && flow->pending == NULL);
	free_flow(flow);
}

/* Whatever stops the flow meanwhile is noted in `failed`. */
static enum flow_verdict run_step(struct flow *flow)
{
	const struct flow_step *step = flow->step;
	enum flow_verdict verdict = FLOW_DONE;

	flow->running = true;
	if (flow->owner->on_step != NULL)
		flow->owner->on_step(flow, step);
	if (flow->failed == FAILURE_NONE) {
		flow->committed |= step->commits;
		verdict = step->run(flow);
	}
	flow->running = false;
	flow->result = NULL;
	flow->result_driver = NULL;
	assert((verdict == FLOW_WAIT) == (flow->pending != NULL));
	return verdict;
}

/* Runs the current step and those after it until a wait or the end. */
static void run(struct flow *flow)
{
	for (;;) {
		enum flow_verdict verdict;

		if (flow->step->name == NULL) {
			end(flow, FAILURE_NONE, NULL);
			return;
		}
		verdict = run_step(flow);
		if (flow->failed != FAILURE_NONE) {
			end(flow, flow->failed, flow->failed_cause);
			return;
		}
		switch (verdict) {
		case FLOW_NEXT:
			if (!flow->switched)
				flow->step++;
			flow->switched = false;
			break;
		case FLOW_WAIT:
			return;
		case FLOW_DONE:
			end(flow, FAILURE_NONE, NULL);
			return;
		}
	}
}

void flow_start(struct flow *flow, const struct flow_step *steps)
{
	assert(flow->step == NULL);
	flow->step = steps;
	run(flow);
}

/* The first failure of a step counts: what comes after it may follow from it. */
static void fail(struct flow *flow, enum failure failure, const char *cause)
{
	if (flow->failed != FAILURE_NONE)
		return;
	flow->failed = failure;
	flow->failed_cause = cause;
}

void flow_stop(struct flow *flow, enum failure why)
{
	assert(why != FAILURE_NONE);
	/* A step that stops its own flow, or an owner's callback: the verdict will end it. */
	if (flow->ended)
		return;
	if (why == FAILURE_CLIENT_GONE) {
		flow->client_gone = true;
		if (flow->committed)
			return;
	}
	if (flow->running)
		fail(flow, why, NULL);
	else
		end(flow, why, NULL);
}

enum flow_verdict flow_switch(struct flow *flow, const struct flow_step *steps)
{
	assert(flow->running && flow->pending == NULL);
	flow->step = steps;
	flow->switched = true;
	return FLOW_NEXT;
}

enum flow_verdict flow_fail(struct flow *flow, enum failure failure, const char *cause)
{
	assert(flow->running && flow->pending == NULL && failure != FAILURE_NONE);
	fail(flow, failure, cause);
	return FLOW_DONE;
}

enum flow_verdict flow_wait(struct flow *flow, struct op *op, const struct op_driver *driver)
{
	assert(flow->running && flow->pending == NULL && !flow->switched);
	op->flow = flow;
	op->driver = driver;
	op->started_ns = clock_now_ns();
	flow->pending = op;
	return FLOW_WAIT;
}

/* Cuts the tie of an operation that has come back. NULL when its flow has gone. */
static struct flow *untie(struct op *op)
{
	struct flow *flow = op->flow;

	if (flow == NULL)
		return NULL;
	assert(!flow->running && "an operation completed inside a step");
	assert(flow->pending == op);
	flow->pending = NULL;
	op->flow = NULL;
	return flow;
}

void flow_complete(struct op *op, void *result)
{
	struct flow *flow = untie(op);

	if (flow == NULL)
		return;
	flow->result = result;
	flow->result_driver = op->driver;
	flow->step++;
	run(flow);
}

void flow_complete_failed(struct op *op, enum failure failure, const char *cause)
{
	struct flow *flow = untie(op);

	if (flow == NULL)
		return;
	end(flow, failure, cause);
}

void flow_pool_stop(struct loop *loop)
{
	struct flow *flow = loop->flows;

	while (flow != NULL) {
		/* Their owner discards what has not begun; these two end when they return. */
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): whoever is freed was unlinked first */
		if (flow->step == NULL || flow->ended || flow->failed != FAILURE_NONE) {
			flow = flow->next;
			continue;
		}
		/* its end may end others: look from the start again */
		flow_stop(flow, FAILURE_SHUTDOWN);
		flow = loop->flows;
	}
}

void flow_pool_deinit(struct loop *loop)
{
	assert(loop->flows == NULL && "a flow outlived its loop");
	while (loop->flows_idle != NULL) {
		struct flow *flow = loop->flows_idle;

		loop->flows_idle = flow->next;
		free(flow);
	}
}
