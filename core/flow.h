// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * flow - one unit of work on one loop: an HTTP request, a job, a command-line task.
 *
 *   step     a named function: judges what came back, works, starts at most one operation,
 *            returns one verdict
 *   verdict  FLOW_NEXT run the next step now - FLOW_WAIT exactly one operation is out -
 *            FLOW_DONE answered, nothing more to do
 *   op       an operation in flight, owned by its driver, tied to the flow by two pointers
 *   owner    who started the flow and turns its end into something (HTTP: an answer)
 *
 * flow->pending <-> op->flow is the only tie: cancelling cuts both ends. Everything here runs on
 * the flow's loop thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/failure.h"
#include "core/loop.h"
#include "core/timer.h"
#include "core/uuid.h"

struct flow;
struct op;

enum flow_verdict { FLOW_NEXT, FLOW_WAIT, FLOW_DONE };

typedef enum flow_verdict flow_step_fn(struct flow *flow);

struct flow_step {
	const char *name; /* span name, timing label, the word in a cancel log */
	flow_step_fn *run;
	bool commits; /* from here a vanished client loses the reply, not the work */
};

#define STEP(function) \
	{ \
		.name = #function, .run = (function) \
	}
#define STEP_COMMITS(function) \
	{ \
		.name = #function, .run = (function), .commits = true \
	}
#define STEPS_END \
	{ \
		.name = 0 \
	}

struct op_driver {
	const char *name; /* "postgresql", "sqlite", "argon2" ... for logs and spans */
	/* The flow is gone: op->flow is already NULL. The driver drains or frees the op by itself;
	 * it must not call back into the flow. Called at most once, on the loop's thread. */
	void (*abandon)(struct op *op);
};

struct op {
	struct flow *flow; /* NULL once abandoned or completed */
	const struct op_driver *driver;
	uint64_t started_ns;
};

struct flow_owner {
	/* Once per flow, after its last step, before the arena dies. failure is FAILURE_NONE when the
	 * steps ended by FLOW_DONE (or ran off the table's end). cause: a short English phrase for the
	 * log, never for a client; may be NULL. The owner must not keep pointers into the flow. */
	void (*on_end)(struct flow *flow, enum failure failure, const char *cause);
	/* Before each step, may be NULL: spans and timings. on_end follows the last. */
	void (*on_step)(struct flow *flow, const struct flow_step *step);
};

struct identity {
	struct uuid user_id;
	struct uuid session_id;
	uint32_t roles; /* bit set; the meaning belongs to domains/access */
	bool known;
};

struct trace {
	uint8_t trace_id[16];
	uint8_t span_id[8];
	bool sampled;
	char request_id[65]; /* terminated */
};

/* What a driver must undo when the flow ends early: a transaction. One at a time. */
struct flow_hold {
	void (*release)(struct flow_hold *hold); /* rolls back; must not call into the flow */
};

struct flow {
	struct loop *loop;
	struct flow *next, **link;
	const struct flow_step *step; /* the one running or waited for */
	struct op *pending;
	void *result; /* of the operation that just completed; borrowed until the step returns */
	const struct op_driver *result_driver;
	void *state; /* the domain's struct, in the arena */
	struct flow_hold *hold;
	const struct flow_owner *owner;
	void *owner_data;
	const void *route; /* HTTP: the compiled route; NULL elsewhere */
	uint64_t started_ns;
	uint64_t deadline_ns;
	struct timer deadline;
	struct identity identity;
	struct trace trace;
	struct arena arena;
	const char *failed_cause;
	enum failure
		failed; /* set by the first flow_fail or stop inside a step, until the step returns */
	bool switched; /* flow_switch has placed `step` already */
	bool running; /* inside a step: operations must not complete now */
	bool committed; /* a STEP_COMMITS has begun */
	bool client_gone;
	bool ended;
};

/* A flow that does not run yet: the owner fills state, identity and trace in. NULL when there is no
 * memory. deadline_ms 0 means none. */
struct flow *flow_new(struct loop *loop, const struct flow_owner *owner, void *owner_data,
	uint64_t deadline_ms, size_t arena_cap_bytes);
/* Runs steps until the first wait or the end; the flow may be gone when this returns. */
void flow_start(struct flow *flow, const struct flow_step *steps);
/* The one door out: client gone, deadline, shutdown. Abandons the pending operation, rolls back what
 * is held, ends the flow. Past a STEP_COMMITS, CLIENT_GONE only marks the flow. */
void flow_stop(struct flow *flow, enum failure why);
/* For a flow that was never started. */
void flow_discard(struct flow *flow);
void flow_set_deadline(struct flow *flow, uint64_t deadline_ms); /* from now */
/* What is left until the deadline, at least 1; UINT64_MAX when there is none. */
uint64_t flow_remaining_ms(const struct flow *flow);

/* For steps: a fork in the road, e.g. `return flow_switch(flow, totp_steps);` */
enum flow_verdict flow_switch(struct flow *flow, const struct flow_step *steps);
/* For steps and starters: ends the flow with this failure. Returns FLOW_DONE. */
enum flow_verdict flow_fail(struct flow *flow, enum failure failure, const char *cause);

/* For drivers. Ties op and flow; returns FLOW_WAIT, which the step returns. */
enum flow_verdict flow_wait(struct flow *flow, struct op *op, const struct op_driver *driver);
/* From the loop, never inside the starter. Cuts the tie and runs the next step with `result`
 * borrowed until that step returns. Nothing happens when the flow has gone (op->flow NULL). */
void flow_complete(struct op *op, void *result);
/* The same for a failure: ends the flow. */
void flow_complete_failed(struct op *op, enum failure failure, const char *cause);
