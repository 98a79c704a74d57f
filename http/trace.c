// SPDX-License-Identifier: Apache-2.0

#include "http/trace.h"

#include <string.h>

#include "core/uuid.h"
#include "http/characters.h"
#include "http/exchange.h"
#include "http/loop.h"

enum {
	TRACEPARENT_LEN = 55, /* 00-<32 hex>-<16 hex>-<2 hex> */
	TRACE_ID_AT = 3,
	PARENT_ID_AT = 36,
	FLAGS_AT = 53,
	FLAG_SAMPLED = 1,
};

bool request_id_is_valid(struct text id)
{
	if (id.len == 0 || id.len >= sizeof(((struct trace *)0)->request_id))
		return false;
	for (size_t i = 0; i < id.len; i++)
		if (!character_is(id.data[i], CHARACTER_REQUEST_ID))
			return false;
	return true;
}

/* Lower-case hex only, as the standard asks. Sets *any_out when a byte is not zero. */
static bool hex_parse(const char *text, uint8_t *out, size_t size, bool *any_out)
{
	*any_out = false;
	for (size_t i = 0; i < 2 * size; i++) {
		char c = text[i];
		unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0')
			: c >= 'a' && c <= 'f'        ? (unsigned)(c - 'a' + 10)
						      : 16;

		if (digit > 15)
			return false;
		out[i / 2] = (uint8_t)(i % 2 == 0 ? digit << 4 : out[i / 2] | digit);
		*any_out = *any_out || digit != 0;
	}
	return true;
}

bool traceparent_parse(struct text header, struct trace *trace_out)
{
	uint8_t version, flags, trace_id[16], span_id[8];
	bool any;

	if (header.len < TRACEPARENT_LEN || header.data[2] != '-' ||
		header.data[PARENT_ID_AT - 1] != '-' || header.data[FLAGS_AT - 1] != '-')
		return false;
	if (!hex_parse(header.data, &version, 1, &any) || version == 0xff)
		return false;
	if (header.len > TRACEPARENT_LEN && (version == 0 || header.data[TRACEPARENT_LEN] != '-'))
		return false;
	if (!hex_parse(header.data + TRACE_ID_AT, trace_id, 16, &any) || !any ||
		!hex_parse(header.data + PARENT_ID_AT, span_id, 8, &any) || !any ||
		!hex_parse(header.data + FLAGS_AT, &flags, 1, &any))
		return false;
	memcpy(trace_out->trace_id, trace_id, sizeof(trace_id));
	memcpy(trace_out->span_id, span_id, sizeof(span_id));
	trace_out->sampled = (flags & FLAG_SAMPLED) != 0;
	return true;
}

/* splitmix64 (Steele, Lea, Flood 2014): span ids need to be unique, not secret. Never 0. */
static uint64_t next_random(struct http_loop *http)
{
	uint64_t z = http->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (z ^ z >> 31) | 1;
}

void trace_begin(struct flow *flow)
{
	const struct http_request *request = &exchange_of(flow)->request;
	struct text id = request_header(request, TEXT("x-request-id"));
	struct text parent = request_header(request, TEXT("traceparent"));
	struct trace *trace = &flow->trace;
	uint64_t span_id = next_random(flow->loop->http);
	struct uuid fresh;

	if (request_id_is_valid(id)) {
		memcpy(trace->request_id, id.data, id.len);
		trace->request_id[id.len] = '\0';
	} else {
		fresh = uuid_new();
		uuid_format(&fresh, trace->request_id);
		trace->request_id[UUID_TEXT_LEN] = '\0';
	}
	if (text_is_absent(parent) || !traceparent_parse(parent, trace)) {
		uint64_t halves[2] = {next_random(flow->loop->http), next_random(flow->loop->http)};

		memcpy(trace->trace_id, halves, sizeof(trace->trace_id));
		trace->sampled = false;
	}
	memcpy(trace->span_id, &span_id,
		sizeof(trace->span_id)); /* our own span under the parent */
}
