// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * log_writer - the thread that empties the rings. It naps 25 ms while lines come and sleeps without
 * an end when none came for a second; a producer wakes it (one write to an eventfd) only from that sleep,
 * or when its ring is half full.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "observability/log.h"
#include "observability/log_format.h"
#include "observability/log_sink.h"

struct log_ring;

enum log_writer_mode { LOG_WRITER_BUSY, LOG_WRITER_NAPPING, LOG_WRITER_ASLEEP };

struct log {
	struct log_switches switches;
	struct log_sink sink;
	size_t ring_bytes;
	bool json;
	bool colour;
	int wake_fd; /* eventfd */
	pthread_t thread;
	_Atomic(struct log_ring *) rings;
	_Atomic(int) mode; /* enum log_writer_mode */
	_Atomic(bool) closing;
	_Atomic(bool) reopening;
	_Atomic(uint64_t) lines_total;
	/* the writer's */
	struct log_second second;
	uint64_t dropped_reported;
	uint64_t reported_ns;
	uint64_t stuck_since_ns; /* 0: the sink takes what it gets */
	unsigned idle_naps;
};

/* The thread's function; `context` is the log. Returns when closing and all is written or given up. */
void *log_writer_run(void *context);
/* Any thread, any signal handler. */
void log_writer_wake(struct log *log);
/* Any thread: lines dropped by the rings and lost by the sink. */
uint64_t log_writer_dropped(const struct log *log);
