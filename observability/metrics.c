// SPDX-License-Identifier: Apache-2.0
#include "observability/metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "observability/metrics_table.h"

const double metric_seconds_buckets[] = {
	.0005, .001, .0025, .005, .01, .025, .05, .075, .1, .2, .25, .5, .75, 1, 2.5, 5, 7.5, 10};
const size_t metric_seconds_bucket_count = sizeof(metric_seconds_buckets) /
	sizeof(metric_seconds_buckets[0]);

struct metrics *metrics_new(void)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));

	if (metrics == NULL)
		return NULL;
	pthread_mutex_init(&metrics->lock, NULL);
	metrics->next_cell = 1; /* 0 is "none" */
	return metrics;
}

static void free_callbacks(struct metric_series *series)
{
	struct metric_callback *callback = atomic_load(&series->callbacks);

	while (callback != NULL) {
		struct metric_callback *next = callback->next;

		free(callback);
		callback = next;
	}
}

static void free_shard(struct metric_shard *shard)
{
	for (size_t i = 0; i < METRIC_CHUNKS_MAX; i++)
		free(atomic_load(&shard->chunks[i]));
	free(shard);
}

void metrics_free(struct metrics *metrics)
{
	struct metric_shard *shard;

	if (metrics == NULL)
		return;
	while ((shard = atomic_load(&metrics->shards)) != NULL) {
		atomic_store(&metrics->shards, shard->next);
		free_shard(shard);
	}
	for (size_t i = 0; i < metrics->series.count; i++) {
		free_callbacks(metrics->series.items[i]);
		free(metrics->series.items[i]);
	}
	for (size_t i = 0; i < metrics->families.count; i++)
		free(metrics->families.items[i]);
	for (size_t i = 0; i < METRIC_CHUNKS_MAX; i++)
		free(atomic_load(&metrics->owners[i]));
	free(metrics->families.items);
	free(metrics->series.items);
	free(metrics->table);
	pthread_mutex_destroy(&metrics->lock);
	free(metrics);
}

struct metric_shard *metric_shard_new(struct metrics *metrics)
{
	struct metric_shard *shard = calloc(1, sizeof(*shard));

	if (shard == NULL)
		return NULL;
	shard->metrics = metrics;
	shard->next = atomic_load(&metrics->shards);
	while (!atomic_compare_exchange_weak(&metrics->shards, &shard->next, shard))
		;
	return shard;
}

struct metrics *metric_shard_owner(struct metric_shard *shard)
{
	return shard->metrics;
}

/* ---- writing: the shard's thread ---- */

static _Atomic(uint64_t) *find_cell(struct metric_shard *shard, metric_id id)
{
	size_t index = id / METRIC_CHUNK_CELLS;

	if (shard == NULL || id == 0 || index >= METRIC_CHUNKS_MAX)
		return NULL;

	struct metric_cells *chunk = atomic_load_explicit(
		&shard->chunks[index], memory_order_relaxed);

	if (chunk == NULL) {
		chunk = calloc(1, sizeof(*chunk));
		if (chunk == NULL)
			return NULL;
		atomic_store_explicit(&shard->chunks[index], chunk, memory_order_release);
	}
	return &chunk->cells[id % METRIC_CHUNK_CELLS];
}

