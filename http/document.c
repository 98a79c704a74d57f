// SPDX-License-Identifier: Apache-2.0

/*
 * document - constant bytes with validators (RFC 9110, 8.8.3 and 13.1.2). Pages may run only
 * scripts of our own and talk only to this server.
 */

#include "http/document.h"

#include "core/secret.h"
#include "http/handler.h"
#include "http/negotiation.h"
#include "http/refusal.h"
#include "http/router_tree.h"

struct document {
	struct text body;
	struct text etag;
	struct text media_type;
	struct text cache_control;
	struct text policy; /* Content-Security-Policy */
	bool is_gzip;
};

enum which { OPENAPI, PAGE, EXPLORER, PROBLEM_TABLE, DOCUMENT_COUNT };

struct http_documents_state {
	struct document list[DOCUMENT_COUNT];
};

/* 128 bits of the digest are plenty to tell two versions apart. */
enum { ETAG_LEN = 22 };

/* Asked again each time: a new version is seen at once, an unchanged one costs a 304. */
#define REVALIDATE "public, no-cache"
/* The explorer changes only with its pinned version. */
#define KEEP_A_WHILE "public, max-age=3600"

#define POLICY_DATA "default-src 'none'; frame-ancestors 'none'"
/* The explorer styles its shadow trees by inline <style>. */
#define POLICY_PAGE \
	"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " \
	"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; " \
	"form-action 'none'; frame-ancestors 'none'"
#define POLICY_TABLE \
	"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; " \
	"frame-ancestors 'none'"

static struct text etag_of(struct text body, struct arena *arena)
{
	uint8_t digest[SHA256_BYTES];
	char encoded[64];

	secret_sha256(body.data, body.len, digest);
	base64url_encode(digest, sizeof(digest), encoded);
	return arena_printf(arena, "\"%.*s\"", ETAG_LEN, encoded);
}

bool documents_set(
	struct router *router, const struct http_documents *documents, struct arena *arena)
{
	struct http_documents_state *state = arena_zalloc(arena, sizeof(*state));

	if (!state)
		return false;
	state->list[OPENAPI] = (struct document) {.body = documents->openapi,
		.media_type = TEXT("application/json"),
		.cache_control = TEXT(REVALIDATE),
		.policy = TEXT(POLICY_DATA)};
	state->list[PAGE] = (struct document) {.body = documents->docs_html,
		.media_type = TEXT("text/html; charset=utf-8"),
		.cache_control = TEXT(REVALIDATE),
		.policy = TEXT(POLICY_PAGE)};
	state->list[EXPLORER] = (struct document) {.body = documents->explorer_js_gz,
		.media_type = TEXT("text/javascript; charset=utf-8"),
		.cache_control = TEXT(KEEP_A_WHILE),
		.policy = TEXT(POLICY_DATA),
		.is_gzip = true};
	state->list[PROBLEM_TABLE] = (struct document) {.body = problem_page(arena),
		.media_type = TEXT("text/html; charset=utf-8"),
		.cache_control = TEXT(REVALIDATE),
		.policy = TEXT(POLICY_TABLE)};

	for (size_t i = 0; i < DOCUMENT_COUNT; i++) {
		struct document *document = &state->list[i];

		if (text_is_absent(document->body))
			continue;
		document->etag = etag_of(document->body, arena);
		if (text_is_absent(document->etag))
			return false;
	}
	router->documents = state;
	return !text_is_absent(state->list[PROBLEM_TABLE].body);
}

/* ---- steps ---- */

static void put_headers(struct flow *flow, const struct document *document)
{
	struct exchange_response *response = &exchange_of(flow)->response;

	response_put_header(response, TEXT("ETag"), document->etag);
	response_put_header(response, TEXT("Cache-Control"), document->cache_control);
	response_put_header(response, TEXT("Content-Security-Policy"), document->policy);
	response_put_header(response, TEXT("Referrer-Policy"), TEXT("no-referrer"));
	if (document->is_gzip) {
		response_put_header(response, TEXT("Content-Encoding"), TEXT("gzip"));
		response_put_header(response, TEXT("Vary"), TEXT("Accept-Encoding"));
	}
}

static const struct document *find_document(const struct flow *flow, enum which which)
{
	const struct router *router = routed_of(exchange_of(flow)->match.route)->router;

	if (!router->documents || text_is_absent(router->documents->list[which].body))
		return NULL;
	return &router->documents->list[which];
}

static enum flow_verdict send_document(struct flow *flow, enum which which)
{
	const struct document *document = find_document(flow, which);
	const struct http_request *request = &exchange_of(flow)->request;

	if (!document)
		return refuse(flow, PROBLEM_NOT_FOUND);
	if (document->is_gzip &&
		!accept_encoding_allows(
			request_header(request, TEXT("accept-encoding")), TEXT("gzip")))
		return refuse(flow, PROBLEM_NOT_ACCEPTABLE);

	put_headers(flow, document);
	if (etag_is_listed(request_header(request, TEXT("if-none-match")), document->etag))
		return reply_raw(flow, 304, TEXT_ABSENT, TEXT_ABSENT);
	return reply_raw(flow, 200, document->media_type, document->body);
}

static enum flow_verdict send_openapi(struct flow *flow)
{
	return send_document(flow, OPENAPI);
}

static enum flow_verdict send_page(struct flow *flow)
{
	return send_document(flow, PAGE);
}

static enum flow_verdict send_explorer(struct flow *flow)
{
	return send_document(flow, EXPLORER);
}

static enum flow_verdict send_problems(struct flow *flow)
{
	return send_document(flow, PROBLEM_TABLE);
}

/* ---- routes ---- */

static const struct flow_step openapi_steps[] = {STEP(send_openapi), STEPS_END};
static const struct flow_step page_steps[] = {STEP(send_page), STEPS_END};
static const struct flow_step explorer_steps[] = {STEP(send_explorer), STEPS_END};
static const struct flow_step problems_steps[] = {STEP(send_problems), STEPS_END};

static const struct route routes[] = {
	{
		.method = HTTP_GET,
		.path = "/openapi.json",
		.name = "openapi",
		.about = "The description of this API, OpenAPI 3.1",
		.reply_type = "application/json",
		.steps = openapi_steps,
		.hidden = true,
	},
	{
		.method = HTTP_GET,
		.path = "/docs",
		.name = "docs",
		.about = "The API explorer",
		.reply_type = "text/html",
		.steps = page_steps,
		.hidden = true,
	},
	{
		.method = HTTP_GET,
		.path = "/docs/explorer.js",
		.name = "docs_explorer",
		.about = "The explorer's program, compressed",
		.reply_type = "text/javascript",
		.problems = PROBLEMS(PROBLEM_NOT_ACCEPTABLE),
		.steps = explorer_steps,
		.hidden = true,
	},
	{
		.method = HTTP_GET,
		.path = "/docs/problems",
		.name = "docs_problems",
		.about = "Every refusal a client may meet",
		.reply_type = "text/html",
		.steps = problems_steps,
		.hidden = true,
	},
};

const struct scope document_scope = {
	.prefixes = {""},
	.tag = "docs",
	.about = "The API explains itself",
	ROUTES(routes),
};
