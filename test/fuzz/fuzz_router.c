// SPDX-License-Identifier: Apache-2.0

/*
 * Whatever the path is: the tree and a matcher that simply tries every template agree on whether
 * there is a resource, and the parameters are segments of the path.
 *
 * Input: a byte for the method, the path.
 */

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/exchange.h"
#include "http/server.h"
#include "test/http/shop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct scope *const scopes[] = {&shop_scope, &shop_open_scope, &shop_ops_scope};

static const struct router *shop_router(void)
{
	static struct arena arena;
	static struct router *router;
	struct text error;

	if (!router) {
		arena_init(&arena, NULL, 1 << 20);
		router = router_new(scopes, sizeof(scopes) / sizeof(scopes[0]), &arena, &error);
		assert(router);
	}
	return router;
}

static bool is_value(struct text segment)
{
	return segment.len > 0 && !text_equals(segment, TEXT(".")) &&
		!text_equals(segment, TEXT(".."));
}

static bool fits(struct text template, struct text path, struct arena *arena)
{
	while (!text_is_absent(template) && !text_is_absent(path)) {
		struct text wanted = text_cut(template, '/', &template);
		struct text found = text_cut(path, '/', &path);

		/* The wire lets no other than checked characters through, so only escapes are
		 * judged. */
		if (found.len > 0 && memchr(found.data, '%', found.len))
			found = percent_decode(arena, found, false);
		if (text_is_absent(found))
			return false;
		if (wanted.len > 0 && wanted.data[0] == '{' ? !is_value(found)
							    : !text_equals(wanted, found))
			return false;
	}
	return text_is_absent(template) && text_is_absent(path);
}

static bool is_resource(const struct router *router, struct text path, struct arena *arena)
{
	for (unsigned i = 0; i < router_route_count(router); i++) {
		const struct compiled_route *route = router_route_at(router, i);

		if ((route->listeners & LISTENER_API) && fits(route->path, path, arena))
			return true;
	}
	return false;
}

static void check(const struct route_match *match, struct text path, bool exists)
{
	bool found = match->kind != MATCH_REFUSED || match->problem != PROBLEM_NOT_FOUND;

	assert(found == exists);
	assert(found == !text_is_absent(match->allow));
	if (match->kind != MATCH_ROUTE)
		return;
	for (size_t i = 0; i < match->parameter_count; i++) {
		assert(match->parameters[i].data > path.data);
		assert(match->parameters[i].data + match->parameters[i].len <=
			path.data + path.len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct router *router = shop_router();
	struct http_request request = {.method = HTTP_GET};
	struct route_match match;
	struct arena arena;
	char *path;

	if (size < 1)
		return 0;
	path = malloc(size); /* of its own, so that reading past it is seen */
	memcpy(path, data + 1, size - 1);
	arena_init(&arena, NULL, 1 << 20);
	request.method = (enum http_method)(HTTP_GET + data[0] % HTTP_OPTIONS);
	request.path = text_of(path, size - 1);
	router_match(router, LISTENER_API, &request, &arena, &match);
	if (!text_equals(request.path, TEXT("*")))
		check(&match, request.path,
			request.path.len > 0 && path[0] == '/' &&
				is_resource(router, request.path, &arena));
	arena_deinit(&arena);
	free(path);
	return 0;
}
