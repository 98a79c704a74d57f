// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * route - one const row says everything about a route; a scope owns prefixes and guards. Router,
 * validation, OpenAPI, the explorer, metric labels and the contract tests all read these rows. Nothing
 * registers at run time: the tables given to router_new are all there is.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/flow.h"
#include "core/schema.h"
#include "http/problem.h"

enum http_method {
	HTTP_GET = 1,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_PATCH,
	HTTP_DELETE,
	HTTP_OPTIONS,
};

enum route_window { SECOND = 1, MINUTE = 60, HOUR = 3600 };

/* Documented where a row declares it; no row does until a guard enforces it. */
struct route_limit {
	uint32_t requests;
	uint32_t window_seconds;
	enum { LIMIT_NONE, LIMIT_PER_ADDRESS, LIMIT_PER_USER } key;
};
#define PER_ADDRESS(requests_, window_) \
	{ \
		.requests = (requests_), .window_seconds = (window_), .key = LIMIT_PER_ADDRESS \
	}
#define PER_USER(requests_, window_) \
	{ \
		.requests = (requests_), .window_seconds = (window_), .key = LIMIT_PER_USER \
	}

struct problem_list {
	const enum problem *list;
	size_t count;
};
#define PROBLEM_LIST_(...) \
	{ \
		.list = (const enum problem[]) {__VA_ARGS__}, \
		.count = sizeof((const enum problem[]) {__VA_ARGS__}) / sizeof(enum problem) \
	}
/* PROBLEMS(PROBLEM_EMAIL_TAKEN, PROBLEM_FORBIDDEN) */
#define PROBLEMS(...) PROBLEM_LIST_(__VA_ARGS__)

/* A step (or some) that runs before the route's own; several may stand in a scope or a route. */
struct guard {
	const char *name;
	const char *security; /* OpenAPI security scheme: "bearer"; NULL: none */
	const struct flow_step *steps;
	struct problem_list problems;
};

enum { ROUTE_GUARDS_MAX = 4 };

struct route {
	enum http_method method;
	const char *
		path; /* "/users/{id}": a parameter is a whole segment, described in `parameters`; "": the
			   * scope's prefix itself */
	const char *name; /* operation id = span = metrics label; unique, lower_snake */
	const char *about;
	const char *details; /* a paragraph for the document, or NULL */
	const char *tag; /* NULL: the scope's */
	const struct schema *parameters; /* of the path; decoded at match, a bad one is a 404 */
	const struct schema *query;
	const struct schema *body; /* JSON object; NULL: the route takes no body */
	size_t state_size; /* of the flow's state struct, cleared; see STATE */
	size_t parameters_at, query_at, body_at; /* offsets in the state */
	uint32_t body_max_bytes; /* 0: 64 KiB */
	uint16_t status; /* of success; 0: 200 */
	const struct schema *reply; /* NULL: no JSON reply (204 or raw) */
	const char *reply_type; /* raw replies: the media type, for the document */
	struct problem_list problems; /* its own; guards' and the general ones are added */
	const struct guard *guards[ROUTE_GUARDS_MAX];
	struct route_limit limit;
	uint32_t deadline_ms; /* 0: http.request_timeout */
	const struct flow_step *steps;
	bool hidden; /* not in the document (the explorer's own files) */
};

/* STATE(signup) : struct signup is flow->state. BODY(signup, body, &signup_body): its member `body` is
 * decoded by that schema before the first step runs. */
#define STATE(struct_) .state_size = sizeof(struct struct_)
#define BODY(struct_, member_, schema_) \
	.body = (schema_), .body_at = offsetof(struct struct_, member_)
#define QUERY(struct_, member_, schema_) \
	.query = (schema_), .query_at = offsetof(struct struct_, member_)
#define PARAMETERS(struct_, member_, schema_) \
	.parameters = (schema_), .parameters_at = offsetof(struct struct_, member_)

enum listener { LISTENER_API = 1, LISTENER_OPS = 2 };

struct scope {
	const char *prefixes
		[3]; /* "/auth", "/api/v1/auth"; the first is the one that is documented first */
	const char *tag;
	const char *about;
	const struct guard *guards[ROUTE_GUARDS_MAX];
	unsigned listeners; /* bit set of enum listener; 0: LISTENER_API */
	const struct route *routes;
	size_t route_count;
};

#define ROUTES(table_) .routes = (table_), .route_count = sizeof(table_) / sizeof((table_)[0])

const char *http_method_name(enum http_method method);
