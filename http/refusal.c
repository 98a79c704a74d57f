// SPDX-License-Identifier: Apache-2.0

/*
 * refusal - the one place where an answer becomes an error: body by Accept, headers by problem, one
 * count, one log line. It cannot fail: without memory for the body a shorter, constant one goes
 * out.
 */

#include "http/refusal.h"

#include <assert.h>

#include "http/handler.h"
#include "http/loop.h"
#include "http/negotiation.h"
#include "observability/log.h"
#include "observability/metrics.h"

static const struct metric errors_total = {
	.name = "errors_total",
	.kind = METRIC_COUNTER,
	.help = "Requests answered with a problem, by its code",
	.labels = {"type", "severity"},
	.series_max = PROBLEM_COUNT + 1,
};

static const char *const bare_bodies[PROBLEM_COUNT] = {
#define PROBLEM(id, status_, code_, message_) \
	[PROBLEM_##id] = (status_) < 500 \
		? "{\"status\":\"fail\",\"code\":\"" code_ "\",\"message\":\"" message_ "\"}" \
		: "{\"status\":\"error\",\"code\":\"" code_ "\",\"message\":\"" message_ "\"}",
#include "http/problem.def"
#undef PROBLEM
};

static bool is_server_error(enum problem problem)
{
	return problem_row(problem)->status >= 500;
}

static metric_id find_series(struct metric_shard *shard, enum problem problem)
{
	struct text severity = is_server_error(problem) ? TEXT("error") : TEXT("fail");
	struct text code = text_from_c(problem_row(problem)->code);

	return metric_series(
		metric_shard_owner(shard), &errors_total, METRIC_LABELS(code, severity));
}

/* Finding a series takes a lock, so the loop keeps what it found. */
static void count(struct flow *flow, enum problem problem)
{
	struct metric_shard *shard = flow->loop->metrics;
	struct http_loop *http = flow->loop->http;
	metric_id series;

	if (!shard)
		return;
	if (!http) {
		metric_add(shard, find_series(shard, problem), 1);
		return;
	}
	series = http->problem_series[problem];
	if (series == 0)
		series = http->problem_series[problem] = find_series(shard, problem);
	metric_add(shard, series, 1);
}

/* A client can cause these two at will: not worth a warning each. */
static enum log_level level_of(enum problem problem)
{
	if (problem == PROBLEM_METHOD_NOT_IMPLEMENTED || problem == PROBLEM_VERSION_NOT_SUPPORTED)
		return LOG_INFO;
	if (problem == PROBLEM_INTERNAL || problem == PROBLEM_STORAGE_FULL)
		return LOG_ERROR;
	return LOG_WARN;
}

static struct text route_name(const struct exchange *exchange)
{
	return exchange->match.route ? text_from_c(exchange->match.route->row->name)
				     : TEXT("unmatched");
}

static void log_once(struct flow *flow, const struct refusal *refusal, const char *event)
{
	const struct exchange *exchange = exchange_of(flow);
	const struct problem_row *row = problem_row(refusal->problem);

	if (!flow->loop->log)
		return;
	log_write_flow(flow, level_of(refusal->problem), event,
		LOG_FIELDS(LOG_TEXT("route", route_name(exchange)),
			LOG_STRING("method", http_method_name(exchange->request.method)),
			LOG_STRING("code", row->code), LOG_NUMBER("status", row->status),
			LOG_STRING(
				"cause", refusal->cause ? refusal->cause : "refused by a step")));
}

/* ---- headers ---- */

static struct http_header *find_header(struct exchange_response *response, struct text name)
{
	for (size_t i = 0; i < response->header_count; i++) {
		if (text_equals_ignore_case(response->headers[i].name, name))
			return &response->headers[i];
	}
	return NULL;
}

bool response_has_header(const struct exchange_response *response, struct text name)
{
	return find_header((struct exchange_response *)response, name) != NULL;
}

void response_put_header(struct exchange_response *response, struct text name, struct text value)
{
	struct http_header *header = find_header(response, name);

	assert(header || response->header_count < EXCHANGE_HEADERS_MAX);
	if (!header) {
		if (response->header_count == EXCHANGE_HEADERS_MAX)
			return;
		header = &response->headers[response->header_count++];
	}
	*header = (struct http_header) {.name = name, .value = value};
}

static struct text retry_after(enum problem problem)
{
	switch (problem_retry_after_seconds(problem)) {
	case 0:
		return TEXT_ABSENT;
	case 1:
		return TEXT("1");
	case 5:
		return TEXT("5");
	case 30:
		return TEXT("30");
	default:
		return TEXT("60");
	}
}

static void put_headers(struct exchange *exchange, enum problem problem)
{
	struct exchange_response *response = &exchange->response;
	struct text wait = retry_after(problem);
	struct text challenge = text_from_c(problem_challenge(problem));

	response_put_header(response, TEXT("X-Content-Type-Options"), TEXT("nosniff"));
	response_put_header(response, TEXT("Cache-Control"), TEXT("no-store"));
	if (!text_is_absent(wait) && !response_has_header(response, TEXT("Retry-After")))
		response_put_header(response, TEXT("Retry-After"), wait);
	if (!text_is_absent(challenge))
		response_put_header(response, TEXT("WWW-Authenticate"), challenge);
	if (problem == PROBLEM_METHOD_NOT_ALLOWED && !text_is_absent(exchange->match.allow))
		response_put_header(response, TEXT("Allow"), exchange->match.allow);
}

/* ---- the funnel ---- */

static void respond(struct flow *flow, const struct refusal *refusal)
{
	struct exchange *exchange = exchange_of(flow);
	struct text accept = request_header(&exchange->request, TEXT("accept"));
	struct text media_type = TEXT("application/json");
	struct refusal_body body = {
		.problem = refusal->problem,
		.errors = refusal->errors,
		.request_id = text_from_c(flow->trace.request_id),
		.instance = exchange->request.path,
	};
	struct text text;

	if (accept_prefers_problem_json(accept)) {
		media_type = TEXT("application/problem+json");
		text = refusal_problem_json(&body, &flow->arena);
	} else {
		text = refusal_jsend(&body, &flow->arena);
	}
	if (text_is_absent(text)) {
		media_type = TEXT("application/json");
		text = text_from_c(bare_bodies[refusal->problem]);
	}
	exchange_respond(flow, problem_row(refusal->problem)->status, media_type, text);
}

void refuse_with(struct flow *flow, const struct refusal *refusal)
{
	count(flow, refusal->problem);
	if (is_server_error(refusal->problem))
		log_once(flow, refusal, "request_refused");
	put_headers(exchange_of(flow), refusal->problem);
	respond(flow, refusal);
}

void exchange_refuse(struct flow *flow, enum problem problem)
{
	refuse_with(
		flow, &(struct refusal) {.problem = problem, .cause = "refused before its steps"});
}

void exchange_refuse_failure(struct flow *flow, enum failure failure, const char *cause)
{
	struct exchange *exchange = exchange_of(flow);
	struct refusal refusal = {
		.problem = problem_of_failure(failure),
		.cause = cause ? cause : failure_name(failure),
	};

	if (exchange->response.begun) { /* the client sees a cut, the figures see its reason */
		count(flow, refusal.problem);
		log_once(flow, &refusal, "answer_cut_off");
		exchange->response.status = problem_row(refusal.problem)->status;
		return;
	}
	if (exchange->response.framing != BODY_OF_LENGTH) /* announced, but nothing of it is out */
		exchange->response.status = 0;
	if (exchange->response.status != 0) { /* the answer stands, what came after it did not */
		if (is_server_error(refusal.problem))
			log_once(flow, &refusal, "failed_after_answer");
		return;
	}
	/* What a step prepared described the answer that did not come. */
	exchange->response.header_count = 0;
	refuse_with(flow, &refusal);
}

/* ---- for steps ---- */

static void assert_declared(const struct flow *flow, enum problem problem)
{
	const struct compiled_route *route = exchange_of(flow)->match.route;

	(void)route;
	assert((problem_is_general(problem) || !route ||
		       problem_is_listed(&route->problems, problem)) &&
		"a step refused with a problem that neither its route nor a guard declares");
}

enum flow_verdict refuse(struct flow *flow, enum problem problem)
{
	assert_declared(flow, problem);
	refuse_with(flow, &(struct refusal) {.problem = problem});
	return FLOW_DONE;
}

enum flow_verdict refuse_field(
	struct flow *flow, struct text pointer, const char *code, struct text message)
{
	struct schema_error error = {.pointer = pointer, .code = code, .message = message};
	struct schema_errors errors = {.list = &error, .count = 1};

	refuse_with(
		flow, &(struct refusal) {.problem = PROBLEM_VALIDATION_FAILED, .errors = &errors});
	return FLOW_DONE;
}
