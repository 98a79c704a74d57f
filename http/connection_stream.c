// SPDX-License-Identifier: Apache-2.0

/*
 * Bodies in pieces. Each piece is one chunk (RFC 9112, 7.1) and one write, and the flow that made it
 * waits until the kernel has taken it: a slow client holds one piece, no more. The write is always
 * uv_write, whose callback comes from the loop: a fast client cannot keep the loop to itself.
 */

#include <assert.h>
#include <stdio.h>

#include "http/connection.h"
#include "http/handler.h"
#include "http/measure.h"

enum { CHUNK_LINE_BYTES = 32 }; /* 16 hexadecimal digits and CRLF, with room */

/* What was handed to the kernel stays there; the end of the flow cuts the connection. */
static void abandon(struct op *piece)
{
	(void)piece;
}

static const struct op_driver client = {.name = "client", .abandon = abandon};

static bool begin(struct connection *connection, struct flow *flow)
{
	struct exchange_response *response = &exchange_of(flow)->response;
	size_t len;

	if (!connection_stage_head(connection, flow, &len))
		return false;
	response->begun = true;
	response->sent_bytes = len;
	return true;
}

/* An empty piece sends the head alone: an empty chunk would be the last one. */
static bool send_piece(struct connection *connection, struct flow *flow, struct text piece)
{
	struct exchange_response *response = &exchange_of(flow)->response;
	bool is_chunk = response->framing == BODY_CHUNKED && piece.len > 0;
	struct text end = is_chunk ? TEXT("\r\n") : TEXT("");
	char line[CHUNK_LINE_BYTES];
	size_t line_len = 0;

	if (!response->begun && !begin(connection, flow))
		return false;
	if (is_chunk)
		line_len = (size_t)snprintf(line, sizeof(line), "%zx\r\n", piece.len);
	connection_stage(connection, text_of(line, line_len));
	if (connection->state == CONNECTION_CLOSING ||
		!connection_send_later(connection, piece, end))
		return false;
	response->sent_bytes += line_len + piece.len + end.len;
	return true;
}

enum flow_verdict reply_piece(struct flow *flow, struct text piece)
{
	const struct exchange *exchange = exchange_of(flow);
	struct connection *connection = exchange->connection;
	bool is_burst, is_sent;

	assert(exchange->response.framing != BODY_OF_LENGTH && "reply_stream comes first");
	if (connection == NULL) /* past the commit the work goes on, for nobody */
		return FLOW_NEXT;
	if (piece.len == 0 && exchange->response.begun)
		return FLOW_NEXT;
	is_burst = connection->in_burst;
	if (!is_burst)
		connection_begin(connection);
	is_sent = send_piece(connection, flow, piece);
	if (!is_burst)
		connection_end(connection);
	if (!is_sent)
		return flow_fail(flow, FAILURE_BUSY, "no memory for what the client does not take");
	return flow_wait(flow, &connection->piece, &client);
}

void connection_piece_taken(struct connection *connection)
{
	flow_complete(&connection->piece, NULL); /* nothing happens when no flow waits */
}

void connection_end_stream(struct connection *connection, struct flow *flow)
{
	struct exchange *exchange = exchange_of(flow);
	struct exchange_response *response = &exchange->response;

	if (!response->begun && !begin(connection, flow)) {
		measure_request(flow, 0);
		return;
	}
	if (response->framing == BODY_CHUNKED && exchange->request.method != HTTP_HEAD) {
		struct text last_chunk = TEXT("0\r\n\r\n");

		connection_stage(connection, last_chunk);
		response->sent_bytes += last_chunk.len;
	}
	measure_request(flow, response->sent_bytes);
}
