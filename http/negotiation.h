// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * negotiation - reading the header fields by which client and server agree on a form: Accept,
 * Accept-Encoding, Content-Type, If-None-Match (RFC 9110, sections 8.3, 12.5 and 13.1.2). Pure
 * functions over borrowed text; malformed elements are skipped, never guessed at.
 */

#include <stdbool.h>

#include "core/text.h"

/* Thousandths, as RFC 9110 section 12.4.2 allows three digits. */
enum { QUALITY_NONE = 0, QUALITY_MAX = 1000 };

struct accepted {
	int quality; /* QUALITY_NONE: not acceptable */
	int specificity; /* 3: named in full, 2: "type/" and a star, 1: both stars, 0: none */
};

/* What an Accept value says about one media type; the most specific range decides (12.5.1). An
 * absent value accepts everything. `type` and `subtype` in lower case. */
struct accepted accept_media_type(struct text accept, struct text type, struct text subtype);

/* True when the client names application/problem+json and likes it no less than application/json: a
 * client that says only application/json or a star gets JSend. */
bool accept_prefers_problem_json(struct text accept);

/* True when an Accept-Encoding value allows that coding (12.5.3); absent: any coding will do. */
bool accept_encoding_allows(struct text accept_encoding, struct text coding);

/* application/json, alone or with charset=utf-8 in any case (RFC 8259, section 8.1). */
bool content_type_is_json(struct text content_type);

/* If-None-Match lists this strong tag, or is a star (13.1.2, weak comparison). */
bool etag_is_listed(struct text if_none_match, struct text etag);
