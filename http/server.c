// SPDX-License-Identifier: Apache-2.0

/*
 * The process-wide half: listening sockets, seats, and who gets a new connection. What one loop
 * holds and how it drains stands in loop.c.
 */

#include "http/server.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/measure.h"
#include "http/server_state.h"

/* A socket on its way to its loop. */
struct arrival {
	struct loop_message message;
	int fd;
	enum listener listener;
	struct client_address address;
};

struct http_server *http_server_new(const struct http_settings *settings, struct router *router,
	struct metrics *metrics, struct log *log, struct arena *arena, struct text *error_out)
{
	struct http_server *server = calloc(1, sizeof(*server));

	if (settings->flow_memory_max_bytes / 3 < settings->body_max_bytes) {
		*error_out = arena_printf(arena,
			"http.request_memory_max is %lld bytes and must be at least three times "
			"http.body_max, which is %lld bytes",
			(long long)settings->flow_memory_max_bytes,
			(long long)settings->body_max_bytes);
		free(server);
		return NULL;
	}
	*error_out = TEXT("there is no memory for the HTTP server");
	if (server == NULL)
		return NULL;
	server->settings = settings;
	server->router = router;
	server->gates[GATE_API].fd = server->gates[GATE_OPS].fd = -1;
	server->addresses = address_table_new();
	if (server->addresses == NULL ||
		!gate_open(&server->gates[GATE_API], LISTENER_API, settings->host,
			(uint16_t)settings->port, "http", arena, error_out) ||
		!gate_open(&server->gates[GATE_OPS], LISTENER_OPS, settings->ops_host,
			(uint16_t)settings->ops_port, "ops", arena, error_out)) {
		http_server_free(server);
		return NULL;
	}
	return server;
}

void http_server_free(struct http_server *server)
{
	if (server == NULL)
		return;
	for (unsigned i = 0; i < GATES; i++)
		gate_close(&server->gates[i]);
	for (unsigned i = 0; i < server->loop_count; i++)
		http_loop_free(server->loops[i]);
	address_table_free(server->addresses);
	free(server);
}

uint16_t http_server_port(const struct http_server *server, enum listener listener)
{
	return server->gates[listener == LISTENER_OPS ? GATE_OPS : GATE_API].port;
}

size_t http_connection_count(const struct http_server *server)
{
	size_t count = 0;

	for (unsigned i = 0; i < server->loop_count; i++)
		count += atomic_load_explicit(
			&server->loops[i]->connection_count, memory_order_relaxed);
	return count;
}

/* ---- new connections, on the accepting loop ---- */

static struct http_loop *least_busy(struct http_server *server)
{
	struct http_loop *chosen = NULL;
	unsigned fewest = 0;

	for (unsigned i = 0; i < server->loop_count; i++) {
		struct http_loop *candidate = server->loops[i];
		unsigned count = atomic_load_explicit(
			&candidate->connection_count, memory_order_relaxed);

		if (!atomic_load(&candidate->draining) && (chosen == NULL || count < fewest)) {
			chosen = candidate;
			fewest = count;
		}
	}
	return chosen;
}

#define BUSY_BODY \
	"{\"status\":\"error\",\"code\":\"OVERLOADED\"," \
	"\"message\":\"The server is busy; try again shortly\"}\n"

