// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * http/loop - what one loop holds for HTTP: its connections by state, one buffer to read into, one
 * to stage answers in, the cached date. Loop thread only, but for the count, which the accepting
 * loop reads to find the loop with the fewest connections.
 */

#include <stdatomic.h>
#include <stdint.h>

#include "core/loop.h"
#include "core/timer.h"
#include "http/connection.h"
#include "http/problem.h"
#include "http/server.h"
#include "observability/metrics.h"

struct http_series;
struct http_server;

enum { INPUT_BYTES = 65536, STAGED_BYTES = 65536, DATE_LINE_LEN = 37 /* "Date: ...\r\n" */ };

struct http_loop {
	struct loop *loop;
	struct http_server *server;
	struct connection *lists[CONNECTION_STATES];
	_Atomic(unsigned) connection_count; /* with those that are on their way here */
	unsigned api_count;

	char *input;
	char *staged; /* answers of the running burst */
	size_t staged_len;
	struct connection *stager; /* whose burst that is */
	size_t pending_bytes; /* of all connections, in uv_write */
	size_t stashed_bytes; /* of all connections */
	size_t intake_bytes; /* of bodies that are coming in */
	uint64_t write_count; /* system calls that wrote */

	int64_t date_second;
	char date[DATE_LINE_LEN + 1];
	uint64_t random; /* for span ids: unique, not secret */
	struct http_series *series; /* a row per compiled route; see measure.h */
	metric_id problem_series[PROBLEM_COUNT]; /* of errors_total; refusal.c finds each once */

	struct loop_message wake; /* for those that rest */
	bool is_waking; /* the message is on its way */

	_Atomic(bool) draining;
	bool drained;
	struct timer drain_timer;
	uint64_t drain_until_ms;
	void (*on_drained)(struct loop *loop);
};

const struct http_settings *http_settings_of(const struct http_loop *http);
const struct router *http_router_of(const struct http_loop *http);
/* Those that rest go on in the next turn. */
void http_wake_soon(struct http_loop *http);
/* A connection is gone: its seat is free, a drain may be over. */
void http_connection_gone(
	struct http_loop *http, const struct client_address *address, enum listener listener);
