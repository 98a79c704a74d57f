// SPDX-License-Identifier: Apache-2.0

/*
 * Bytes out: answers of a burst are staged in the loop's buffer and leave in one write. The kernel
 * is asked at once (uv_try_write); only what it does not take is copied and handed to uv_write.
 */

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "http/connection.h"
#include "http/loop.h"
#include "http/measure.h"
#include "http/response.h"

enum {
	COPIED_BODY_BYTES_MAX = 16384, /* a larger one is written from where it is */
	PENDING_BYTES_MAX = 128 * 1024 * 1024, /* of one loop; past it the slow client is cut off */
};

struct output {
	uv_write_t request;
	size_t len;
	char data[];
};

static void on_write(uv_write_t *request, int status)
{
	struct output *output = (struct output *)request;
	struct connection *connection = request->handle->data;

	connection->pending_bytes -= output->len;
	connection->http->pending_bytes -= output->len;
	free(output);
	if (connection->state == CONNECTION_CLOSING)
		return;
	if (status != 0) {
		connection_close(connection);
		return;
	}
	if (connection->pending_bytes > 0)
		return;
	connection->seen_bytes = SIZE_MAX; /* for the write timer: whatever comes next is new */
	connection_begin(connection);
	if (connection->state == CONNECTION_WRITING)
		connection_move(connection, CONNECTION_IDLE);
	else
		connection_piece_taken(connection);
	if (connection->state == CONNECTION_IDLE && !connection->last)
		connection_resume(connection);
	connection_end(connection);
}

/* Copies what stands behind the first `sent` bytes: neither buffer outlives the burst. */
static bool send_later(
	struct connection *connection, const uv_buf_t *buffers, unsigned count, size_t sent)
{
	struct http_loop *http = connection->http;
	struct output *output;
	size_t len = 0;

	for (unsigned i = 0; i < count; i++)
		len += buffers[i].len;
	len -= sent;
	if (http->pending_bytes + len > PENDING_BYTES_MAX)
		return false;
	output = malloc(sizeof(*output) + len);
	if (output == NULL)
		return false;
	output->len = 0;
	for (unsigned i = 0; i < count; i++) {
		size_t skipped = sent < buffers[i].len ? sent : buffers[i].len;

		sent -= skipped;
		memcpy(output->data + output->len, buffers[i].base + skipped,
			buffers[i].len - skipped);
		output->len += buffers[i].len - skipped;
	}
	uv_buf_t rest = uv_buf_init(output->data, (unsigned)output->len);
	if (uv_write(&output->request, (uv_stream_t *)&connection->tcp, &rest, 1, on_write) != 0) {
		free(output);
		return false;
	}
	connection->pending_bytes += len;
	http->pending_bytes += len;
	return true;
}

/* The seam for TLS: plain bytes leave here. Closes the connection when they cannot. */
static void send_bytes(struct connection *connection, const uv_buf_t *buffers, unsigned count)
{
	size_t len = 0;
	int sent = 0;

	for (unsigned i = 0; i < count; i++)
		len += buffers[i].len;
	if (connection->pending_bytes == 0) {
		connection->http->write_count++;
		sent = uv_try_write((uv_stream_t *)&connection->tcp, buffers, count);
	}
	if (sent == UV_EAGAIN)
		sent = 0;
	if (sent < 0 ||
		((size_t)sent < len && !send_later(connection, buffers, count, (size_t)sent)))
		connection_close(connection);
}

/* Bursts do not nest; should one ever, the other's answers leave first. */
static void own_stage(struct connection *connection)
{
	struct http_loop *http = connection->http;

	if (http->stager != NULL && http->stager != connection)
		connection_flush(http->stager);
	http->stager = connection;
}

void connection_flush(struct connection *connection)
{
	struct http_loop *http = connection->http;
	uv_buf_t buffer = uv_buf_init(http->staged, (unsigned)http->staged_len);

	if (http->stager != connection)
		return;
	http->stager = NULL;
	http->staged_len = 0;
	if (buffer.len > 0)
		send_bytes(connection, &buffer, 1);
}

