// SPDX-License-Identifier: Apache-2.0

/*
 * dispatch - from a matched request to a running flow. Path parameters are judged before anything
 * runs (a bad one names no resource: 404); query and body are read by a step of its own, after the
 * guards, and every bad field of both is told at once.
 */

#include <stddef.h>
#include <string.h>

#include "http/negotiation.h"
#include "http/refusal.h"
#include "http/router_tree.h"

/* More pairs than any schema has fields: a flood, not a query. */
enum { QUERY_PAIRS_MAX = 128 };

/* How reading went: nothing to say, a problem, or no memory. */
enum reading { READ_OK, READ_FIELDS, READ_PROBLEM, READ_NO_MEMORY };

static void *member_at(const struct flow *flow, size_t offset)
{
	return (char *)flow->state + offset;
}

/* ---- path parameters ---- */

static enum schema_verdict decode_parameters(struct flow *flow, const struct route_match *match)
{
	const struct routed *routed = routed_of(match->route);
	const struct route *row = routed->compiled.row;
	struct schema_pair pairs[ROUTE_PARAMETERS_MAX];
	struct schema_errors errors;

	for (size_t i = 0; i < match->parameter_count; i++) {
		pairs[i].name = routed->parameter_names[i];
		pairs[i].value = percent_decode(&flow->arena, match->parameters[i], false);
		if (text_is_absent(pairs[i].value))
			return SCHEMA_BAD_FIELDS;
	}
	return schema_decode_pairs(row->parameters, pairs, match->parameter_count, &flow->arena,
		member_at(flow, row->parameters_at), &errors);
}

/* ---- query ---- */

static bool decode_pair(
	struct arena *arena, struct text name, struct text value, struct schema_pair *pair)
{
	pair->name = percent_decode(arena, name, true);
	pair->value = text_is_absent(value) ? TEXT("") : percent_decode(arena, value, true);
	return !text_is_absent(pair->name) && !text_is_absent(pair->value);
}

static enum reading split_query(struct flow *flow, struct schema_pair *pairs, size_t *count_out)
{
	struct text rest = exchange_of(flow)->request.query;
	struct text name, value;
	size_t count = 0;

	while (query_next(&rest, &name, &value)) {
		if (name.len == 0 && value.len == 0) /* "a=1&&b=2" */
			continue;
		if (count == QUERY_PAIRS_MAX)
			return READ_PROBLEM;
		if (!decode_pair(&flow->arena, name, value, &pairs[count]))
			return READ_PROBLEM;
		count++;
	}
	*count_out = count;
	return READ_OK;
}

static enum reading read_query(struct flow *flow, const struct route *row,
	struct schema_errors *errors, enum problem *problem_out)
{
	struct schema_pair *pairs;
	size_t count = 0;

	*problem_out = PROBLEM_BAD_QUERY;
	pairs = arena_alloc(&flow->arena, QUERY_PAIRS_MAX * sizeof(*pairs));
	if (!pairs)
		return READ_NO_MEMORY;
	if (split_query(flow, pairs, &count) != READ_OK)
		return READ_PROBLEM;

	switch (schema_decode_pairs(
		row->query, pairs, count, &flow->arena, member_at(flow, row->query_at), errors)) {
	case SCHEMA_OK:
		return READ_OK;
	case SCHEMA_BAD_FIELDS:
		return READ_FIELDS;
	case SCHEMA_BAD_SYNTAX:
		return READ_PROBLEM;
	case SCHEMA_NO_MEMORY:
		return READ_NO_MEMORY;
	}
	return READ_NO_MEMORY;
}

/* ---- body ---- */

static bool is_json_request(const struct http_request *request)
{
	return request_header_count(request, TEXT("content-type")) == 1 &&
		content_type_is_json(request_header(request, TEXT("content-type")));
}

static enum reading read_body(struct flow *flow, const struct route *row,
	struct schema_errors *errors, enum problem *problem_out)
{
	const struct http_request *request = &exchange_of(flow)->request;

