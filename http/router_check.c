// SPDX-License-Identifier: Apache-2.0

/*
 * router_check - what can be wrong with one row. Each check returns a sentence's predicate ("has no
 * steps"), or TEXT_ABSENT when it finds nothing; router_build puts the route in front.
 */

#include <string.h>

#include "http/router_tree.h"

static bool is_lower_snake(const char *name)
{
	if (!name || name[0] < 'a' || name[0] > 'z')
		return false;
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

static bool is_parameter(struct text segment)
{
	return segment.len > 2 && segment.data[0] == '{' && segment.data[segment.len - 1] == '}';
}

/* unreserved characters of RFC 3986 section 2.3, and ':' for custom methods */
static bool is_plain(struct text segment)
{
	for (size_t i = 0; i < segment.len; i++) {
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:",
			    segment.data[i]) ||
			segment.data[i] == '\0')
			return false;
	}
	return segment.len > 0;
}

/* The path's tail holds this parameter a second time. */
static bool is_repeated(struct text segment, struct text rest)
{
	while (!text_is_absent(rest)) {
		if (text_equals(segment, text_cut(rest, '/', &rest)))
			return true;
	}
	return false;
}

static struct text segment_defect(
	const struct route *row, struct text segment, struct text rest, struct arena *arena)
{
	struct text name;

	if (!is_parameter(segment)) {
		if (is_plain(segment))
			return TEXT_ABSENT;
		return arena_printf(arena,
			"the segment '%.*s' is empty or holds a reserved character",
			TEXT_ARG(segment));
	}
	name = text_of(segment.data + 1, segment.len - 2);
	if (!is_plain(name))
		return arena_printf(
			arena, "the parameter '%.*s' has no proper name", TEXT_ARG(name));
	if (!row->parameters || !schema_field(row->parameters, name))
		return arena_printf(
			arena, "the parameter '%.*s' has no field in a schema", TEXT_ARG(name));
	if (is_repeated(segment, rest))
		return arena_printf(
			arena, "the parameter '%.*s' stands there twice", TEXT_ARG(name));
	return TEXT_ABSENT;
}

static struct text path_defect(const struct route *row, struct text path, struct arena *arena)
{
	struct text rest = TEXT_ABSENT;
	size_t parameters = 0, depth = 0;

	if (path.len == 0 || path.data[0] != '/')
		return TEXT("the path does not begin with a slash");
	if (path.len > 1)
		rest = text_of(path.data + 1, path.len - 1);
	for (; !text_is_absent(rest); depth++) {
		struct text segment = text_cut(rest, '/', &rest);
		struct text defect = segment_defect(row, segment, rest, arena);

		if (!text_is_absent(defect))
			return defect;
		parameters += is_parameter(segment);
	}
	if (depth > SEGMENTS_MAX || parameters > ROUTE_PARAMETERS_MAX)
		return TEXT("the path has too many segments or parameters");
	if (row->parameters && row->parameters->field_count != parameters)
		return TEXT("its parameter schema has a field that the path lacks");
	return TEXT_ABSENT;
}

static bool is_scalar(const struct schema *schema)
{
	for (size_t i = 0; i < schema->field_count; i++) {
		enum field_kind kind = schema->fields[i].kind;

		if (kind == FIELD_OBJECT || kind == FIELD_LIST)
			return false;
	}
	return true;
}

/* The decoder clears and fills schema->size bytes at that offset. */
static struct text member_defect(const struct route *row, const struct schema *schema, size_t at,
	const char *what, struct arena *arena)
{
	if (!schema)
		return TEXT_ABSENT;
	if (row->state_size < schema->size || at > row->state_size - schema->size)
		return arena_printf(
			arena, "the state struct has no room for its %s (STATE missing?)", what);
	return TEXT_ABSENT;
}

static struct text state_defect(const struct route *row, struct arena *arena)
{
	struct text defect = member_defect(
		row, row->parameters, row->parameters_at, "parameters", arena);

