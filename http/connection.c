// SPDX-License-Identifier: Apache-2.0

#include "http/connection.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/loop.h"
#include "http/measure.h"

enum {
	LINGER_MS = 2000, /* enough for a round trip or some; RFC 9112, 9.6 */
	/* Well under a millisecond: a pipeline of tiny requests must not keep the others waiting. */
	BURST_REQUESTS_MAX = 128,
};

void connection_move(struct connection *connection, enum connection_state state)
{
	struct connection **list = &connection->http->lists[state];

	if (connection->link != NULL) {
		if (connection->state == state)
			return;
		if (connection->state == CONNECTION_READING_BODY) {
			connection->http->intake_bytes -= connection->intake_bytes;
			connection->intake_bytes = 0;
		}
		*connection->link = connection->next;
		if (connection->next != NULL)
			connection->next->link = connection->link;
	}
	connection->state = (uint8_t)state;
	connection->next = *list;
	connection->link = list;
	if (*list != NULL)
		(*list)->link = &connection->next;
	*list = connection;
}

static void unlink_connection(struct connection *connection)
{
	*connection->link = connection->next;
	if (connection->next != NULL)
		connection->next->link = connection->link;
	connection->link = NULL;
}

static void on_closed(uv_handle_t *handle)
{
	struct connection *connection = handle->data;
	struct http_loop *http = connection->http;
	struct client_address address = connection->address;
	enum listener listener = connection->listener;

	connection_piece_taken(connection); /* committed work goes on without the client */
	if (connection->link != NULL)
		unlink_connection(connection);
	free(connection);
	http_connection_gone(http, &address, listener);
}

static void release_flow(struct connection *connection)
{
	struct flow *flow = connection->flow;

	if (flow == NULL)
		return;
	connection->flow = NULL;
	exchange_of(flow)->connection = NULL;
	if (connection->state == CONNECTION_WAITING) {
		flow_stop(flow, FAILURE_CLIENT_GONE);
		return;
	}
	if (connection->state == CONNECTION_READING_BODY && !intake_of(flow)->answered)
		measure_request(flow, 0);
	flow_discard(flow);
}

void connection_close(struct connection *connection)
{
	if (connection->state == CONNECTION_CLOSING)
		return;
	release_flow(connection);
	connection_move(connection, CONNECTION_CLOSING);
	timer_clear(&connection->timer);
	connection_drop_stash(connection);
	if (connection->http->stager == connection) {
		connection->http->stager = NULL;
		connection->http->staged_len = 0;
	}
	uv_close((uv_handle_t *)&connection->tcp, on_closed);
}

void connection_reset(struct connection *connection)
{
	struct linger now = {.l_onoff = 1};
	int fd;

	if (uv_fileno((uv_handle_t *)&connection->tcp, &fd) == 0)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	connection_close(connection);
}

/* ---- timers: one per connection, for whatever it waits for now ---- */

/* For a request that will not come whole. */
static void give_up_reading(struct connection *connection, enum problem problem)
{
	struct intake *intake = intake_of(connection->flow);

	if (intake->answered ||
		(intake->head.len == 0 && connection->state == CONNECTION_READING_HEAD)) {
		connection_close(connection);
		return;
	}
	connection_begin(connection);
	connection_refuse(connection, problem);
	connection_end(connection);
}

/* Grace, then the body's bytes must keep up with the rate. Returns how long they may still take;
 * 0: too slow. */
static uint64_t body_allowance_ms(struct connection *connection)
{
	const struct http_settings *settings = http_settings_of(connection->http);
	const struct intake *intake = intake_of(connection->flow);
	uint64_t grace_ms = (uint64_t)settings->body_grace_ms;
	uint64_t rate = (uint64_t)settings->body_min_bytes_per_second;
	uint64_t now_ms = uv_now(&connection->http->loop->uv);
	uint64_t spent_ms = now_ms - intake->body_begun_ms;
	uint64_t received_bytes = intake->exchange.received_bytes - intake->head.len;
	uint64_t allowed_ms;

	if (rate == 0)
		return grace_ms;
	allowed_ms = grace_ms + received_bytes * 1000 / rate;
	return spent_ms >= allowed_ms ? 0 : allowed_ms - spent_ms;
}