bool connection_send_later(struct connection *connection, struct text data, struct text end)
{
	struct http_loop *http = connection->http;
	uv_buf_t buffers[] = {
		uv_buf_init(
			http->staged, http->stager == connection ? (unsigned)http->staged_len : 0),
		uv_buf_init((char *)(uintptr_t)data.data, (unsigned)data.len),
		uv_buf_init((char *)(uintptr_t)end.data, (unsigned)end.len),
	};

	if (http->stager == connection) {
		http->stager = NULL;
		http->staged_len = 0;
	}
	http->write_count++;
	return send_later(connection, buffers, 3, 0);
}

static void flush_with(struct connection *connection, struct text body)
{
	struct http_loop *http = connection->http;
	uv_buf_t buffers[] = {
		uv_buf_init(http->staged, (unsigned)http->staged_len),
		uv_buf_init((char *)(uintptr_t)body.data, (unsigned)body.len),
	};

	http->stager = NULL;
	http->staged_len = 0;
	send_bytes(connection, buffers, 2);
}

void connection_stage(struct connection *connection, struct text data)
{
	struct http_loop *http = connection->http;

	own_stage(connection);
	if (STAGED_BYTES - http->staged_len < data.len)
		connection_flush(connection);
	if (connection->state == CONNECTION_CLOSING)
		return;
	own_stage(connection);
	memcpy(http->staged + http->staged_len, data.data, data.len);
	http->staged_len += data.len;
}

static struct text date_line(struct http_loop *http)
{
	int64_t second = clock_unix_ms() / 1000;

	if (second != http->date_second) {
		http->date_second = second;
		memcpy(http->date, "Date: ", 6);
		clock_format_http_date(second * 1000, http->date + 6);
		memcpy(http->date + 6 + CLOCK_HTTP_DATE_LEN, "\r\n", 3);
	}
	return text_of(http->date, DATE_LINE_LEN);
}

/* Decides whether this answer is the connection's last. */
static enum response_connection judge_last(
	struct connection *connection, const struct exchange *exchange)
{
	const struct http_request *request = &exchange->request;
	const struct http_loop *http = connection->http;
	int64_t max = http_settings_of(http)->requests_per_connection;

	if ((max > 0 && connection->request_count >= max) ||
		(connection->listener == LISTENER_API &&
			atomic_load_explicit(&http->draining, memory_order_relaxed)))
		connection->lingers = connection->last = true;
	if (!request->keep_alive || exchange->response.framing == BODY_UNTIL_CLOSE)
		connection->last = true;
	if (connection->last)
		return RESPONSE_CLOSES;
	return request->minor == 0 ? RESPONSE_KEEPS : RESPONSE_IMPLICIT;
}

bool connection_stage_head(struct connection *connection, struct flow *flow, size_t *len_out)
{
	struct http_loop *http = connection->http;
	struct exchange *exchange = exchange_of(flow);
	enum response_connection last = judge_last(connection, exchange);
	size_t staged_before;

	*len_out = 0;
	own_stage(connection);
	if (STAGED_BYTES - http->staged_len < response_head_bound(&exchange->response))
		connection_flush(connection);
	if (connection->state == CONNECTION_CLOSING)
		return false;
	own_stage(connection);
	staged_before = http->staged_len;
	http->staged_len = (size_t)(response_write_head(http->staged + staged_before,
					    &exchange->response, date_line(http),
					    flow->trace.request_id, last) -
		http->staged);
	*len_out = http->staged_len - staged_before;
	return true;
}

void connection_answer(struct connection *connection, struct flow *flow)
{
	struct exchange *exchange = exchange_of(flow);
	struct exchange_response *response = &exchange->response;
	bool has_body = response->body.len > 0 && exchange->request.method != HTTP_HEAD &&
		response_allows_body(response->status);
	size_t len;

	if (response->framing != BODY_OF_LENGTH) {
		connection_end_stream(connection, flow);
		return;
	}
	if (!connection_stage_head(connection, flow, &len)) {
		measure_request(flow, 0);
		return;
	}
	measure_request(flow, len + (has_body ? response->body.len : 0));
	if (has_body && response->body.len > COPIED_BODY_BYTES_MAX)
		flush_with(connection, response->body);
	else if (has_body)
		connection_stage(connection, response->body);
}
