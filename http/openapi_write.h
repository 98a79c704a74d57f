// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * openapi_write - the parts of the document, each in its file: operations, components, and the
 * small words that both use. Internal to openapi*.c.
 */

#include "core/json.h"
#include "http/router_tree.h"
#include "http/schema_set.h"

/* One status with one set of problems: many operations share it. */
struct openapi_refusal {
	struct text name; /* the codes, joined by dots */
	uint16_t status;
	const struct problem_list *problems; /* holds those of other statuses too */
};

struct openapi {
	struct json_writer writer;
	struct arena *arena;
	const struct router *router;
	struct schema_set schemas;
	struct openapi_refusal *refusals;
	size_t refusal_count;
	size_t refusal_capacity;
	bool uses[PROBLEM_COUNT]; /* problems that some operation lists */
	bool uses_bearer;
};

/* On the API's listener and not hidden. */
bool openapi_shows(const struct routed *routed);

/* "get": {...}; remembers schemas and problems for the components. False without memory. */
bool openapi_operation(struct openapi *openapi, const struct routed *routed);
void openapi_components(struct openapi *openapi);
/* The name of the shared response for this status; absent without memory. */
struct text openapi_refusal_name(
	struct openapi *openapi, const struct problem_list *problems, uint16_t status);
/* components.responses: what openapi_refusal_name was asked for. */
void openapi_refusals(struct openapi *openapi);
/* An object that a schema accepts, out of its fields' examples. */
void openapi_example(struct json_writer *writer, const struct schema *schema);

static inline void put_text(struct json_writer *writer, const char *key, struct text value)
{
	if (text_is_absent(value))
		return;
	json_key(writer, text_from_c(key));
	json_string(writer, value);
}

static inline void put_string(struct json_writer *writer, const char *key, const char *value)
{
	put_text(writer, key, text_from_c(value));
}

static inline void put_number(struct json_writer *writer, const char *key, int64_t value)
{
	json_key(writer, text_from_c(key));
	json_int(writer, value);
}

static inline void open_object(struct json_writer *writer, const char *key)
{
	json_key(writer, text_from_c(key));
	json_object(writer);
}

/* "key": {"$ref": "#/components/<kind>/<name>"} or, with key NULL, the object alone. */
void put_reference(struct openapi *openapi, const char *key, const char *kind, const char *name);
