// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "observability/metrics.h"
#include "observability/process.h"

static const struct metric requests = {
	.name = "test_requests_total",
	.kind = METRIC_COUNTER,
	.help = "Requests.",
	.labels = {"method", "endpoint"},
};
static const struct metric connections = {
	.name = "test_connections",
	.kind = METRIC_GAUGE,
	.help = "Open connections,\nwith a \\ in it.",
};
static const struct metric duration = {
	.name = "test_duration_seconds",
	.kind = METRIC_HISTOGRAM,
	.help = "How long.",
	.labels = {"endpoint"},
};
static const double sizes[] = {100, 1000};
static const struct metric size_bytes = {
	.name = "test_size_bytes",
	.kind = METRIC_HISTOGRAM,
	.help = "How large.",
	.buckets = sizes,
	.bucket_count = 2,
};
static const struct metric narrow = {
	.name = "test_narrow_total",
	.kind = METRIC_COUNTER,
	.help = "Few series.",
	.labels = {"who"},
	.series_max = 3,
};

static char page[1024 * 1024];

static const char *expose(struct metrics *metrics)
{
	struct arena arena;

	arena_init(&arena, NULL, sizeof(page));
	struct text text = metrics_expose(metrics, &arena);

	assert_false(text_is_absent(text));
	memcpy(page, text.data, text.len);
	page[text.len] = '\0';
	arena_deinit(&arena);
	return page;
}

static metric_id series_of(struct metrics *metrics, const char *method, const char *endpoint)
{
	return metric_series(
		metrics, &requests, METRIC_LABELS(text_from_c(method), text_from_c(endpoint)));
}

static void a_counter_sums_its_shards(void **state)
{
	struct metrics *metrics = metrics_new();
	struct metric_shard *one = metric_shard_new(metrics), *other = metric_shard_new(metrics);
	metric_id series = series_of(metrics, "GET", "/users/{id}");

	metric_add(one, series, 2);
	metric_add(other, series, 1);
	assert_ptr_equal(metric_shard_owner(one), metrics);
	assert_true(metric_value(metrics, series) == 3);
	assert_string_equal(expose(metrics),
		"# HELP test_requests_total Requests.\n"
		"# TYPE test_requests_total counter\n"
		"test_requests_total{method=\"GET\",endpoint=\"/users/{id}\"} 3\n");
	metrics_free(metrics);
}

static void an_empty_registry_exposes_nothing(void **state)
{
	struct metrics *metrics = metrics_new();

	assert_string_equal(expose(metrics), "");
	metrics_free(metrics);
	metrics_free(NULL);
}

static void the_same_labels_give_the_same_series(void **state)
{
	struct metrics *metrics = metrics_new();
	metric_id series = series_of(metrics, "GET", "/a");

	assert_int_not_equal(series, 0);
	assert_int_equal(series_of(metrics, "GET", "/a"), series);
	assert_int_not_equal(series_of(metrics, "GET", "/b"), series);
	/* The bytes are the same, the cut between the labels is not. */
	assert_int_not_equal(series_of(metrics, "GET/", "a"), series);
	assert_int_equal(metrics_series_count(metrics), 3);
	metrics_free(metrics);
}

static void missing_labels_are_empty_and_further_ones_ignored(void **state)
{
	struct metrics *metrics = metrics_new();
	struct text values[] = {TEXT("GET"), TEXT("/a"), TEXT("more"), TEXT("more"), TEXT("more")};

	assert_int_equal(
		metric_series(metrics, &requests, values, 1), series_of(metrics, "GET", ""));
	assert_int_equal(
		metric_series(metrics, &requests, values, 5), series_of(metrics, "GET", "/a"));
	metrics_free(metrics);
}

