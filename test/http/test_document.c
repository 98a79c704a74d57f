// SPDX-License-Identifier: Apache-2.0

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "http/document.h"
#include "test/http/ask.h"

static struct desk desk;

static int open_desk(void **state)
{
	static const struct scope *const scopes[] = {&document_scope};
	struct http_documents documents = {
		.openapi = TEXT("{\"openapi\":\"3.1.0\"}"),
		.docs_html = TEXT("<!doctype html>"),
		.explorer_js_gz = TEXT("\x1f\x8b gzip"),
	};

	desk_open(&desk, scopes, 1);
	assert_true(documents_set(desk.router, &documents, &desk.arena));
	return 0;
}

static int close_desk(void **state)
{
	desk_close(&desk);
	return 0;
}

static const struct answer *get(const char *path, const char *name, const char *value)
{
	return ask(&desk,
		&(struct asked) {.method = HTTP_GET, .path = path, .headers = {name, value}});
}

static void every_document_is_served_with_its_type_and_a_policy(void **state)
{
	static const char *const paths[][2] = {
		{"/openapi.json", "application/json"},
		{"/docs", "text/html; charset=utf-8"},
		{"/docs/explorer.js", "text/javascript; charset=utf-8"},
		{"/docs/problems", "text/html; charset=utf-8"},
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const struct answer *answer = get(paths[i][0], NULL, NULL);

		assert_int_equal(answer->response.status, 200);
		assert_text_equal(answer->response.media_type, paths[i][1]);
		assert_text_has(
			answer_header(answer, "content-security-policy"), "default-src 'none'");
		assert_text_equal(answer_header(answer, "x-content-type-options"), "nosniff");
		assert_text_has(answer_header(answer, "cache-control"), "public");
		assert_int_equal(answer_header(answer, "etag").len, 24);
	}
}

static void what_the_client_already_has_is_a_304(void **state)
{
	char etag[64] = "";
	const struct answer *answer = get("/openapi.json", NULL, NULL);
	struct text tag = answer_header(answer, "etag");

	memcpy(etag, tag.data, tag.len);
	answer = get("/openapi.json", "if-none-match", etag);
	assert_int_equal(answer->response.status, 304);
	assert_true(text_is_absent(answer->response.body));
	assert_text_equal(answer_header(answer, "etag"), etag);
	assert_text_has(answer_header(answer, "cache-control"), "public");

	answer = get("/openapi.json", "if-none-match", "\"another\"");
	assert_int_equal(answer->response.status, 200);
}

static void the_explorer_goes_out_compressed_or_not_at_all(void **state)
{
	const struct answer *answer = get("/docs/explorer.js", "accept-encoding", "br, gzip");

	assert_int_equal(answer->response.status, 200);
	assert_text_equal(answer_header(answer, "content-encoding"), "gzip");
	assert_text_equal(answer_header(answer, "vary"), "Accept-Encoding");

	answer = get("/docs/explorer.js", "accept-encoding", "identity");
	assert_int_equal(answer->response.status, 406);
	assert_true(text_is_absent(answer_header(answer, "content-encoding")));
	assert_text_has(answer->response.body, "NOT_ACCEPTABLE");
}

static void the_table_has_an_anchor_for_every_problem(void **state)
{
	const struct answer *answer = get("/docs/problems", NULL, NULL);

	for (unsigned i = 0; i < PROBLEM_COUNT; i++) {
		char anchor[80] = "<tr id=\"";

		strcpy(stpcpy(anchor + strlen(anchor), problem_row((enum problem)i)->code), "\">");
		assert_text_has(answer->response.body, anchor);
		assert_text_has(answer->response.body, problem_row((enum problem)i)->message);
	}
}

static void documents_that_were_not_set_are_not_found(void **state)
{
	static const struct scope *const scopes[] = {&document_scope};
	struct http_documents none = {.openapi = TEXT_ABSENT};
	struct desk bare;

	desk_open(&bare, scopes, 1);
	assert_int_equal(
		ask(&bare, &(struct asked) {.method = HTTP_GET, .path = "/docs"})->response.status,
		404);
	assert_true(documents_set(bare.router, &none, &bare.arena));
	assert_int_equal(ask(&bare, &(struct asked) {.method = HTTP_GET, .path = "/openapi.json"})
				 ->response.status,
		404);
	assert_int_equal(ask(&bare, &(struct asked) {.method = HTTP_GET, .path = "/docs/problems"})
				 ->response.status,
		200);
	desk_close(&bare);
}

static void documents_without_memory_are_refused(void **state)
{
	struct http_documents documents = {.openapi = TEXT("{}")};
	struct arena arena;

	arena_init(&arena, NULL, 64);
	assert_false(documents_set(desk.router, &documents, &arena));
	arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_document_is_served_with_its_type_and_a_policy),
		cmocka_unit_test(what_the_client_already_has_is_a_304),
		cmocka_unit_test(the_explorer_goes_out_compressed_or_not_at_all),
		cmocka_unit_test(the_table_has_an_anchor_for_every_problem),
		cmocka_unit_test(documents_that_were_not_set_are_not_found),
		cmocka_unit_test(documents_without_memory_are_refused),
	};

	return cmocka_run_group_tests(tests, open_desk, close_desk);
}
