// SPDX-License-Identifier: Apache-2.0

/*
 * Bytes in: from the socket into the loop's buffer, through head and body of one request after the
 * other, until a flow waits or the client must first take its answers. What is left goes to the
 * stash.
 */

#include <stdlib.h>
#include <string.h>

#include "http/connection.h"
#include "http/loop.h"
#include "http/measure.h"
#include "http/trace.h"

enum {
	STASH_BYTES_MAX = 65536,
	/* Of one loop: what many slow clients may hold together before new bytes are refused. */
	STASHED_BYTES_MAX = 128 * 1024 * 1024,
	INTAKE_BYTES_MAX = 256 * 1024 * 1024,
	LINGER_BYTES_MAX = 262144,
	/* A refused body this small is read and dropped, so that the connection lives on. */
	DROPPED_BODY_BYTES_MAX = 65536,
};

struct stash {
	size_t at;
	size_t len;
	size_t capacity;
	char data[];
};

static size_t feed(struct connection *connection, struct text data);

/* ---- the stash ---- */

static size_t stashed_bytes(const struct connection *connection)
{
	return connection->stash ? connection->stash->len - connection->stash->at : 0;
}

void connection_drop_stash(struct connection *connection)
{
	connection->http->stashed_bytes -= stashed_bytes(connection);
	free(connection->stash);
	connection->stash = NULL;
}

/* One portion gets what it needs; from the second on it doubles, whoever trickles. */
static bool stash_grow(struct connection *connection, size_t added)
{
	struct stash *old = connection->stash, *stash;
	size_t kept = stashed_bytes(connection);
	size_t capacity = old == NULL ? added : 2 * (kept + added);

	stash = malloc(sizeof(*stash) + capacity);
	if (stash == NULL)
		return false;
	*stash = (struct stash) {.len = kept, .capacity = capacity};
	if (kept > 0)
		memcpy(stash->data, old->data + old->at, kept);
	free(old);
	connection->stash = stash;
	return true;
}

static void stash_append(struct connection *connection, struct text data)
{
	struct http_loop *http = connection->http;
	size_t room = connection->stash ? connection->stash->capacity - connection->stash->len : 0;

	if (data.len == 0)
		return;
	if (http->stashed_bytes + data.len > STASHED_BYTES_MAX ||
		(room < data.len && !stash_grow(connection, data.len))) {
		connection_close(connection);
		return;
	}
	memcpy(connection->stash->data + connection->stash->len, data.data, data.len);
	connection->stash->len += data.len;
	http->stashed_bytes += data.len;
}

void connection_resume(struct connection *connection)
{
	struct stash *stash = connection->stash;

	if (stash == NULL || connection->state == CONNECTION_CLOSING)
		return;
	connection->http->stashed_bytes -= stashed_bytes(connection);
	connection->stash = NULL; /* a close while it is read must not free it */
	stash->at += feed(connection, text_of(stash->data + stash->at, stash->len - stash->at));
	if (stash->at == stash->len || connection->state == CONNECTION_CLOSING ||
		connection->last) {
		free(stash);
		return;
	}
	connection->stash = stash;
	connection->http->stashed_bytes += stashed_bytes(connection);
}

/* ---- answers that need no flow to run ---- */

/* Ends the request in progress: its answer is recorded, its body (if any) has been dealt with. */
static void answer_and_discard(struct connection *connection)
{
	struct flow *flow = connection->flow;

	if (!intake_of(flow)->answered)
		connection_answer(connection, flow);
	if (connection->state == CONNECTION_CLOSING)
		return; /* and with it the flow */
	flow_discard(flow);
	connection_next(connection);
}

void connection_refuse(struct connection *connection, enum problem problem)
{
	connection->last = true;
	connection->lingers = true;
	if (connection->flow->trace.request_id[0] == '\0')
		trace_begin(connection->flow);
	exchange_refuse(connection->flow, problem);
	answer_and_discard(connection);
}

/* The answer stands before the body was read. A small one is dropped; else the connection ends. */
static void answer_before_body(struct connection *connection)
{
	struct intake *intake = intake_of(connection->flow);
	const struct http_request *request = &intake->exchange.request;
	bool is_small = request->content_length <= DROPPED_BODY_BYTES_MAX &&
		!request->expects_continue;

	if (!request->has_body || (!request->chunked && request->content_length == 0)) {
		answer_and_discard(connection);
		return;
	}
	if (!is_small) {
		connection->last = true;
		connection->lingers = true;
		answer_and_discard(connection);
		return;
	}
	connection_answer(connection, connection->flow);
	if (connection->state == CONNECTION_CLOSING)
		return;
	intake->answered = true;
	intake_begin_body(intake, DROPPED_BODY_BYTES_MAX, true);
}

/* ---- body ---- */

