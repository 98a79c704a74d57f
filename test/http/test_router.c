// SPDX-License-Identifier: Apache-2.0

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "http/router.h"
#include "test/http/ask.h"

/* The defective rows below take a good one and overwrite a member. */
#pragma GCC diagnostic ignored "-Woverride-init"

struct item_path {
	struct text id;
};

static const struct field item_path_fields[] = {
	FIELD(FIELD_TEXT, item_path, id, .max = 64, .about = "Which item"),
};
static const struct schema item_path = SCHEMA(item_path, item_path_fields, "An item's path");

struct item_state {
	struct item_path path;
};

struct nested_path {
	struct text id;
	int64_t part;
};

static const struct field nested_path_fields[] = {
	FIELD(FIELD_TEXT, nested_path, id, .max = 64, .about = "Which item"),
	FIELD(FIELD_INT, nested_path, part, .min = 1, .max = 99, .about = "Which part"),
};
static const struct schema nested_path = SCHEMA(nested_path, nested_path_fields, "A part's path");

struct nested_state {
	struct nested_path path;
};

static enum flow_verdict say_done(struct flow *flow)
{
	return reply_empty(flow);
}

static const struct flow_step done[] = {STEP(say_done), STEPS_END};

#define ROW(method_, path_, name_) \
	.method = (method_), .path = (path_), .name = (name_), .about = "A test", .status = 204, \
	.steps = done
#define ITEM STATE(item_state), PARAMETERS(item_state, path, &item_path)

static const struct route item_routes[] = {
	{ROW(HTTP_GET, "", "item_list")},
	{ROW(HTTP_POST, "", "item_create")},
	{ROW(HTTP_GET, "/{id}", "item_show"), ITEM},
	{ROW(HTTP_DELETE, "/{id}", "item_delete"), ITEM},
	{ROW(HTTP_GET, "/{id}/parts", "part_list"), ITEM},
	{ROW(HTTP_GET, "/{id}/parts/{part}", "part_show"), STATE(nested_state),
		PARAMETERS(nested_state, path, &nested_path)},
	{ROW(HTTP_GET, "/newest", "item_newest")},
	{ROW(HTTP_GET, "/newest/first", "item_newest_first")},
};
static const struct scope items = {
	.prefixes = {"/items", "/api/v1/items"}, .tag = "items", ROUTES(item_routes)};

static const struct route root_routes[] = {{ROW(HTTP_GET, "/", "root")}};
static const struct scope root = {.prefixes = {""}, ROUTES(root_routes)};

static const struct route ops_routes[] = {{ROW(HTTP_GET, "/metrics", "metrics")}};
static const struct scope ops = {.prefixes = {""}, .listeners = LISTENER_OPS, ROUTES(ops_routes)};
static const struct route health_routes[] = {{ROW(HTTP_GET, "/health", "health")}};
static const struct scope health = {
	.prefixes = {""}, .listeners = LISTENER_API | LISTENER_OPS, ROUTES(health_routes)};

static const struct scope *const scopes[] = {&items, &root, &ops, &health};

static struct desk desk;

static int open_desk(void **state)
{
	desk_open(&desk, scopes, sizeof(scopes) / sizeof(scopes[0]));
	return 0;
}

static int close_desk(void **state)
{
	desk_close(&desk);
	return 0;
}

static struct route_match match_at(
	enum listener listener, enum http_method method, const char *path)
{
	struct http_request request = {.method = method, .path = text_from_c(path)};
	struct route_match match;

	router_match(desk.router, listener, &request, &desk.answer_arena, &match);
	return match;
}

static struct route_match match(enum http_method method, const char *path)
{
	return match_at(LISTENER_API, method, path);
}

static void assert_route(enum http_method method, const char *path, const char *name)
{
	struct route_match found = match(method, path);

	if (found.kind != MATCH_ROUTE)
		fail_msg("%s %s matches nothing", http_method_name(method), path);
	assert_string_equal(found.route->row->name, name);
}