/* Best effort: the answer is sent if the socket takes it at once. */
static void turn_away(struct http_loop *http, int fd, enum refusal_reason reason)
{
	static const char answer[] = "HTTP/1.1 503 Service Unavailable\r\n"
				     "Retry-After: 1\r\n"
				     "Content-Type: application/json\r\n"
				     "Content-Length: 89\r\n"
				     "Connection: close\r\n\r\n" BUSY_BODY;
	_Static_assert(sizeof(BUSY_BODY) - 1 == 89, "the Content-Length above");

	(void)!send(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	close(fd);
	measure_refusal(http, reason);
}

static void settle_in(struct http_loop *http, int fd, enum listener listener,
	const struct client_address *address)
{
	measure_connections(http, 1);
	if (listener == LISTENER_API)
		http->api_count++;
	if (listener == LISTENER_API && atomic_load(&http->draining)) {
		close(fd);
		measure_refusal(http, REFUSAL_SHUTDOWN);
		http_connection_gone(http, address, listener);
	} else if (!connection_open(http, fd, listener, address)) {
		measure_refusal(http, REFUSAL_MEMORY);
		http_connection_gone(http, address, listener);
	}
}

static void on_arrival(struct loop *loop, struct loop_message *message)
{
	struct arrival *arrival = (struct arrival *)message;

	settle_in(loop->http, arrival->fd, arrival->listener, &arrival->address);
	free(arrival);
}

static bool hand_over(
	struct http_loop *to, int fd, enum listener listener, const struct client_address *address)
{
	struct arrival *arrival = malloc(sizeof(*arrival));

	if (arrival == NULL)
		return false;
	*arrival = (struct arrival) {
		.message.run = on_arrival,
		.fd = fd,
		.listener = listener,
		.address = *address,
	};
	loop_post(to->loop, &arrival->message);
	return true;
}

/* The ops listener has seats of its own: health must answer when the API is full. */
static bool take_seat(struct http_server *server, enum listener listener,
	const struct client_address *address, enum refusal_reason *reason_out)
{
	const struct http_settings *settings = server->settings;

	*reason_out = REFUSAL_CONNECTIONS_MAX;
	if (listener == LISTENER_OPS) {
		if (atomic_fetch_add(&server->ops_count, 1) < OPS_CONNECTIONS_MAX)
			return true;
		atomic_fetch_sub(&server->ops_count, 1);
		return false;
	}
	if (atomic_fetch_add(&server->api_count, 1) >= (uint64_t)settings->connections_max) {
		atomic_fetch_sub(&server->api_count, 1);
		return false;
	}
	*reason_out = REFUSAL_ADDRESS;
	if (!address_table_add(
		    server->addresses, address, (unsigned)settings->connections_per_address)) {
		atomic_fetch_sub(&server->api_count, 1);
		return false;
	}
	return true;
}

static void leave_seat(
	struct http_server *server, enum listener listener, const struct client_address *address)
{
	if (listener == LISTENER_OPS) {
		atomic_fetch_sub(&server->ops_count, 1);
		return;
	}
	address_table_remove(server->addresses, address);
	atomic_fetch_sub(&server->api_count, 1);
}

static void accept_connection(struct http_loop *http, enum listener listener, int fd,
	const struct client_address *address)
{
	struct http_server *server = http->server;
	enum refusal_reason reason = REFUSAL_SHUTDOWN;
	struct http_loop *to;

	if (!take_seat(server, listener, address, &reason)) {
		turn_away(http, fd, reason);
		return;
	}
	to = least_busy(server);
	if (to == NULL) /* all drain; the ops listener answers to the end */
		to = http;
	/* Counted before it is sent: a loop that drains waits for what is on its way. */
	atomic_fetch_add(&to->connection_count, 1);
	if (to == http) {
		settle_in(http, fd, listener, address);
	} else if (!hand_over(to, fd, listener, address)) {
		atomic_fetch_sub(&to->connection_count, 1);
		leave_seat(server, listener, address);
		turn_away(http, fd, REFUSAL_MEMORY);
	}
}

void http_connection_gone(
	struct http_loop *http, const struct client_address *address, enum listener listener)
{
	if (listener == LISTENER_API)
		http->api_count--;
	leave_seat(http->server, listener, address);
	measure_connections(http, -1);
	atomic_fetch_sub(&http->connection_count, 1);
}

int http_attach(struct http_server *server, struct loop *loop)
{
	struct http_loop *http;
	int code = 0;

	if (server->loop_count == LOOPS_MAX)
		return UV_EMFILE;
	http = http_loop_new(server, loop);
	if (http == NULL)
		return UV_ENOMEM;
	server->loops[server->loop_count++] = http;
	if (server->loop_count > 1)
		return 0;
	for (unsigned i = 0; i < GATES && code == 0; i++)
		code = gate_attach(&server->gates[i], http, accept_connection);
	return code;
}
