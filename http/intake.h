// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * intake - a request while it comes in: its head, then its body, out of bytes in whatever portions
 * they arrive. Knows no socket; the exchange it begins with is what the routes see. Lives in the
 * flow's arena.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/flow.h"
#include "http/address.h"
#include "http/exchange.h"
#include "http/head.h"
#include "http/parser.h"

struct intake {
	struct exchange exchange;
	struct client_address address;
	struct arena *arena; /* the flow's */
	struct head head;
	struct parser parser;
	char *body;
	size_t body_len; /* so far, kept or dropped */
	size_t body_capacity;
	size_t body_max_bytes;
	uint64_t body_left; /* of a Content-Length */
	uint64_t body_begun_ms;
	bool drops_body; /* answered already, or the route takes none: read it, keep nothing */
	bool answered;
};

static inline struct intake *intake_of(const struct flow *flow)
{
	return (struct intake *)flow->owner_data;
}

/* After HEAD_COMPLETE: llhttp and our own rules, both. Fills exchange.request. False with the
 * problem: the connection must close. */
bool intake_parse_head(struct intake *intake, enum problem *problem_out);

/* Sets the bound and the framing; call it before the first intake_take_body. */
void intake_begin_body(struct intake *intake, size_t max_bytes, bool drops);

enum body_verdict { BODY_MORE, BODY_COMPLETE, BODY_REFUSED };

/* Takes what belongs to the body; *taken_out says how much. BODY_REFUSED has the problem: nobody
 * knows where the next request begins. */
enum body_verdict intake_take_body(
	struct intake *intake, struct text data, size_t *taken_out, enum problem *problem_out);
