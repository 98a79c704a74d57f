// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "observability/metrics_table.h"
#include "observability/number.h"

/* Finding and making series, under the lock. Both lists are kept sorted, so that a scrape need not sort. */

static const struct text other_value = TEXT_INIT("other");

/* FNV-1a, 64 bits (draft-eastlake-fnv). The label values that matter are our own words; a flood of made
 * up ones ends at series_max. */
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3;
	return hash;
}

static uint64_t hash_series(const struct metric_family *family, const struct text *values)
{
	uint64_t hash = hash_bytes(0xcbf29ce484222325, &family, sizeof(family));

	for (size_t i = 0; i < family->label_count; i++) {
		hash = hash_bytes(hash, values[i].data, values[i].len);
		hash = hash_bytes(hash, "\xff", 1);
	}
	return hash;
}

static int compare_texts(struct text a, struct text b)
{
	size_t shorter = a.len < b.len ? a.len : b.len;
	int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

static bool same_values(const struct metric_series *series, const struct text *values)
{
	for (size_t i = 0; i < series->family->label_count; i++)
		if (compare_texts(series->values[i], values[i]) != 0)
			return false;
	return true;
}

/* ---- families ---- */

static size_t count_labels(const struct metric *metric)
{
	size_t count = 0;

	while (count < METRIC_LABELS_MAX && metric->labels[count] != NULL)
		count++;
	return count;
}

static bool agree(const struct metric *a, const struct metric *b)
{
	if (a == b)
		return true;
	if (a->kind != b->kind || count_labels(a) != count_labels(b))
		return false;
	for (size_t i = 0; i < count_labels(a); i++)
		if (strcmp(a->labels[i], b->labels[i]) != 0)
			return false;
	return a->buckets == b->buckets && a->bucket_count == b->bucket_count;
}

static struct metric_family *family_at(const struct metrics *metrics, size_t place)
{
	return metrics->families.items[place];
}

/* Where the name stands, or would stand. */
static size_t find_place(const struct metrics *metrics, const char *name)
{
	size_t low = 0, high = metrics->families.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(family_at(metrics, middle)->metric->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has_room(struct metric_list *list)
{
	if (list->count < list->capacity)
		return true;

	size_t wanted = list->capacity == 0 ? 32 : 2 * list->capacity;
	void **grown = realloc(list->items, wanted * sizeof(*grown));

	if (grown == NULL)
		return false;
	list->items = grown;
	list->capacity = wanted;
	return true;
}

static void insert_at(struct metric_list *list, size_t place, void *item)
{
	memmove(&list->items[place + 1], &list->items[place],
		(list->count - place) * sizeof(*list->items));
	list->items[place] = item;
	list->count++;
}

static struct metric_family *new_family(const struct metric *metric)
{
	bool seconds = metric->buckets == NULL;
	size_t buckets = seconds ? metric_seconds_bucket_count : metric->bucket_count;
	struct metric_family *family;

	if (metric->kind != METRIC_HISTOGRAM)
		buckets = 0;
	assert(buckets <= METRIC_BUCKETS_MAX);
	family = calloc(1, sizeof(*family) + buckets * sizeof(family->bounds[0]));
	if (family == NULL)
		return NULL;
	family->metric = metric;
	family->label_count = count_labels(metric);
	family->buckets = seconds ? metric_seconds_buckets : metric->buckets;
	family->bucket_count = buckets;
	for (size_t i = 0; i < buckets; i++)
		number_format(family->buckets[i], family->bounds[i]);
	return family;
}

static struct metric_family *find_family(struct metrics *metrics, const struct metric *metric)
{
	size_t place = find_place(metrics, metric->name);
	struct metric_family *family = NULL;

	if (place < metrics->families.count) {
		family = family_at(metrics, place);
		if (strcmp(family->metric->name, metric->name) == 0)
			return agree(family->metric, metric) ? family : NULL;
	}
	if (!has_room(&metrics->families))
		return NULL;
	family = new_family(metric);
	if (family != NULL)
		insert_at(&metrics->families, place, family);
	return family;
}

/* ---- series ---- */

static struct metric_series *look_up(const struct metrics *metrics,
	const struct metric_family *family, const struct text *values, uint64_t hash)
{
	if (metrics->table_size == 0)
		return NULL;

	struct metric_series *series = metrics->table[hash & (metrics->table_size - 1)];

	while (series != NULL &&
		!(series->hash == hash && series->family == family && same_values(series, values)))
		series = series->next_in_bucket;
	return series;
}

static void hang_in(struct metric_series **table, size_t size, struct metric_series *series)
{
	struct metric_series **bucket = &table[series->hash & (size - 1)];

	series->next_in_bucket = *bucket;
	*bucket = series;
}

/* At most one series per place on average. */
static bool grow_table(struct metrics *metrics)
{
	if (metrics->series.count < metrics->table_size)
		return true;

	size_t size = metrics->table_size == 0 ? 64 : 2 * metrics->table_size;
	struct metric_series **table = calloc(size, sizeof(struct metric_series *));

	if (table == NULL)
		return false;
	for (size_t i = 0; i < metrics->series.count; i++)
		hang_in(table, size, metrics->series.items[i]);
	free(metrics->table);
	metrics->table = table;
	metrics->table_size = size;
	return true;
}

static int compare_series(const struct metric_series *a, const struct metric_series *b)
{
	int order = a->family == b->family
		? 0
		: strcmp(a->family->metric->name, b->family->metric->name);

	for (size_t i = 0; order == 0 && i < a->family->label_count; i++)
		order = compare_texts(a->values[i], b->values[i]);
	return order;
}

static void insert_sorted(struct metrics *metrics, struct metric_series *series)
{
	size_t low = 0, high = metrics->series.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_series(metrics->series.items[middle], series) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	insert_at(&metrics->series, low, series);
}

static size_t cells_of(const struct metric_family *family)
{
	return family->metric->kind == METRIC_HISTOGRAM ? family->bucket_count + 2 : 1;
}

/* A run of cells that does not cross a chunk, owned by the series; 0 when there are no more. */
static metric_id take_cells(struct metrics *metrics, struct metric_series *series)
{
	size_t count = cells_of(series->family);
	metric_id id = metrics->next_cell;

	if (id % METRIC_CHUNK_CELLS + count > METRIC_CHUNK_CELLS)
		id += METRIC_CHUNK_CELLS - id % METRIC_CHUNK_CELLS;

	size_t index = id / METRIC_CHUNK_CELLS;

	if (index >= METRIC_CHUNKS_MAX)
		return 0;

	struct metric_owners *owners = atomic_load(&metrics->owners[index]);

	if (owners == NULL) {
		owners = calloc(1, sizeof(*owners));
		if (owners == NULL)
			return 0;
		atomic_store_explicit(&metrics->owners[index], owners, memory_order_release);
	}
	metrics->next_cell = id + (metric_id)count;
	series->id = id;
	atomic_store_explicit(
		&owners->series[id % METRIC_CHUNK_CELLS], series, memory_order_release);
	return id;
}

/* Twice the values, the second time written as labels: at most three bytes for each (U+FFFD). */
static size_t texts_size(const struct metric_family *family, const struct text *values)
{
	size_t bytes = 0;

	for (size_t i = 0; i < family->label_count; i++)
		bytes += 4 * values[i].len + strlen(family->metric->labels[i]) + sizeof("=\"\",");
	return bytes;
}

static struct text copy_value(char **at, struct text value)
{
	struct text copy = text_of(*at, value.len);

	if (value.len > 0)
		memcpy(*at, value.data, value.len);
	*at += value.len;
	return copy;
}

static struct text write_labels(
	char *out, const struct metric_family *family, const struct text *values)
{
	char *at = out;

	for (size_t i = 0; i < family->label_count; i++) {
		size_t len = strlen(family->metric->labels[i]);

		if (i > 0)
			*at++ = ',';
		memcpy(at, family->metric->labels[i], len);
		at += len;
		*at++ = '=';
		*at++ = '"';
		at = metric_escape(at, values[i], true);
		*at++ = '"';
	}
	return text_of(out, (size_t)(at - out));
}

static struct metric_series *copy_series(struct metric_family *family, const struct text *values)
{
	struct metric_series *series = calloc(1, sizeof(*series) + texts_size(family, values));

	if (series == NULL)
		return NULL;

	char *at = (char *)(series + 1);

	series->family = family;
	series->kind = family->metric->kind;
	for (size_t i = 0; i < family->label_count; i++)
		series->values[i] = copy_value(&at, values[i]);
	series->labels = write_labels(at, family, values);
	return series;
}

static struct metric_series *new_series(struct metrics *metrics, struct metric_family *family,
	const struct text *values, uint64_t hash)
{
	if (!has_room(&metrics->series) || !grow_table(metrics))
		return NULL;

	struct metric_series *series = copy_series(family, values);

	if (series == NULL)
		return NULL;
	series->hash = hash;
	if (take_cells(metrics, series) == 0) {
		free(series);
		return NULL;
	}
	insert_sorted(metrics, series);
	hang_in(metrics->table, metrics->table_size, series);
	family->series_count++;
	return series;
}

static struct metric_series *find_other(struct metrics *metrics, struct metric_family *family)
{
	struct text values[METRIC_LABELS_MAX];

	if (family->other != NULL)
		return family->other;
	for (size_t i = 0; i < METRIC_LABELS_MAX; i++)
		values[i] = other_value;

	uint64_t hash = hash_series(family, values);

	family->other = look_up(metrics, family, values, hash);
	if (family->other == NULL)
		family->other = new_series(metrics, family, values, hash);
	return family->other;
}

static struct metric_series *find_series(
	struct metrics *metrics, const struct metric *metric, const struct text *values)
{
	struct metric_family *family = find_family(metrics, metric);

	if (family == NULL)
		return NULL;

	uint64_t hash = hash_series(family, values);
	struct metric_series *series = look_up(metrics, family, values, hash);
	size_t series_max = metric->series_max == 0 ? METRIC_SERIES_MAX : metric->series_max;

	if (series != NULL)
		return series;
	if (family->series_count >= series_max)
		return find_other(metrics, family);
	return new_series(metrics, family, values, hash);
}

static struct metric_series *find_locked(struct metrics *metrics, const struct metric *metric,
	const struct text *values, size_t value_count)
{
	struct text bounded[METRIC_LABELS_MAX] = {0};

	for (size_t i = 0; i < METRIC_LABELS_MAX && i < value_count; i++) {
		bounded[i] = values[i];
		if (bounded[i].len > METRIC_VALUE_MAX)
			bounded[i].len = METRIC_VALUE_MAX;
	}
	pthread_mutex_lock(&metrics->lock);
	struct metric_series *series = find_series(metrics, metric, bounded);

	pthread_mutex_unlock(&metrics->lock);
	return series;
}

metric_id metric_series(struct metrics *metrics, const struct metric *metric,
	const struct text *values, size_t value_count)
{
	const struct metric_series *series = find_locked(metrics, metric, values, value_count);

	return series == NULL ? 0 : series->id;
}

void metric_gauge_callback(struct metrics *metrics, const struct metric *metric,
	const struct text *values, size_t value_count, metric_read_fn *read, void *context)
{
	struct metric_series *series = find_locked(metrics, metric, values, value_count);
	struct metric_callback *callback = series == NULL ? NULL : calloc(1, sizeof(*callback));

	if (callback == NULL)
		return;
	callback->read = read;
	callback->context = context;
	callback->next = atomic_load(&series->callbacks);
	while (!atomic_compare_exchange_weak(&series->callbacks, &callback->next, callback))
		;
}
