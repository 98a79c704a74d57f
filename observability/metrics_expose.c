// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "observability/metrics_table.h"
#include "observability/number.h"
#include "observability/utf8.h"

/* The text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). */

struct page {
	char *data;
	size_t len, capacity;
	bool failed;
};

/* Where a scrape stands: a copy of the list, taken under the lock. */
struct scrape {
	struct metrics *metrics;
	void **series; /* of struct metric_series */
	size_t series_count;
};

static bool reserve(struct page *page, size_t len)
{
	if (page->failed)
		return false;
	if (page->capacity - page->len >= len)
		return true;

	size_t wanted = 2 * page->capacity + len;
	char *grown = realloc(page->data, wanted);

	if (grown == NULL) {
		page->failed = true;
		return false;
	}
	page->data = grown;
	page->capacity = wanted;
	return true;
}

static void put(struct page *page, const char *data, size_t len)
{
	if (!reserve(page, len))
		return;
	memcpy(page->data + page->len, data, len);
	page->len += len;
}

static void put_word(struct page *page, const char *terminated)
{
	put(page, terminated, strlen(terminated));
}

static char *copy(char *out, const char *data, size_t len)
{
	memcpy(out, data, len);
	return out + len;
}

char *metric_escape(char *out, struct text text, bool is_label)
{
	for (size_t at = 0; at < text.len;) {
		uint32_t character = 0;
		size_t len = utf8_take(text.data + at, text.len - at, &character);

		if (len == 0)
			out = copy(out, UTF8_REPLACEMENT, sizeof(UTF8_REPLACEMENT) - 1);
		else if (character == '\n')
			out = copy(out, "\\n", 2);
		else if (character == '\\' || (is_label && character == '"'))
			out = copy(out, (char[]) {'\\', (char)character}, 2);
		else
			out = copy(out, text.data + at, len);
		at += len == 0 ? 1 : len;
	}
	return out;
}

static void put_help(struct page *page, struct text help)
{
	if (!reserve(page, 3 * help.len))
		return;
	page->len = (size_t)(metric_escape(page->data + page->len, help, false) - page->data);
}

static const char *kind_word(enum metric_kind kind)
{
	switch (kind) {
	case METRIC_COUNTER:
		return "counter";
	case METRIC_GAUGE:
		return "gauge";
	case METRIC_HISTOGRAM:
		return "histogram";
	}
	return "untyped";
}

static void put_head(struct page *page, const struct metric *metric)
{
	put_word(page, "# HELP ");
	put_word(page, metric->name);
	put_word(page, " ");
	put_help(page, text_from_c(metric->help));
	put_word(page, "\n# TYPE ");
	put_word(page, metric->name);
	put_word(page, " ");
	put_word(page, kind_word(metric->kind));
	put_word(page, "\n");
}

/* name_suffix{label="value",le="..."} and a space; le may be NULL. */
static void put_name(
	struct page *page, const struct metric_series *series, const char *suffix, const char *le)
{
	put_word(page, series->family->metric->name);
	put_word(page, suffix);
	if (series->labels.len > 0 || le != NULL)
		put(page, "{", 1);
	put(page, series->labels.data, series->labels.len);
	if (le != NULL) {
		put_word(page, series->labels.len > 0 ? ",le=\"" : "le=\"");
		put_word(page, le);
		put(page, "\"", 1);
	}
	put_word(page, series->labels.len > 0 || le != NULL ? "} " : " ");
}

static void put_double_line(struct page *page, double value)
{
	char number[NUMBER_TEXT_MAX];

	put(page, number, number_format(value, number));
	put(page, "\n", 1);
}

/* By hand: most lines of a page are counts of buckets, and printf is half the time of a scrape. */
static void put_count_line(struct page *page, uint64_t count)
{
	char digits[24];
	size_t at = sizeof(digits);

	digits[--at] = '\n';
	do {
		digits[--at] = (char)('0' + count % 10);
		count /= 10;
	} while (count > 0);
	put(page, digits + at, sizeof(digits) - at);
}

/* The count is the sum of the buckets that were read, so that it always equals le="+Inf". */
static void put_histogram(
	struct page *page, struct metrics *metrics, const struct metric_series *series)
{
	const struct metric_family *family = series->family;
	metric_id sum = series->id + (metric_id)family->bucket_count + 1;
	uint64_t count = 0;

	for (size_t i = 0; i <= family->bucket_count; i++) {
		const char *bound = i < family->bucket_count ? family->bounds[i] : "+Inf";

		count += metrics_sum_count(metrics, series->id + (metric_id)i);
		put_name(page, series, "_bucket", bound);
		put_count_line(page, count);
	}
	put_name(page, series, "_sum", NULL);
	put_double_line(page, metrics_sum_double(metrics, sum));
	put_name(page, series, "_count", NULL);
	put_count_line(page, count);
}

static void put_series(
	struct page *page, struct metrics *metrics, const struct metric_series *series)
{
	if (series->kind == METRIC_HISTOGRAM) {
		put_histogram(page, metrics, series);
		return;
	}
	put_name(page, series, "", NULL);
	put_double_line(page, metric_series_value(metrics, series));
}

static bool begin_scrape(struct scrape *scrape, struct metrics *metrics)
{
	pthread_mutex_lock(&metrics->lock);
	size_t bytes = metrics->series.count * sizeof(void *);

	*scrape = (struct scrape) {.metrics = metrics, .series_count = metrics->series.count};
	scrape->series = malloc(bytes + 1);
	if (scrape->series != NULL && bytes > 0)
		memcpy(scrape->series, metrics->series.items, bytes);
	pthread_mutex_unlock(&metrics->lock);
	return scrape->series != NULL;
}

static void put_all(struct page *page, const struct scrape *scrape)
{
	const struct metric_family *family = NULL;

	for (size_t i = 0; i < scrape->series_count; i++) {
		const struct metric_series *series = scrape->series[i];

		if (series->family != family)
			put_head(page, series->family->metric);
		family = series->family;
		put_series(page, scrape->metrics, series);
	}
}

/* Grown on the heap and copied once: growing in an arena would leave every smaller copy behind. */
struct text metrics_expose(struct metrics *metrics, struct arena *arena)
{
	struct text text = TEXT_ABSENT;
	struct page page = {0};
	struct scrape scrape;

	if (!begin_scrape(&scrape, metrics))
		return text;
	reserve(&page, 16 * 1024);
	put_all(&page, &scrape);
	if (!page.failed)
		text = arena_text(arena, text_of(page.data, page.len));
	free(scrape.series);
	free(page.data);
	return text;
}
