// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * request - one parsed HTTP request. Everything it points at lives in the flow's arena, so a step
 * may keep it across waits. Internal to http/: steps use the accessors of http/handler.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/text.h"
#include "http/header.h"
#include "http/problem.h"
#include "http/route.h"

struct http_request {
	enum http_method method; /* 0 while the request line has not been understood */
	enum listener listener;
	struct text target; /* as it came: "/users/1?page=2", "http://host/users", "*" */
	struct text
		path; /* raw, starts with '/', or "*"; percent-encoding is checked, not undone */
	struct text query; /* raw, without the '?'; absent when there was none */
	struct text host; /* of an absolute target, else of the Host header; absent on HTTP/1.0 */
	struct http_header *headers;
	size_t header_count;
	struct text body; /* absent when the request has none */
	bool has_body; /* it announced one, be it empty */
	uint64_t content_length; /* as announced; 0 when chunked */
	bool chunked;
	bool expects_continue;
	uint8_t minor; /* of HTTP/1.x */
	bool keep_alive;
	struct text address; /* of the client; made on demand: see http_request_address */
};

/* What the request line says, as offsets into the head (whose buffer may still move). */
struct request_line {
	enum http_method method;
	uint32_t target_at;
	uint32_t target_len;
	uint8_t minor; /* HTTP/1.0 or HTTP/1.1 */
};

/* RFC 9112, 3: method SP target SP version, without the CRLF. False with the problem. */
bool request_line_parse(struct text line, struct request_line *line_out, enum problem *problem_out);

/* Target, host, framing, connection options and expectations out of the parsed line and headers;
 * see README.md for the rules. request->minor, method, target and headers are set. False with
 * the problem: the connection must close. */
bool request_check(struct http_request *request, enum problem *problem_out);
/* What the headers alone say about where the body ends (RFC 9112, 6). */
bool request_check_framing(struct http_request *request, enum problem *problem_out);

/* The first header of that name, or absent. */
struct text request_header(const struct http_request *request, struct text lower_case_name);
size_t request_header_count(const struct http_request *request, struct text lower_case_name);
