// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * router_tree - the compiled form of the tables: one tree of segments a listener. Built once, in
 * the process's arena, by router_build.c; read-only afterwards and so shared by all loops. Internal
 * to router*.c and to what hangs on the router (openapi.c, document.c).
 *
 * The tree is deterministic: where a static segment and a parameter stand side by side, what
 * follows the parameter was copied under the static one, so that a walk never has to turn back.
 */

#include "http/exchange.h"
#include "http/router.h"

struct http_documents_state;

enum { SEGMENTS_MAX = 16, METHODS_MAX = HTTP_OPTIONS + 1, LISTENERS_MAX = 2 };

struct routed {
	struct compiled_route compiled; /* first: the wire's pointer is ours */
	const struct router *router;
	const struct guard *guards[2 * ROUTE_GUARDS_MAX + 1];
	size_t prefix_index;
	size_t parameter_count;
	unsigned char parameter_at[ROUTE_PARAMETERS_MAX]; /* which segment of the path */
	struct text parameter_names[ROUTE_PARAMETERS_MAX];
};

struct router_node {
	struct text segment;
	struct router_node **children; /* sorted by node_compare */
	size_t child_count;
	struct router_node *parameter; /* NULL: no parameter here */
	const struct routed *routes[METHODS_MAX];
	struct text allow; /* absent: no resource ends here */
};

struct router {
	struct router_node *roots[LISTENERS_MAX];
	struct text allow_all[LISTENERS_MAX]; /* for OPTIONS on the asterisk (RFC 9110, 9.3.7) */
	struct routed *routes;
	unsigned route_count;
	const struct scope *const *scopes;
	size_t scope_count;
	const struct http_documents_state *documents; /* NULL: not set, those paths are not found */
};

static inline const struct routed *routed_of(const struct compiled_route *compiled)
{
	return (const struct routed *)compiled;
}

static inline unsigned listener_index(enum listener listener)
{
	return listener == LISTENER_OPS ? 1 : 0;
}

/* Length first: shorter to compare than bytes. */
int node_compare(struct text a, struct text b);

/* What is wrong with a row by itself, as a sentence without its subject; absent: nothing. */
struct text route_defect(const struct route *row, struct text path, struct arena *arena);
/* The same for guards of a scope or a row. */
struct text guards_defect(const struct guard *const guards[ROUTE_GUARDS_MAX], struct arena *arena);

/* dispatch.c: the step between the guards and the row's own that reads query and body. */
enum flow_verdict read_request(struct flow *flow);

/* The steps a request of this row runs, and the problems it can meet; NULL list without memory. */
const struct flow_step *join_steps(const struct routed *routed, struct arena *arena);
struct problem_list join_problems(const struct routed *routed, struct arena *arena);
