// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * refusal - the funnel: every answer that is a problem passes here, gets its body and headers, is
 * counted once and, from 500 on, logged once. Internal to http/; steps use refuse() of
 * http/handler.h.
 */

#include "core/schema.h"
#include "http/exchange.h"

struct refusal {
	enum problem problem;
	const struct schema_errors *errors; /* NULL or empty: none */
	const char *cause; /* for the log, never for the client; may be NULL */
};

/* Records the refusal as the answer of this flow, started or not. */
void refuse_with(struct flow *flow, const struct refusal *refusal);

/* The body alone. JSend: {"status":"fail"|"error","code","message","data":{"errors"},"request_id"};
 * problem JSON (RFC 9457):
 * {"type","title","status","detail","instance","code","errors","request_id"}. Absent texts are left
 * out; TEXT_ABSENT when the arena has no room. */
struct refusal_body {
	enum problem problem;
	const struct schema_errors *errors;
	struct text request_id;
	struct text instance; /* the request's raw path */
};
struct text refusal_jsend(const struct refusal_body *body, struct arena *arena);
struct text refusal_problem_json(const struct refusal_body *body, struct arena *arena);

/* Adds a header of static texts, in the place of one of that name if there is one. */
void response_put_header(struct exchange_response *response, struct text name, struct text value);
bool response_has_header(const struct exchange_response *response, struct text name);
