// SPDX-License-Identifier: Apache-2.0

/* Everything this floor declares goes through `promtool check metrics`, which must find nothing. */

#include <stdio.h>
#include <stdlib.h>

#include "core/loop.h"
#include "observability/lag.h"
#include "observability/log.h"
#include "observability/metrics.h"
#include "observability/process.h"

enum { SKIPPED = 77 };

static const struct metric duration = {
	.name = "http_request_duration_seconds",
	.kind = METRIC_HISTOGRAM,
	.help = "Time to answer.",
	.labels = {"method", "endpoint"},
};

static void declare_lag(struct metrics *metrics)
{
	struct loop loop;
	struct loop_lag *lag = NULL;

	if (loop_init(&loop, 0) < 0)
		abort();
	loop.metrics = metric_shard_new(metrics);
	if (loop_lag_attach(&loop, &lag) < 0)
		abort();
	loop_lag_detach(lag);
	loop_stop(&loop);
	loop_run(&loop);
	loop_deinit(&loop);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return SKIPPED;

	struct log_settings settings = {.level = LOG_INFO};
	struct metrics *metrics = metrics_new();
	struct log *log = log_open(&settings);
	struct arena arena;
	char command[4096];

	process_expose(metrics, "0.1.0", "abc");
	log_expose(log, metrics);
	declare_lag(metrics);
	metric_observe(metric_shard_new(metrics),
		metric_series(metrics, &duration, METRIC_LABELS(TEXT("GET"), TEXT("/a\"\\\n"))),
		0.1);

	arena_init(&arena, NULL, 1024 * 1024);
	struct text text = metrics_expose(metrics, &arena);

	snprintf(command, sizeof(command), "'%s' check metrics", argv[1]);
	FILE *promtool = popen(command, "w");

	if (promtool == NULL || fwrite(text.data, 1, text.len, promtool) != text.len)
		return 1;
	int status = pclose(promtool);

	arena_deinit(&arena);
	log_close(log);
	metrics_free(metrics);
	return status == 0 ? 0 : 1;
}
