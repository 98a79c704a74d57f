// SPDX-License-Identifier: Apache-2.0

#include "http/loop.h"

#include <stdlib.h>

#include "core/secret.h"
#include "http/measure.h"
#include "http/server_state.h"

enum {
	DRAIN_LOOK_MS = 10,
	DRAIN_GRACE_MS = 2500, /* after the deadline: last answers and lingering closes */
};

static void on_drain_look(struct timer *timer);

struct http_loop *http_loop_new(struct http_server *server, struct loop *loop)
{
	struct http_loop *http = calloc(1, sizeof(*http));

	if (http == NULL)
		return NULL;
	http->loop = loop;
	http->server = server;
	http->date_second = -1;
	http->input = malloc(INPUT_BYTES);
	http->staged = malloc(STAGED_BYTES);
	if (http->input == NULL || http->staged == NULL || !measure_init(http)) {
		http_loop_free(http);
		return NULL;
	}
	secret_random(&http->random, sizeof(http->random));
	timer_init(&http->drain_timer, on_drain_look);
	loop->http = http;
	return http;
}

void http_loop_free(struct http_loop *http)
{
	measure_deinit(http);
	free(http->input);
	free(http->staged);
	free(http);
}

const struct http_settings *http_settings_of(const struct http_loop *http)
{
	return http->server->settings;
}

const struct router *http_router_of(const struct http_loop *http)
{
	return http->server->router;
}

static void each_connection(
	struct http_loop *http, unsigned listeners, void (*visit)(struct connection *connection))
{
	for (unsigned state = 0; state < CONNECTION_CLOSING; state++) {
		struct connection *next, *connection = http->lists[state];

		for (; connection != NULL; connection = next) {
			next = connection->next; /* a visit moves none but its own */
			if (connection->listener & listeners)
				visit(connection);
		}
	}
}

static void on_wake(struct loop *loop, struct loop_message *message)
{
	struct http_loop *http = loop->http;
	struct connection *next, *connection = http->lists[CONNECTION_RESTING];

	(void)message;
	http->is_waking = false;
	for (; connection != NULL; connection = next) {
		next = connection->next; /* who rests again stands before it: not twice in a turn */
		connection_go_on(connection);
	}
}

void http_wake_soon(struct http_loop *http)
{
	if (http->is_waking)
		return;
	http->is_waking = true;
	http->wake.run = on_wake;
	loop_post(http->loop, &http->wake);
}

/* The accepting loop keeps the ops listener open until the API is quiet on every loop. */
static bool api_is_quiet(const struct http_loop *http)
{
	if (http->server->loops[0] == http)
		return atomic_load(&http->server->api_count) == 0;
	return http->api_count == 0;
}

static void on_drain_look(struct timer *timer)
{
	struct http_loop *http = (struct http_loop *)((char *)timer -
		offsetof(struct http_loop, drain_timer));
	uint64_t now_ms = uv_now(&http->loop->uv);
	bool is_late = now_ms >= http->drain_until_ms;

	if (is_late)
		each_connection(http, LISTENER_API, connection_cut);
	if (now_ms >= http->drain_until_ms + DRAIN_GRACE_MS)
		each_connection(http, LISTENER_API, connection_close);
	if (api_is_quiet(http) || (is_late && http->api_count == 0)) {
		if (http->server->loops[0] == http)
			gate_close(&http->server->gates[GATE_OPS]);
		each_connection(http, LISTENER_OPS, connection_close);
	}
	if (atomic_load(&http->connection_count) > 0) {
		timer_set(http->loop, timer, DRAIN_LOOK_MS);
		return;
	}
	http->drained = true;
	http->on_drained(http->loop);
}

void http_drain(struct loop *loop, void (*on_drained)(struct loop *loop))
{
	struct http_loop *http = loop->http;

	if (atomic_load(&http->draining))
		return;
	atomic_store(&http->draining, true);
	http->on_drained = on_drained;
	http->drain_until_ms = uv_now(&loop->uv) +
		(uint64_t)http->server->settings->drain_timeout_ms;
	if (http->server->loops[0] == http)
		gate_close(&http->server->gates[GATE_API]);
	each_connection(http, LISTENER_API, connection_drain);
	timer_set(loop, &http->drain_timer, DRAIN_LOOK_MS);
}
