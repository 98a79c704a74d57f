// SPDX-License-Identifier: Apache-2.0

/*
 * openapi_components - what operations refer to: the schemas of bodies and replies, the two forms
 * of a refusal, one example a problem, headers, the bearer scheme.
 */

#include <string.h>

#include "http/openapi_write.h"
#include "http/refusal.h"

#define SAMPLE_REQUEST_ID "01980f5c-7a1e-7c3d-9b52-4f8e6a0d1c2b"

/* ---- examples of structs ---- */

static const char *example_text(const struct schema *schema, const struct field *field)
{
	const struct field *other = NULL;

	if (!field->example && field->same_as)
		other = schema_field(schema, text_from_c(field->same_as));
	return other ? other->example : field->example;
}

static void write_scalar(struct json_writer *writer, const struct field *field, const char *example)
{
	switch (field->kind) {
	case FIELD_INT:
		json_raw(writer, example ? text_from_c(example) : TEXT("1"));
		return;
	case FIELD_DOUBLE:
		json_raw(writer, example ? text_from_c(example) : TEXT("1.5"));
		return;
	case FIELD_BOOL:
		json_raw(writer, example ? text_from_c(example) : TEXT("true"));
		return;
	case FIELD_EMAIL:
		json_string(writer, text_from_c(example ? example : "ada@example.com"));
		return;
	case FIELD_UUID:
		json_string(writer, text_from_c(example ? example : SAMPLE_REQUEST_ID));
		return;
	case FIELD_TIME:
		json_string(writer, text_from_c(example ? example : "2026-11-20T12:00:00.000Z"));
		return;
	case FIELD_ENUM:
		json_string(writer, text_from_c(example ? example : field->choices[0]));
		return;
	case FIELD_PASSWORD:
		json_string(writer, text_from_c(example ? example : "correct horse battery"));
		return;
	case FIELD_TEXT:
	case FIELD_TOKEN:
	case FIELD_OBJECT:
	case FIELD_LIST:
		json_string(writer, text_from_c(example ? example : "string"));
		return;
	}
}

static void write_example(struct json_writer *writer, const struct schema *schema, unsigned depth)
{
	json_object(writer);
	for (size_t i = 0; i < schema->field_count && depth < SCHEMA_DEPTH_MAX; i++) {
		const struct field *field = &schema->fields[i];
		const char *example = example_text(schema, field);

		if (field->optional && !example)
			continue;
		json_key(writer, text_from_c(field->name));
		if (field->kind == FIELD_OBJECT) {
			write_example(writer, field->schema, depth + 1);
		} else if (field->kind == FIELD_LIST) {
			json_array(writer);
			write_example(writer, field->schema, depth + 1);
			json_array_end(writer);
		} else {
			write_scalar(writer, field, example);
		}
	}
	json_object_end(writer);
}

void openapi_example(struct json_writer *writer, const struct schema *schema)
{
	write_example(writer, schema, 0);
}

/* ---- schemas ---- */

static const char error_schema[] =
	"{\"type\":\"object\",\"description\":\"One bad field\","
	"\"required\":[\"pointer\",\"code\",\"message\"],\"properties\":{"
	"\"pointer\":{\"type\":\"string\",\"description\":"
	"\"JSON Pointer (RFC 6901) into the body, or the bare name of a query parameter\"},"
	"\"code\":{\"type\":\"string\",\"description\":\"Stable, e.g. TOO_SHORT\"},"
	"\"message\":{\"type\":\"string\",\"description\":\"For people\"}}}";

static const char errors_array[] =
	"{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/field_error\"}}";

/* Every code that this document mentions: what a generated client may switch over. */
static void write_code_property(struct openapi *openapi)
{
	struct json_writer *writer = &openapi->writer;

	open_object(writer, "code");
	put_string(writer, "type", "string");
	put_string(writer, "description", "Stable; the table is at /docs/problems");
	json_key(writer, TEXT("examples"));
	json_array(writer);
	for (unsigned problem = 0; problem < PROBLEM_COUNT; problem++) {
		if (openapi->uses[problem])
			json_string(writer, text_from_c(problem_row(problem)->code));
	}
	json_array_end(writer);
	json_object_end(writer);
}

static void write_request_id(struct json_writer *writer)
{
	json_key(writer, TEXT("request_id"));
	json_raw(writer,
		TEXT("{\"type\":\"string\",\"description\":\"To find this request in the logs\"}"));
}

