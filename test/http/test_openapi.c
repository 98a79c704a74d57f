// SPDX-License-Identifier: Apache-2.0

/* The document against the rows it was written from: parsed again, every row looked up. */

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <yyjson.h>

#include "http/document.h"
#include "http/openapi.h"
#include "test/http/ask.h"
#include "test/http/openapi_proof.h"
#include "test/http/shop.h"

static struct desk desk;
static struct text document;
static yyjson_doc *parsed;

static int open_desk(void **state)
{
	static const struct scope *const scopes[] = {
		&shop_scope, &shop_open_scope, &shop_ops_scope, &document_scope};

	desk_open(&desk, scopes, 4);
	document = openapi_document(desk.router, &desk.arena, "1.2.3");
	assert_true(document.len > 0);
	parsed = yyjson_read(document.data, document.len, 0);
	assert_non_null(parsed);
	return 0;
}

static int close_desk(void **state)
{
	yyjson_doc_free(parsed);
	desk_close(&desk);
	return 0;
}

static yyjson_val *at(const char *pointer)
{
	return yyjson_doc_ptr_get(parsed, pointer);
}

static const char *words_at(const char *pointer)
{
	const char *words = yyjson_get_str(at(pointer));

	if (!words)
		fail_msg("nothing at %s", pointer);
	return words;
}

static void every_row_is_in_the_document_whole(void **state)
{
	assert_string_equal(openapi_proof(desk.router, document, &desk.arena), "");
}

static void the_proof_sees_what_is_missing(void **state)
{
	static const struct scope *const more[] = {&shop_scope};
	static const struct scope *const fewer[] = {&shop_open_scope};
	struct text error, wrong;
	struct router *one = router_new(more, 1, &desk.arena, &error);
	struct router *other = router_new(fewer, 1, &desk.arena, &error);

	wrong = openapi_document(one, &desk.arena, "1");
	assert_string_not_equal(openapi_proof(other, wrong, &desk.arena), "");
	wrong = openapi_document(other, &desk.arena, "1");
	assert_string_not_equal(openapi_proof(one, wrong, &desk.arena), "");
}

static void it_says_which_version_of_what_it_is(void **state)
{
	assert_string_equal(words_at("/openapi"), "3.1.0");
	assert_string_equal(words_at("/info/title"), "Millrace");
	assert_string_equal(words_at("/info/version"), "1.2.3");
	assert_string_equal(words_at("/info/license/identifier"), "Apache-2.0");
	assert_string_equal(words_at("/servers/0/url"), "/");
}

static void an_alias_has_an_operation_id_and_a_summary_of_its_own(void **state)
{
	assert_string_equal(words_at("/paths/~1orders/post/summary"), "Place an order");
	assert_string_equal(
		words_at("/paths/~1api~1v1~1orders/post/summary"), "Place an order (v1)");
	assert_string_equal(words_at("/paths/~1orders/post/operationId"), "order_place");
	assert_string_equal(
		words_at("/paths/~1api~1v1~1orders/post/operationId"), "order_place_v1");
}

static void hidden_rows_and_other_listeners_are_not_shown(void **state)
{
	assert_null(at("/paths/~1silent"));
	assert_null(at("/paths/~1inside"));
	assert_null(at("/paths/~1docs"));
	assert_non_null(at("/paths/~1hook"));
}

static void a_tag_is_listed_once_with_the_words_of_its_scope(void **state)
{
	assert_int_equal(yyjson_arr_size(at("/tags")), 3);
	assert_string_equal(words_at("/tags/0/name"), "orders");
	assert_string_equal(words_at("/tags/0/description"), "Orders of the shop");
	assert_string_equal(words_at("/paths/~1orders-query~1{id}/put/tags/0"), "odd");
}