static void two_rows_of_one_name_agree_or_one_is_refused(void **state)
{
	static const struct metric twin = {.name = "test_requests_total",
		.kind = METRIC_COUNTER,
		.help = "Requests.",
		.labels = {"method", "endpoint"}};
	static const struct metric other = {.name = "test_requests_total",
		.kind = METRIC_GAUGE,
		.help = "Requests.",
		.labels = {"method", "endpoint"}};
	struct metrics *metrics = metrics_new();
	struct text values[] = {TEXT("GET"), TEXT("/a")};

	assert_int_equal(metric_series(metrics, &twin, values, 2), series_of(metrics, "GET", "/a"));
	assert_int_equal(metric_series(metrics, &other, values, 2), 0);
	metrics_free(metrics);
}

static void past_the_cap_new_labels_fold_into_other(void **state)
{
	struct metrics *metrics = metrics_new();
	struct metric_shard *shard = metric_shard_new(metrics);

	for (int i = 0; i < 1000; i++) {
		char who[16];

		snprintf(who, sizeof(who), "%03d", i);
		metric_add(
			shard, metric_series(metrics, &narrow, METRIC_LABELS(text_from_c(who))), 1);
	}
	assert_int_equal(metrics_series_count(metrics), 4);
	assert_non_null(strstr(expose(metrics), "{who=\"000\"} 1\n"));
	assert_non_null(strstr(expose(metrics), "{who=\"002\"} 1\n"));
	assert_non_null(strstr(expose(metrics), "{who=\"other\"} 997\n"));
	metrics_free(metrics);
}

static void a_histogram_is_cumulative_and_its_count_is_its_last_bucket(void **state)
{
	struct metrics *metrics = metrics_new();
	struct metric_shard *shard = metric_shard_new(metrics);
	metric_id series = metric_series(metrics, &size_bytes, METRIC_NO_LABELS);

	metric_observe(shard, series, 100); /* a bound belongs to its bucket */
	metric_observe(shard, series, 100.5);
	metric_observe(shard, series, 5000);
	assert_true(metric_value(metrics, series) == 3);
	assert_string_equal(expose(metrics),
		"# HELP test_size_bytes How large.\n"
		"# TYPE test_size_bytes histogram\n"
		"test_size_bytes_bucket{le=\"100\"} 1\n"
		"test_size_bytes_bucket{le=\"1000\"} 2\n"
		"test_size_bytes_bucket{le=\"+Inf\"} 3\n"
		"test_size_bytes_sum 5200.5\n"
		"test_size_bytes_count 3\n");
	metrics_free(metrics);
}

static void seconds_have_the_agreed_buckets(void **state)
{
	static const char *const bounds[] = {"0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025",
		"0.05", "0.075", "0.1", "0.2", "0.25", "0.5", "0.75", "1", "2.5", "5", "7.5", "10",
		"+Inf"};
	struct metrics *metrics = metrics_new();
	const char *at;

	metric_series(metrics, &duration, METRIC_LABELS(TEXT("/a")));
	at = expose(metrics);
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		char expected[96];

		snprintf(expected, sizeof(expected),
			"\ntest_duration_seconds_bucket{endpoint=\"/a\",le=\"%s\"} 0\n", bounds[i]);
		at = strstr(at, expected);
		assert_non_null(at);
	}
	metrics_free(metrics);
}

static void what_would_spoil_a_series_is_ignored(void **state)
{
	struct metrics *metrics = metrics_new();
	struct metric_shard *shard = metric_shard_new(metrics);
	metric_id counter = series_of(metrics, "GET", "/a");
	metric_id histogram = metric_series(metrics, &size_bytes, METRIC_NO_LABELS);
	metric_id gauge = metric_series(metrics, &connections, METRIC_NO_LABELS);

	metric_add(shard, counter, NAN);
	metric_add(shard, counter, INFINITY);
	metric_add(shard, counter, -1);
	metric_set(shard, counter, 7);
	metric_observe(shard, counter, 7);
	metric_observe(shard, histogram, NAN);
	metric_observe(shard, histogram, INFINITY);
	metric_add(shard, histogram, 1);
	metric_set(shard, gauge, NAN);
	metric_add(shard, 0, 1);
	metric_add(shard, UINT32_MAX, 1);
	metric_observe(shard, UINT32_MAX, 1);
	metric_add(NULL, counter, 1);
	metric_observe(NULL, histogram, 1);
	metric_set(NULL, gauge, 1);
	assert_true(metric_value(metrics, counter) == 0);
	assert_true(metric_value(metrics, histogram) == 0);
	assert_true(metric_value(metrics, gauge) == 0);
	assert_true(metric_value(metrics, 0) == 0);
	metrics_free(metrics);
}

