// SPDX-License-Identifier: Apache-2.0

#include "http/exchange.h"

#include <assert.h>
#include <string.h>

#include "http/address.h"
#include "http/characters.h"
#include "http/connection.h"
#include "http/handler.h"
#include "http/loop.h"
#include "http/measure.h"
#include "http/response.h"
#include "observability/log.h"

/* Sixteen of them fit the loop's staging buffer with room to spare. */
enum { HEADER_NAME_MAX_BYTES = 128, HEADER_VALUE_MAX_BYTES = 2048 };

/* ---- the end of a flow ---- */

/* Part of the answer is out and the rest will not come: only the missing end can tell the client. */
static void cut_off(struct flow *flow, enum failure failure, const char *cause)
{
	struct exchange *exchange = exchange_of(flow);
	struct connection *connection = exchange->connection;

	if (failure == FAILURE_CLIENT_GONE)
		exchange->connection = NULL;
	else
		exchange_refuse_failure(flow, failure, cause);
	measure_request(flow, exchange->response.sent_bytes);
	if (exchange->response.framing == BODY_UNTIL_CLOSE)
		connection_reset(connection);
	else
		connection_close(connection);
}

static void on_end(struct flow *flow, enum failure failure, const char *cause)
{
	struct exchange *exchange = exchange_of(flow);
	struct connection *connection = exchange->connection;

	if (connection == NULL) {
		measure_request(flow, exchange->response.sent_bytes);
		return;
	}
	connection->flow = NULL; /* from here a lost connection must not stop the flow again */
	if (failure == FAILURE_CLIENT_GONE ||
		(failure != FAILURE_NONE && exchange->response.begun)) {
		cut_off(flow, failure, cause);
		return;
	}
	if (failure == FAILURE_NONE && exchange->response.status == 0)
		exchange_refuse_failure(
			flow, FAILURE_INTERNAL, "the steps ended without an answer");
	else if (failure != FAILURE_NONE)
		exchange_refuse_failure(flow, failure, cause);
	if (connection->in_burst) { /* the flow never waited: the burst goes on when it returns */
		connection_answer(connection, flow);
		if (connection->state != CONNECTION_CLOSING)
			connection_next(connection);
		return;
	}
	connection_begin(connection);
	connection_answer(connection, flow);
	if (connection->state != CONNECTION_CLOSING) {
		connection_next(connection);
		if (!connection->last)
			connection_resume(connection);
	}
	connection_end(connection);
}

const struct flow_owner http_flow_owner = {.on_end = on_end};

/* ---- recording the answer ---- */

void exchange_respond(struct flow *flow, uint16_t status, struct text media_type, struct text body)
{
	struct exchange_response *response = &exchange_of(flow)->response;

	assert(status >= 200 && status <= 599);
	assert(!response->begun && "an answer of which a part is out cannot be replaced");
	response->status = status;
	response->media_type = media_type;
	response->body = body;
	response->framing = BODY_OF_LENGTH;
}

void exchange_respond_in_pieces(struct flow *flow, uint16_t status, struct text media_type)
{
	struct exchange *exchange = exchange_of(flow);

	assert(response_allows_body(status));
	exchange_respond(flow, status, media_type, TEXT_ABSENT);
	exchange->response.framing = exchange->request.minor >= 1 ? BODY_CHUNKED : BODY_UNTIL_CLOSE;
}

static bool is_clean(struct text text)
{
	for (size_t i = 0; i < text.len; i++)
		if (((unsigned char)text.data[i] < ' ' && text.data[i] != '\t') ||
			text.data[i] == '\x7f')
			return false;
	return true;
}

static bool is_token(struct text name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!character_is(name.data[i], CHARACTER_TOKEN))
			return false;
	return name.len > 0 && name.len <= HEADER_NAME_MAX_BYTES;
}

void exchange_add_header(struct flow *flow, struct text name, struct text value)
{
	struct exchange_response *response = &exchange_of(flow)->response;
	bool fits = is_token(name) && is_clean(value) && value.len <= HEADER_VALUE_MAX_BYTES &&
		response->header_count < EXCHANGE_HEADERS_MAX;
	struct http_header *header;

	if (!fits) { /* no assertion: the value may have come from a client */
		log_error(flow->loop->log, "header_dropped", LOG_TEXT("name", name),
			LOG_NUMBER("value_bytes", value.len));
		return;
	}
	header = &response->headers[response->header_count];
	header->name = arena_text(&flow->arena, name);
	header->value = arena_text(&flow->arena, value);
	if (!text_is_absent(header->name) && !text_is_absent(header->value))
		response->header_count++;
}

void exchange_close_after(struct flow *flow)
{
	struct connection *connection = exchange_of(flow)->connection;

	if (connection != NULL)
		connection->last = connection->lingers = true;
}

/* ---- what steps may ask about the request ---- */

const struct http_request *http_request(const struct flow *flow)
{
	return &exchange_of(flow)->request;
}

struct text http_request_header(const struct flow *flow, struct text lower_case_name)
{
	return request_header(&exchange_of(flow)->request, lower_case_name);
}

struct text http_request_target(const struct flow *flow)
{
	return exchange_of(flow)->request.target;
}

enum http_method http_request_method(const struct flow *flow)
{
	return exchange_of(flow)->request.method;
}

struct text http_request_address(const struct flow *flow)
{
	struct intake *intake = intake_of(flow);
	struct text *address = &intake->exchange.request.address;
	char text[CLIENT_ADDRESS_TEXT_MAX];

	if (text_is_absent(*address)) {
		size_t len = client_address_format(&intake->address, text);

		*address = arena_text((struct arena *)(uintptr_t)&flow->arena, text_of(text, len));
	}
	return *address;
}

const struct route *http_route(const struct flow *flow)
{
	const struct compiled_route *route = flow->route;

	return route ? route->row : NULL;
}
