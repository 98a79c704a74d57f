// SPDX-License-Identifier: Apache-2.0

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "test/http/ask.h"
#include "test/http/shop.h"

#define ID         "01980f5c-7a1e-7c3d-9b52-4f8e6a0d1c2b"
#define BADGE      .headers = {"authorization", "Bearer x"}
#define GOOD_LINES "\"lines\":[{\"article\":\"stone\",\"pieces\":2}]"
#define GOOD_BODY  "{\"email\":\"Ada@Example.com\"," GOOD_LINES "}"

static struct desk desk;

static int open_desk(void **state)
{
	static const struct scope *const scopes[] = {&shop_scope, &shop_open_scope};

	desk_open(&desk, scopes, 2);
	return 0;
}

static int close_desk(void **state)
{
	desk_close(&desk);
	return 0;
}

static const struct answer *place(const char *body, const char *type)
{
	return ask(&desk,
		&(struct asked) {
			.method = HTTP_POST, .path = "/orders", .body = body, .type = type, BADGE});
}

static const struct answer *list(const char *query)
{
	return ask(&desk,
		&(struct asked) {.method = HTTP_GET, .path = "/orders", .query = query, BADGE});
}

static void assert_refused(const struct answer *answer, uint16_t status, const char *code)
{
	char member[64] = "\"code\":\"";

	strcpy(stpcpy(member + strlen(member), code), "\"");
	assert_int_equal(answer->response.status, status);
	assert_text_has(answer->response.body, member);
}

static void a_good_body_reaches_the_steps_decoded(void **state)
{
	const struct answer *answer = place(GOOD_BODY, "application/json; charset=utf-8");

	assert_int_equal(answer->response.status, 201);
	assert_text_has(answer->response.body, "\"email\":\"ada@example.com\"");
	assert_text_has(answer->response.body, "{\"article\":\"stone\",\"pieces\":2}");
}

static void every_bad_field_is_told_at_once(void **state)
{
	const struct answer *answer = place("{\"email\":\"nobody\",\"lines\":[{\"article\":\"\","
					    "\"pieces\":0}],\"colour\":\"red\"}",
		NULL);

	assert_refused(answer, 422, "VALIDATION_FAILED");
	assert_text_has(answer->response.body, "\"pointer\":\"/email\"");
	assert_text_has(answer->response.body, "\"pointer\":\"/lines/0/article\"");
	assert_text_has(answer->response.body, "\"pointer\":\"/lines/0/pieces\"");
	assert_text_has(answer->response.body, "\"pointer\":\"/colour\"");
	assert_text_has(answer->response.body, "UNKNOWN_FIELD");
}

static void what_is_not_json_is_a_400(void **state)
{
	assert_refused(place("{\"email\":", NULL), 400, "BAD_JSON");
	assert_refused(place("[]", NULL), 422, "VALIDATION_FAILED");
	assert_refused(place("\xff", NULL), 400, "BAD_JSON");
	assert_refused(place("", NULL), 400, "BAD_JSON");
	assert_refused(place(NULL, NULL), 400, "BAD_JSON");
}