static double read_seven(void *context)
{
	return *(double *)context;
}

static void a_gauge_is_set_added_to_and_read_by_callbacks(void **state)
{
	struct metrics *metrics = metrics_new();
	struct metric_shard *shard = metric_shard_new(metrics);
	metric_id gauge = metric_series(metrics, &connections, METRIC_NO_LABELS);
	double seven = 7;

	metric_set(shard, gauge, 5);
	metric_add(shard, gauge, -2);
	metric_gauge_callback(metrics, &connections, METRIC_NO_LABELS, read_seven, &seven);
	metric_gauge_callback(metrics, &connections, METRIC_NO_LABELS, read_seven, &seven);
	assert_true(metric_value(metrics, gauge) == 17);
	assert_string_equal(expose(metrics),
		"# HELP test_connections Open connections,\\nwith a \\\\ in it.\n"
		"# TYPE test_connections gauge\n"
		"test_connections 17\n");
	metrics_free(metrics);
}

static void label_values_are_escaped_replaced_and_cut(void **state)
{
	struct metrics *metrics = metrics_new();
	static char long_value[1000];

	memset(long_value, 'x', sizeof(long_value));
	series_of(metrics, "a\"b\\c\nd", "\xff");
	metric_series(metrics, &requests, METRIC_LABELS(TEXT("long"), text_of(long_value, 1000)));
	expose(metrics);
	assert_non_null(strstr(page, "{method=\"a\\\"b\\\\c\\nd\",endpoint=\"\xef\xbf\xbd\"} 0\n"));
	assert_true(strlen(strstr(page, "long")) < METRIC_VALUE_MAX + 64);
	metrics_free(metrics);
}

static void the_order_is_by_name_then_by_labels(void **state)
{
	static const char *const expected[] = {"test_connections",
		"method=\"DELETE\",endpoint=\"/b\"", "method=\"GET\",endpoint=\"/a\"",
		"method=\"GET\",endpoint=\"/b\"", "test_size_bytes"};
	struct metrics *metrics = metrics_new();
	const char *at;

	metric_series(metrics, &size_bytes, METRIC_NO_LABELS);
	series_of(metrics, "GET", "/b");
	series_of(metrics, "DELETE", "/b");
	metric_series(metrics, &connections, METRIC_NO_LABELS);
	series_of(metrics, "GET", "/a");
	at = expose(metrics);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		at = strstr(at, expected[i]);
		assert_non_null(at);
	}
	metrics_free(metrics);
}

static void an_exposition_past_the_arenas_cap_is_absent(void **state)
{
	struct metrics *metrics = metrics_new();
	struct arena arena;

	for (int i = 0; i < 500; i++) {
		char endpoint[16];

		snprintf(endpoint, sizeof(endpoint), "/%d", i);
		series_of(metrics, "GET", endpoint);
	}
	arena_init(&arena, NULL, 4096);
	assert_true(text_is_absent(metrics_expose(metrics, &arena)));
	arena_deinit(&arena);
	metrics_free(metrics);
}

