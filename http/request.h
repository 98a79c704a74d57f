// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * request - one parsed HTTP request. Everything it points at lives in the flow's arena, so a step may
 * keep it across waits. Internal to http/: steps use the accessors of http/handler.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/text.h"
#include "http/route.h"

struct http_header {
	struct text name;  /* lower case */
	struct text value; /* without the white space around it */
};

/* Long enough for an IPv6 address with a zone (RFC 4007, 11.2). */
enum { REQUEST_ADDRESS_MAX = 64 };

struct http_request {
	enum http_method method; /* 0 while the request line has not been understood */
	enum listener listener;
	struct text target; /* as it came: "/users/1?page=2", "http://host/users", "*" */
	struct text path;   /* raw, starts with '/', or "*"; percent-encoding is checked, not undone */
	struct text query;  /* raw, without the '?'; absent when there was none */
	struct text host;   /* of an absolute target, else of the Host header; absent on HTTP/1.0 */
	struct http_header *headers;
	size_t header_count;
	struct text body;  /* absent when the request has none */
	bool has_body;     /* it announced one, be it empty */
	uint64_t content_length; /* as announced; 0 when chunked */
	bool chunked;
	bool expects_continue;
	uint8_t minor; /* of HTTP/1.x */
	bool keep_alive;
	struct text address; /* of the client */
};

/* The first header of that name, or absent. */
struct text request_header(const struct http_request *request, struct text lower_case_name);
size_t request_header_count(const struct http_request *request, struct text lower_case_name);
