// SPDX-License-Identifier: Apache-2.0

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "observability/metrics.h"
#include "test/http/ask.h"
#include "test/http/shop.h"

#define ID    "01980f5c-7a1e-7c3d-9b52-4f8e6a0d1c2b"
#define BADGE .headers = {"authorization", "Bearer x"}
#define LINES "\"lines\":[{\"article\":\"stone\",\"pieces\":2}]"

static enum flow_verdict refuse_undeclared(struct flow *flow)
{
	return refuse(flow, PROBLEM_EMAIL_TAKEN);
}

static const struct flow_step undeclared_steps[] = {STEP(refuse_undeclared), STEPS_END};
static const struct route undeclared_routes[] = {
	{.method = HTTP_GET,
		.path = "/undeclared",
		.name = "undeclared",
		.about = "A defect",
		.status = 204,
		.steps = undeclared_steps},
};
static const struct scope undeclared_scope = {.prefixes = {""}, ROUTES(undeclared_routes)};

static struct desk desk;

static int open_desk(void **state)
{
	static const struct scope *const scopes[] = {
		&shop_scope, &shop_open_scope, &undeclared_scope};

	desk_open(&desk, scopes, 3);
	return 0;
}

static int close_desk(void **state)
{
	desk_close(&desk);
	return 0;
}

static const struct answer *get(const char *path)
{
	return ask(&desk,
		&(struct asked) {.method = HTTP_GET, .path = path, BADGE, .request_id = "r-1"});
}

static const struct answer *place(const char *body)
{
	return ask(&desk,
		&(struct asked) {.method = HTTP_POST,
			.path = "/orders",
			.body = body,
			BADGE,
			.request_id = "r-1"});
}

static void a_reply_is_the_data_in_a_jsend_envelope(void **state)
{
	const struct answer *answer = get("/orders");

	assert_int_equal(answer->response.status, 200);
	assert_text_equal(answer->response.media_type, "application/json");
	assert_text_equal(answer->response.body,
		"{\"status\":\"success\",\"data\":{\"total\":1,\"data\":[]}}");
}

static void a_reply_has_the_status_of_its_row_and_the_headers_of_its_step(void **state)
{
	const struct answer *answer = place("{\"email\":\"a@b.de\"," LINES "}");

	assert_int_equal(answer->response.status, 201);
	assert_text_equal(answer_header(answer, "location"), "/orders/1");
}

static void json_is_neither_sniffed_nor_stored(void **state)
{
	const struct answer *answer = get("/orders");

	assert_text_equal(answer_header(answer, "x-content-type-options"), "nosniff");
	assert_text_equal(answer_header(answer, "cache-control"), "no-store");
}

static void an_empty_reply_is_a_204_without_a_body(void **state)
{
	const struct answer *answer = ask(
		&desk, &(struct asked) {.method = HTTP_DELETE, .path = "/orders/" ID, BADGE});

	assert_int_equal(answer->response.status, 204);
	assert_true(text_is_absent(answer->response.body));
	assert_text_equal(answer_header(answer, "cache-control"), "no-store");
}

static void a_raw_reply_to_someone_known_is_not_stored(void **state)
{
	const struct answer *answer = get("/orders/" ID "/print");

	assert_text_equal(answer->response.media_type, "text/plain");
	assert_text_equal(answer->response.body, "an order");
	assert_text_equal(answer_header(answer, "cache-control"), "no-store");
}

static void a_raw_reply_to_anyone_may_be(void **state)
{
	const struct answer *answer = ask(
		&desk, &(struct asked) {.method = HTTP_POST, .path = "/hook"});

	assert_int_equal(answer->response.status, 200);
	assert_true(text_is_absent(answer_header(answer, "cache-control")));
}

static void a_refusal_has_code_message_and_request_id(void **state)
{
	const struct answer *answer = place("{\"email\":\"taken@example.com\"," LINES "}");

	assert_int_equal(answer->response.status, 409);
	assert_text_equal(answer->response.media_type, "application/json");
	assert_text_equal(answer->response.body,
		"{\"status\":\"fail\",\"code\":\"EMAIL_TAKEN\","
		"\"message\":\"A user with this e-mail already exists\",\"request_id\":\"r-1\"}");
}

static void a_refusal_takes_the_form_that_accept_asks_for(void **state)
{
	const struct answer *answer = ask(&desk,
		&(struct asked) {.method = HTTP_GET,
			.path = "/nowhere",
			.request_id = "r-2",
			.headers = {"accept", "application/problem+json"}});

	assert_int_equal(answer->response.status, 404);
	assert_text_equal(answer->response.media_type, "application/problem+json");
	assert_text_equal(answer->response.body,
		"{\"type\":\"/docs/problems#NOT_FOUND\",\"title\":\"Nothing is here\",\"status\":404,"
		"\"instance\":\"/nowhere\",\"code\":\"NOT_FOUND\",\"request_id\":\"r-2\"}");
}