	*problem_out = PROBLEM_BAD_JSON;
	if (request->body.len == 0)
		return READ_PROBLEM;
	if (!is_json_request(request)) {
		*problem_out = PROBLEM_UNSUPPORTED_MEDIA_TYPE;
		return READ_PROBLEM;
	}

	switch (schema_decode_json(
		row->body, request->body, &flow->arena, member_at(flow, row->body_at), errors)) {
	case SCHEMA_OK:
		return READ_OK;
	case SCHEMA_BAD_FIELDS:
		return READ_FIELDS;
	case SCHEMA_BAD_SYNTAX:
		return READ_PROBLEM;
	case SCHEMA_NO_MEMORY:
		return READ_NO_MEMORY;
	}
	return READ_NO_MEMORY;
}

/* ---- the step ---- */

static struct schema_errors join_errors(
	struct arena *arena, struct schema_errors a, struct schema_errors b)
{
	struct schema_errors joined = {.count = a.count + b.count};

	if (a.count == 0 || b.count == 0)
		return a.count ? a : b;
	joined.list = arena_alloc(arena, joined.count * sizeof(*joined.list));
	if (!joined.list)
		return a;
	memcpy(joined.list, a.list, a.count * sizeof(*a.list));
	memcpy(joined.list + a.count, b.list, b.count * sizeof(*b.list));
	return joined;
}

static enum flow_verdict refuse_reading(struct flow *flow, enum reading reading,
	enum problem problem, const struct schema_errors *errors)
{
	if (reading == READ_NO_MEMORY)
		return flow_fail(flow, FAILURE_MEMORY, "the request does not fit into the arena");
	refuse_with(flow,
		&(struct refusal) {
			.problem = reading == READ_FIELDS ? PROBLEM_VALIDATION_FAILED : problem,
			.errors = errors});
	return FLOW_DONE;
}

enum flow_verdict read_request(struct flow *flow)
{
	const struct route *row = exchange_of(flow)->match.route->row;
	struct schema_errors of_query = {0}, of_body = {0}, errors;
	enum problem problem = PROBLEM_BAD_REQUEST;
	enum reading reading = READ_OK, body_reading = READ_OK;

	if (row->query)
		reading = read_query(flow, row, &of_query, &problem);
	if (reading > READ_FIELDS)
		return refuse_reading(flow, reading, problem, &of_query);

	if (row->body)
		body_reading = read_body(flow, row, &of_body, &problem);
	if (body_reading > READ_FIELDS)
		return refuse_reading(flow, body_reading, problem, &of_body);
	if (reading == READ_OK && body_reading == READ_OK)
		return FLOW_NEXT;

	errors = join_errors(&flow->arena, of_query, of_body);
	return refuse_reading(flow, READ_FIELDS, problem, &errors);
}

/* ---- the door ---- */

static bool refuse_early(struct flow *flow, enum problem problem)
{
	exchange_refuse(flow, problem);
	return false;
}

static bool refuse_without_memory(struct flow *flow)
{
	exchange_refuse_failure(
		flow, FAILURE_MEMORY, "the arena has no room for the request's state");
	return false;
}

bool exchange_dispatch(struct flow *flow)
{
	const struct exchange *exchange = exchange_of(flow);
	const struct compiled_route *route = exchange->match.route;
	const struct route *row = route->row;

	/* A route that takes none accepts at most none: the wire refuses earlier where it can. */
	if (exchange->request.body.len > route->body_max_bytes)
		return refuse_early(flow, PROBLEM_BODY_TOO_LARGE);

	if (row->state_size > 0) {
		flow->state = arena_zalloc(&flow->arena, row->state_size);
		if (!flow->state)
			return refuse_without_memory(flow);
	}
	if (row->parameters) {
		enum schema_verdict verdict = decode_parameters(flow, &exchange->match);

		if (verdict == SCHEMA_NO_MEMORY)
			return refuse_without_memory(flow);
		if (verdict != SCHEMA_OK)
			return refuse_early(flow, PROBLEM_NOT_FOUND);
	}
	flow_start(flow, route->steps);
	return true;
}
