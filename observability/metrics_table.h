// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * metrics_table - families and series: what metrics.c makes and metrics_expose.c reads. A family and a
 * series never move and never die before the metrics; a scrape copies the two lists under the lock and
 * reads the rest without it.
 *
 * A series is a run of cells, its id is the number of the first one. Cells stand in chunks: each
 * shard has its own chunk of values, made at the first write. A counter or gauge is one cell (bits of
 * a double); a histogram is a count per bucket, then the one above all bounds, then the sum.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observability/metrics.h"
#include "observability/number.h"

enum {
	METRIC_CHUNK_CELLS = 512,
	METRIC_CHUNKS_MAX = 4096, /* two million cells: more than anyone's Prometheus would take */
	METRIC_SERIES_MAX = 5000, /* of a metric that does not say */
};

struct metric_callback {
	struct metric_callback *next;
	metric_read_fn *read;
	void *context;
};

/* Pointers in order, of one type. */
struct metric_list {
	void **items;
	size_t count, capacity;
};

struct metric_family {
	const struct metric *metric;
	size_t label_count;
	const double *buckets; /* histogram */
	size_t bucket_count;
	size_t series_count;
	struct metric_series *other; /* NULL until series_max is reached */
	char bounds[][NUMBER_TEXT_MAX]; /* the buckets as they are written, terminated */
};

struct metric_series {
	struct metric_family *family;
	enum metric_kind kind;
	metric_id id;
	struct metric_series *next_in_bucket; /* of the hash table */
	uint64_t hash;
	_Atomic(struct metric_callback *) callbacks;
	/* in the memory behind the struct */
	struct text values[METRIC_LABELS_MAX];
	struct text labels; /* as they are written: method="GET",endpoint="/users/{id}" */
};

struct metric_cells {
	_Atomic(uint64_t) cells[METRIC_CHUNK_CELLS];
};

struct metric_owners {
	_Atomic(struct metric_series *) series[METRIC_CHUNK_CELLS]; /* by first cell */
};

struct metric_shard {
	struct metrics *metrics;
	struct metric_shard *next;
	_Atomic(struct metric_cells *) chunks[METRIC_CHUNKS_MAX];
};

struct metrics {
	pthread_mutex_t lock; /* families, series, table, next_cell */
	struct metric_list families; /* of struct metric_family, by name */
	struct metric_list series; /* of struct metric_series, by the family's name, then values */
	struct metric_series **table; /* hash table, chained */
	size_t table_size; /* a power of two */
	metric_id next_cell;
	_Atomic(struct metric_shard *) shards;
	_Atomic(struct metric_owners *) owners[METRIC_CHUNKS_MAX];
};

/* Any thread. NULL for 0 and for what is no series. */
struct metric_series *metrics_find_owner(struct metrics *metrics, metric_id id);
/* Any thread. The sum of one cell over all shards: as doubles, or as counts. */
double metrics_sum_double(struct metrics *metrics, metric_id cell);
uint64_t metrics_sum_count(struct metrics *metrics, metric_id cell);
double metric_series_value(struct metrics *metrics, const struct metric_series *series);

/* A text as the exposition has it, at most three bytes for each of its own; returns the end. In a label's
 * value \, " and newline are escaped, in a help text \ and newline. */
char *metric_escape(char *out, struct text text, bool is_label);
