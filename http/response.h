// SPDX-License-Identifier: Apache-2.0
#pragma once

/* response - the head of an answer as bytes (RFC 9112, 4). The body follows it by itself. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/text.h"
#include "http/exchange.h"

enum response_connection {
	RESPONSE_IMPLICIT, /* 1.1 that stays open: no Connection header */
	RESPONSE_KEEPS, /* 1.0 that stays open */
	RESPONSE_CLOSES,
};

/* An upper bound of what response_write_head writes. */
size_t response_head_bound(const struct exchange_response *response);
/* date_line: "Date: ...\r\n". Returns the end of what was written. */
char *response_write_head(char *out, const struct exchange_response *response,
	struct text date_line, const char *request_id, enum response_connection connection);
/* 1xx, 204 and 304 never have a body, nor a Content-Length (RFC 9110, 8.6). */
bool response_allows_body(uint16_t status);
/* "Not Found"; "Unknown" for a status nobody registered. */
struct text response_phrase(uint16_t status);