static void the_process_tells_about_itself(void **state)
{
	static const char *const names[] = {
		"\nmillrace_build_info{version=\"1.2.3\",commit=\"abc\"} 1\n",
		"\nprocess_cpu_seconds_total ",
		"\nprocess_resident_memory_bytes ",
		"\nprocess_virtual_memory_bytes ",
		"\nprocess_open_fds ",
		"\nprocess_max_fds ",
		"\nprocess_start_time_seconds ",
		"\nprocess_threads ",
	};
	struct metrics *metrics = metrics_new();

	process_expose(metrics, "1.2.3", "abc");
	expose(metrics);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *at = strstr(page, names[i]);

		assert_non_null(at);
		assert_null(strstr(at + 1, names[i]));
	}
	/* Since 2020, and not in the future: read_boot_time and the ticks fit together. */
	assert_in_range(
		(unsigned long)strtod(strstr(page, "\nprocess_start_time_seconds ") + 28, NULL),
		1577836800UL, (unsigned long)time(NULL) + 2);
	assert_in_range(
		(unsigned long)strtod(strstr(page, "\nprocess_open_fds ") + 18, NULL), 3, 1000);
	metrics_free(metrics);
}

/* ---- several threads ---- */

enum { WRITERS = 3, ROUNDS = 20000 };

struct writer {
	pthread_t thread;
	struct metrics *metrics;
	int number;
};

static atomic_bool stop_scraping;

static void *write_series(void *context)
{
	struct writer *writer = context;
	struct metric_shard *shard = metric_shard_new(writer->metrics);

	for (int i = 0; i < ROUNDS; i++) {
		char endpoint[16];

		/* New series come up all the while, most of them shared between the threads. */
		snprintf(endpoint, sizeof(endpoint), "/%d", i / 100);
		metric_add(shard, series_of(writer->metrics, "GET", endpoint), 1);
		metric_observe(shard,
			metric_series(
				writer->metrics, &duration, METRIC_LABELS(text_from_c(endpoint))),
			0.002);
	}
	return NULL;
}

static void *scrape(void *context)
{
	while (!atomic_load(&stop_scraping)) {
		struct arena arena;

		arena_init(&arena, NULL, 16 * 1024 * 1024);
		assert_false(text_is_absent(metrics_expose(context, &arena)));
		arena_deinit(&arena);
	}
	return NULL;
}

static void scrapes_run_beside_writers_and_nothing_is_lost(void **state)
{
	struct metrics *metrics = metrics_new();
	struct writer writers[WRITERS];
	pthread_t scraper;
	double total = 0;

	assert_int_equal(pthread_create(&scraper, NULL, scrape, metrics), 0);
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer) {.metrics = metrics, .number = i};
		assert_int_equal(
			pthread_create(&writers[i].thread, NULL, write_series, &writers[i]), 0);
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writers[i].thread, NULL);
	atomic_store(&stop_scraping, true);
	pthread_join(scraper, NULL);

	for (int i = 0; i < ROUNDS / 100; i++) {
		char endpoint[16];

		snprintf(endpoint, sizeof(endpoint), "/%d", i);
		total += metric_value(metrics, series_of(metrics, "GET", endpoint));
		assert_true(
			metric_value(metrics,
				metric_series(metrics, &duration,
					METRIC_LABELS(text_from_c(endpoint)))) == 100 * WRITERS);
	}
	assert_true(total == WRITERS * ROUNDS);
	metrics_free(metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_counter_sums_its_shards),
		cmocka_unit_test(an_empty_registry_exposes_nothing),
		cmocka_unit_test(the_same_labels_give_the_same_series),
		cmocka_unit_test(missing_labels_are_empty_and_further_ones_ignored),
		cmocka_unit_test(two_rows_of_one_name_agree_or_one_is_refused),
		cmocka_unit_test(past_the_cap_new_labels_fold_into_other),
		cmocka_unit_test(a_histogram_is_cumulative_and_its_count_is_its_last_bucket),
		cmocka_unit_test(seconds_have_the_agreed_buckets),
		cmocka_unit_test(what_would_spoil_a_series_is_ignored),
		cmocka_unit_test(a_gauge_is_set_added_to_and_read_by_callbacks),
		cmocka_unit_test(label_values_are_escaped_replaced_and_cut),
		cmocka_unit_test(the_order_is_by_name_then_by_labels),
		cmocka_unit_test(an_exposition_past_the_arenas_cap_is_absent),
		cmocka_unit_test(the_process_tells_about_itself),
		cmocka_unit_test(scrapes_run_beside_writers_and_nothing_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