static void write_jsend_refusal(struct openapi *openapi)
{
	struct json_writer *writer = &openapi->writer;

	open_object(writer, "jsend_refusal");
	put_string(writer, "type", "object");
	put_string(writer, "description", "A refusal in the form of JSend");
	json_key(writer, TEXT("required"));
	json_raw(writer, TEXT("[\"status\",\"code\",\"message\"]"));
	open_object(writer, "properties");
	json_key(writer, TEXT("status"));
	json_raw(writer,
		TEXT("{\"type\":\"string\",\"enum\":[\"fail\",\"error\"],\"description\":"
		     "\"fail: the request was wrong (4xx); error: the server failed (5xx)\"}"));
	write_code_property(openapi);
	json_key(writer, TEXT("message"));
	json_raw(writer, TEXT("{\"type\":\"string\"}"));
	open_object(writer, "data");
	put_string(writer, "type", "object");
	put_string(writer, "description", "Only with field errors");
	open_object(writer, "properties");
	json_key(writer, TEXT("errors"));
	json_raw(writer, text_from_c(errors_array));
	json_object_end(writer);
	json_object_end(writer);
	write_request_id(writer);
	json_object_end(writer);
	json_object_end(writer);
}

static void write_problem_details(struct openapi *openapi)
{
	struct json_writer *writer = &openapi->writer;

	open_object(writer, "problem_details");
	put_string(writer, "type", "object");
	put_string(writer, "description", "A refusal in the form of RFC 9457");
	json_key(writer, TEXT("required"));
	json_raw(writer, TEXT("[\"type\",\"title\",\"status\",\"code\"]"));
	open_object(writer, "properties");
	json_key(writer, TEXT("type"));
	json_raw(writer, TEXT("{\"type\":\"string\",\"format\":\"uri-reference\"}"));
	json_key(writer, TEXT("title"));
	json_raw(writer, TEXT("{\"type\":\"string\"}"));
	json_key(writer, TEXT("status"));
	json_raw(writer, TEXT("{\"type\":\"integer\",\"minimum\":400,\"maximum\":599}"));
	json_key(writer, TEXT("detail"));
	json_raw(writer, TEXT("{\"type\":\"string\"}"));
	json_key(writer, TEXT("instance"));
	json_raw(writer, TEXT("{\"type\":\"string\",\"format\":\"uri-reference\"}"));
	write_code_property(openapi);
	json_key(writer, TEXT("errors"));
	json_raw(writer, text_from_c(errors_array));
	write_request_id(writer);
	json_object_end(writer);
	json_object_end(writer);
}

static void write_schemas(struct openapi *openapi)
{
	struct json_writer *writer = &openapi->writer;

	open_object(writer, "schemas");
	for (size_t i = 0; i < openapi->schemas.count; i++) {
		json_key(writer, text_from_c(openapi->schemas.list[i]->name));
		schema_document(openapi->schemas.list[i], writer);
	}
	json_key(writer, TEXT("field_error"));
	json_raw(writer, text_from_c(error_schema));
	write_jsend_refusal(openapi);
	write_problem_details(openapi);
	json_object_end(writer);
}

/* ---- the rest ---- */

static void write_problem_example(struct openapi *openapi, enum problem problem)
{
	struct json_writer *writer = &openapi->writer;
	struct schema_error error = {
		.pointer = TEXT("/email"),
		.code = "EMAIL_INVALID",
		.message = TEXT("must be an e-mail address"),
	};
	struct schema_errors errors = {.list = &error, .count = 1};
	struct refusal_body body = {
		.problem = problem,
		.errors = problem == PROBLEM_VALIDATION_FAILED ? &errors : NULL,
		.request_id = TEXT(SAMPLE_REQUEST_ID),
	};
	struct text value = refusal_jsend(&body, openapi->arena);

	if (text_is_absent(value)) {
		writer->failed = true;
		return;
	}
	open_object(writer, problem_row(problem)->code);
	put_string(writer, "summary", problem_row(problem)->message);
	json_key(writer, TEXT("value"));
	json_raw(writer, value);
	json_object_end(writer);
}

static void write_examples(struct openapi *openapi)
{
	open_object(&openapi->writer, "examples");
	for (unsigned problem = 0; problem < PROBLEM_COUNT; problem++) {
		if (openapi->uses[problem])
			write_problem_example(openapi, (enum problem)problem);
	}
	json_object_end(&openapi->writer);
}

static const char headers[] =
	"{\"X-Request-ID\":{\"description\":\"The request's id: the client's own if it sent a well-formed "
	"one, else a new UUID\",\"schema\":{\"type\":\"string\"}},"
	"\"Retry-After\":{\"description\":\"Seconds until another attempt makes sense\","
	"\"schema\":{\"type\":\"integer\"}},"
	"\"WWW-Authenticate\":{\"description\":\"Bearer challenge (RFC 6750)\","
	"\"schema\":{\"type\":\"string\"}}}";

static const char security_schemes[] =
	"{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\",\"bearerFormat\":\"JWT\","
	"\"description\":\"An access token, as login and refresh answer it\"}}";

void openapi_components(struct openapi *openapi)
{
	struct json_writer *writer = &openapi->writer;

	open_object(writer, "components");
	openapi_refusals(openapi); /* first: it marks the problems in use */
	write_schemas(openapi);
	write_examples(openapi);
	json_key(writer, TEXT("headers"));
	json_raw(writer, text_from_c(headers));
	if (openapi->uses_bearer) {
		json_key(writer, TEXT("securitySchemes"));
		json_raw(writer, text_from_c(security_schemes));
	}
	json_object_end(writer);
}
