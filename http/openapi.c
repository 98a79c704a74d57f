// SPDX-License-Identifier: Apache-2.0

/* openapi - the frame of the document: who we are, the paths in the order of the tables, the
 * tags. */

#include "http/openapi.h"

#include <string.h>

#include "http/openapi_write.h"

enum { DOCUMENT_BYTES = 256 * 1024 };

bool openapi_shows(const struct routed *routed)
{
	return !routed->compiled.row->hidden && (routed->compiled.listeners & LISTENER_API);
}

static void write_info(struct json_writer *writer, const char *version)
{
	open_object(writer, "info");
	put_string(writer, "title", "Millrace");
	put_string(writer, "version", version);
	put_string(writer, "summary", "An API backend");
	put_string(writer, "description",
		"Answers follow JSend: `{\"status\":\"success\",\"data\":{...}}`. A refusal carries a stable "
		"`code` from the table at [/docs/problems](/docs/problems), a message and the request id; a "
		"client that accepts `application/problem+json` gets it in the form of RFC 9457. Beyond what "
		"an operation lists, any request that is not well-formed HTTP or too large is refused with a "
		"code of the group *the wire*. Every answer carries `X-Request-ID`.");
	open_object(writer, "license");
	put_string(writer, "name", "Apache-2.0");
	put_string(writer, "identifier", "Apache-2.0");
	json_object_end(writer);
	json_object_end(writer);
}

static void write_servers(struct json_writer *writer)
{
	json_key(writer, TEXT("servers"));
	json_array(writer);
	json_object(writer);
	put_string(writer, "url", "/");
	put_string(writer, "description", "The server that sent this document");
	json_object_end(writer);
	json_array_end(writer);
}

/* ---- tags ---- */

static const char *tag_of(const struct routed *routed)
{
	const struct route *row = routed->compiled.row;

	return row->tag ? row->tag : routed->compiled.scope->tag;
}

static bool is_first_of_tag(const struct router *router, unsigned index)
{
	const char *tag = tag_of(&router->routes[index]);

	for (unsigned i = 0; i < index; i++) {
		const char *other = tag_of(&router->routes[i]);

		if (openapi_shows(&router->routes[i]) && other && strcmp(other, tag) == 0)
			return false;
	}
	return true;
}

/* The words about a tag are those of the first scope that carries it. */
static const char *about_tag(const struct router *router, const char *tag)
{
	for (size_t i = 0; i < router->scope_count; i++) {
		const struct scope *scope = router->scopes[i];

		if (scope->tag && scope->about && strcmp(scope->tag, tag) == 0)
			return scope->about;
	}
	return NULL;
}

static void write_tags(struct openapi *openapi)
{
	const struct router *router = openapi->router;
	struct json_writer *writer = &openapi->writer;

	json_key(writer, TEXT("tags"));
	json_array(writer);
	for (unsigned i = 0; i < router->route_count; i++) {
		const char *tag = tag_of(&router->routes[i]);

		if (!tag || !openapi_shows(&router->routes[i]) || !is_first_of_tag(router, i))
			continue;
		json_object(writer);
		put_string(writer, "name", tag);
		put_string(writer, "description", about_tag(router, tag));
		json_object_end(writer);
	}
	json_array_end(writer);
}

/* ---- paths ---- */

static bool is_at(const struct routed *routed, struct text path)
{
	return openapi_shows(routed) && text_equals(routed->compiled.path, path);
}

static bool is_first_of_path(const struct router *router, unsigned index)
{
	for (unsigned i = 0; i < index; i++) {
		if (is_at(&router->routes[i], router->routes[index].compiled.path))
			return false;
	}
	return true;
}

static bool write_path(struct openapi *openapi, unsigned first)
{
	const struct router *router = openapi->router;
	struct text path = router->routes[first].compiled.path;

	json_key(&openapi->writer, path);
	json_object(&openapi->writer);
	for (unsigned i = first; i < router->route_count; i++) {
		if (is_at(&router->routes[i], path) &&
			!openapi_operation(openapi, &router->routes[i]))
			return false;
	}
	json_object_end(&openapi->writer);
	return true;
}

static bool write_paths(struct openapi *openapi)
{
	const struct router *router = openapi->router;

	open_object(&openapi->writer, "paths");
	for (unsigned i = 0; i < router->route_count; i++) {
		if (!openapi_shows(&router->routes[i]) || !is_first_of_path(router, i))
			continue;
		if (!write_path(openapi, i))
			return false;
	}
	json_object_end(&openapi->writer);
	return true;
}

void put_reference(struct openapi *openapi, const char *key, const char *kind, const char *name)
{
	struct json_writer *writer = &openapi->writer;
	struct text pointer = arena_printf(openapi->arena, "#/components/%s/%s", kind, name);

	if (key)
		json_key(writer, text_from_c(key));
	json_object(writer);
	if (text_is_absent(pointer))
		writer->failed = true;
	put_text(writer, "$ref", pointer);
	json_object_end(writer);
}

struct text openapi_document(const struct router *router, struct arena *arena, const char *version)
{
	struct openapi openapi = {.arena = arena, .router = router};
	struct json_writer *writer = &openapi.writer;

	json_begin(writer, arena, DOCUMENT_BYTES);
	json_object(writer);
	put_string(writer, "openapi", "3.1.0");
	write_info(writer, version);
	write_servers(writer);
	write_tags(&openapi);
	if (!write_paths(&openapi))
		return TEXT_ABSENT;
	openapi_components(&openapi);
	json_object_end(writer);
	return json_text(writer);
}