static void assert_nothing(const char *path)
{
	struct route_match found = match(HTTP_GET, path);

	if (found.kind != MATCH_REFUSED)
		fail_msg("%s matches %s", path, found.route->row->name);
	assert_int_equal(found.problem, PROBLEM_NOT_FOUND);
	assert_null(found.route);
}

static void a_path_leads_to_its_row(void **state)
{
	assert_route(HTTP_GET, "/", "root");
	assert_route(HTTP_GET, "/items", "item_list");
	assert_route(HTTP_POST, "/items", "item_create");
	assert_route(HTTP_GET, "/items/7", "item_show");
	assert_route(HTTP_DELETE, "/items/7", "item_delete");
	assert_route(HTTP_GET, "/items/7/parts", "part_list");
	assert_route(HTTP_GET, "/items/7/parts/2", "part_show");
}

static void every_prefix_of_a_scope_mounts_the_same_rows(void **state)
{
	struct route_match first = match(HTTP_GET, "/items/7");
	struct route_match alias = match(HTTP_GET, "/api/v1/items/7");

	assert_ptr_equal(first.route->row, alias.route->row);
	assert_text_equal(first.route->path, "/items/{id}");
	assert_text_equal(alias.route->path, "/api/v1/items/{id}");
	assert_int_not_equal(first.route->index, alias.route->index);
}

static void what_is_not_there_is_not_found(void **state)
{
	assert_nothing("/item");
	assert_nothing("/itemss");
	assert_nothing("/items/7/unknown");
	assert_nothing("/items/7/parts/2/3");
	assert_nothing("/api");
	assert_nothing("/api/v1");
	assert_nothing("");
	assert_nothing("items");
	assert_nothing("*");
}

static void a_trailing_or_doubled_slash_is_another_resource(void **state)
{
	assert_nothing("/items/");
	assert_nothing("//items");
	assert_nothing("/items//parts");
	assert_nothing("/items/7/");
	assert_nothing("//");
}

static void a_dot_segment_is_no_parameter(void **state)
{
	assert_nothing("/items/.");
	assert_nothing("/items/..");
	assert_nothing("/items/%2e%2E");
	assert_route(HTTP_GET, "/items/...", "item_show");
}

static void parameters_come_out_in_the_order_of_the_path(void **state)
{
	struct route_match found = match(HTTP_GET, "/items/a%20b/parts/2");

	assert_int_equal(found.parameter_count, 2);
	assert_text_equal(found.parameters[0], "a%20b");
	assert_text_equal(found.parameters[1], "2");
}

static void a_static_segment_wins_over_a_parameter(void **state)
{
	assert_route(HTTP_GET, "/items/newest", "item_newest");
	assert_route(HTTP_GET, "/items/newes", "item_show");
	assert_route(HTTP_GET, "/items/newest/first", "item_newest_first");
}

static void what_follows_a_parameter_is_found_beside_a_static_segment_too(void **state)
{
	struct route_match found = match(HTTP_GET, "/items/newest/parts/3");

	assert_int_equal(found.kind, MATCH_ROUTE);
	assert_string_equal(found.route->row->name, "part_show");
	assert_text_equal(found.parameters[0], "newest");
	assert_text_equal(found.parameters[1], "3");
}

static void a_resource_keeps_its_own_methods(void **state)
{
	struct route_match found = match(HTTP_DELETE, "/items/newest");

	assert_int_equal(found.kind, MATCH_REFUSED);
	assert_int_equal(found.problem, PROBLEM_METHOD_NOT_ALLOWED);
	assert_text_equal(found.allow, "GET, HEAD, OPTIONS");
}

static void an_encoded_static_segment_is_the_same_segment(void **state)
{
	assert_route(HTTP_GET, "/%69tems", "item_list");
	assert_route(HTTP_GET, "/items/%6Eewest", "item_newest");
}

static void an_encoded_slash_separates_nothing(void **state)
{
	assert_nothing("/items%2F7");
	assert_route(HTTP_GET, "/items/7%2Fparts", "item_show");
}

static void a_segment_that_is_not_utf8_is_not_found(void **state)
{
	assert_nothing("/items/%ff");
	assert_nothing("/items/%00");
	assert_nothing("/items/%zz");
}