static void dispatch(struct connection *connection)
{
	struct flow *flow = connection->flow;
	struct intake *intake = intake_of(flow);
	const struct compiled_route *route = flow->route;
	uint64_t deadline_ms = route->deadline_ms;

	if (deadline_ms == 0)
		deadline_ms = (uint64_t)http_settings_of(connection->http)->request_timeout_ms;
	if (intake->exchange.request.has_body && !intake->drops_body)
		intake->exchange.request.body = text_of(
			intake->body ? intake->body : "", intake->body_len);
	flow_set_deadline(flow, deadline_ms);
	connection_move(connection, CONNECTION_WAITING);
	if (!exchange_dispatch(flow)) { /* true: the flow may be gone already */
		connection_move(connection, CONNECTION_READING_BODY);
		answer_and_discard(connection);
	}
}

static void body_ended(struct connection *connection)
{
	if (intake_of(connection->flow)->answered)
		answer_and_discard(connection);
	else
		dispatch(connection);
}

static void body_refused(struct connection *connection, enum problem problem)
{
	if (!intake_of(connection->flow)->answered) {
		connection_refuse(connection, problem);
		return;
	}
	connection->last = true;
	connection->lingers = true;
	answer_and_discard(connection);
}

/* Half-arrived bodies share a bound, so that many slow ones cannot take all memory. */
static bool account_body(struct connection *connection)
{
	struct http_loop *http = connection->http;
	size_t held = intake_of(connection->flow)->body_capacity;

	http->intake_bytes += held - connection->intake_bytes;
	connection->intake_bytes = held;
	return http->intake_bytes <= INTAKE_BYTES_MAX;
}

static size_t take_body(struct connection *connection, struct text data)
{
	enum problem problem;
	size_t taken;

	switch (intake_take_body(intake_of(connection->flow), data, &taken, &problem)) {
	case BODY_MORE:
		if (!account_body(connection))
			body_refused(connection, PROBLEM_OVERLOADED);
		break;
	case BODY_COMPLETE:
		body_ended(connection);
		break;
	case BODY_REFUSED:
		body_refused(connection, problem);
		break;
	}
	return taken;
}

/* ---- head ---- */

static bool begin_request(struct connection *connection)
{
	struct http_loop *http = connection->http;
	struct flow *flow = flow_new(http->loop, &http_flow_owner, NULL, 0,
		(size_t)http_settings_of(http)->flow_memory_max_bytes);
	struct intake *intake;

	if (flow == NULL)
		return false;
	intake = arena_zalloc(&flow->arena, sizeof(*intake));
	if (intake == NULL) {
		flow_discard(flow);
		return false;
	}
	flow->owner_data = &intake->exchange;
	intake->exchange.connection = connection;
	intake->exchange.started_ns = flow->started_ns;
	intake->exchange.request.listener = connection->listener;
	intake->address = connection->address;
	intake->arena = &flow->arena;
	connection->flow = flow;
	connection->timer_for = TIMER_NONE;
	connection_move(connection, CONNECTION_READING_HEAD);
	return true;
}

/* The answer that no row gives: OPTIONS of the server or of a path. */
static void answer_options(struct flow *flow, struct text allow)
{
	exchange_add_header(flow, TEXT("Allow"), allow);
	exchange_respond(flow, 204, TEXT_ABSENT, TEXT_ABSENT);
}

