// SPDX-License-Identifier: Apache-2.0

/* openapi_operation - one row at one path: what it takes, what it answers, what it refuses with. */

#include <ctype.h>
#include <string.h>

#include "http/openapi_write.h"

/* ---- identity ---- */

/* How many shown routes before this one come from the same row. */
static unsigned earlier_paths(const struct routed *routed)
{
	const struct router *router = routed->router;
	unsigned count = 0;

	for (unsigned i = 0; i < routed->compiled.index; i++)
		count += router->routes[i].compiled.row == routed->compiled.row &&
			openapi_shows(&router->routes[i]);
	return count;
}

/* "v1" of "/api/v1/auth"; absent when no segment is a version. */
static struct text version_segment(struct text path)
{
	while (!text_is_absent(path)) {
		struct text segment = text_cut(path, '/', &path);
		size_t digits = 1;

		while (digits < segment.len && isdigit((unsigned char)segment.data[digits]))
			digits++;
		if (segment.len > 1 && segment.data[0] == 'v' && digits == segment.len)
			return segment;
	}
	return TEXT_ABSENT;
}

static struct text operation_id(const struct routed *routed, struct arena *arena)
{
	unsigned earlier = earlier_paths(routed);
	struct text version = version_segment(routed->compiled.path);
	const char *name = routed->compiled.row->name;

	if (earlier == 0)
		return text_from_c(name);
	if (earlier == 1 && !text_is_absent(version))
		return arena_printf(arena, "%s_%.*s", name, TEXT_ARG(version));
	return arena_printf(arena, "%s_%u", name, earlier + 1);
}

/* Lists of operations show summaries: those of an alias must not look like the first path's. */
static struct text summary(const struct routed *routed, struct arena *arena)
{
	struct text version = version_segment(routed->compiled.path);

	if (earlier_paths(routed) == 0)
		return text_from_c(routed->compiled.row->about);
	return arena_printf(arena, "%s (%.*s)", routed->compiled.row->about,
		TEXT_ARG(text_is_absent(version) ? TEXT("alias") : version));
}

static void write_identity(struct openapi *openapi, const struct routed *routed)
{
	struct json_writer *writer = &openapi->writer;
	const struct route *row = routed->compiled.row;
	const char *tag = row->tag ? row->tag : routed->compiled.scope->tag;

	put_text(writer, "operationId", operation_id(routed, openapi->arena));
	put_text(writer, "summary", summary(routed, openapi->arena));
	put_string(writer, "description", row->details);
	if (tag) {
		json_key(writer, TEXT("tags"));
		json_array(writer);
		json_string(writer, text_from_c(tag));
		json_array_end(writer);
	}
}

/* ---- what it takes ---- */

static void write_parameter(struct json_writer *writer, const struct field *field, const char *in)
{
	bool required = strcmp(in, "path") == 0 || !field->optional;

	json_object(writer);
	put_string(writer, "name", field->name);
	put_string(writer, "in", in);
	put_string(writer, "description", field->about);
	json_key(writer, TEXT("required"));
	json_bool(writer, required);
	json_key(writer, TEXT("schema"));
	field_document(field, writer);
	json_object_end(writer);
}

static void write_parameters(struct json_writer *writer, const struct route *row)
{
	if (!row->parameters && !row->query)
		return;
	json_key(writer, TEXT("parameters"));
	json_array(writer);
	for (size_t i = 0; row->parameters && i < row->parameters->field_count; i++)
		write_parameter(writer, &row->parameters->fields[i], "path");
	for (size_t i = 0; row->query && i < row->query->field_count; i++)
		write_parameter(writer, &row->query->fields[i], "query");
	json_array_end(writer);
}

static void write_body(struct openapi *openapi, const struct route *row)
{
	struct json_writer *writer = &openapi->writer;

	if (!row->body)
		return;
	open_object(writer, "requestBody");
	put_string(writer, "description", row->body->about);
	json_key(writer, TEXT("required"));
	json_bool(writer, true);
	open_object(writer, "content");
	open_object(writer, "application/json");
	put_reference(openapi, "schema", "schemas", row->body->name);
	json_key(writer, TEXT("example"));
	openapi_example(writer, row->body);
	json_object_end(writer);
	json_object_end(writer);
	json_object_end(writer);
}

/* ---- what it answers ---- */

static void write_envelope(struct openapi *openapi, const struct schema *reply)
{
	struct json_writer *writer = &openapi->writer;

	open_object(writer, "application/json");
	open_object(writer, "schema");
	put_string(writer, "type", "object");
	json_key(writer, TEXT("required"));
	json_raw(writer, TEXT("[\"status\",\"data\"]"));
	open_object(writer, "properties");
	json_key(writer, TEXT("status"));
	json_raw(writer, TEXT("{\"type\":\"string\",\"const\":\"success\"}"));
	put_reference(openapi, "data", "schemas", reply->name);
	json_object_end(writer);
	json_object_end(writer);
	open_object(writer, "example");
	put_string(writer, "status", "success");
	json_key(writer, TEXT("data"));
	openapi_example(writer, reply);
	json_object_end(writer);
	json_object_end(writer);
}

