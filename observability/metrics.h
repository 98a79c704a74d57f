// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * metrics - counters, gauges and histograms in the Prometheus text format. A metric is one const row; a
 * series is a metric with label values, found once and then a number. Every loop adds to a shard of its
 * own with plain stores (single writer, relaxed); a scrape sums the shards. Gauges that somebody
 * else knows (queue depth, open connections of a class) are read by a callback at the scrape.
 */

#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/text.h"

/* A label's value is cut after METRIC_VALUE_MAX bytes. */
enum { METRIC_LABELS_MAX = 4, METRIC_BUCKETS_MAX = 64, METRIC_VALUE_MAX = 128 };

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric {
	const char *name; /* base units; a counter ends with _total */
	enum metric_kind kind;
	const char *help;
	const char *labels[METRIC_LABELS_MAX]; /* unused: NULL */
	const double *buckets; /* histogram: upper bounds, ascending; NULL: seconds */
	size_t bucket_count;
	uint32_t series_max; /* past it new label values fall into "other"; 0: 5,000 */
};

/* .0005 .001 .0025 .005 .01 .025 .05 .075 .1 .2 .25 .5 .75 1 2.5 5 7.5 10 */
extern const double metric_seconds_buckets[];
extern const size_t metric_seconds_bucket_count;

struct metrics;
struct metric_shard;
typedef uint32_t metric_id; /* a series; 0 is "none" and adding to it does nothing */

/* NULL when there is no memory. */
struct metrics *metrics_new(void);
/* After every writer has stopped. */
void metrics_free(struct metrics *metrics);
/* A shard for one writer thread; freed with the metrics. Any thread; NULL when there is no memory. */
struct metric_shard *metric_shard_new(struct metrics *metrics);
struct metrics *metric_shard_owner(struct metric_shard *shard);

/* Any thread, takes a lock for well under a microsecond: find once and keep. Values beyond the
 * metric's labels are ignored, missing ones are empty. The same labels give the same series. Returns 0 when
 * there is no memory, or when two rows of one name disagree on kind or labels. */
metric_id metric_series(struct metrics *metrics, const struct metric *metric,
	const struct text *values, size_t value_count);
#define METRIC_LABELS(...) \
	(const struct text[]) {__VA_ARGS__}, \
		sizeof((const struct text[]) {__VA_ARGS__}) / sizeof(struct text)
#define METRIC_NO_LABELS NULL, 0

/* The shard's own thread only; shard NULL: nothing happens. What is not finite, and a negative amount for a
 * counter, is ignored: one such value would spoil the series for good. */
void metric_add(struct metric_shard *shard, metric_id series, double amount); /* counter, gauge */
/* A gauge: what the shards were set to sums up. */
void metric_set(struct metric_shard *shard, metric_id series, double value);
void metric_observe(struct metric_shard *shard, metric_id series, double value); /* histogram */

/* Any thread may run it: reads what somebody else knows, at the scrape. Must not block. */
typedef double metric_read_fn(void *context);
/* For a gauge, or a counter that somebody else counts. Callbacks of one series sum up. What `context` points
 * to outlives the last scrape. */
void metric_gauge_callback(struct metrics *metrics, const struct metric *metric,
	const struct text *values, size_t value_count, metric_read_fn *read, void *context);

/* What the series holds now, over all shards and callbacks; a histogram's count. For tests and pages. */
double metric_value(struct metrics *metrics, metric_id series);
/* How many series there are, of all metrics. */
size_t metrics_series_count(struct metrics *metrics);

/* The whole exposition (text format 0.0.4), HELP and TYPE per metric, series in a stable order. Takes the lock
 * only to copy the list of series. Absent past the arena's cap or without memory. */
struct text metrics_expose(struct metrics *metrics, struct arena *arena);
