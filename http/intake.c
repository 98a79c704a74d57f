// SPDX-License-Identifier: Apache-2.0

#include "http/intake.h"

#include <string.h>

enum { BODY_FIRST_BYTES = 16384 };

bool intake_parse_head(struct intake *intake, enum problem *problem_out)
{
	struct http_request *request = &intake->exchange.request;
	const struct request_line *line = &intake->head.line;
	bool is_sound = parser_head(&intake->parser, intake->arena, intake->head.data,
		intake->head.len, intake->head.field_count);

	request->method = line->method;
	request->minor = line->minor;
	request->target = text_of(intake->head.data + line->target_at, line->target_len);
	request->headers = intake->parser.headers;
	request->header_count = intake->parser.header_count;
	if (!is_sound) { /* a coding that we do not know is a 501, which llhttp cannot say */
		if (request_check_framing(request, problem_out))
			*problem_out = PROBLEM_BAD_REQUEST;
		return false;
	}
	if (!request_check(request, problem_out))
		return false;
	*problem_out = PROBLEM_BAD_FRAMING;
	return parser_agrees(&intake->parser, request->chunked, request->content_length);
}

static bool keep(struct intake *intake, struct text piece)
{
	size_t capacity = intake->body_capacity * 2;
	size_t needed = intake->body_len + piece.len;

	if (needed > intake->body_capacity) {
		if (capacity < BODY_FIRST_BYTES && intake->exchange.request.content_length > 0)
			capacity = BODY_FIRST_BYTES;
		if (!intake->exchange.request.chunked &&
			capacity > intake->exchange.request.content_length)
			capacity = (size_t)intake->exchange.request.content_length;
		if (capacity < needed)
			capacity = needed;
		char *grown = arena_grow(
			intake->arena, intake->body, intake->body_capacity, capacity);
		if (grown == NULL)
			return false;
		intake->body = grown;
		intake->body_capacity = capacity;
	}
	if (piece.len > 0)
		memcpy(intake->body + intake->body_len, piece.data, piece.len);
	return true;
}

static bool on_piece(void *context, struct text piece)
{
	struct intake *intake = context;

	if (piece.len > intake->body_max_bytes - intake->body_len)
		return false;
	if (!intake->drops_body && !keep(intake, piece))
		return false;
	intake->body_len += piece.len;
	return true;
}

void intake_begin_body(struct intake *intake, size_t max_bytes, bool drops)
{
	intake->body_max_bytes = max_bytes;
	intake->drops_body = drops;
	intake->body_left = intake->exchange.request.content_length;
	if (intake->exchange.request.chunked)
		parser_chunked_begin(&intake->parser, on_piece, intake);
}

static enum body_verdict take_chunked(
	struct intake *intake, struct text data, size_t *taken_out, enum problem *problem_out)
{
	switch (parser_chunked(&intake->parser, data, taken_out)) {
	case CHUNKED_MORE:
		return BODY_MORE;
	case CHUNKED_DONE:
		return BODY_COMPLETE;
	case CHUNKED_MALFORMED:
		*problem_out = PROBLEM_BAD_FRAMING;
		break;
	case CHUNKED_TOO_LARGE:
		*problem_out = PROBLEM_BODY_TOO_LARGE;
		break;
	}
	return BODY_REFUSED;
}

enum body_verdict intake_take_body(
	struct intake *intake, struct text data, size_t *taken_out, enum problem *problem_out)
{
	enum body_verdict verdict;

	*taken_out = 0;
	if (intake->exchange.request.chunked) {
		verdict = take_chunked(intake, data, taken_out, problem_out);
	} else {
		*taken_out = data.len < intake->body_left ? data.len : (size_t)intake->body_left;
		intake->body_left -= *taken_out;
		*problem_out = PROBLEM_BODY_TOO_LARGE;
		verdict = !on_piece(intake, text_of(data.data, *taken_out)) ? BODY_REFUSED
			: intake->body_left == 0                            ? BODY_COMPLETE
									    : BODY_MORE;
	}
	intake->exchange.received_bytes += *taken_out;
	return verdict;
}