static void write_raw_reply(struct json_writer *writer, const char *reply_type)
{
	struct text media_type = text_from_c(reply_type);

	open_object(writer, reply_type);
	json_key(writer, TEXT("schema"));
	if (text_starts_with(media_type, TEXT("text/")))
		json_raw(writer, TEXT("{\"type\":\"string\"}"));
	else if (text_starts_with(media_type, TEXT("application/json")))
		json_raw(writer, TEXT("{\"type\":\"object\"}"));
	else
		json_raw(writer, TEXT("{}"));
	json_object_end(writer);
}

static const char *status_words(uint16_t status)
{
	if (status == 201)
		return "Created";
	if (status == 202)
		return "Accepted";
	if (status == 204)
		return "Done; nothing to say";
	return status < 300 ? "Done" : "Look elsewhere";
}

static void write_status(char key[static 4], uint16_t status)
{
	key[0] = (char)('0' + status / 100);
	key[1] = (char)('0' + status / 10 % 10);
	key[2] = (char)('0' + status % 10);
	key[3] = '\0';
}

static void write_success(struct openapi *openapi, const struct route *row)
{
	struct json_writer *writer = &openapi->writer;
	uint16_t status = row->status ? row->status : 200;
	char key[4];

	write_status(key, status);
	open_object(writer, key);
	put_string(writer, "description",
		row->reply && row->reply->about ? row->reply->about : status_words(status));
	open_object(writer, "headers");
	put_reference(openapi, "X-Request-ID", "headers", "X-Request-ID");
	json_object_end(writer);
	if (row->reply || row->reply_type) {
		open_object(writer, "content");
		if (row->reply)
			write_envelope(openapi, row->reply);
		else
			write_raw_reply(writer, row->reply_type);
		json_object_end(writer);
	}
	json_object_end(writer);
}

/* ---- what it refuses with ---- */

static void write_refusal(
	struct openapi *openapi, const struct problem_list *problems, uint16_t status)
{
	struct text name = openapi_refusal_name(openapi, problems, status);
	char key[4];

	if (text_is_absent(name)) {
		openapi->writer.failed = true;
		return;
	}
	write_status(key, status);
	put_reference(openapi, key, "responses", name.data);
}

static void write_responses(struct openapi *openapi, const struct routed *routed)
{
	const struct problem_list *problems = &routed->compiled.problems;

	open_object(&openapi->writer, "responses");
	write_success(openapi, routed->compiled.row);
	for (uint16_t status = 400; status < 600; status++) {
		for (size_t i = 0; i < problems->count; i++) {
			if (problem_row(problems->list[i])->status == status) {
				write_refusal(openapi, problems, status);
				break;
			}
		}
	}
	json_object_end(&openapi->writer);
}

/* ---- who may, how often, how long ---- */

static void write_security(struct openapi *openapi, const struct routed *routed)
{
	struct json_writer *writer = &openapi->writer;

	json_key(writer, TEXT("security"));
	json_array(writer);
	for (size_t i = 0; routed->guards[i]; i++) {
		const char *security = routed->guards[i]->security;

		if (!security)
			continue;
		openapi->uses_bearer = true;
		json_object(writer);
		json_key(writer, text_from_c(security));
		json_array(writer);
		json_array_end(writer);
		json_object_end(writer);
		break; /* alternatives stand side by side; more guards of one scheme add nothing */
	}
	json_array_end(writer);
}

static void write_limits(struct json_writer *writer, const struct route *row)
{
	if (row->limit.key != LIMIT_NONE) {
		open_object(writer, "x-rate-limit");
		put_number(writer, "requests", row->limit.requests);
		put_number(writer, "window_seconds", row->limit.window_seconds);
		put_string(writer, "per", row->limit.key == LIMIT_PER_ADDRESS ? "address" : "user");
		json_object_end(writer);
	}
	if (row->deadline_ms > 0)
		put_number(writer, "x-deadline-ms", row->deadline_ms);
}

static struct text lower_method(struct openapi *openapi, enum http_method method)
{
	const char *name = http_method_name(method);
	char *lower = arena_zalloc(openapi->arena, 8);

	for (size_t i = 0; lower && name[i]; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	return text_from_c(lower);
}

bool openapi_operation(struct openapi *openapi, const struct routed *routed)
{
	struct json_writer *writer = &openapi->writer;
	const struct route *row = routed->compiled.row;
	struct text method = lower_method(openapi, row->method);
	const struct schema *clash = NULL;

	if (text_is_absent(method) ||
		!schema_set_add_route(&openapi->schemas, row, openapi->arena, &clash))
		return false;
	json_key(writer, method);
	json_object(writer);
	write_identity(openapi, routed);
	write_security(openapi, routed);
	write_parameters(writer, row);
	write_body(openapi, row);
	write_responses(openapi, routed);
	write_limits(writer, row);
	json_object_end(writer);
	return true;
}