/* Sets flow->route, or records the answer. */
static void match(struct connection *connection)
{
	struct flow *flow = connection->flow;
	struct exchange *exchange = exchange_of(flow);
	struct route_match *found = &exchange->match;

	if (exchange->request.path.data[0] == '*') {
		found->kind = MATCH_OPTIONS;
		answer_options(flow, TEXT("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
		return;
	}
	router_match(http_router_of(connection->http), connection->listener, &exchange->request,
		&flow->arena, found);
	switch (found->kind) {
	case MATCH_ROUTE:
		flow->route = found->route;
		break;
	case MATCH_OPTIONS:
		answer_options(flow, found->allow);
		break;
	case MATCH_REFUSED:
		exchange_refuse(flow, found->problem);
		break;
	}
}

/* The most this route reads: its own bound under the server's. A route without a body drops a
 * small one. */
static size_t body_bound(const struct connection *connection)
{
	const struct compiled_route *route = connection->flow->route;
	size_t bound = (size_t)http_settings_of(connection->http)->body_max_bytes;

	if (route->body_max_bytes == 0)
		return DROPPED_BODY_BYTES_MAX;
	return route->body_max_bytes < bound ? route->body_max_bytes : bound;
}

static void begin_body(struct connection *connection, bool bytes_follow)
{
	struct intake *intake = intake_of(connection->flow);
	const struct http_request *request = &intake->exchange.request;
	const struct compiled_route *route = connection->flow->route;

	connection_move(connection, CONNECTION_READING_BODY);
	connection->timer_for = TIMER_NONE;
	intake->body_begun_ms = uv_now(&connection->http->loop->uv);
	if (intake->exchange.response.status == 0 &&
		request->content_length > body_bound(connection))
		exchange_refuse(connection->flow, PROBLEM_BODY_TOO_LARGE);
	if (intake->exchange.response.status != 0) {
		answer_before_body(connection);
		return;
	}
	if (!request->chunked && request->content_length == 0) {
		dispatch(connection);
		return;
	}
	intake_begin_body(intake, body_bound(connection), route->body_max_bytes == 0);
	if (request->expects_continue && !bytes_follow)
		connection_stage(connection, TEXT("HTTP/1.1 100 Continue\r\n\r\n"));
}

static void head_ended(struct connection *connection, bool bytes_follow)
{
	struct flow *flow = connection->flow;
	enum problem problem;

	connection->request_count++;
	if (!intake_parse_head(intake_of(flow), &problem)) {
		connection_refuse(connection, problem);
		return;
	}
	trace_begin(flow); /* a refusal above has done it by itself */
	match(connection);
	begin_body(connection, bytes_follow);
}

static size_t take_head(struct connection *connection, struct text data)
{
	struct intake *intake;
	size_t taken = 0;

	if (connection->flow == NULL && !begin_request(connection)) {
		connection_close(connection);
		return data.len;
	}
	intake = intake_of(connection->flow);
	switch (head_feed(&intake->head, &connection->flow->arena,
		http_settings_of(connection->http), data, &taken)) {
	case HEAD_MORE:
		intake->exchange.received_bytes += taken;
		break;
	case HEAD_COMPLETE:
		intake->exchange.received_bytes += taken;
		head_ended(connection, taken < data.len);
		break;
	case HEAD_REFUSED:
		connection->request_count++;
		connection_refuse(connection, intake->head.problem);
		break;
	}
	return taken;
}

/* ---- the loop over what came ---- */

static bool takes_more(const struct connection *connection)
{
	switch ((enum connection_state)connection->state) {
	case CONNECTION_IDLE:
		return !connection->last && connection->pending_bytes == 0;
	case CONNECTION_READING_HEAD:
	case CONNECTION_READING_BODY:
		return true;
	case CONNECTION_RESTING:
	case CONNECTION_WAITING:
	case CONNECTION_WRITING:
	case CONNECTION_LINGERING:
	case CONNECTION_CLOSING:
	case CONNECTION_STATES:
		break;
	}
	return false;
}

static bool has_done_its_share(const struct connection *connection)
{
	return connection->state == CONNECTION_IDLE &&
		connection->request_count >= connection->burst_end;
}

/* Returns how much was taken. */
static size_t feed(struct connection *connection, struct text data)
{
	size_t at = 0;

	while (at < data.len && takes_more(connection) && !has_done_its_share(connection)) {
		struct text rest = text_of(data.data + at, data.len - at);

		at += connection->state == CONNECTION_READING_BODY ? take_body(connection, rest)
								   : take_head(connection, rest);
	}
	if (at < data.len && connection->last) /* these bytes will never be a request */
		connection->lingers = true;
	return at;
}

/* ---- the socket ---- */

static void linger(struct connection *connection, size_t len)
{
	connection->seen_bytes += len;
	if (connection->seen_bytes > LINGER_BYTES_MAX)
		connection_close(connection);
}

/* The seam for TLS: plain bytes arrive here. */
static void received(struct connection *connection, struct text data)
{
	size_t taken;

	if (connection->state == CONNECTION_LINGERING) {
		linger(connection, data.len);
		return;
	}
	if (connection->stash != NULL || !takes_more(connection)) {
		if (!connection->last)
			stash_append(connection, data);
		else
			connection->lingers = true;
		if (connection->state != CONNECTION_CLOSING)
			connection_read(connection, true);
		return;
	}
	connection_begin(connection);
	taken = feed(connection, data);
	if (connection->state != CONNECTION_CLOSING && !connection->last)
		stash_append(connection, text_of(data.data + taken, data.len - taken));
	connection_end(connection);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct connection *connection = handle->data;
	size_t kept = stashed_bytes(connection);

	buffer->base = connection->http->input;
	buffer->len = kept < STASH_BYTES_MAX ? INPUT_BYTES - kept : 0;
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
	struct connection *connection = stream->data;

	if (size < 0)
		connection_close(connection); /* end of file too: nobody is left to answer */
	else if (size > 0)
		received(connection, text_of(buffer->base, (size_t)size));
}

/* Reading goes on while a flow waits, so that a client who leaves is noticed; it stops when the
 * stash is full or when answers wait to be taken: backpressure. */
void connection_read(struct connection *connection, bool on)
{
	if (stashed_bytes(connection) >= STASH_BYTES_MAX ||
		connection->state == CONNECTION_WRITING || connection->state == CONNECTION_RESTING)
		on = false;
	if (connection->state == CONNECTION_CLOSING || on == connection->is_reading)
		return;
	connection->is_reading = on;
	if (!on)
		uv_read_stop((uv_stream_t *)&connection->tcp);
	else if (uv_read_start((uv_stream_t *)&connection->tcp, on_alloc, on_read) != 0)
		connection_close(connection);
}
