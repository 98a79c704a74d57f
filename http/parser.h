// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * parser - llhttp (strict, no lenient flag) over a complete head and over chunked bodies. The only
 * file that includes llhttp.h, whose names collide with ours. What it refuses is malformed; our own
 * rules (request.c) come on top.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "http/header.h"

struct parser {
	uint64_t state[14]; /* llhttp_t */
	struct http_header *headers;
	size_t header_count;
	size_t header_max;
	bool (*on_body)(void *context, struct text piece);
	void *context;
	uint64_t body_bytes;
	uint64_t raw_bytes; /* of the chunked body, framing included */
	uint32_t extension_bytes;
	uint32_t trailer_bytes;
	bool in_body;
	bool too_large;
	bool done;
};

/* Parses a head from the request line to the empty line, at most `field_count` fields. Headers
 * point into `head`, whose names are lower-cased in place. False when it is malformed or the
 * arena is at its cap; the headers up to there are set. */
bool parser_head(
	struct parser *parser, struct arena *arena, char *head, size_t len, size_t field_count);
/* What llhttp has understood, to be compared with our own reading. */
bool parser_agrees(const struct parser *parser, bool chunked, uint64_t content_length);

enum chunked_verdict { CHUNKED_MORE, CHUNKED_DONE, CHUNKED_MALFORMED, CHUNKED_TOO_LARGE };

/* on_piece is called for every piece within parser_chunked; false from it means too large. */
void parser_chunked_begin(
	struct parser *parser, bool (*on_piece)(void *context, struct text piece), void *context);
/* Decodes a chunked body after parser_head (RFC 9112, 7.1). Extensions and trailers are read and
 * dropped, within bounds. *taken_out ends behind the body when CHUNKED_DONE. */
enum chunked_verdict parser_chunked(struct parser *parser, struct text data, size_t *taken_out);
