// SPDX-License-Identifier: Apache-2.0
#include "domains/ops/routes.h"

#include "domains/ops/state.h"

#define HEALTH_ROUTE(path_, name_, about_, steps_) \
	{ \
		.method = HTTP_GET, .path = (path_), .name = (name_), .about = (about_), \
		STATE(health_request), QUERY(health_request, query, &health_query_schema), \
		.reply_type = "application/json", .problems = PROBLEMS(PROBLEM_NOT_READY), \
		.deadline_ms = 1000, .steps = (steps_), \
	}

static const struct route health_routes[] = {
	HEALTH_ROUTE(
		"/health", "health", "Whether the service works, and since when", health_steps),
	HEALTH_ROUTE("/health/live", "health_live", "Whether the process answers", live_steps),
	HEALTH_ROUTE("/health/ready", "health_ready", "Whether to send traffic here", ready_steps),
	HEALTH_ROUTE(
		"/health/startup", "health_startup", "Whether the start is over", startup_steps),
	HEALTH_ROUTE("/healthz", "healthz", "The same as /health", health_steps),
	HEALTH_ROUTE("/livez", "livez", "The same as /health/live", live_steps),
	HEALTH_ROUTE("/readyz", "readyz", "The same as /health/ready", ready_steps),
};

static const struct route operator_routes[] = {
	{
		.method = HTTP_GET,
		.path = "/version",
		.name = "version",
		.about = "Version and commit of the binary",
		.reply_type = "application/json",
		.steps = version_steps,
	},
	{
		.method = HTTP_GET,
		.path = "/metrics",
		.name = "metrics",
		.about = "Counters, gauges and histograms in the Prometheus text format",
		.reply_type = "text/plain",
		.steps = metrics_steps,
	},
};

static const struct scope api_health = {
	.tag = "health",
	.about = "For load balancers and orchestrators",
	.listeners = LISTENER_API,
	ROUTES(health_routes),
};

static const struct scope operators_health = {
	.tag = "health",
	.about = "The same, and which part is ill",
	.guards = {&operators_guard},
	.listeners = LISTENER_OPS,
	ROUTES(health_routes),
};

static const struct scope api_development = {
	.tag = "operations",
	.about = "In development the operators' routes stand beside the API",
	.guards = {&development_guard},
	.listeners = LISTENER_API,
	ROUTES(operator_routes),
};

static const struct scope operators = {
	.tag = "operations",
	.about = "For operators and their machines",
	.listeners = LISTENER_OPS,
	ROUTES(operator_routes),
};

const struct scope *const ops_scopes[OPS_SCOPE_COUNT] = {
	&api_health,
	&operators_health,
	&api_development,
	&operators,
};
