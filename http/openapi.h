// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * openapi - the OpenAPI 3.1 description of the API, written from the rows that the router runs, so
 * that it cannot differ from them. Every row of LISTENER_API that is not hidden stands in it under
 * each of its paths; an alias gets an operation id of its own ("login" and "login_v1").
 */

#include "core/arena.h"

struct router;

/* The document as JSON, in the arena; absent when the arena has no room. Call it once, at the
 * start. */
struct text openapi_document(const struct router *router, struct arena *arena, const char *version);
