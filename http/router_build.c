// SPDX-License-Identifier: Apache-2.0

/*
 * router_build - from the tables to the tree, once at the start. The first defect stops it with a
 * sentence that names the route. Everything lives in the process's arena.
 */

#include <string.h>

#include "http/router_tree.h"
#include "http/schema_set.h"
#include "http/server.h"

struct build {
	struct arena *arena;
	struct router *router;
	struct text *error_out;
};

static bool fail_without_memory(struct build *build)
{
	*build->error_out = TEXT("there is no memory for the routes");
	return false;
}

static bool fail_at(struct build *build, const struct routed *routed, struct text defect)
{
	const struct route *row = routed->compiled.row;

	*build->error_out = arena_printf(build->arena, "route %s (%s %.*s): %.*s",
		row->name ? row->name : "without a name", http_method_name(row->method),
		TEXT_ARG(routed->compiled.path), TEXT_ARG(defect));
	if (text_is_absent(*build->error_out))
		return fail_without_memory(build);
	return false;
}

/* ---- the list ---- */

static size_t prefix_count(const struct scope *scope)
{
	size_t count = 0;

	while (count < sizeof(scope->prefixes) / sizeof(scope->prefixes[0]) &&
		scope->prefixes[count])
		count++;
	return count > 0 ? count : 1;
}

static size_t count_routes(const struct router *router)
{
	size_t count = 0;

	for (size_t i = 0; i < router->scope_count; i++)
		count += prefix_count(router->scopes[i]) * router->scopes[i]->route_count;
	return count;
}

static void join_guards(struct routed *routed)
{
	const struct scope *scope = routed->compiled.scope;
	const struct route *row = routed->compiled.row;
	size_t count = 0;

	for (size_t i = 0; i < ROUTE_GUARDS_MAX && scope->guards[i]; i++)
		routed->guards[count++] = scope->guards[i];
	for (size_t i = 0; i < ROUTE_GUARDS_MAX && row->guards[i]; i++)
		routed->guards[count++] = row->guards[i];
	routed->guards[count] = NULL;
}

static uint32_t body_max_bytes(const struct route *row)
{
	if (row->body_max_bytes > 0)
		return row->body_max_bytes;
	return row->body ? 64 * 1024 : 0;
}

static bool compile_route(struct build *build, struct routed *routed)
{
	struct compiled_route *compiled = &routed->compiled;
	const struct route *row = compiled->row;
	const struct scope *scope = compiled->scope;
	const char *prefix = scope->prefixes[routed->prefix_index];
	struct text defect;

	compiled->path = arena_printf(
		build->arena, "%s%s", prefix ? prefix : "", row->path ? row->path : "");
	if (text_is_absent(compiled->path))
		return fail_without_memory(build);
	defect = route_defect(row, compiled->path, build->arena);
	if (text_is_absent(defect))
		defect = guards_defect(scope->guards, build->arena);
	if (!text_is_absent(defect))
		return fail_at(build, routed, defect);

	join_guards(routed);
	compiled->listeners = scope->listeners ? scope->listeners : LISTENER_API;
	compiled->body_max_bytes = body_max_bytes(row);
	compiled->deadline_ms = row->deadline_ms;
	compiled->steps = join_steps(routed, build->arena);
	compiled->problems = join_problems(routed, build->arena);
	if (!compiled->steps || !compiled->problems.list)
		return fail_without_memory(build);
	return true;
}

static struct routed *add_route(
	struct router *router, const struct scope *scope, size_t prefix, const struct route *row)
{
	struct routed *routed = &router->routes[router->route_count];

	routed->router = router;
	routed->prefix_index = prefix;
	routed->compiled.row = row;
	routed->compiled.scope = scope;
	routed->compiled.index = router->route_count++;
	return routed;
}

static bool compile_scope(struct build *build, const struct scope *scope)
{
	for (size_t prefix = 0; prefix < prefix_count(scope); prefix++) {
		for (size_t i = 0; i < scope->route_count; i++) {
			struct routed *routed = add_route(
				build->router, scope, prefix, &scope->routes[i]);

			if (!compile_route(build, routed))
				return false;
		}
	}
	return true;
}

/* ---- the tree ---- */

static struct router_node *node_new(struct build *build, struct text segment)
{
	struct router_node *node = arena_zalloc(build->arena, sizeof(*node));

	if (node)
		node->segment = segment;
	return node;
}

static struct router_node *find_child(const struct router_node *node, struct text segment)
{
	for (size_t i = 0; i < node->child_count; i++) {
		if (text_equals(node->children[i]->segment, segment))
			return node->children[i];
	}
	return NULL;
}

