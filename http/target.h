// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * target - the request target (RFC 9112, 3.2) and its encodings. A path is checked here and split
 * by the router before anything is decoded, so an encoded slash never makes a segment and nothing
 * resolves upwards.
 */

#include <stdbool.h>

#include "core/arena.h"
#include "core/text.h"
#include "http/problem.h"

struct target {
	struct text path; /* raw; "*" for the asterisk form */
	struct text query; /* raw; absent without a '?' */
	struct text authority; /* of the absolute form; else absent */
};

/* Origin form, absolute form (http and https) or asterisk form. False with BAD_REQUEST for a
 * foreign form, a fragment, characters outside RFC 3986, a bad escape, an encoded NUL or a dot
 * segment, with BAD_QUERY for a bad escape in the query. */
bool target_parse(struct text raw, struct target *target_out, enum problem *problem_out);

/* uri-host [ ":" port ] of RFC 3986, 3.2.2: a name, IPv4 or bracketed IPv6. Not empty, no user
 * info. The comma that RFC 3986 allows in a name is refused: it is how joined Host headers look. */
bool authority_is_valid(struct text authority);