static void body_is_due(struct connection *connection)
{
	uint64_t left_ms = body_allowance_ms(connection);

	if (left_ms == 0)
		give_up_reading(connection, PROBLEM_REQUEST_TIMEOUT);
	else
		timer_set(connection->http->loop, &connection->timer, left_ms);
}

/* Not how long an answer takes: how long the client takes nothing of it. */
static void write_is_due(struct connection *connection)
{
	size_t left = uv_stream_get_write_queue_size((uv_stream_t *)&connection->tcp);

	if (left >= connection->seen_bytes) {
		connection_close(connection);
		return;
	}
	connection->seen_bytes = left;
	timer_set(connection->http->loop, &connection->timer,
		(uint64_t)http_settings_of(connection->http)->write_timeout_ms);
}

static void on_due(struct timer *timer)
{
	struct connection *connection = (struct connection *)((char *)timer -
		offsetof(struct connection, timer));

	switch ((enum connection_timer)connection->timer_for) {
	case TIMER_HEAD:
		give_up_reading(connection, PROBLEM_REQUEST_TIMEOUT);
		break;
	case TIMER_BODY:
		body_is_due(connection);
		break;
	case TIMER_WRITE:
		write_is_due(connection);
		break;
	case TIMER_NONE:
	case TIMER_FIRST:
	case TIMER_IDLE:
	case TIMER_LINGER:
		connection_close(connection);
		break;
	}
}

static enum connection_timer timer_wanted(const struct connection *connection)
{
	if (connection->pending_bytes > 0)
		return TIMER_WRITE;
	switch ((enum connection_state)connection->state) {
	case CONNECTION_IDLE:
		return connection->request_count == 0 ? TIMER_FIRST : TIMER_IDLE;
	case CONNECTION_READING_HEAD:
		return TIMER_HEAD;
	case CONNECTION_READING_BODY:
		return TIMER_BODY;
	case CONNECTION_LINGERING:
		return TIMER_LINGER;
	case CONNECTION_WAITING: /* the flow has a deadline of its own */
	case CONNECTION_RESTING:
	case CONNECTION_WRITING:
	case CONNECTION_CLOSING:
	case CONNECTION_STATES:
		break;
	}
	return TIMER_NONE;
}

static uint64_t timer_delay_ms(struct connection *connection, enum connection_timer wanted)
{
	const struct http_settings *settings = http_settings_of(connection->http);

	switch (wanted) {
	case TIMER_FIRST:
	case TIMER_HEAD:
		return (uint64_t)settings->head_timeout_ms;
	case TIMER_IDLE:
		return (uint64_t)settings->idle_timeout_ms;
	case TIMER_BODY:
		return (uint64_t)settings->body_grace_ms;
	case TIMER_WRITE:
		return (uint64_t)settings->write_timeout_ms;
	case TIMER_LINGER:
		return LINGER_MS;
	case TIMER_NONE:
		break;
	}
	return 0;
}

/* A deadline that runs is left alone: trickling bytes must not push it back. */
static void set_timer(struct connection *connection)
{
	enum connection_timer wanted = timer_wanted(connection);

	if (wanted == TIMER_NONE) {
		connection->timer_for = TIMER_NONE;
		timer_clear(&connection->timer);
		return;
	}
	if (wanted == connection->timer_for && wanted != TIMER_IDLE &&
		timer_is_set(&connection->timer))
		return;
	connection->timer_for = (uint8_t)wanted;
	if (wanted == TIMER_WRITE)
		connection->seen_bytes = uv_stream_get_write_queue_size(
			(uv_stream_t *)&connection->tcp);
	timer_set(connection->http->loop, &connection->timer, timer_delay_ms(connection, wanted));
}

/* ---- bursts ---- */

void connection_begin(struct connection *connection)
{
	connection->in_burst = true;
	connection->burst_end = connection->request_count + BURST_REQUESTS_MAX;
}

/* The last answer has left. A client that may still be sending gets time to read it: closing
 * with unread bytes would reset the connection and take the answer away (RFC 9112, 9.6). */