/* Keeps the children sorted: the tables are short, an insertion each will do. */
static bool insert_child(struct build *build, struct router_node *node, struct router_node *child)
{
	size_t bytes = node->child_count * sizeof(struct router_node *);
	struct router_node **children = arena_alloc(build->arena, bytes + sizeof(*children));
	size_t at = 0;

	if (!children)
		return false;
	while (at < node->child_count &&
		node_compare(node->children[at]->segment, child->segment) < 0)
		at++;
	if (at > 0)
		memcpy(children, node->children, at * sizeof(*children));
	children[at] = child;
	if (at < node->child_count)
		memcpy(children + at + 1, node->children + at,
			(node->child_count - at) * sizeof(*children));
	node->children = children;
	node->child_count++;
	return true;
}

static struct router_node *child_for(
	struct build *build, struct router_node *node, struct text segment)
{
	struct router_node *child = find_child(node, segment);

	if (child)
		return child;
	child = node_new(build, segment);
	return child && insert_child(build, node, child) ? child : NULL;
}

static struct router_node *node_below(struct build *build, struct router_node *node,
	struct routed *routed, struct text segment, size_t depth)
{
	if (segment.data[0] != '{')
		return child_for(build, node, segment);

	routed->parameter_names[routed->parameter_count] = text_of(
		segment.data + 1, segment.len - 2);
	routed->parameter_at[routed->parameter_count++] = (unsigned char)depth;
	if (!node->parameter)
		node->parameter = node_new(build, segment);
	return node->parameter;
}

/* In the document a path is its template: "/a/{x}" and "/a/{y}" would be two for one resource. */
static bool check_parameter_name(struct build *build, const struct routed *routed,
	const struct router_node *node, struct text segment)
{
	if (segment.data[0] != '{' || text_equals(node->segment, segment))
		return true;
	return fail_at(build, routed,
		arena_printf(build->arena, "the parameter %.*s is called %.*s by another route",
			TEXT_ARG(segment), TEXT_ARG(node->segment)));
}

static bool plant(struct build *build, struct routed *routed, unsigned listener)
{
	struct router_node *node = build->router->roots[listener];
	struct text path = routed->compiled.path;
	struct text rest = path.len > 1 ? text_of(path.data + 1, path.len - 1) : TEXT_ABSENT;
	enum http_method method = routed->compiled.row->method;

	routed->parameter_count = 0;
	for (size_t depth = 0; !text_is_absent(rest); depth++) {
		struct text segment = text_cut(rest, '/', &rest);

		node = node_below(build, node, routed, segment, depth);
		if (!node)
			return fail_without_memory(build);
		if (!check_parameter_name(build, routed, node, segment))
			return false;
	}
	if (node->routes[method])
		return fail_at(build, routed,
			arena_printf(build->arena, "takes the place of route %s",
				node->routes[method]->compiled.row->name));
	node->routes[method] = routed;
	return true;
}

static bool plant_all(struct build *build)
{
	struct router *router = build->router;

	for (unsigned i = 0; i < router->route_count; i++) {
		struct routed *routed = &router->routes[i];

		for (unsigned listener = 0; listener < LISTENERS_MAX; listener++) {
			if ((routed->compiled.listeners & (1U << listener)) &&
				!plant(build, routed, listener))
				return false;
		}
	}
	return true;
}

/* ---- determinism: what follows a parameter also follows its static neighbours ---- */

static bool overlay(struct build *build, struct router_node *into, const struct router_node *from)
{
	bool is_resource = false;

	for (size_t method = 0; method < METHODS_MAX; method++)
		is_resource = is_resource || into->routes[method];
	/* A resource of its own keeps its own methods: 405, not the neighbour's handler. */
	if (!is_resource)
		memcpy(into->routes, from->routes, sizeof(into->routes));

	for (size_t i = 0; i < from->child_count; i++) {
		struct router_node *child = child_for(build, into, from->children[i]->segment);

		if (!child || !overlay(build, child, from->children[i]))
			return false;
	}
	if (!from->parameter)
		return true;
	if (!into->parameter)
		into->parameter = node_new(build, from->parameter->segment);
	return into->parameter && overlay(build, into->parameter, from->parameter);
}

static bool make_deterministic(struct build *build, struct router_node *node)
{
	for (size_t i = 0; i < node->child_count; i++) {
		if (node->parameter && !overlay(build, node->children[i], node->parameter))
			return false;
		if (!make_deterministic(build, node->children[i]))
			return false;
	}
	return !node->parameter || make_deterministic(build, node->parameter);
}

/* ---- Allow ---- */

static unsigned methods_of(const struct router_node *node)
{
	unsigned methods = 0;

	for (unsigned method = 0; method < METHODS_MAX; method++) {
		if (node->routes[method])
			methods |= 1U << method;
	}
	if (methods & (1U << HTTP_GET))
		methods |= 1U << HTTP_HEAD;
	return methods ? methods | 1U << HTTP_OPTIONS : 0;
}