static double double_of(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static uint64_t bits_of(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

/* One writer a cell: a load and a store, no locked instruction. */
static void add_double(_Atomic(uint64_t) *cell, double amount)
{
	double value = double_of(atomic_load_explicit(cell, memory_order_relaxed));

	atomic_store_explicit(cell, bits_of(value + amount), memory_order_relaxed);
}

static void add_one(_Atomic(uint64_t) *cell)
{
	uint64_t count = atomic_load_explicit(cell, memory_order_relaxed);

	atomic_store_explicit(cell, count + 1, memory_order_relaxed);
}

static struct metric_series *series_of_kind(
	struct metric_shard *shard, metric_id id, enum metric_kind kind)
{
	struct metric_series *series = shard == NULL ? NULL
						     : metrics_find_owner(shard->metrics, id);

	return series != NULL && series->kind == kind ? series : NULL;
}

void metric_add(struct metric_shard *shard, metric_id series, double amount)
{
	_Atomic(uint64_t) *cell;

	if (!isfinite(amount) || series_of_kind(shard, series, METRIC_HISTOGRAM) != NULL)
		return;
	if (amount < 0 && series_of_kind(shard, series, METRIC_COUNTER) != NULL)
		return;
	cell = find_cell(shard, series);
	if (cell != NULL)
		add_double(cell, amount);
}

void metric_set(struct metric_shard *shard, metric_id series, double value)
{
	_Atomic(uint64_t) *cell;

	if (!isfinite(value) || series_of_kind(shard, series, METRIC_GAUGE) == NULL)
		return;
	cell = find_cell(shard, series);
	if (cell != NULL)
		atomic_store_explicit(cell, bits_of(value), memory_order_relaxed);
}

void metric_observe(struct metric_shard *shard, metric_id id, double value)
{
	struct metric_series *series = series_of_kind(shard, id, METRIC_HISTOGRAM);

	if (series == NULL || !isfinite(value))
		return;

	const struct metric_family *family = series->family;
	_Atomic(uint64_t) *cells = find_cell(shard, id);
	size_t bucket = 0;

	if (cells == NULL)
		return;
	/* Most values fall into the first few: a linear walk beats a search in 18 bounds. */
	while (bucket < family->bucket_count && value > family->buckets[bucket])
		bucket++;
	add_one(&cells[bucket]);
	add_double(&cells[family->bucket_count + 1], value);
}

/* ---- reading: any thread ---- */

struct metric_series *metrics_find_owner(struct metrics *metrics, metric_id id)
{
	size_t index = id / METRIC_CHUNK_CELLS;

	if (id == 0 || index >= METRIC_CHUNKS_MAX)
		return NULL;

	struct metric_owners *owners = atomic_load_explicit(
		&metrics->owners[index], memory_order_acquire);

	if (owners == NULL)
		return NULL;
	return atomic_load_explicit(&owners->series[id % METRIC_CHUNK_CELLS], memory_order_acquire);
}

static uint64_t read_cell(struct metric_shard *shard, metric_id cell)
{
	struct metric_cells *chunk = atomic_load_explicit(
		&shard->chunks[cell / METRIC_CHUNK_CELLS], memory_order_acquire);

	if (chunk == NULL)
		return 0;
	return atomic_load_explicit(&chunk->cells[cell % METRIC_CHUNK_CELLS], memory_order_relaxed);
}

double metrics_sum_double(struct metrics *metrics, metric_id cell)
{
	double sum = 0;

	for (struct metric_shard *shard = atomic_load(&metrics->shards); shard != NULL;
		shard = shard->next)
		sum += double_of(read_cell(shard, cell));
	return sum;
}

uint64_t metrics_sum_count(struct metrics *metrics, metric_id cell)
{
	uint64_t sum = 0;

	for (struct metric_shard *shard = atomic_load(&metrics->shards); shard != NULL;
		shard = shard->next)
		sum += read_cell(shard, cell);
	return sum;
}

static double histogram_count(struct metrics *metrics, const struct metric_series *series)
{
	uint64_t count = 0;

	for (metric_id bucket = 0; bucket <= series->family->bucket_count; bucket++)
		count += metrics_sum_count(metrics, series->id + bucket);
	return (double)count;
}

double metric_series_value(struct metrics *metrics, const struct metric_series *series)
{
	double value = 0;

	if (series->kind == METRIC_HISTOGRAM)
		return histogram_count(metrics, series);
	value = metrics_sum_double(metrics, series->id);
	for (struct metric_callback *callback = atomic_load(&series->callbacks); callback != NULL;
		callback = callback->next)
		value += callback->read(callback->context);
	return value;
}

double metric_value(struct metrics *metrics, metric_id id)
{
	const struct metric_series *series = metrics_find_owner(metrics, id);

	return series == NULL ? 0 : metric_series_value(metrics, series);
}

size_t metrics_series_count(struct metrics *metrics)
{
	pthread_mutex_lock(&metrics->lock);
	size_t count = metrics->series.count;

	pthread_mutex_unlock(&metrics->lock);
	return count;
}
