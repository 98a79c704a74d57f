// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * handler - what a step of an HTTP flow may use: the request, and the ways to answer. Whoever answers
 * returns the verdict (FLOW_DONE). A flow answers exactly once.
 */

#include "core/flow.h"
#include "core/text.h"
#include "http/problem.h"
#include "http/route.h"

struct http_request;

/* The request of this flow; lives as long as the flow. */
const struct http_request *http_request(const struct flow *flow);
struct text http_request_header(
	const struct flow *flow, struct text lower_case_name); /* first; or absent */
struct text http_request_target(const struct flow *flow);
enum http_method http_request_method(const struct flow *flow);
/* The client's address as text ("203.0.113.7", "2001:db8::1"). */
struct text http_request_address(const struct flow *flow);
const struct route *http_route(const struct flow *flow);

/* Answers with the route's status and its reply schema around `data` (struct of that schema):
 * {"status":"success","data":{...}}. `data` need only live until the call returns. */
enum flow_verdict reply(struct flow *flow, const void *data);
/* 204, or the route's status without a body. */
enum flow_verdict reply_empty(struct flow *flow);
/* A body that is not JSend. `body` lives in the arena or is static. */
enum flow_verdict reply_raw(
	struct flow *flow, uint16_t status, struct text media_type, struct text body);

/*
 * A body that is made while it is sent, of any length, in bounded memory:
 *
 *   static const struct flow_step page_steps[] = {
 *           STEP(read_page),   return db_query(...);
 *           STEP(send_page),   return reply_piece(flow, lines);
 *           STEP(turn_page),   return is_last ? FLOW_DONE : flow_switch(flow, page_steps);
 *           STEPS_END,
 *   };
 *
 * reply_stream announces it, in a step before those. reply_piece sends a piece (best 4 to 64 KiB: each is
 * a chunk and a write) and waits, as an operation of the flow, until the kernel has taken all of it: a
 * slow client slows the steps down. The piece is copied, so its buffer may be used again. FLOW_DONE is
 * the end of the body. On the flow's loop, as all steps.
 *
 * The route's deadline covers the whole body: give the row one that a slow client can meet. A failure
 * (flow_fail, a driver's, the deadline, the drain's end) before the first piece is answered as ever;
 * from then on refuse() is a defect and a failure cuts the connection off without the last chunk, so
 * that the client knows. A client that leaves stops the flow; past a STEP_COMMITS the pieces are
 * dropped. HEAD ends at reply_stream. HTTP/1.0 gets no chunks: the connection's end ends the body.
 */
enum flow_verdict reply_stream(struct flow *flow, uint16_t status, struct text media_type);
enum flow_verdict reply_piece(struct flow *flow, struct text piece);

/* Answers with a problem of the table. The route (or a guard) must have declared it. */
enum flow_verdict refuse(struct flow *flow, enum problem problem);
/* The same with one bad field, for checks that need more than a schema: 422 VALIDATION_FAILED. */
enum flow_verdict refuse_field(
	struct flow *flow, struct text pointer, const char *code, struct text message);
/* A header of the answer, before answering. Value copied; refused (assert) when it holds CR, LF or NUL. */
void reply_header(struct flow *flow, struct text name, struct text value);
