// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * server - listeners and connections. One listening socket per port, accepted by the first loop and
 * handed to the loop with the fewest connections; every connection stays on its loop. Connections
 * parse, the router matches, a flow answers.
 */

#include "core/loop.h"
#include "core/setting.h"
#include "http/route.h"

struct http_settings {
	struct text host; /* 127.0.0.1 */
	int64_t port; /* 3000 */
	int64_t request_line_max_bytes; /* 8 KiB */
	int64_t headers_max_bytes; /* 32 KiB */
	int64_t headers_max_count; /* 100 */
	int64_t body_max_bytes; /* upper bound over all routes */
	int64_t head_timeout_ms; /* 5 s */
	int64_t body_min_bytes_per_second; /* 1 KiB */
	int64_t body_grace_ms; /* 5 s */
	int64_t idle_timeout_ms; /* 60 s */
	int64_t write_timeout_ms;
	int64_t request_timeout_ms; /* default deadline of a route */
	int64_t connections_max; /* per process */
	int64_t connections_per_address;
	int64_t requests_per_connection;
	int64_t flow_memory_max_bytes; /* arena cap of a request */
	int64_t drain_timeout_ms; /* SIGTERM: how long requests may finish */
	struct text ops_host;
	int64_t ops_port; /* 2112 */
};
extern const struct setting_group http_setting_group;

struct router;
struct http_server;
struct metrics;
struct log;

/* Compiles scopes into a tree per listener, guards and steps joined. NULL and a sentence in
 * *error_out for a defect in the tables (two routes alike, a parameter without a schema field
 * ...). */
struct router *router_new(const struct scope *const *scopes, size_t scope_count,
	struct arena *arena, struct text *error_out);
void router_free(struct router *router);

/* Binds and listens. NULL and a sentence naming address and port in *error_out. settings must
 * outlive the server (a reload changes them in place between turns of the loop: see
 * http_reload). */
struct http_server *http_server_new(const struct http_settings *settings, struct router *router,
	struct metrics *metrics, struct log *log, struct arena *arena, struct text *error_out);
void http_server_free(struct http_server *server); /* after the loops have stopped */
uint16_t http_server_port(
	const struct http_server *server, enum listener listener); /* bound, for port 0 */
/* Per loop, before loop_run: sets loop->http. The first one attached accepts. The program has to
 * ignore SIGPIPE: libuv writes with write(2). */
int http_attach(struct http_server *server, struct loop *loop);
/* Loop thread: stop accepting, finish requests until the drain deadline, close; then on_drained. */
void http_drain(struct loop *loop, void (*on_drained)(struct loop *loop));
size_t http_connection_count(const struct http_server *server); /* any thread */
