// SPDX-License-Identifier: Apache-2.0
#include "observability/lag.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <uv.h>

#include "core/clock.h"
#include "core/loop.h"
#include "observability/metrics.h"

static const uint64_t ns_per_second = 1000000000;
static const uint64_t knock_ns = LOOP_LAG_KNOCK_MS * UINT64_C(1000000);

/* A minute away is observed in full; a machine that was suspended for a day is not. */
enum { MISSED_MAX = 60 * 1000 / LOOP_LAG_KNOCK_MS };

static const struct metric lag_seconds = {
	.name = "event_loop_lag_seconds",
	.kind = METRIC_HISTOGRAM,
	.help = "How long an event that is ready waits for its loop, sampled fifty times a second.",
	.labels = {"loop"},
};

static const struct metric cpu_seconds = {
	.name = "event_loop_cpu_seconds_total",
	.kind = METRIC_COUNTER,
	.help = "CPU time of the loop's thread, in seconds.",
	.labels = {"loop"},
};

struct loop_lag {
	uv_poll_t poll;
	int fd; /* timerfd */
	struct loop *loop;
	uint64_t due_ns; /* of the next knock */
	uint64_t cpu_ns; /* already counted */
	bool knocked; /* once; what passed before the loop ran is not its lag */
	metric_id lag_series;
	metric_id cpu_series;
};

static double seconds(uint64_t ns)
{
	return (double)ns / (double)ns_per_second;
}

static void observe_knocks(struct loop_lag *lag, uint64_t knocks)
{
	uint64_t now_ns = clock_now_ns();

	for (uint64_t i = 0; i < knocks; i++, lag->due_ns += knock_ns) {
		if (!lag->knocked || knocks - i > MISSED_MAX)
			continue;
		metric_observe(lag->loop->metrics, lag->lag_series,
			now_ns > lag->due_ns ? seconds(now_ns - lag->due_ns) : 0);
	}
}

static void count_cpu(struct loop_lag *lag)
{
	uint64_t cpu_ns = clock_thread_cpu_ns();

	metric_add(lag->loop->metrics, lag->cpu_series, seconds(cpu_ns - lag->cpu_ns));
	lag->cpu_ns = cpu_ns;
}

static void on_knock(uv_poll_t *poll, int status, int events)
{
	struct loop_lag *lag = poll->data;
	uint64_t knocks = 0;

	if (status < 0 || read(lag->fd, &knocks, sizeof(knocks)) != sizeof(knocks))
		return;
	observe_knocks(lag, knocks);
	count_cpu(lag);
	lag->knocked = true;
}

static int start_timer(struct loop_lag *lag)
{
	lag->due_ns = clock_now_ns() + knock_ns;

	struct itimerspec times = {
		.it_value = {.tv_sec = (time_t)(lag->due_ns / ns_per_second),
			.tv_nsec = (long)(lag->due_ns % ns_per_second)},
		.it_interval = {.tv_nsec = (long)knock_ns},
	};

	return timerfd_settime(lag->fd, TFD_TIMER_ABSTIME, &times, NULL) < 0 ? -errno : 0;
}

static void find_series(struct loop_lag *lag)
{
	struct metrics *metrics = metric_shard_owner(lag->loop->metrics);
	char index[16];
	struct text label = {.data = index};

	label.len = (size_t)snprintf(index, sizeof(index), "%u", lag->loop->index);
	lag->lag_series = metric_series(metrics, &lag_seconds, &label, 1);
	lag->cpu_series = metric_series(metrics, &cpu_seconds, &label, 1);
}

static void on_closed(uv_handle_t *handle)
{
	struct loop_lag *lag = handle->data;

	close(lag->fd);
	free(lag);
}

int loop_lag_attach(struct loop *loop, struct loop_lag **lag_out)
{
	struct loop_lag *lag = calloc(1, sizeof(*lag));
	int result;

	if (lag == NULL)
		return UV_ENOMEM;
	lag->loop = loop;
	lag->poll.data = lag;
	find_series(lag);
	lag->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (lag->fd < 0) {
		result = uv_translate_sys_error(errno);
		free(lag);
		return result;
	}
	result = uv_poll_init(&loop->uv, &lag->poll, lag->fd);
	if (result < 0) {
		close(lag->fd);
		free(lag);
		return result;
	}
	result = start_timer(lag);
	if (result == 0)
		result = uv_poll_start(&lag->poll, UV_READABLE, on_knock);
	if (result < 0) {
		loop_lag_detach(lag);
		return result;
	}
	/* It measures the loop, it does not keep it alive. */
	uv_unref((uv_handle_t *)&lag->poll);
	*lag_out = lag;
	return 0;
}

void loop_lag_detach(struct loop_lag *lag)
{
	if (lag != NULL && !uv_is_closing((uv_handle_t *)&lag->poll))
		uv_close((uv_handle_t *)&lag->poll, on_closed);
}