static void a_401_carries_a_challenge(void **state)
{
	const struct answer *answer = ask(
		&desk, &(struct asked) {.method = HTTP_GET, .path = "/orders"});

	assert_int_equal(answer->response.status, 401);
	assert_text_equal(answer_header(answer, "www-authenticate"), "Bearer realm=\"millrace\"");
}

static void a_405_carries_allow(void **state)
{
	const struct answer *answer = ask(
		&desk, &(struct asked) {.method = HTTP_PATCH, .path = "/orders"});

	assert_int_equal(answer->response.status, 405);
	assert_text_equal(answer_header(answer, "allow"), "GET, HEAD, POST, OPTIONS");
}

static void options_is_a_204_with_allow(void **state)
{
	const struct answer *answer = ask(
		&desk, &(struct asked) {.method = HTTP_OPTIONS, .path = "/orders"});

	assert_int_equal(answer->response.status, 204);
	assert_text_equal(answer_header(answer, "allow"), "GET, HEAD, POST, OPTIONS");
}

static void one_bad_field_can_be_refused_by_a_step(void **state)
{
	const struct answer *answer = ask(&desk,
		&(struct asked) {
			.method = HTTP_GET, .path = "/orders", .query = "word=odd", BADGE});

	assert_int_equal(answer->response.status, 422);
	assert_text_has(answer->response.body,
		"\"errors\":[{\"pointer\":\"word\",\"code\":\"ODD\","
		"\"message\":\"must not be odd\"}]");
}

static void a_failure_becomes_its_problem_and_forgets_what_was_prepared(void **state)
{
	const struct answer *answer = get("/failing");

	assert_int_equal(answer->response.status, 503);
	assert_text_has(answer->response.body, "\"status\":\"error\",\"code\":\"UNAVAILABLE\"");
	assert_text_equal(answer_header(answer, "retry-after"), "5");
	assert_true(text_is_absent(answer_header(answer, "etag")));
	/* the cause is for the log alone */
	assert_null(memmem(answer->response.body.data, answer->response.body.len, "lost", 4));
}

static void steps_that_never_answer_are_an_internal_error(void **state)
{
	const struct answer *answer = get("/silent");

	assert_int_equal(answer->response.status, 500);
	assert_text_has(answer->response.body, "\"code\":\"INTERNAL\"");
}

static void every_refusal_is_counted_by_code_and_severity(void **state)
{
	struct metrics *metrics = metrics_new();
	struct arena arena;
	struct text exposition;

	arena_init(&arena, NULL, 1 << 20);
	desk.loop.metrics = metric_shard_new(metrics);
	get("/silent");
	get("/nowhere");
	get("/nowhere");
	get("/orders");
	exposition = metrics_expose(metrics, &arena);
	assert_text_has(exposition, "errors_total{type=\"INTERNAL\",severity=\"error\"} 1\n");
	assert_text_has(exposition, "errors_total{type=\"NOT_FOUND\",severity=\"fail\"} 2\n");
	desk.loop.metrics = NULL;
	arena_deinit(&arena);
	metrics_free(metrics);
}

/* In a process of its own: the assertion ends it. */
static void a_problem_that_nobody_declared_fails_in_tests(void **state)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		get("/undeclared");
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_is_the_data_in_a_jsend_envelope),
		cmocka_unit_test(a_reply_has_the_status_of_its_row_and_the_headers_of_its_step),
		cmocka_unit_test(json_is_neither_sniffed_nor_stored),
		cmocka_unit_test(an_empty_reply_is_a_204_without_a_body),
		cmocka_unit_test(a_raw_reply_to_someone_known_is_not_stored),
		cmocka_unit_test(a_raw_reply_to_anyone_may_be),
		cmocka_unit_test(a_refusal_has_code_message_and_request_id),
		cmocka_unit_test(a_refusal_takes_the_form_that_accept_asks_for),
		cmocka_unit_test(a_401_carries_a_challenge),
		cmocka_unit_test(a_405_carries_allow),
		cmocka_unit_test(options_is_a_204_with_allow),
		cmocka_unit_test(one_bad_field_can_be_refused_by_a_step),
		cmocka_unit_test(a_failure_becomes_its_problem_and_forgets_what_was_prepared),
		cmocka_unit_test(steps_that_never_answer_are_an_internal_error),
		cmocka_unit_test(every_refusal_is_counted_by_code_and_severity),
		cmocka_unit_test(a_problem_that_nobody_declared_fails_in_tests),
	};

	return cmocka_run_group_tests(tests, open_desk, close_desk);
}