static void head_falls_back_to_get(void **state)
{
	assert_route(HTTP_HEAD, "/items/7", "item_show");
}

static void another_method_is_not_allowed_and_is_told_which_are(void **state)
{
	struct route_match found = match(HTTP_PUT, "/items/7");

	assert_int_equal(found.kind, MATCH_REFUSED);
	assert_int_equal(found.problem, PROBLEM_METHOD_NOT_ALLOWED);
	assert_text_equal(found.allow, "GET, HEAD, DELETE, OPTIONS");
	assert_non_null(found.route);
}

static void options_is_answered_with_the_methods(void **state)
{
	struct route_match found = match(HTTP_OPTIONS, "/items");

	assert_int_equal(found.kind, MATCH_OPTIONS);
	assert_text_equal(found.allow, "GET, HEAD, POST, OPTIONS");
	assert_int_equal(match(HTTP_OPTIONS, "/nowhere").problem, PROBLEM_NOT_FOUND);
}

static void options_on_the_asterisk_lists_every_method_of_the_listener(void **state)
{
	struct route_match found = match(HTTP_OPTIONS, "*");

	assert_int_equal(found.kind, MATCH_OPTIONS);
	assert_text_equal(found.allow, "GET, HEAD, POST, DELETE, OPTIONS");
}

static void a_scope_is_only_on_its_listeners(void **state)
{
	assert_int_equal(match_at(LISTENER_API, HTTP_GET, "/metrics").problem, PROBLEM_NOT_FOUND);
	assert_int_equal(match_at(LISTENER_OPS, HTTP_GET, "/metrics").kind, MATCH_ROUTE);
	assert_int_equal(match_at(LISTENER_OPS, HTTP_GET, "/items").problem, PROBLEM_NOT_FOUND);
	assert_int_equal(match_at(LISTENER_API, HTTP_GET, "/health").kind, MATCH_ROUTE);
	assert_ptr_equal(match_at(LISTENER_API, HTTP_GET, "/health").route,
		match_at(LISTENER_OPS, HTTP_GET, "/health").route);
}