	if (text_is_absent(defect))
		defect = member_defect(row, row->query, row->query_at, "query", arena);
	if (text_is_absent(defect))
		defect = member_defect(row, row->body, row->body_at, "body", arena);
	if (text_is_absent(defect) && row->parameters && !is_scalar(row->parameters))
		defect = TEXT("a path parameter is an object or a list");
	if (text_is_absent(defect) && row->query && !is_scalar(row->query))
		defect = TEXT("a query parameter is an object or a list");
	return defect;
}

static struct text body_defect(const struct route *row)
{
	bool takes_body = row->body || row->body_max_bytes > 0;

	/* Content in a GET or HEAD has no defined meaning: RFC 9110, 9.3.1 and 9.3.2. */
	if (takes_body &&
		(row->method == HTTP_GET || row->method == HTTP_HEAD ||
			row->method == HTTP_OPTIONS))
		return TEXT("a request of that method has no body");
	return TEXT_ABSENT;
}

static struct text reply_defect(const struct route *row)
{
	uint16_t status = row->status ? row->status : 200;

	if (status < 200 || status > 399)
		return TEXT("its status is not one of success");
	if (row->reply && row->reply_type)
		return TEXT("it has a reply schema and a raw media type");
	if ((row->reply || row->reply_type) && (status == 204 || status == 205 || status == 304))
		return TEXT("its status has no body, but it declares a reply");
	if (!row->reply && !row->reply_type && (status == 200 || status == 201))
		return TEXT("it declares no reply (.reply, .reply_type, or .status = 204)");
	return TEXT_ABSENT;
}

static struct text problems_defect(const struct problem_list *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		if ((unsigned)problems->list[i] >= PROBLEM_COUNT)
			return TEXT("it lists a problem that does not exist");
	}
	return TEXT_ABSENT;
}

static struct text steps_defect(const struct flow_step *steps)
{
	if (!steps || !steps[0].name)
		return TEXT("has no steps");
	for (; steps->name; steps++) {
		if (!steps->run)
			return TEXT("has a step without a function");
	}
	return TEXT_ABSENT;
}

struct text guards_defect(const struct guard *const guards[ROUTE_GUARDS_MAX], struct arena *arena)
{
	for (size_t i = 0; i < ROUTE_GUARDS_MAX && guards[i]; i++) {
		struct text defect = steps_defect(guards[i]->steps);

		if (!guards[i]->name)
			return TEXT("a guard has no name");
		if (text_is_absent(defect))
			defect = problems_defect(&guards[i]->problems);
		if (!text_is_absent(defect))
			return arena_printf(
				arena, "guard %s %.*s", guards[i]->name, TEXT_ARG(defect));
	}
	return TEXT_ABSENT;
}

static struct text row_defect(const struct route *row)
{
	if (row->method < HTTP_GET || row->method > HTTP_OPTIONS)
		return TEXT("it has no method");
	if (!is_lower_snake(row->name))
		return TEXT("its name is not lower_snake");
	if (!row->about)
		return TEXT("it does not say what it is for (.about)");
	if (row->limit.key != LIMIT_NONE &&
		(row->limit.requests == 0 || row->limit.window_seconds == 0))
		return TEXT("its limit allows nothing");
	return TEXT_ABSENT;
}

struct text route_defect(const struct route *row, struct text path, struct arena *arena)
{
	struct text defect = row_defect(row);

	if (text_is_absent(defect))
		defect = steps_defect(row->steps);
	if (text_is_absent(defect))
		defect = path_defect(row, path, arena);
	if (text_is_absent(defect))
		defect = body_defect(row);
	if (text_is_absent(defect))
		defect = reply_defect(row);
	if (text_is_absent(defect))
		defect = state_defect(row, arena);
	if (text_is_absent(defect))
		defect = problems_defect(&row->problems);
	if (text_is_absent(defect))
		defect = guards_defect(row->guards, arena);
	return defect;
}
