// SPDX-License-Identifier: Apache-2.0

#include "test/http/openapi_proof.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <yyjson.h>

#include "http/router.h"

struct proof {
	struct arena *arena;
	yyjson_val *root;
	struct text findings;
	size_t operations; /* shown rows x paths */
	const char *where;
};

static void find(struct proof *proof, const char *what, const char *name)
{
	struct text more = arena_printf(proof->arena, "%.*s%s: %s %s\n", TEXT_ARG(proof->findings),
		proof->where, what, name);

	if (!text_is_absent(more))
		proof->findings = more;
}

/* ---- references ---- */

/* "#/components/schemas/order"; our names need no escaping. */
static void check_reference(struct proof *proof, const char *reference)
{
	if (strncmp(reference, "#/", 2) != 0 || !yyjson_ptr_get(proof->root, reference + 1))
		find(proof, "a reference leads nowhere:", reference);
}

static void check_references(struct proof *proof, yyjson_val *value)
{
	size_t index, max;
	yyjson_val *key, *item;

	if (yyjson_is_arr(value)) {
		yyjson_arr_foreach(value, index, max, item) check_references(proof, item);
	} else if (yyjson_is_obj(value)) {
		yyjson_obj_foreach(value, index, max, key, item)
		{
			if (strcmp(yyjson_get_str(key), "$ref") == 0 && yyjson_is_str(item))
				check_reference(proof, yyjson_get_str(item));
			else
				check_references(proof, item);
		}
	}
}

static yyjson_val *resolve(struct proof *proof, yyjson_val *value)
{
	const char *reference = yyjson_get_str(yyjson_obj_get(value, "$ref"));

	return reference ? yyjson_ptr_get(proof->root, reference + 1) : value;
}

static bool refers_to(yyjson_val *value, const struct schema *schema)
{
	const char *reference = yyjson_get_str(yyjson_obj_get(value, "$ref"));
	const char *last = reference ? strrchr(reference, '/') : NULL;

	return last && strcmp(last + 1, schema->name) == 0;
}

/* ---- one operation ---- */

static yyjson_val *find_operation(struct proof *proof, const struct route_listing *listing)
{
	yyjson_val *paths = yyjson_obj_get(proof->root, "paths");
	yyjson_val *path = yyjson_obj_getn(paths, listing->path.data, listing->path.len);
	char method[16] = "";

	for (size_t i = 0; http_method_name(listing->method)[i]; i++)
		method[i] = (char)tolower((unsigned char)http_method_name(listing->method)[i]);
	return yyjson_obj_get(path, method);
}

static bool has_parameter(yyjson_val *operation, const char *name, const char *in)
{
	size_t index, max;
	yyjson_val *parameter;

	yyjson_arr_foreach(yyjson_obj_get(operation, "parameters"), index, max, parameter)
	{
		if (yyjson_equals_str(yyjson_obj_get(parameter, "name"), name) &&
			yyjson_equals_str(yyjson_obj_get(parameter, "in"), in))
			return true;
	}
	return false;
}

static void check_parameters(
	struct proof *proof, yyjson_val *operation, const struct schema *schema, const char *in)
{
	for (size_t i = 0; schema && i < schema->field_count; i++) {
		if (!has_parameter(operation, schema->fields[i].name, in))
			find(proof, "lacks the parameter", schema->fields[i].name);
	}
}

static void check_body(struct proof *proof, yyjson_val *operation, const struct schema *body)
{
	yyjson_val *content = yyjson_ptr_get(operation, "/requestBody/content/application~1json");

	if (!body) {
		if (yyjson_obj_get(operation, "requestBody"))
			find(proof, "has a body that the row has not", "");
		return;
	}
	if (!refers_to(yyjson_obj_get(content, "schema"), body))
		find(proof, "lacks the body", body->name);
	if (!yyjson_is_obj(yyjson_obj_get(content, "example")))
		find(proof, "lacks an example of the body", body->name);
}

static void check_reply(struct proof *proof, yyjson_val *operation, const struct route *row)
{
	yyjson_val *content;
	char status[8];

	snprintf(status, sizeof(status), "%u", row->status ? row->status : 200U);
	content = yyjson_obj_get(
		yyjson_obj_get(yyjson_obj_get(operation, "responses"), status), "content");
	if (row->reply &&
		!refers_to(yyjson_ptr_get(content, "/application~1json/schema/properties/data"),
			row->reply))
		find(proof, "lacks the reply", row->reply->name);
	if (row->reply_type && !yyjson_obj_get(content, row->reply_type))
		find(proof, "lacks the reply of type", row->reply_type);
	if (!row->reply && !row->reply_type && content)
		find(proof, "has a reply that the row has not", "");
}

