// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/loop.h"
#include "observability/lag.h"
#include "observability/metrics.h"

/* Observed like any reader would: the rows of lag.c are found by their names. */
static const struct metric lag_seconds = {
	.name = "event_loop_lag_seconds",
	.kind = METRIC_HISTOGRAM,
	.labels = {"loop"},
};
static const struct metric cpu_seconds = {
	.name = "event_loop_cpu_seconds_total",
	.kind = METRIC_COUNTER,
	.labels = {"loop"},
};

struct fixture {
	struct loop loop;
	struct metrics *metrics;
	struct loop_lag *lag;
	uv_timer_t timer;
	metric_id series;
	bool has_blocked;
};

static void on_timer(uv_timer_t *timer)
{
	struct fixture *fixture = timer->data;
	double knocks = metric_value(fixture->metrics, fixture->series);

	if (knocks >= 1 && !fixture->has_blocked) {
		/* What no callback may do: away for at least three knocks. */
		usleep(350 * 1000);
		fixture->has_blocked = true;
		return;
	}
	if (knocks < 4)
		return;
	uv_close((uv_handle_t *)timer, NULL);
	loop_lag_detach(fixture->lag);
	loop_lag_detach(fixture->lag);
	loop_stop(&fixture->loop);
}

static void find_line(struct metrics *metrics, struct text *text_out, struct arena *arena)
{
	arena_init(arena, NULL, 1024 * 1024);
	*text_out = metrics_expose(metrics, arena);
	assert_false(text_is_absent(*text_out));
}

static void a_loop_that_was_away_observes_every_knock_it_missed(void **state)
{
	struct fixture fixture = {.metrics = metrics_new()};
	struct arena arena;
	struct text text;

	assert_int_equal(loop_init(&fixture.loop, 3), 0);
	fixture.loop.metrics = metric_shard_new(fixture.metrics);
	assert_int_equal(loop_lag_attach(&fixture.loop, &fixture.lag), 0);
	fixture.series = metric_series(fixture.metrics, &lag_seconds, METRIC_LABELS(TEXT("3")));
	fixture.timer.data = &fixture;
	uv_timer_init(&fixture.loop.uv, &fixture.timer);
	uv_timer_start(&fixture.timer, on_timer, 0, 10);
	loop_run(&fixture.loop);
	loop_deinit(&fixture.loop);

	assert_true(metric_value(fixture.metrics, fixture.series) >= 4);
	assert_true(metric_value(fixture.metrics,
			    metric_series(
				    fixture.metrics, &cpu_seconds, METRIC_LABELS(TEXT("3")))) > 0);
	/* The first of the three was at least 150 ms late: not all are below 100 ms. */
	find_line(fixture.metrics, &text, &arena);
	assert_non_null(memmem(text.data, text.len, "le=\"0.1\"} ", 10));
	unsigned below = (unsigned)strtoul(
		(char *)memmem(text.data, text.len, "le=\"0.1\"} ", 10) + 10, NULL, 10);

	assert_true(below < (unsigned)metric_value(fixture.metrics, fixture.series));
	arena_deinit(&arena);
	metrics_free(fixture.metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_loop_that_was_away_observes_every_knock_it_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
