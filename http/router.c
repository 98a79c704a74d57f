// SPDX-License-Identifier: Apache-2.0

/*
 * router - matching: walk the tree by segments, once, without going back. Nothing is allocated
 * unless a segment is percent-encoded.
 */

#include <assert.h>
#include <string.h>

#include "http/router_tree.h"

int node_compare(struct text a, struct text b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return a.len == 0 ? 0 : memcmp(a.data, b.data, a.len);
}

static const struct router_node *child_of(const struct router_node *node, struct text segment)
{
	size_t low = 0, high = node->child_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = node_compare(segment, node->children[middle]->segment);

		if (order == 0)
			return node->children[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* Dot segments name no resource of ours, and an empty one is a doubled or trailing slash. */
static bool is_value(struct text segment)
{
	return segment.len > 0 && !text_equals(segment, TEXT(".")) &&
		!text_equals(segment, TEXT(".."));
}

static const struct router_node *step_down(
	const struct router_node *node, struct text raw, struct arena *arena)
{
	const struct router_node *child;
	struct text segment = raw;

	if (raw.len > 0 && memchr(raw.data, '%', raw.len)) {
		segment = percent_decode(arena, raw, false);
		if (text_is_absent(segment))
			return NULL;
	}
	child = child_of(node, segment);
	if (!child && is_value(segment))
		child = node->parameter;
	return child;
}

/* The raw segments stand in `segments` afterwards: which of them are parameters, the route
 * knows. */
static const struct router_node *walk(const struct router_node *node, struct text path,
	struct arena *arena, struct text segments[static SEGMENTS_MAX])
{
	struct text rest = text_of(path.data + 1, path.len - 1);

	if (rest.len == 0)
		return node;
	for (size_t depth = 0; node && !text_is_absent(rest); depth++) {
		if (depth == SEGMENTS_MAX)
			return NULL;
		segments[depth] = text_cut(rest, '/', &rest);
		node = step_down(node, segments[depth], arena);
	}
	return node;
}

static const struct routed *any_route(const struct router_node *node)
{
	for (size_t method = 0; method < METHODS_MAX; method++) {
		if (node->routes[method])
			return node->routes[method];
	}
	return NULL;
}

static void take_route(struct route_match *match, const struct routed *routed,
	const struct text segments[static SEGMENTS_MAX])
{
	match->kind = MATCH_ROUTE;
	match->route = &routed->compiled;
	match->parameter_count = routed->parameter_count;
	for (size_t i = 0; i < routed->parameter_count; i++)
		match->parameters[i] = segments[routed->parameter_at[i]];
}

/* The path is a resource; the method may not be one of its own. */
static void match_method(const struct router_node *node, enum http_method method,
	const struct text segments[static SEGMENTS_MAX], struct route_match *match)
{
	const struct routed *routed = NULL;

	if ((unsigned)method < METHODS_MAX)
		routed = node->routes[method];
	if (!routed && method == HTTP_HEAD)
		routed = node->routes[HTTP_GET];

	match->allow = node->allow;
	if (routed) {
		take_route(match, routed, segments);
		return;
	}
	match->route = &any_route(node)->compiled;
	if (method == HTTP_OPTIONS) {
		match->kind = MATCH_OPTIONS;
	} else {
		match->kind = MATCH_REFUSED;
		match->problem = PROBLEM_METHOD_NOT_ALLOWED;
	}
}

void router_match(const struct router *router, enum listener listener,
	const struct http_request *request, struct arena *arena, struct route_match *match_out)
{
	struct text segments[SEGMENTS_MAX];
	const struct router_node *node = NULL;
	unsigned index = listener_index(listener);

	match_out->kind = MATCH_REFUSED;
	match_out->problem = PROBLEM_NOT_FOUND;
	match_out->route = NULL;
	match_out->allow = TEXT_ABSENT;
	match_out->parameter_count = 0;

	if (request->method == HTTP_OPTIONS && text_equals(request->path, TEXT("*"))) {
		match_out->kind = MATCH_OPTIONS;
		match_out->allow = router->allow_all[index];
		return;
	}
	if (request->path.len > 0 && request->path.data[0] == '/')
		node = walk(router->roots[index], request->path, arena, segments);
	if (node && !text_is_absent(node->allow))
		match_method(node, request->method, segments, match_out);
}

unsigned router_route_count(const struct router *router)
{
	return router->route_count;
}

const struct compiled_route *router_route_at(const struct router *router, unsigned index)
{
	assert(index < router->route_count);

	return &router->routes[index].compiled;
}

static struct route_listing listing_of(const struct routed *routed)
{
	struct route_listing listing = {
		.method = routed->compiled.row->method,
		.path = routed->compiled.path,
		.listeners = routed->compiled.listeners,
		.prefix_index = routed->prefix_index,
		.row = routed->compiled.row,
		.scope = routed->compiled.scope,
		.problems = routed->compiled.problems,
	};

	memcpy(listing.guards, routed->guards, sizeof(listing.guards));
	return listing;
}

bool router_each_route(const struct router *router, route_visit_fn *visit, void *context)
{
	for (unsigned i = 0; i < router->route_count; i++) {
		struct route_listing listing = listing_of(&router->routes[i]);

		if (!visit(context, &listing))
			return false;
	}
	return true;
}