static void finish(struct connection *connection)
{
	int fd;

	if (!connection->lingers && connection->stash == NULL) {
		connection_close(connection);
		return;
	}
	connection_drop_stash(connection);
	if (uv_fileno((uv_handle_t *)&connection->tcp, &fd) != 0 || shutdown(fd, SHUT_WR) != 0) {
		connection_close(connection);
		return;
	}
	connection->seen_bytes = 0;
	connection_move(connection, CONNECTION_LINGERING);
}

static void rest(struct connection *connection)
{
	connection_move(connection, CONNECTION_RESTING);
	http_wake_soon(connection->http);
}

void connection_go_on(struct connection *connection)
{
	connection_move(connection, CONNECTION_IDLE);
	connection_begin(connection);
	connection_resume(connection);
	connection_end(connection);
}

void connection_end(struct connection *connection)
{
	bool is_over;

	if (connection->state != CONNECTION_CLOSING)
		connection_flush(connection);
	connection->in_burst = false;
	if (connection->state == CONNECTION_CLOSING)
		return;

	is_over = connection->last && connection->flow == NULL &&
		connection->state != CONNECTION_LINGERING;
	if (connection->flow == NULL && connection->pending_bytes > 0)
		connection_move(connection, CONNECTION_WRITING);
	else if (is_over)
		finish(connection);
	else if (connection->flow == NULL && connection->stash != NULL)
		rest(connection);
	else if (connection->state == CONNECTION_WRITING)
		connection_move(connection, CONNECTION_IDLE);
	if (connection->state == CONNECTION_CLOSING)
		return;
	connection_read(connection, true);
	set_timer(connection);
}

void connection_next(struct connection *connection)
{
	connection->flow = NULL;
	connection_move(connection, CONNECTION_IDLE);
}

/* ---- opening and draining ---- */

bool connection_open(struct http_loop *http, int fd, enum listener listener,
	const struct client_address *address)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (connection == NULL || uv_tcp_init(&http->loop->uv, &connection->tcp) != 0) {
		free(connection);
		close(fd);
		return false;
	}
	connection->http = http;
	connection->address = *address;
	connection->listener = (uint8_t)listener;
	connection->tcp.data = connection;
	timer_init(&connection->timer, on_due);
	connection_move(connection, CONNECTION_IDLE);
	if (uv_tcp_open(&connection->tcp, fd) != 0) {
		close(fd);
		connection_close(connection);
		return true;
	}
	uv_tcp_nodelay(&connection->tcp, 1);
	connection_read(connection, true);
	set_timer(connection);
	return true;
}

/* A request that has arrived but was not read yet: closing now would reset it away. */
static bool has_bytes_to_read(const struct connection *connection)
{
	char byte;
	int fd;

	return uv_fileno((const uv_handle_t *)&connection->tcp, &fd) == 0 &&
		recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

void connection_drain(struct connection *connection)
{
	switch ((enum connection_state)connection->state) {
	case CONNECTION_IDLE: /* an answer given while the loop drains is the last one anyway */
		if (!has_bytes_to_read(connection))
			connection_close(connection);
		break;
	case CONNECTION_RESTING:
		break;
	case CONNECTION_READING_HEAD:
	case CONNECTION_READING_BODY:
	case CONNECTION_WAITING:
	case CONNECTION_WRITING:
		connection->last = true;
		connection->lingers = true;
		break;
	case CONNECTION_LINGERING:
	case CONNECTION_CLOSING:
	case CONNECTION_STATES:
		break;
	}
}

void connection_cut(struct connection *connection)
{
	if (connection->state == CONNECTION_WAITING)
		flow_stop(connection->flow, FAILURE_SHUTDOWN); /* answers 503 by on_end */
	else if (connection->state == CONNECTION_READING_HEAD ||
		connection->state == CONNECTION_READING_BODY)
		give_up_reading(connection, PROBLEM_SHUTTING_DOWN);
	if (connection->state != CONNECTION_CLOSING && connection->state != CONNECTION_LINGERING &&
		connection->pending_bytes == 0)
		connection_close(connection);
}
