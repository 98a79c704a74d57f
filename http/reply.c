// SPDX-License-Identifier: Apache-2.0

/*
 * reply - the answers of success. JSend around the encoded struct, written once, straight into the
 * flow's arena.
 */

#include <assert.h>

#include "http/handler.h"
#include "http/refusal.h"
#include "http/reply_check.h"

/* A page of rows grows from here by doubling; most replies fit. */
enum { REPLY_BYTES = 1024 };

static const struct route *row_of(const struct flow *flow)
{
	return exchange_of(flow)->match.route->row;
}

static inline bool is_unanswered(const struct flow *flow)
{
	return exchange_of(flow)->response.status == 0;
}

static void put_default(struct exchange_response *response, struct text name, struct text value)
{
	if (!response_has_header(response, name))
		response_put_header(response, name, value);
}

/* Nothing that belongs to one user may rest in a shared cache (RFC 9111, 5.2.2.5). */
static void put_headers(struct flow *flow, bool is_private)
{
	struct exchange_response *response = &exchange_of(flow)->response;

	put_default(response, TEXT("X-Content-Type-Options"), TEXT("nosniff"));
	if (is_private)
		put_default(response, TEXT("Cache-Control"), TEXT("no-store"));
}

enum flow_verdict reply(struct flow *flow, const void *data)
{
	const struct route *row = row_of(flow);
	struct json_writer writer;
	struct text body;

	assert(row->reply && "reply() on a route without a reply schema");
	assert(is_unanswered(flow));

	json_begin(&writer, &flow->arena, REPLY_BYTES);
	json_append(&writer, "{\"status\":\"success\",\"data\":", 27);
	schema_encode_json(row->reply, data, &writer);
	json_append(&writer, "}", 1);
	body = json_text(&writer);
	if (text_is_absent(body))
		return flow_fail(flow, FAILURE_MEMORY, "the reply does not fit into the arena");

	reply_check(row->reply, body);
	put_headers(flow, true);
	exchange_respond(flow, row->status ? row->status : 200, TEXT("application/json"), body);
	return FLOW_DONE;
}

enum flow_verdict reply_empty(struct flow *flow)
{
	const struct route *row = row_of(flow);

	assert(is_unanswered(flow));

	put_headers(flow, flow->identity.known);
	exchange_respond(flow, row->status ? row->status : 204, TEXT_ABSENT, TEXT_ABSENT);
	return FLOW_DONE;
}

enum flow_verdict reply_raw(
	struct flow *flow, uint16_t status, struct text media_type, struct text body)
{
	assert(is_unanswered(flow));

	put_headers(flow, flow->identity.known);
	exchange_respond(flow, status, media_type, body);
	return FLOW_DONE;
}

enum flow_verdict reply_stream(struct flow *flow, uint16_t status, struct text media_type)
{
	assert(is_unanswered(flow));

	put_headers(flow, flow->identity.known);
	exchange_respond_in_pieces(flow, status, media_type);
	return exchange_of(flow)->request.method == HTTP_HEAD ? FLOW_DONE : FLOW_NEXT;
}

void reply_header(struct flow *flow, struct text name, struct text value)
{
	exchange_add_header(flow, name, value);
}
