// SPDX-License-Identifier: Apache-2.0

#include "test/http/ask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_BYTES = 8 << 20, FLOW_BYTES = 1 << 20 };

void assert_text_equal(struct text actual, const char *expected)
{
	if (!text_equals(actual, text_from_c(expected)))
		fail_msg("'%.*s' is not '%s'", TEXT_ARG(actual), expected);
}

void assert_text_has(struct text actual, const char *part)
{
	if (!actual.data || !memmem(actual.data, actual.len, part, strlen(part)))
		fail_msg("'%.*s' does not hold '%s'", TEXT_ARG(actual), part);
}

void desk_open(struct desk *desk, const struct scope *const *scopes, size_t scope_count)
{
	struct text error;

	memset(desk, 0, sizeof(*desk));
	arena_init(&desk->arena, NULL, ARENA_BYTES);
	arena_init(&desk->answer_arena, NULL, ARENA_BYTES);
	desk->router = router_new(scopes, scope_count, &desk->arena, &error);
	if (!desk->router)
		fail_msg("%.*s", TEXT_ARG(error));
	assert_int_equal(loop_init(&desk->loop, 0), 0);
}

void desk_close(struct desk *desk)
{
	loop_stop(&desk->loop);
	loop_run(&desk->loop);
	loop_deinit(&desk->loop);
	router_free(desk->router);
	arena_deinit(&desk->answer_arena);
	arena_deinit(&desk->arena);
}

static void keep_answer(struct desk *desk, const struct exchange *exchange)
{
	struct exchange_response *kept = &desk->answer.response;

	*kept = exchange->response;
	kept->media_type = arena_text(&desk->answer_arena, kept->media_type);
	kept->body = arena_text(&desk->answer_arena, kept->body);
	for (size_t i = 0; i < kept->header_count; i++) {
		kept->headers[i].name = arena_text(&desk->answer_arena, kept->headers[i].name);
		kept->headers[i].value = arena_text(&desk->answer_arena, kept->headers[i].value);
	}
}

static void on_end(struct flow *flow, enum failure failure, const char *cause)
{
	struct desk *desk = (struct desk *)((char *)flow->loop - offsetof(struct desk, loop));

	if (failure != FAILURE_NONE)
		exchange_refuse_failure(flow, failure, cause);
	else if (exchange_of(flow)->response.status == 0)
		exchange_refuse_failure(
			flow, FAILURE_INTERNAL, "the steps ended without an answer");
	desk->ended++;
	keep_answer(desk, exchange_of(flow));
}

static const struct flow_owner owner = {.on_end = on_end};

static void add_header(struct exchange *exchange, const char *name, const char *value)
{
	exchange->request.headers[exchange->request.header_count++] = (struct http_header) {
		.name = text_from_c(name), .value = text_from_c(value)};
}

static struct exchange *exchange_for(struct flow *flow, const struct asked *asked)
{
	struct exchange *exchange = arena_zalloc(&flow->arena, sizeof(*exchange));
	const char *type = asked->type;

	exchange->request.method = asked->method;
	exchange->request.path = text_from_c(asked->path);
	exchange->request.query = text_from_c(asked->query);
	exchange->request.body = text_from_c(asked->body);
	exchange->request.has_body = asked->body != NULL;
	exchange->request.listener = asked->listener ? asked->listener : LISTENER_API;
	exchange->request.headers = arena_zalloc(&flow->arena, 8 * sizeof(struct http_header));
	for (size_t i = 0; i < 8 && asked->headers[i]; i += 2)
		add_header(exchange, asked->headers[i], asked->headers[i + 1]);
	if (!type && asked->body)
		type = "application/json";
	if (type && *type)
		add_header(exchange, "content-type", type);
	return exchange;
}

/* What a connection does once the head and the body are there. */
static void serve(struct desk *desk, struct flow *flow, struct exchange *exchange)
{
	struct exchange_response *response = &exchange->response;

	desk->answer.kind = exchange->match.kind;
	if (exchange->match.kind == MATCH_ROUTE) {
		flow->route = exchange->match.route;
		if (exchange_dispatch(flow)) {
			desk->answer.started = true;
			return;
		}
	} else if (exchange->match.kind == MATCH_OPTIONS) {
		response->status = 204;
		response->headers[response->header_count++] = (struct http_header) {
			.name = TEXT("allow"), .value = exchange->match.allow};
	} else {
		exchange_refuse(flow, exchange->match.problem);
	}
	keep_answer(desk, exchange);
	flow_discard(flow);
}

const struct answer *ask(struct desk *desk, const struct asked *asked)
{
	size_t cap = asked->arena_cap_bytes ? asked->arena_cap_bytes : FLOW_BYTES;
	struct flow *flow = flow_new(&desk->loop, &owner, NULL, 0, cap);
	struct exchange *exchange = exchange_for(flow, asked);

	arena_deinit(&desk->answer_arena);
	memset(&desk->answer, 0, sizeof(desk->answer));
	flow->owner_data = exchange;
	if (asked->request_id)
		strncpy(flow->trace.request_id, asked->request_id,
			sizeof(flow->trace.request_id) - 1);
	router_match(desk->router, exchange->request.listener, &exchange->request, &flow->arena,
		&exchange->match);
	serve(desk, flow, exchange);
	for (int turn = 0; desk->answer.started && desk->ended == 0 && turn < 1000; turn++)
		uv_run(&desk->loop.uv, UV_RUN_NOWAIT);
	desk->ended = 0;
	return &desk->answer;
}

struct text answer_header(const struct answer *answer, const char *lower_case_name)
{
	for (size_t i = 0; i < answer->response.header_count; i++) {
		if (text_equals_ignore_case(
			    answer->response.headers[i].name, text_from_c(lower_case_name)))
			return answer->response.headers[i].value;
	}
	return TEXT_ABSENT;
}
