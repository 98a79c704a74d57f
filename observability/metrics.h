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

enum { METRIC_LABELS_MAX = 4 };

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric {
	const char *name;
	enum metric_kind kind;
	const char *help;
	const char *labels[METRIC_LABELS_MAX]; /* unused: NULL */
	const double *buckets;                 /* histogram: upper bounds, ascending; NULL: seconds */
	size_t bucket_count;
	uint32_t series_max; /* past it new label values fall into "other"; 0: 1,000 */
};

/* .0005 .001 .0025 .005 .01 .025 .05 .075 .1 .2 .25 .5 .75 1 2.5 5 7.5 10 */
extern const double metric_seconds_buckets[];
extern const size_t metric_seconds_bucket_count;

struct metrics;
struct metric_shard;
typedef uint32_t metric_id; /* a series; 0 is "none" and adding to it does nothing */

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);
/* A shard for one writer thread; freed with the metrics. */
struct metric_shard *metric_shard_new(struct metrics *metrics);
struct metrics *metric_shard_owner(struct metric_shard *shard);

/* Any thread, takes a lock: find once and keep. Values beyond the metric's labels are ignored. The same
 * labels give the same series. */
metric_id metric_series(struct metrics *metrics, const struct metric *metric,
			const struct text *values, size_t value_count);
#define METRIC_LABELS(...) (const struct text[]){ __VA_ARGS__ }, \
	sizeof((const struct text[]){ __VA_ARGS__ }) / sizeof(struct text)

/* The shard's own thread only. */
void metric_add(struct metric_shard *shard, metric_id series, double amount); /* counter, gauge */
void metric_set(struct metric_shard *shard, metric_id series, double value);  /* gauge; shards sum up */
void metric_observe(struct metric_shard *shard, metric_id series, double value);

/* Any thread may run it: reads what somebody else knows, at the scrape. */
typedef double metric_read_fn(void *context);
void metric_gauge_callback(struct metrics *metrics, const struct metric *metric,
			   const struct text *values, size_t value_count, metric_read_fn *read,
			   void *context);

/* The whole exposition (text format 0.0.4), HELP and TYPE per metric, series in a stable order. */
struct text metrics_expose(struct metrics *metrics, struct arena *arena);