static void a_guard_shows_as_a_security_requirement(void **state)
{
	assert_non_null(at("/paths/~1orders/post/security/0/bearer"));
	assert_int_equal(yyjson_arr_size(at("/paths/~1hook/post/security")), 0);
	assert_string_equal(words_at("/components/securitySchemes/bearer/scheme"), "bearer");
}

static void limits_and_deadlines_are_told(void **state)
{
	assert_int_equal(yyjson_get_int(at("/paths/~1orders/post/x-rate-limit/requests")), 10);
	assert_string_equal(words_at("/paths/~1orders/post/x-rate-limit/per"), "user");
	assert_int_equal(yyjson_get_int(at("/paths/~1orders/post/x-deadline-ms")), 3000);
	assert_null(at("/paths/~1orders/get/x-deadline-ms"));
	assert_non_null(at("/components/responses/RATE_LIMITED/headers/Retry-After"));
}

static void examples_are_made_of_the_fields(void **state)
{
	const char *example = "/paths/~1orders/post/requestBody/content/application~1json/example";
	char pointer[160];

	snprintf(pointer, sizeof(pointer), "%s/email", example);
	assert_string_equal(words_at(pointer), "ada@example.com");
	snprintf(pointer, sizeof(pointer), "%s/lines/0/article", example);
	assert_string_equal(words_at(pointer), "millstone");
	snprintf(pointer, sizeof(pointer), "%s/note", example);
	assert_null(at(pointer));
}

static void nested_schemas_are_components_too(void **state)
{
	assert_non_null(at("/components/schemas/order"));
	assert_non_null(at("/components/schemas/order_line"));
	assert_non_null(at("/components/schemas/order_page"));
	assert_string_equal(words_at("/components/schemas/order_page/properties/data/items/$ref"),
		"#/components/schemas/order");
}

static void operations_share_the_responses_that_refuse(void **state)
{
	const char *one = words_at("/paths/~1orders/post/responses/401/$ref");
	const char *other = words_at("/paths/~1orders~1{id}/delete/responses/401/$ref");

	assert_string_equal(one, "#/components/responses/TOKEN_MISSING.TOKEN_EXPIRED");
	assert_string_equal(one, other);
}

static void a_reply_without_a_body_has_no_content(void **state)
{
	assert_non_null(at("/paths/~1orders~1{id}/delete/responses/204"));
	assert_null(at("/paths/~1orders~1{id}/delete/responses/204/content"));
	assert_non_null(at("/paths/~1hook/post/responses/200/content/text~1plain"));
}

static void without_memory_there_is_no_document(void **state)
{
	for (size_t cap = 0; cap < 400000; cap += 9973) {
		struct arena arena;

		arena_init(&arena, NULL, cap);
		openapi_document(desk.router, &arena, "1");
		arena_deinit(&arena);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_in_the_document_whole),
		cmocka_unit_test(the_proof_sees_what_is_missing),
		cmocka_unit_test(it_says_which_version_of_what_it_is),
		cmocka_unit_test(an_alias_has_an_operation_id_and_a_summary_of_its_own),
		cmocka_unit_test(hidden_rows_and_other_listeners_are_not_shown),
		cmocka_unit_test(a_tag_is_listed_once_with_the_words_of_its_scope),
		cmocka_unit_test(a_guard_shows_as_a_security_requirement),
		cmocka_unit_test(limits_and_deadlines_are_told),
		cmocka_unit_test(examples_are_made_of_the_fields),
		cmocka_unit_test(nested_schemas_are_components_too),
		cmocka_unit_test(operations_share_the_responses_that_refuse),
		cmocka_unit_test(a_reply_without_a_body_has_no_content),
		cmocka_unit_test(without_memory_there_is_no_document),
	};

	if (argc == 2 && strcmp(argv[1], "--print") == 0) { /* for linters */
		open_desk(NULL);
		fwrite(document.data, 1, document.len, stdout);
		return close_desk(NULL);
	}
	return cmocka_run_group_tests(tests, open_desk, close_desk);
}
