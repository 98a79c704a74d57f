// SPDX-License-Identifier: Apache-2.0

#include "http/measure.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "http/exchange.h"
#include "http/handler.h"
#include "http/loop.h"
#include "observability/log.h"
#include "observability/metrics.h"

enum {
	STATUS_GONE = 499, /* nobody was left to answer; not on the wire */
	METHODS = HTTP_OPTIONS + 1,
	USER_AGENT_MAX_BYTES = 128,
	PATH_MAX_BYTES = 512,
};

static const double size_buckets[] = {100, 1000, 10000, 100000, 1000000, 10000000};
enum { SIZE_BUCKETS = sizeof(size_buckets) / sizeof(size_buckets[0]) };

static const struct metric requests_total = {
	.name = "http_requests_total",
	.kind = METRIC_COUNTER,
	.help = "Requests by method, route template and status; 499: the client left first.",
	.labels = {"method", "endpoint", "status"},
};
static const struct metric request_duration = {
	.name = "http_request_duration_seconds",
	.kind = METRIC_HISTOGRAM,
	.help = "From the first byte of a request to its answer.",
	.labels = {"method", "endpoint"},
};
static const struct metric request_size = {
	.name = "http_request_size_bytes",
	.kind = METRIC_HISTOGRAM,
	.help = "Head and body of requests as they came.",
	.labels = {"method", "endpoint"},
	.buckets = size_buckets,
	.bucket_count = SIZE_BUCKETS,
};
static const struct metric response_size = {
	.name = "http_response_size_bytes",
	.kind = METRIC_HISTOGRAM,
	.help = "Head and body of answers.",
	.labels = {"method", "endpoint"},
	.buckets = size_buckets,
	.bucket_count = SIZE_BUCKETS,
};
static const struct metric connections = {
	.name = "http_connections",
	.kind = METRIC_GAUGE,
	.help = "Open connections.",
};
static const struct metric connections_refused = {
	.name = "http_connections_refused_total",
	.kind = METRIC_COUNTER,
	.help = "Connections that were turned away.",
	.labels = {"reason"},
};

/* The statuses that have a slot of their own; others are looked up each time. */
static const uint16_t statuses[] = {
	200,
	201,
	202,
	204,
	304,
	400,
	401,
	403,
	404,
	405,
	406,
	408,
	409,
	411,
	412,
	413,
	414,
	415,
	417,
	422,
	428,
	429,
	431,
	499,
	500,
	501,
	502,
	503,
	504,
	505,
	507,
};
enum { STATUSES = sizeof(statuses) / sizeof(statuses[0]) };

struct series_row {
	metric_id duration;
	metric_id request_size;
	metric_id response_size;
	metric_id by_status[STATUSES];
};

struct http_series {
	uint8_t slots[600]; /* of a status, from 1; 0: none */
	metric_id connections;
	metric_id refused[REFUSAL_REASONS];
	struct series_row rows[]; /* two per route (itself, HEAD), then one per method for "none" */
};

bool measure_init(struct http_loop *http)
{
	size_t rows = 2 * (size_t)router_route_count(http_router_of(http)) + METHODS;
	struct http_series *series;

	series = calloc(1, sizeof(*series) + rows * sizeof(series->rows[0]));
	if (series == NULL)
		return false;
	for (unsigned i = 0; i < STATUSES; i++)
		series->slots[statuses[i]] = (uint8_t)(i + 1);
	http->series = series;
	return true;
}

void measure_deinit(struct http_loop *http)
{
	free(http->series);
	http->series = NULL;
}

static metric_id find(struct http_loop *http, const struct metric *metric,
	const struct text *labels, size_t count)
{
	return metric_series(metric_shard_owner(http->loop->metrics), metric, labels, count);
}

static struct text method_label(const struct exchange *exchange)
{
	return exchange->request.method == 0
		? TEXT("other")
		: text_from_c(http_method_name(exchange->request.method));
}

static struct series_row *row_of(struct http_loop *http, const struct flow *flow)
{
	const struct compiled_route *route = flow->route;
	enum http_method method = exchange_of(flow)->request.method;

	if (route != NULL)
		return &http->series->rows[2 * route->index + (method == HTTP_HEAD)];
	return &http->series->rows[2 * router_route_count(http_router_of(http)) + method];
}

