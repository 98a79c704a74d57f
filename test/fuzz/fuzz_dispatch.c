// SPDX-License-Identifier: Apache-2.0

/*
 * Whatever path, query, headers and body say: the request is answered once, by a status of the row
 * or by a problem, and an answer in JSON is JSON.
 *
 * Input: a byte for the method, then path, query, Accept, Content-Type, each up to a newline, then
 * the body.
 */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "http/exchange.h"
#include "http/server.h"
#include "test/http/shop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct scope *const scopes[] = {&shop_scope, &shop_open_scope};

struct bench {
	struct loop loop;
	struct arena arena;
	struct router *router;
	unsigned ended;
};

static struct bench *bench_get(void)
{
	static struct bench bench;
	struct text error;

	if (!bench.router) {
		arena_init(&bench.arena, NULL, 1 << 20);
		bench.router = router_new(scopes, 2, &bench.arena, &error);
		assert(bench.router && loop_init(&bench.loop, 0) == 0);
	}
	return &bench;
}

static void check_answer(const struct exchange *exchange)
{
	const struct exchange_response *response = &exchange->response;

	assert(response->status >= 200 && response->status <= 599);
	assert(response->header_count <= EXCHANGE_HEADERS_MAX);
	if (text_ends_with(response->media_type, TEXT("json"))) {
		yyjson_doc *parsed = yyjson_read(response->body.data, response->body.len, 0);

		assert(parsed);
		yyjson_doc_free(parsed);
	}
}

static void on_end(struct flow *flow, enum failure failure, const char *cause)
{
	struct bench *bench = (struct bench *)((char *)flow->loop - offsetof(struct bench, loop));

	if (failure != FAILURE_NONE)
		exchange_refuse_failure(flow, failure, cause);
	else if (exchange_of(flow)->response.status == 0)
		exchange_refuse_failure(
			flow, FAILURE_INTERNAL, "the steps ended without an answer");
	bench->ended++;
	check_answer(exchange_of(flow));
}

static const struct flow_owner owner = {.on_end = on_end};

static struct text take_line(struct text *rest)
{
	return text_is_absent(*rest) ? TEXT_ABSENT : text_cut(*rest, '\n', rest);
}

static struct exchange *exchange_for(struct flow *flow, struct text input)
{
	struct exchange *exchange = arena_zalloc(&flow->arena, sizeof(*exchange));
	struct http_request *request = &exchange->request;

	request->method = (enum http_method)(
		HTTP_GET + (unsigned char)input.data[0] % HTTP_OPTIONS);
	input = text_of(input.data + 1, input.len - 1);
	request->path = take_line(&input);
	request->query = take_line(&input);
	request->headers = arena_zalloc(&flow->arena, 3 * sizeof(*request->headers));
	request->headers[0] = (struct http_header) {TEXT("accept"), take_line(&input)};
	request->headers[1] = (struct http_header) {TEXT("content-type"), take_line(&input)};
	request->headers[2] = (struct http_header) {TEXT("authorization"), TEXT("Bearer x")};
	request->header_count = 3;
	request->body = input;
	return exchange;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bench *bench = bench_get();
	struct exchange *exchange;
	struct flow *flow;

	if (size < 1)
		return 0;
	bench->ended = 0;
	flow = flow_new(&bench->loop, &owner, NULL, 0, 1 << 20);
	exchange = exchange_for(flow, text_of((const char *)data, size));
	flow->owner_data = exchange;
	router_match(
		bench->router, LISTENER_API, &exchange->request, &flow->arena, &exchange->match);
	if (exchange->match.kind == MATCH_ROUTE && exchange_dispatch(flow)) {
		assert(bench->ended == 1); /* no step of the shop waits */
		return 0;
	}
	if (exchange->match.kind == MATCH_REFUSED)
		exchange_refuse(flow, exchange->match.problem);
	if (exchange->match.kind != MATCH_OPTIONS)
		check_answer(exchange);
	flow_discard(flow);
	return 0;
}