static void a_body_of_another_type_is_unsupported(void **state)
{
	assert_refused(place(GOOD_BODY, "text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE");
	assert_refused(place(GOOD_BODY, "application/json; charset=latin1"), 415,
		"UNSUPPORTED_MEDIA_TYPE");
	assert_refused(place(GOOD_BODY, ""), 415, "UNSUPPORTED_MEDIA_TYPE");
}

static void two_content_types_are_unsupported(void **state)
{
	const struct answer *answer = ask(&desk,
		&(struct asked) {.method = HTTP_POST,
			.path = "/orders",
			.body = GOOD_BODY,
			.headers = {"authorization", "x", "content-type", "application/json"}});

	assert_refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE");
}

static void a_guard_speaks_before_the_body_is_read(void **state)
{
	const struct answer *answer = ask(&desk,
		&(struct asked) {.method = HTTP_POST,
			.path = "/orders",
			.body = "{broken",
			.type = "text/plain"});

	assert_refused(answer, 401, "TOKEN_MISSING");
}

static void a_body_past_the_routes_maximum_is_too_large(void **state)
{
	char body[4096];

	memset(body, ' ', sizeof(body));
	body[sizeof(body) - 1] = '\0';
	assert_refused(place(body, NULL), 413, "BODY_TOO_LARGE");
	assert_false(desk.answer.started);
}

static void a_route_without_a_body_takes_none(void **state)
{
	struct asked asked = {.method = HTTP_DELETE, .path = "/orders/" ID, .body = "{}", BADGE};

	assert_refused(ask(&desk, &asked), 413, "BODY_TOO_LARGE");
	asked.body = "";
	assert_int_equal(ask(&desk, &asked)->response.status, 204);
}

static void a_route_may_take_a_raw_body(void **state)
{
	struct asked asked = {.method = HTTP_POST, .path = "/hook", .body = "a=b", .type = ""};

	assert_int_equal(ask(&desk, &asked)->response.status, 200);
	asked.body = "more than sixteen bytes";
	assert_refused(ask(&desk, &asked), 413, "BODY_TOO_LARGE");
}

static void a_path_parameter_of_the_wrong_type_is_not_found(void **state)
{
	struct asked asked = {.method = HTTP_DELETE, .path = "/orders/7"};

	assert_refused(ask(&desk, &asked), 404, "NOT_FOUND");
	assert_false(desk.answer.started);
	asked.path = "/orders/%ff";
	assert_refused(ask(&desk, &asked), 404, "NOT_FOUND");
}

static void a_path_parameter_is_decoded_before_it_is_read(void **state)
{
	struct asked asked = {.method = HTTP_DELETE,
		.path = "/orders/%301980f5c-7a1e-7c3d-9b52-4f8e6a0d1c2b",
		BADGE};

	assert_int_equal(ask(&desk, &asked)->response.status, 204);
}

static void a_query_is_decoded_with_its_fallbacks(void **state)
{
	assert_text_has(list(NULL)->response.body, "\"total\":1");
	assert_text_has(list("")->response.body, "\"total\":1");
	assert_text_has(list("page=7&open=true&word=a+b%20c")->response.body, "\"total\":7");
	assert_text_has(list("p%61ge=8&&")->response.body, "\"total\":8");
}

static void a_bad_query_is_told_field_by_field(void **state)
{
	const struct answer *answer = list("page=0&open=maybe&pgae=2&word=1&word=2");

	assert_refused(answer, 422, "VALIDATION_FAILED");
	assert_text_has(answer->response.body, "\"pointer\":\"page\"");
	assert_text_has(answer->response.body, "\"pointer\":\"open\"");
	assert_text_has(answer->response.body, "\"pointer\":\"pgae\"");
	assert_text_has(answer->response.body, "DUPLICATE_FIELD");
}

static void a_query_that_is_not_text_is_a_400(void **state)
{
	assert_refused(list("word=%ff"), 400, "BAD_QUERY");
	assert_refused(list("word=%00"), 400, "BAD_QUERY");
	assert_refused(list("word=%z"), 400, "BAD_QUERY");
}

static void a_flood_of_pairs_is_a_400(void **state)
{
	char query[4000];

	for (size_t i = 0; i + 4 < sizeof(query); i += 4)
		memcpy(query + i, "a=1&", 5);
	assert_refused(list(query), 400, "BAD_QUERY");
}

static void a_route_without_a_query_ignores_one(void **state)
{
	struct asked asked = {
		.method = HTTP_DELETE, .path = "/orders/" ID, .query = "utm_source=x&%zz", BADGE};

	assert_int_equal(ask(&desk, &asked)->response.status, 204);
}

static void bad_fields_of_query_and_body_come_in_one_answer(void **state)
{
	const struct answer *answer = ask(&desk,
		&(struct asked) {.method = HTTP_PUT,
			.path = "/orders-query/" ID,
			.query = "page=0",
			.body = "{\"email\":\"nobody\"," GOOD_LINES "}"});

	assert_refused(answer, 422, "VALIDATION_FAILED");
	assert_text_has(answer->response.body, "\"pointer\":\"page\"");
	assert_text_has(answer->response.body, "\"pointer\":\"/email\"");
}

static void path_query_and_body_reach_one_state(void **state)
{
	const struct answer *answer = ask(&desk,
		&(struct asked) {.method = HTTP_PUT,
			.path = "/orders-query/" ID,
			.query = "page=3",
			.body = GOOD_BODY});

	assert_int_equal(answer->response.status, 204);
}

static void a_full_arena_is_a_503_never_a_crash(void **state)
{
	static char body[12000];
	unsigned refused = 0;

	memset(body, ' ', sizeof(body));
	memcpy(body + sizeof(body) - sizeof(GOOD_BODY), GOOD_BODY, sizeof(GOOD_BODY));
	for (size_t cap = 8192; cap < 60000; cap += 512) {
		const struct answer *answer = ask(&desk,
			&(struct asked) {.method = HTTP_PUT,
				.path = "/orders-query/" ID,
				.query = "page=3",
				.body = body,
				.arena_cap_bytes = cap});

		if (answer->response.status != 204) {
			assert_int_equal(answer->response.status, 503);
			assert_text_has(answer->response.body, "OVERLOADED");
			refused++;
		}
	}
	assert_true(refused > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_body_reaches_the_steps_decoded),
		cmocka_unit_test(every_bad_field_is_told_at_once),
		cmocka_unit_test(what_is_not_json_is_a_400),
		cmocka_unit_test(a_body_of_another_type_is_unsupported),
		cmocka_unit_test(two_content_types_are_unsupported),
		cmocka_unit_test(a_guard_speaks_before_the_body_is_read),
		cmocka_unit_test(a_body_past_the_routes_maximum_is_too_large),
		cmocka_unit_test(a_route_without_a_body_takes_none),
		cmocka_unit_test(a_route_may_take_a_raw_body),
		cmocka_unit_test(a_path_parameter_of_the_wrong_type_is_not_found),
		cmocka_unit_test(a_path_parameter_is_decoded_before_it_is_read),
		cmocka_unit_test(a_query_is_decoded_with_its_fallbacks),
		cmocka_unit_test(a_bad_query_is_told_field_by_field),
		cmocka_unit_test(a_query_that_is_not_text_is_a_400),
		cmocka_unit_test(a_flood_of_pairs_is_a_400),
		cmocka_unit_test(a_route_without_a_query_ignores_one),
		cmocka_unit_test(bad_fields_of_query_and_body_come_in_one_answer),
		cmocka_unit_test(path_query_and_body_reach_one_state),
		cmocka_unit_test(a_full_arena_is_a_503_never_a_crash),
	};

	return cmocka_run_group_tests(tests, open_desk, close_desk);
}
