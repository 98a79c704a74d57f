// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * router - what the program may ask about the compiled routes: `millrace routes`, the document and
 * the tests that prove that nothing is missing walk them here. router_new and router_free stand in
 * http/server.h; matching is internal (http/exchange.h).
 */

#include <stddef.h>

#include "http/route.h"

struct router;

/* One row at one of its paths. Borrowed from the router. */
struct route_listing {
	enum http_method method;
	struct text path; /* full template, "/api/v1/users/{id}" */
	unsigned listeners; /* bit set of enum listener */
	size_t prefix_index; /* 0: the first prefix of the scope; else an alias */
	const struct route *row;
	const struct scope *scope;
	const struct guard
		*guards[2 * ROUTE_GUARDS_MAX + 1]; /* scope's, then the row's; ends with NULL */
	struct problem_list
		problems; /* the row's, the guards' and those every such route can meet */
};

/* Returns false to stop. */
typedef bool route_visit_fn(void *context, const struct route_listing *listing);

/* In the order of the tables: scope, prefix, row. False when a visit stopped. */
bool router_each_route(const struct router *router, route_visit_fn *visit, void *context);
