// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * head - collects the bytes of a request's head, from the method to the empty line, into the flow's
 * arena and refuses early what can never become one: limits, bare LF, folded lines, a bad request
 * line. What it says depends on the bytes alone, never on how they were split.
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "http/request.h"

struct http_settings;

enum head_verdict { HEAD_MORE, HEAD_COMPLETE, HEAD_REFUSED };

struct head {
	char *data; /* may move while it grows */
	size_t len;
	size_t capacity;
	size_t line_start; /* of the line that is still incomplete */
	size_t request_len; /* the request line with its CRLF; 0 while incomplete */
	size_t field_count;
	unsigned blank_bytes; /* of empty lines before the request line (RFC 9112, 2.2) */
	struct request_line line;
	enum problem problem; /* of HEAD_REFUSED */
};

/* Takes what belongs to the head; *taken_out says how much. A zeroed struct is a fresh one. */
enum head_verdict head_feed(struct head *head, struct arena *arena,
	const struct http_settings *settings, struct text data, size_t *taken_out);
