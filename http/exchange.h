// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * exchange - one request and its answer, between the wire (connection.c, which makes and sends it)
 * and the routes (router.c, reply.c, problem.c, which fill it in). It lives in the flow's arena;
 * flow->owner_data is its exchange. Internal to http/. Loop thread only.
 *
 *   head complete   wire calls router_match: a route, an OPTIONS answer or a problem
 *   body complete   wire calls exchange_dispatch: decodes, then flow_start or a refusal
 *   steps           reply()/refuse() record the answer by exchange_respond
 *   flow ends       wire sends what is recorded; a failure without an answer goes through
 *                   exchange_refuse_failure first
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/flow.h"
#include "http/problem.h"
#include "http/request.h"
#include "http/route.h"

struct connection;
struct router;

/* A row with its scope joined in: what a request is matched to. Read-only once router_new
 * returned. */
struct compiled_route {
	const struct route *row;
	const struct scope *scope;
	struct text path; /* full template: "/auth/register"; the `endpoint` label */
	unsigned index; /* 0 .. router_route_count - 1: one number a method and template */
	unsigned listeners; /* bit set of enum listener */
	uint32_t body_max_bytes; /* resolved; 0: the route takes no body */
	uint32_t deadline_ms; /* 0: http.request_timeout */
	const struct flow_step *steps; /* guards joined with the row's own */
	struct problem_list problems; /* the row's, the guards' and the general ones */
};

enum { ROUTE_PARAMETERS_MAX = 8 };

enum match_kind {
	MATCH_ROUTE,
	MATCH_OPTIONS, /* the path exists, OPTIONS has no row: 204 with Allow */
	MATCH_REFUSED, /* `problem`: NOT_FOUND, or METHOD_NOT_ALLOWED with Allow */
};

struct route_match {
	enum match_kind kind;
	enum problem problem;
	const struct compiled_route *route; /* of MATCH_ROUTE */
	struct text allow; /* "GET, HEAD, OPTIONS"; static or in the arena */
	/* raw segments, percent-encoding not yet undone */
	struct text parameters[ROUTE_PARAMETERS_MAX];
	size_t parameter_count;
};

enum { EXCHANGE_HEADERS_MAX = 16 };

/* How the client finds the end of the body (RFC 9112, 6.3). */
enum body_framing {
	BODY_OF_LENGTH,
	BODY_CHUNKED, /* in pieces, to 1.1 */
	BODY_UNTIL_CLOSE, /* in pieces, to 1.0 */
};

struct exchange_response {
	uint16_t status; /* 0: nothing was answered yet */
	struct text media_type; /* absent: no Content-Type */
	struct text body; /* absent: no body */
	struct http_header headers[EXCHANGE_HEADERS_MAX];
	size_t header_count;
	enum body_framing framing;
	bool begun; /* in pieces: the head is out, nothing can replace the answer */
	uint64_t sent_bytes; /* in pieces: so far, head and framing included */
};

struct exchange {
	struct http_request request;
	struct route_match match;
	struct exchange_response response;
	struct connection *connection; /* NULL once the client has gone */
	uint64_t started_ns; /* first byte of the request line */
	uint64_t received_bytes; /* head and body on the wire, for http_request_size_bytes */
};

/* ---- the routes' half (router.c, dispatch.c, problem.c), called by the wire ---- */

/* Dots, doubled slashes and %2F are no one's path: the wire hands over a checked raw path. HEAD
 * matches GET rows. Parameters are decoded against the row's schema by exchange_dispatch (a bad
 * one is a 404). */
void router_match(const struct router *router, enum listener listener,
	const struct http_request *request, struct arena *arena, struct route_match *match_out);
unsigned router_route_count(const struct router *router);
const struct compiled_route *router_route_at(const struct router *router, unsigned index);

/* The head matched a route and the body is complete. Decodes parameters, query and body into
 * flow->state and starts the flow: true, and the flow may be gone already. False: a refusal was
 * recorded and the flow was not started; the wire sends it and discards the flow. */
bool exchange_dispatch(struct flow *flow);

/* Records a problem as the answer of a flow that has not started (bad request, no route, too
 * large ...): body by the Accept header if there is one, Allow from the match, counted and
 * logged once. */
void exchange_refuse(struct flow *flow, enum problem problem);
/* From the flow's end: maps the failure to a problem and records it, replacing nothing that was
 * answered before. Never called for FAILURE_CLIENT_GONE. */
void exchange_refuse_failure(struct flow *flow, enum failure failure, const char *cause);

/* ---- the wire's half (exchange.c), called by the routes ---- */

static inline struct exchange *exchange_of(const struct flow *flow)
{
	return flow->owner_data;
}

/* Records the answer; sent when the flow ends. media_type and body are static or in the flow's
 * arena. An answer replaces an earlier one only while nothing was sent (the flow still runs).
 * 204 and 304 have no body. */
void exchange_respond(struct flow *flow, uint16_t status, struct text media_type, struct text body);
/* The same for a body that comes in pieces (reply_piece). */
void exchange_respond_in_pieces(struct flow *flow, uint16_t status, struct text media_type);
/* Name and value are copied to the arena. A name that is no token, a control character in the
 * value, a name over 128 or a value over 2048 bytes, and whatever comes past
 * EXCHANGE_HEADERS_MAX is dropped and logged. Not for Content-Length, Content-Type, Connection,
 * Date. */
void exchange_add_header(struct flow *flow, struct text name, struct text value);
/* The answer must be the connection's last one. */
void exchange_close_after(struct flow *flow);

/* ---- percent-encoding (target.c), used by both ---- */

/* Undoes %XX ('+' too when plus_is_space) into the arena, terminated; a text without any comes
 * back as it is. Absent on a bad escape, an encoded NUL, or when the outcome is not UTF-8. */
struct text percent_decode(struct arena *arena, struct text raw, bool plus_is_space);
/* Takes the next name=value off *rest (absent when done): false at the end. Both still encoded. */
bool query_next(struct text *rest, struct text *name_out, struct text *value_out);
