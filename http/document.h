// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * document - the routes by which the API explains itself: /openapi.json, /docs, /docs/explorer.js
 * and /docs/problems (the table of refusals, one anchor a code). All of them are bytes made at the
 * start and served from memory with an ETag; nothing is loaded from another host.
 *
 * Whoever builds the program wires them up, in this order:
 *
 *   1. put &document_scope among the scopes that router_new gets
 *   2. documents.openapi = openapi_document(router, arena, MILLRACE_VERSION)      (http/openapi.h)
 *      documents.docs_html, documents.explorer_js_gz = the embedded bytes          (web/)
 *   3. documents_set(router, &documents, arena), before the loops run
 *
 * A document that is absent is not found (404).
 */

#include "core/arena.h"
#include "core/text.h"
#include "http/route.h"

struct router;

/* Borrowed: must live as long as the router. */
struct http_documents {
	struct text openapi; /* JSON */
	struct text docs_html; /* a page without inline script */
	struct text explorer_js_gz; /* compressed; served with Content-Encoding: gzip */
};

extern const struct scope document_scope;

/* Main thread, before the loops run. False when the arena has no room. */
bool documents_set(
	struct router *router, const struct http_documents *documents, struct arena *arena);

/* The page of /docs/problems, in the arena; absent when there is no room. */
struct text problem_page(struct arena *arena);