static metric_id status_series(struct http_loop *http, struct series_row *row,
	const struct text endpoint[2], unsigned status)
{
	uint8_t slot = http->series->slots[status];
	struct text labels[] = {endpoint[0], endpoint[1], TEXT_ABSENT};
	char digits[4];
	metric_id id;

	if (slot != 0 && row->by_status[slot - 1] != 0)
		return row->by_status[slot - 1];
	labels[2] = text_of(digits, (size_t)snprintf(digits, sizeof(digits), "%03u", status));
	id = find(http, &requests_total, labels, 3);
	if (slot != 0)
		row->by_status[slot - 1] = id;
	return id;
}

static void count_request(struct flow *flow, unsigned status, uint64_t took_ns, size_t sent_bytes)
{
	struct http_loop *http = flow->loop->http;
	struct exchange *exchange = exchange_of(flow);
	const struct compiled_route *route = flow->route;
	struct metric_shard *shard = http->loop->metrics;
	struct series_row *row = row_of(http, flow);
	struct text labels[] = {method_label(exchange), route ? route->path : TEXT("none")};

	if (row->duration == 0) {
		row->duration = find(http, &request_duration, labels, 2);
		row->request_size = find(http, &request_size, labels, 2);
		row->response_size = find(http, &response_size, labels, 2);
	}
	metric_add(shard, status_series(http, row, labels, status), 1);
	metric_observe(shard, row->duration, (double)took_ns / 1e9);
	metric_observe(shard, row->request_size, (double)exchange->received_bytes);
	if (status != STATUS_GONE)
		metric_observe(shard, row->response_size, (double)sent_bytes);
}

static double milliseconds(uint64_t took_ns)
{
	uint64_t took_us = took_ns / 1000; /* more digits than anyone reads */

	return (double)took_us / 1000;
}

static struct text cut(struct text text, size_t max)
{
	return text.len > max ? text_of(text.data, max) : text;
}

static void log_request(struct flow *flow, unsigned status, uint64_t took_ns, size_t sent_bytes)
{
	const struct exchange *exchange = exchange_of(flow);
	const struct compiled_route *route = flow->route;

	log_write_flow(flow, LOG_INFO, "request",
		LOG_FIELDS(LOG_TEXT("method", method_label(exchange)),
			LOG_TEXT("endpoint", route ? route->path : TEXT("none")),
			LOG_TEXT("path", cut(exchange->request.path, PATH_MAX_BYTES)),
			LOG_NUMBER("status", status),
			LOG_DECIMAL("duration_ms", milliseconds(took_ns)),
			LOG_NUMBER("bytes", sent_bytes),
			LOG_TEXT("address", http_request_address(flow)),
			LOG_TEXT("user_agent",
				cut(http_request_header(flow, TEXT("user-agent")),
					USER_AGENT_MAX_BYTES))));
}

void measure_request(struct flow *flow, size_t response_bytes)
{
	struct exchange *exchange = exchange_of(flow);
	bool was_answered = exchange->connection != NULL && exchange->response.status != 0;
	unsigned status = was_answered ? exchange->response.status : STATUS_GONE;
	bool is_logged = log_access_enabled(flow->loop->log);
	uint64_t took_ns;

	if (flow->loop->metrics == NULL && !is_logged)
		return;
	took_ns = clock_now_ns() - exchange->started_ns;
	if (flow->loop->metrics != NULL)
		count_request(flow, status, took_ns, response_bytes);
	if (is_logged)
		log_request(flow, status, took_ns, response_bytes);
}

void measure_connections(struct http_loop *http, int change)
{
	struct http_series *series = http->series;

	if (http->loop->metrics == NULL)
		return;
	if (series->connections == 0)
		series->connections = find(http, &connections, NULL, 0);
	metric_add(http->loop->metrics, series->connections, change);
}

void measure_refusal(struct http_loop *http, enum refusal_reason reason)
{
	static const struct text names[REFUSAL_REASONS] = {
		[REFUSAL_CONNECTIONS_MAX] = TEXT_INIT("connections_max"),
		[REFUSAL_ADDRESS] = TEXT_INIT("connections_per_address"),
		[REFUSAL_FILES] = TEXT_INIT("file_descriptors"),
		[REFUSAL_SHUTDOWN] = TEXT_INIT("shutdown"),
		[REFUSAL_MEMORY] = TEXT_INIT("memory"),
	};
	struct http_series *series = http->series;

	if (http->loop->metrics == NULL)
		return;
	if (series->refused[reason] == 0)
		series->refused[reason] = find(http, &connections_refused, &names[reason], 1);
	metric_add(http->loop->metrics, series->refused[reason], 1);
}
