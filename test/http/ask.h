// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * ask - a request without a wire: router, dispatch, steps and answer as a connection drives them,
 * on a real loop. The answer is a copy that lives until the next ask.
 */

#include "http/exchange.h"
#include "http/handler.h"
#include "http/server.h"

struct asked {
	enum http_method method;
	const char *path;
	const char *query; /* NULL: none */
	const char *body; /* NULL: none */
	const char *type; /* Content-Type; NULL with a body: application/json; "": none */
	const char *headers[8]; /* name, value, name, value ... in lower case */
	const char *request_id;
	enum listener listener; /* 0: LISTENER_API */
	size_t arena_cap_bytes; /* 0: 1 MiB */
};

struct answer {
	enum match_kind kind;
	bool started; /* the flow ran */
	struct exchange_response response;
};

struct desk {
	struct loop loop;
	struct arena arena; /* of the router */
	struct arena answer_arena;
	struct router *router;
	struct answer answer;
	unsigned ended;
	bool ready; /* the loop is up */
};

void desk_open(struct desk *desk, const struct scope *const *scopes, size_t scope_count);
void desk_close(struct desk *desk);
const struct answer *ask(struct desk *desk, const struct asked *asked);
/* The value of a header of the last answer; absent when there is none. */
struct text answer_header(const struct answer *answer, const char *lower_case_name);

void assert_text_equal(struct text actual, const char *expected);
void assert_text_has(struct text actual, const char *part);
