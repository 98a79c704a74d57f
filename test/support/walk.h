// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * walk - the walker: runs a step table again and again on a real loop and lets the client leave at its
 * first wait, its second, and so on, until a run meets no more waits. Whatever leaks, crashes or
 * completes twice on the way shows under the sanitizers and in the counts returned.
 */

#include "core/flow.h"

struct walk {
	struct loop *loop;
	const struct flow_step *steps;
	uint64_t deadline_ms;
	enum failure leave; /* how the client leaves; FAILURE_NONE means FAILURE_CLIENT_GONE */
	/* Fills flow->state and whatever else the steps need, once per run. */
	void (*prepare)(struct flow *flow, void *context);
	/* After each run, when everything has come to rest; `left_at` is 0 for the undisturbed run. */
	void (*check)(unsigned left_at, enum failure failure, void *context);
	void *context;
};

struct walk_counts {
	unsigned waits; /* of the undisturbed run */
	unsigned runs;
	unsigned ended; /* flows whose owner was told of the end: equals runs */
	enum failure failure; /* of the undisturbed run */
};

struct walk_counts walk_steps(const struct walk *walk);

/* Turns the loop until `done` says so; false after about ten seconds. */
bool turn_until(struct loop *loop, bool (*done)(void *context), void *context);
/* Turns the loop a few times without waiting: lets late completions come in. */
void turn_idle(struct loop *loop);
