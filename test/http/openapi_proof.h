// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * openapi_proof - does a document hold every row of a router, and nothing else? For any tables:
 * those of the unit tests and those of the whole program.
 */

#include "core/arena.h"

struct router;

/* One line per finding, in the arena; "" when every shown row x path is there with its parameters,
 * body, reply and problems, every reference leads somewhere, operation ids are unique and no
 * operation is without a row. */
const char *openapi_proof(const struct router *router, struct text document, struct arena *arena);
