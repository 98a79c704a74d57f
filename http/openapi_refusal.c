// SPDX-License-Identifier: Apache-2.0

/*
 * openapi_refusal - responses that refuse. Operations that can meet the same problems at one status
 * share a component: the document stays small, and a generated client gets one type for each.
 */

#include <string.h>

#include "http/openapi_write.h"

static bool is_of(const struct problem_list *problems, unsigned problem, uint16_t status)
{
	return problem_row((enum problem)problem)->status == status &&
		problem_is_listed(problems, (enum problem)problem);
}

/* In the order of the table, whatever order the rows have. */
static struct text join_codes(
	struct openapi *openapi, const struct problem_list *problems, uint16_t status)
{
	struct text name = TEXT("");

	for (unsigned problem = 0; problem < PROBLEM_COUNT; problem++) {
		if (is_of(problems, problem, status))
			name = arena_printf(openapi->arena, "%.*s%s%s", TEXT_ARG(name),
				name.len > 0 ? "." : "", problem_row((enum problem)problem)->code);
	}
	return name;
}

static bool has_room(struct openapi *openapi)
{
	size_t capacity = openapi->refusal_capacity ? 2 * openapi->refusal_capacity : 32;
	struct openapi_refusal *list;

	if (openapi->refusal_count < openapi->refusal_capacity)
		return true;
	list = arena_alloc(openapi->arena, capacity * sizeof(*list));
	if (!list)
		return false;
	if (openapi->refusal_count > 0)
		memcpy(list, openapi->refusals, openapi->refusal_count * sizeof(*list));
	openapi->refusals = list;
	openapi->refusal_capacity = capacity;
	return true;
}

struct text openapi_refusal_name(
	struct openapi *openapi, const struct problem_list *problems, uint16_t status)
{
	struct text name = join_codes(openapi, problems, status);

	for (size_t i = 0; i < openapi->refusal_count; i++) {
		if (text_equals(openapi->refusals[i].name, name))
			return name;
	}
	if (name.len == 0 || !has_room(openapi))
		return TEXT_ABSENT;
	openapi->refusals[openapi->refusal_count++] = (struct openapi_refusal) {
		.name = name, .status = status, .problems = problems};
	return name;
}

/* ---- components.responses ---- */

static struct text describe(struct openapi *openapi, const struct openapi_refusal *refusal)
{
	struct text words = TEXT("");

	for (unsigned problem = 0; problem < PROBLEM_COUNT; problem++) {
		const struct problem_row *row = problem_row((enum problem)problem);

		if (is_of(refusal->problems, problem, refusal->status))
			words = arena_printf(openapi->arena, "%.*s%s`%s`: %s.", TEXT_ARG(words),
				words.len ? " " : "", row->code, row->message);
	}
	return words;
}

static void write_headers(struct openapi *openapi, uint16_t status)
{
	struct json_writer *writer = &openapi->writer;

	open_object(writer, "headers");
	put_reference(openapi, "X-Request-ID", "headers", "X-Request-ID");
	if (status == 401)
		put_reference(openapi, "WWW-Authenticate", "headers", "WWW-Authenticate");
	if (status == 429 || status == 503)
		put_reference(openapi, "Retry-After", "headers", "Retry-After");
	json_object_end(writer);
}

static void write_examples(struct openapi *openapi, const struct openapi_refusal *refusal)
{
	open_object(&openapi->writer, "examples");
	for (unsigned problem = 0; problem < PROBLEM_COUNT; problem++) {
		const char *code = problem_row((enum problem)problem)->code;

		if (!is_of(refusal->problems, problem, refusal->status))
			continue;
		put_reference(openapi, code, "examples", code);
		openapi->uses[problem] = true;
	}
	json_object_end(&openapi->writer);
}

static void write_response(struct openapi *openapi, const struct openapi_refusal *refusal)
{
	struct json_writer *writer = &openapi->writer;

	json_key(writer, refusal->name);
	json_object(writer);
	put_text(writer, "description", describe(openapi, refusal));
	write_headers(openapi, refusal->status);
	open_object(writer, "content");
	open_object(writer, "application/json");
	put_reference(openapi, "schema", "schemas", "jsend_refusal");
	write_examples(openapi, refusal);
	json_object_end(writer);
	open_object(writer, "application/problem+json");
	put_reference(openapi, "schema", "schemas", "problem_details");
	json_object_end(writer);
	json_object_end(writer);
	json_object_end(writer);
}

void openapi_refusals(struct openapi *openapi)
{
	open_object(&openapi->writer, "responses");
	for (size_t i = 0; i < openapi->refusal_count; i++)
		write_response(openapi, &openapi->refusals[i]);
	json_object_end(&openapi->writer);
}