static void a_path_deeper_than_any_route_ends_early(void **state)
{
	char path[4096];

	memset(path, '/', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	for (size_t i = 1; i < sizeof(path) - 1; i += 2)
		path[i] = 'a';
	assert_nothing(path);
}

static bool count_visit(void *context, const struct route_listing *listing)
{
	(*(unsigned *)context)++;
	assert_true(listing->path.len > 0);
	return true;
}

static bool stop_visit(void *context, const struct route_listing *listing)
{
	(*(unsigned *)context)++;
	return false;
}

static void every_compiled_route_is_listed_once(void **state)
{
	unsigned count = 0;

	assert_true(router_each_route(desk.router, count_visit, &count));
	assert_int_equal(count, router_route_count(desk.router));
	assert_int_equal(count, 2 * 8 + 3);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(router_route_at(desk.router, i)->index, i);
	count = 0;
	assert_false(router_each_route(desk.router, stop_visit, &count));
	assert_int_equal(count, 1);
}

/* ---- defects ---- */

static void assert_defect(const struct route *routes, size_t count, const char *sentence)
{
	struct scope scope = {.prefixes = {"/x"}, .routes = routes, .route_count = count};
	const struct scope *list[] = {&scope};
	struct arena arena;
	struct text error;

	arena_init(&arena, NULL, 1 << 20);
	if (router_new(list, 1, &arena, &error))
		fail_msg("no defect was seen: %s", sentence);
	assert_text_has(error, sentence);
	assert_text_has(error, "route ");
	arena_deinit(&arena);
}

#define ASSERT_DEFECT(sentence_, ...) \
	do { \
		const struct route table[] = {__VA_ARGS__}; \
		assert_defect(table, sizeof(table) / sizeof(table[0]), sentence_); \
	} while (0)

static void two_routes_alike_are_a_defect(void **state)
{
	ASSERT_DEFECT("takes the place of route a", {ROW(HTTP_GET, "/y", "a")},
		{ROW(HTTP_GET, "/y", "b")});
	ASSERT_DEFECT("has the same name", {ROW(HTTP_GET, "/y", "a")}, {ROW(HTTP_GET, "/z", "a")});
}

static void a_parameter_without_a_field_is_a_defect(void **state)
{
	ASSERT_DEFECT("'id' has no field in a schema", {ROW(HTTP_GET, "/{id}", "a")});
	ASSERT_DEFECT("'other' has no field in a schema", {ROW(HTTP_GET, "/{other}", "a"), ITEM});
	ASSERT_DEFECT("a field that the path lacks", {ROW(HTTP_GET, "/y", "a"), ITEM});
	ASSERT_DEFECT("stands there twice", {ROW(HTTP_GET, "/{id}/{id}", "a"), ITEM});
	ASSERT_DEFECT("is called {id} by another route", {ROW(HTTP_GET, "/{id}", "a"), ITEM},
		{ROW(HTTP_PUT, "/{part}", "b"), ITEM,
			.parameters = &(const struct schema) {.name = "p",
				.size = sizeof(int64_t),
				.fields = &nested_path_fields[1],
				.field_count = 1}});
}

static void a_strange_path_is_a_defect(void **state)
{
	ASSERT_DEFECT("is empty or holds a reserved character", {ROW(HTTP_GET, "/y/", "a")});
	ASSERT_DEFECT("is empty or holds a reserved character", {ROW(HTTP_GET, "//y", "a")});
	ASSERT_DEFECT("is empty or holds a reserved character", {ROW(HTTP_GET, "/y?z", "a")});
	ASSERT_DEFECT("is empty or holds a reserved character", {ROW(HTTP_GET, "/{id", "a")});
	ASSERT_DEFECT("is empty or holds a reserved character", {ROW(HTTP_GET, "/a{id}", "a")});
	ASSERT_DEFECT("too many segments",
		{ROW(HTTP_GET, "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16", "a")});
}

static void a_body_on_get_is_a_defect(void **state)
{
	ASSERT_DEFECT("no body",
		{ROW(HTTP_GET, "/y", "a"), STATE(item_state), BODY(item_state, path, &item_path)});
}

static void a_row_without_steps_name_or_purpose_is_a_defect(void **state)
{
	static const struct flow_step none[] = { STEPS_END };

	ASSERT_DEFECT("has no steps", {ROW(HTTP_GET, "/y", "a"), .steps = NULL});
	ASSERT_DEFECT("has no steps", {ROW(HTTP_GET, "/y", "a"), .steps = none});
	ASSERT_DEFECT("not lower_snake", {ROW(HTTP_GET, "/y", "Bad Name")});
	ASSERT_DEFECT("not lower_snake", {ROW(HTTP_GET, "/y", NULL)});
	ASSERT_DEFECT("(.about)", {ROW(HTTP_GET, "/y", "a"), .about = NULL});
	ASSERT_DEFECT("no method", {ROW(0, "/y", "a")});
}

static void a_reply_must_fit_its_status(void **state)
{
	ASSERT_DEFECT("declares no reply", {ROW(HTTP_GET, "/y", "a"), .status = 0});
	ASSERT_DEFECT("declares no reply", {ROW(HTTP_GET, "/y", "a"), .status = 201});
	ASSERT_DEFECT("has no body", {ROW(HTTP_GET, "/y", "a"), .reply = &item_path});
	ASSERT_DEFECT("not one of success", {ROW(HTTP_GET, "/y", "a"), .status = 404});
	ASSERT_DEFECT("a reply schema and a raw media type",
		{ROW(HTTP_GET, "/y", "a"), .status = 200, .reply = &item_path,
			.reply_type = "text/plain"});
}

static void a_state_too_small_for_what_is_decoded_into_it_is_a_defect(void **state)
{
	ASSERT_DEFECT("no room for its body", {ROW(HTTP_POST, "/y", "a"), .body = &item_path});
	ASSERT_DEFECT("no room for its parameters",
		{ROW(HTTP_GET, "/{id}", "a"), .parameters = &item_path, .state_size = 8});
	ASSERT_DEFECT("no room for its query",
		{ROW(HTTP_GET, "/y", "a"), .query = &item_path, .state_size = 16,
			.query_at = SIZE_MAX});
}

static void an_unknown_problem_or_an_empty_limit_is_a_defect(void **state)
{
	ASSERT_DEFECT("a problem that does not exist",
		{ROW(HTTP_GET, "/y", "a"), .problems = PROBLEMS(PROBLEM_COUNT)});
	ASSERT_DEFECT("its limit allows nothing",
		{ROW(HTTP_GET, "/y", "a"), .limit = PER_ADDRESS(0, MINUTE)});
}

static void a_guard_without_steps_is_a_defect(void **state)
{
	static const struct guard empty = {.name = "empty"};

	ASSERT_DEFECT("guard empty has no steps", {ROW(HTTP_GET, "/y", "a"), .guards = {&empty}});
}

static void two_schemas_of_one_name_are_a_defect(void **state)
{
	static const struct schema same_name = {.name = "item_path",
		.size = sizeof(struct item_path),
		.fields = item_path_fields,
		.field_count = 1};

	ASSERT_DEFECT("another schema is named item_path",
		{ROW(HTTP_GET, "/y", "a"), .status = 200, .reply = &item_path},
		{ROW(HTTP_GET, "/z", "b"), .status = 200, .reply = &same_name});
}

static void without_memory_there_is_a_sentence_too(void **state)
{
	for (size_t cap = 0; cap < 64 * 1024; cap += 997) {
		struct arena arena;
		struct text error;

		arena_init(&arena, NULL, cap);
		if (!router_new(scopes, 4, &arena, &error))
			assert_true(error.len > 0);
		arena_deinit(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_leads_to_its_row),
		cmocka_unit_test(every_prefix_of_a_scope_mounts_the_same_rows),
		cmocka_unit_test(what_is_not_there_is_not_found),
		cmocka_unit_test(a_trailing_or_doubled_slash_is_another_resource),
		cmocka_unit_test(a_dot_segment_is_no_parameter),
		cmocka_unit_test(parameters_come_out_in_the_order_of_the_path),
		cmocka_unit_test(a_static_segment_wins_over_a_parameter),
		cmocka_unit_test(what_follows_a_parameter_is_found_beside_a_static_segment_too),
		cmocka_unit_test(a_resource_keeps_its_own_methods),
		cmocka_unit_test(an_encoded_static_segment_is_the_same_segment),
		cmocka_unit_test(an_encoded_slash_separates_nothing),
		cmocka_unit_test(a_segment_that_is_not_utf8_is_not_found),
		cmocka_unit_test(head_falls_back_to_get),
		cmocka_unit_test(another_method_is_not_allowed_and_is_told_which_are),
		cmocka_unit_test(options_is_answered_with_the_methods),
		cmocka_unit_test(options_on_the_asterisk_lists_every_method_of_the_listener),
		cmocka_unit_test(a_scope_is_only_on_its_listeners),
		cmocka_unit_test(a_path_deeper_than_any_route_ends_early),
		cmocka_unit_test(every_compiled_route_is_listed_once),
		cmocka_unit_test(two_routes_alike_are_a_defect),
		cmocka_unit_test(a_parameter_without_a_field_is_a_defect),
		cmocka_unit_test(a_strange_path_is_a_defect),
		cmocka_unit_test(a_body_on_get_is_a_defect),
		cmocka_unit_test(a_row_without_steps_name_or_purpose_is_a_defect),
		cmocka_unit_test(a_reply_must_fit_its_status),
		cmocka_unit_test(a_state_too_small_for_what_is_decoded_into_it_is_a_defect),
		cmocka_unit_test(an_unknown_problem_or_an_empty_limit_is_a_defect),
		cmocka_unit_test(a_guard_without_steps_is_a_defect),
		cmocka_unit_test(two_schemas_of_one_name_are_a_defect),
		cmocka_unit_test(without_memory_there_is_a_sentence_too),
	};

	return cmocka_run_group_tests(tests, open_desk, close_desk);
}
