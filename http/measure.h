// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * measure - what is counted and logged about requests and connections. Series are found once per
 * loop, route and status; on the request path a sample is an array index. endpoint is the route's
 * template, or "none": random paths add no series.
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/flow.h"

struct http_loop;

enum refusal_reason {
	REFUSAL_CONNECTIONS_MAX,
	REFUSAL_ADDRESS,
	REFUSAL_FILES,
	REFUSAL_SHUTDOWN,
	REFUSAL_MEMORY,
	REFUSAL_REASONS,
};

/* False without memory. */
bool measure_init(struct http_loop *http);
void measure_deinit(struct http_loop *http);
/* Once per request, when its answer is staged or its client has gone (status label 499). */
void measure_request(struct flow *flow, size_t response_bytes);
void measure_connections(struct http_loop *http, int change);
void measure_refusal(struct http_loop *http, enum refusal_reason reason);