static struct text allow_text(struct build *build, unsigned methods)
{
	char list[64] = "";
	size_t len = 0;

	for (unsigned method = HTTP_GET; method < METHODS_MAX; method++) {
		const char *name = http_method_name((enum http_method)method);

		if (!(methods & (1U << method)))
			continue;
		if (len > 0)
			len = (size_t)(stpcpy(list + len, ", ") - list);
		len = (size_t)(stpcpy(list + len, name) - list);
	}
	return arena_text(build->arena, text_of(list, len));
}

/* Returns every method of the tree in *all. */
static bool write_allow(struct build *build, struct router_node *node, unsigned *all)
{
	unsigned methods = methods_of(node);

	*all |= methods;
	if (methods) {
		node->allow = allow_text(build, methods);
		if (text_is_absent(node->allow))
			return false;
	}
	for (size_t i = 0; i < node->child_count; i++) {
		if (!write_allow(build, node->children[i], all))
			return false;
	}
	return !node->parameter || write_allow(build, node->parameter, all);
}

static bool grow_tree(struct build *build, unsigned listener)
{
	struct router *router = build->router;
	unsigned all = 1U << HTTP_OPTIONS;

	if (!make_deterministic(build, router->roots[listener]) ||
		!write_allow(build, router->roots[listener], &all))
		return fail_without_memory(build);
	router->allow_all[listener] = allow_text(build, all);
	return !text_is_absent(router->allow_all[listener]) || fail_without_memory(build);
}

/* ---- names ---- */

static bool check_names(struct build *build)
{
	const struct router *router = build->router;

	for (unsigned i = 0; i < router->route_count; i++) {
		const struct route *row = router->routes[i].compiled.row;

		for (unsigned k = 0; k < i; k++) {
			const struct route *other = router->routes[k].compiled.row;

			if (other != row && strcmp(other->name, row->name) == 0)
				return fail_at(build, &router->routes[i],
					arena_printf(build->arena, "%s %.*s has the same name",
						http_method_name(other->method),
						TEXT_ARG(router->routes[k].compiled.path)));
		}
	}
	return true;
}

/* In the document a schema is found by its name. */
static bool check_schemas(struct build *build)
{
	struct schema_set set = {0};

	for (unsigned i = 0; i < build->router->route_count; i++) {
		struct routed *routed = &build->router->routes[i];
		const struct schema *clash = NULL;

		if (!schema_set_add_route(&set, routed->compiled.row, build->arena, &clash))
			return fail_without_memory(build);
		if (clash)
			return fail_at(build, routed,
				arena_printf(
					build->arena, "another schema is named %s", clash->name));
	}
	return true;
}

static bool build_all(struct build *build)
{
	struct router *router = build->router;

	for (size_t i = 0; i < router->scope_count; i++) {
		if (!compile_scope(build, router->scopes[i]))
			return false;
	}
	for (unsigned listener = 0; listener < LISTENERS_MAX; listener++) {
		router->roots[listener] = node_new(build, TEXT(""));
		if (!router->roots[listener])
			return fail_without_memory(build);
	}
	if (!check_names(build) || !check_schemas(build) || !plant_all(build))
		return false;
	for (unsigned listener = 0; listener < LISTENERS_MAX; listener++) {
		if (!grow_tree(build, listener))
			return false;
	}
	return true;
}

static const struct scope *const *copy_scopes(
	const struct scope *const *scopes, size_t count, struct arena *arena)
{
	const struct scope **copy = arena_alloc(arena, (count + 1) * sizeof(*copy));

	if (copy && count > 0)
		memcpy(copy, scopes, count * sizeof(*copy));
	return (const struct scope *const *)copy;
}

struct router *router_new(const struct scope *const *scopes, size_t scope_count,
	struct arena *arena, struct text *error_out)
{
	struct router *router = arena_zalloc(arena, sizeof(*router));
	struct build build = {.arena = arena, .router = router, .error_out = error_out};

	*error_out = TEXT_ABSENT;
	if (!router) {
		fail_without_memory(&build);
		return NULL;
	}
	router->scopes = copy_scopes(scopes, scope_count, arena);
	router->scope_count = router->scopes ? scope_count : 0;
	router->routes = arena_zalloc(arena, (count_routes(router) + 1) * sizeof(*router->routes));
	if (!router->scopes || !router->routes) {
		fail_without_memory(&build);
		return NULL;
	}
	return build_all(&build) ? router : NULL;
}

/* All of it lives in the arena given to router_new. */
void router_free(struct router *router)
{
	(void)router;
}
