// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * loop - one thread, one uv_loop_t and all that thread owns. Loops share nothing on the request
 * path; the only door from another thread is loop_post. Higher floors hang their per-loop part
 * on the pointers below, opaque to this floor.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "core/arena.h"

struct loop;
struct loop_message;

/* Runs on the receiving loop's thread, exactly once, never inside loop_post. */
typedef void loop_message_fn(struct loop *loop, struct loop_message *message);
/* Runs once at the end of each turn, before the loop sleeps: the place to flush. */
typedef void loop_flush_fn(struct loop *loop, void *context);

/* Embedded by the sender; belongs to the loop from loop_post until `run` is called. */
struct loop_message {
	_Atomic(struct loop_message *) next;
	loop_message_fn *run;
};

enum { LOOP_FLUSHES_MAX = 8 };

struct flow;
struct loop_wheel;

struct loop {
	uv_loop_t uv;
	unsigned index;
	struct arena_pool blocks;
	struct loop_wheel *wheel;
	struct flow *flows; /* every flow alive on this loop */
	struct flow *flows_idle; /* kept for reuse */
	unsigned flow_count;
	unsigned flows_idle_count;
	_Atomic(bool) stopping;

	/* what higher floors keep here; each is owned by its floor */
	struct log_ring *log;
	struct metric_shard *metrics;
	struct http_loop *http;
	struct db_loop *db;
	struct cache_loop *cache;
	struct domains *domains; /* process-wide state of the domains, read-only after the start */

	/* private to loop.c */
	uv_poll_t wake;
	int wake_fd; /* open until loop_deinit: late senders may still write */
	uv_prepare_t before_sleep;
	_Atomic(struct loop_message *) inbox;
	struct {
		loop_flush_fn *run;
		void *context;
	} flushes[LOOP_FLUSHES_MAX];
	unsigned flush_count;
};

/* Fails with a negative uv error code. The thread that will run the loop may be another one. */
int loop_init(struct loop *loop, unsigned index);
/* Runs until loop_stop; returns when every handle is closed. */
void loop_run(struct loop *loop);
/* Loop thread only: ends the flows that are left (FAILURE_SHUTDOWN) and closes the loop's own handles;
 * loop_run returns once others are closed too. No timer fires after it. */
void loop_stop(struct loop *loop);
/* After every thread that may post to the loop has been joined (worker classes, databases): messages that
 * came too late are run here, so that what they carry is freed. No flow is left by then. */
void loop_deinit(struct loop *loop);
/* Any thread, until loop_deinit. Order between two messages of one sender is kept. */
void loop_post(struct loop *loop, struct loop_message *message);
/* Before loop_run. Called in the order of registration. */
void loop_on_flush(struct loop *loop, loop_flush_fn *run, void *context);