static void check_problems(
	struct proof *proof, yyjson_val *operation, const struct problem_list *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem_row *row = problem_row(problems->list[i]);
		yyjson_val *response;
		char status[8];

		snprintf(status, sizeof(status), "%u", row->status);
		response = resolve(
			proof, yyjson_obj_get(yyjson_obj_get(operation, "responses"), status));
		if (!yyjson_obj_get(yyjson_ptr_get(response, "/content/application~1json/examples"),
			    row->code))
			find(proof, "lacks the problem", row->code);
		if (!yyjson_ptr_get(response, "/content/application~1problem+json/schema"))
			find(proof, "lacks the RFC 9457 form of", row->code);
	}
}

static void check_security(
	struct proof *proof, yyjson_val *operation, const struct guard *const *guards)
{
	for (; *guards; guards++) {
		const char *security = (*guards)->security;
		yyjson_val *first = yyjson_arr_get_first(yyjson_obj_get(operation, "security"));

		if (security && !yyjson_obj_get(first, security))
			find(proof, "lacks the security of guard", (*guards)->name);
	}
}

static bool check_listing(void *context, const struct route_listing *listing)
{
	struct proof *proof = context;
	const struct route *row = listing->row;
	yyjson_val *operation;

	if (row->hidden || !(listing->listeners & LISTENER_API))
		return true;
	proof->operations++;
	proof->where = arena_printf(
		proof->arena, "%s %.*s", http_method_name(listing->method), TEXT_ARG(listing->path))
			       .data;
	operation = find_operation(proof, listing);
	if (!operation) {
		find(proof, "is not in the document", "");
		return true;
	}
	check_parameters(proof, operation, row->parameters, "path");
	check_parameters(proof, operation, row->query, "query");
	check_body(proof, operation, row->body);
	check_reply(proof, operation, row);
	check_problems(proof, operation, &row->problems);
	check_problems(proof, operation, &listing->problems);
	check_security(proof, operation, listing->guards);
	return true;
}

/* ---- the whole ---- */

static size_t count_operations(struct proof *proof)
{
	size_t path_index, path_max, index, max, count = 0;
	yyjson_val *path_key, *path, *key, *operation;

	yyjson_obj_foreach(
		yyjson_obj_get(proof->root, "paths"), path_index, path_max, path_key, path)
	{
		yyjson_obj_foreach(path, index, max, key, operation)
			count += yyjson_obj_get(operation, "operationId") != NULL;
	}
	return count;
}

/* Every id is looked for in the text: quoted, it must stand there exactly once. */
static void check_ids(struct proof *proof, struct text document)
{
	size_t path_index, path_max, index, max;
	yyjson_val *path_key, *path, *key, *operation;

	yyjson_obj_foreach(
		yyjson_obj_get(proof->root, "paths"), path_index, path_max, path_key, path)
	{
		yyjson_obj_foreach(path, index, max, key, operation)
		{
			const char *id = yyjson_get_str(yyjson_obj_get(operation, "operationId"));
			struct text quoted = arena_printf(
				proof->arena, "\"operationId\":\"%s\"", id ? id : "");
			const char *first = memmem(
				document.data, document.len, quoted.data, quoted.len);
			size_t after = first ? (size_t)(first - document.data) + 1 : 0;

			if (!first ||
				memmem(document.data + after, document.len - after, quoted.data,
					quoted.len))
				find(proof, "an operation id is not unique:", id ? id : "(none)");
		}
	}
}

const char *openapi_proof(const struct router *router, struct text document, struct arena *arena)
{
	yyjson_doc *parsed = yyjson_read(document.data, document.len, 0);
	struct proof proof = {.arena = arena,
		.root = yyjson_doc_get_root(parsed),
		.findings = TEXT(""),
		.where = "document"};

	if (!parsed)
		return "the document is not JSON\n";
	router_each_route(router, check_listing, &proof);
	proof.where = "document";
	check_references(&proof, proof.root);
	check_ids(&proof, document);
	if (count_operations(&proof) != proof.operations)
		find(&proof, "has operations without a row", "");
	yyjson_doc_free(parsed);
	return proof.findings.data;
}
