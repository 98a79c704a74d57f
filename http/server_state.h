// SPDX-License-Identifier: Apache-2.0
#pragma once

/* server_state - the process-wide half of the server, shared by server.c and loop.c. */

#include <stdatomic.h>

#include "http/address.h"
#include "http/listener.h"
#include "http/loop.h"
#include "http/server.h"

enum { LOOPS_MAX = 256, OPS_CONNECTIONS_MAX = 1024 };
enum gate_index { GATE_API, GATE_OPS, GATES };

struct http_server {
	const struct http_settings *settings;
	struct router *router;
	struct address_table *addresses; /* of the API */
	_Atomic(uint64_t) api_count;
	_Atomic(uint64_t) ops_count;
	struct gate gates[GATES]; /* of loops[0] */
	struct http_loop *loops[LOOPS_MAX]; /* complete before the loops run */
	unsigned loop_count;
};

struct http_loop *http_loop_new(struct http_server *server, struct loop *loop);
void http_loop_free(struct http_loop *http);
