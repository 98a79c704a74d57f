// SPDX-License-Identifier: Apache-2.0
#include "core/clock.h"
#include "domains/access/state.h"
#include "observability/log.h"
#include "observability/metrics.h"

static const char *const event_names[ACCESS_EVENT_COUNT] = {
	[EVENT_USER_REGISTERED] = "user_registered",
	[EVENT_USER_LOGGED_IN] = "user_logged_in",
	[EVENT_USER_LOGGED_OUT] = "user_logged_out",
	[EVENT_USER_SUSPENDED] = "user_suspended",
	[EVENT_USER_UNSUSPENDED] = "user_unsuspended",
	[EVENT_PASSWORD_CHANGED] = "password_changed",
	[EVENT_SESSION_REVOKED] = "session_revoked",
	[EVENT_REFRESH_TOKEN_REUSED] = "refresh_token_reused",
	[EVENT_ADMIN_CREATED] = "admin_created",
};

static const char *const method_names[ATTEMPT_METHOD_COUNT] = {
	[ATTEMPT_PASSWORD] = "password",
	[ATTEMPT_REFRESH] = "refresh",
};

static const char *const result_names[ATTEMPT_RESULT_COUNT] = {
	[ATTEMPT_SUCCESS] = "success",
	[ATTEMPT_FAILURE] = "failure",
	[ATTEMPT_SUSPENDED] = "suspended",
};

static const struct metric attempts_metric = {
	.name = "authentication_attempts_total",
	.kind = METRIC_COUNTER,
	.help = "Logins and refreshes, by how they were tried and how they ended",
	.labels = {"method", "result"},
};

static const struct metric events_metric = {
	.name = "business_events_total",
	.kind = METRIC_COUNTER,
	.help = "What happened in the domains",
	.labels = {"event"},
};

static const struct metric hits_metric = {
	.name = "cache_hits_total",
	.kind = METRIC_COUNTER,
	.help = "Look-ups that a cache answered",
	.labels = {"cache"},
};

static const struct metric misses_metric = {
	.name = "cache_misses_total",
	.kind = METRIC_COUNTER,
	.help = "Look-ups that a cache could not answer",
	.labels = {"cache"},
};

static const struct metric active_users_metric = {
	.name = "active_users",
	.kind = METRIC_GAUGE,
	.help = "Different users this process served within the last five minutes, estimated",
};

static double count_active(void *context)
{
	const struct access *access = context;

	return active_users_count(&access->active, clock_unix_ms());
}

void access_metrics_open(struct access *access, struct metrics *metrics)
{
	if (metrics == NULL)
		return;
	for (size_t m = 0; m < ATTEMPT_METHOD_COUNT; m++)
		for (size_t r = 0; r < ATTEMPT_RESULT_COUNT; r++)
			access->attempts[m][r] = metric_series(metrics, &attempts_metric,
				METRIC_LABELS(text_from_c(method_names[m]),
					text_from_c(result_names[r])));
	for (size_t e = 0; e < ACCESS_EVENT_COUNT; e++)
		access->events[e] = metric_series(
			metrics, &events_metric, METRIC_LABELS(text_from_c(event_names[e])));
	access->cache_hits = metric_series(metrics, &hits_metric, METRIC_LABELS(TEXT("token")));
	access->cache_misses = metric_series(metrics, &misses_metric, METRIC_LABELS(TEXT("token")));
	metric_gauge_callback(metrics, &active_users_metric, NULL, 0, count_active, access);
}

/* Commands of the command line run without metrics and, maybe, without a log. */
static void count(struct flow *flow, metric_id series)
{
	if (flow->loop->metrics != NULL)
		metric_add(flow->loop->metrics, series, 1);
}

void access_event(struct flow *flow, enum access_event event, const struct uuid *user_id)
{
	access_event_because(flow, event, user_id, TEXT_ABSENT);
}

void access_event_because(
	struct flow *flow, enum access_event event, const struct uuid *user_id, struct text reason)
{
	enum log_level level = event == EVENT_REFRESH_TOKEN_REUSED ? LOG_WARN : LOG_INFO;
	const struct log_field fields[] = {
		LOG_FLAG("audit", true),
		LOG_UUID("subject_id", *user_id),
		LOG_TEXT("reason", reason),
	};

	count(flow, access_of(flow)->events[event]);
	if (flow->loop->log != NULL)
		log_write_flow(
			flow, level, event_names[event], fields, text_is_absent(reason) ? 2 : 3);
}

void access_attempt(struct flow *flow, enum attempt_method method, enum attempt_result result)
{
	count(flow, access_of(flow)->attempts[method][result]);
}

void access_count_cache(struct flow *flow, bool hit)
{
	count(flow, hit ? access_of(flow)->cache_hits : access_of(flow)->cache_misses);
}
