// SPDX-License-Identifier: Apache-2.0

#include "http/head.h"

#include <string.h>

#include "http/characters.h"
#include "http/server.h"

enum { HEAD_FIRST_BYTES = 1024, BLANK_BYTES_MAX = 4 /* two empty lines */ };

static enum head_verdict refused(struct head *head, enum problem problem)
{
	head->problem = problem;
	return HEAD_REFUSED;
}

static bool append(struct head *head, struct arena *arena, struct text data)
{
	size_t needed = head->len + data.len;

	if (needed > head->capacity) {
		size_t capacity = head->capacity ? head->capacity : HEAD_FIRST_BYTES;

		while (capacity < needed)
			capacity *= 2;
		char *grown = arena_grow(arena, head->data, head->capacity, capacity);
		if (grown == NULL)
			return false;
		head->data = grown;
		head->capacity = capacity;
	}
	if (data.len > 0)
		memcpy(head->data + head->len, data.data, data.len);
	head->len = needed;
	return true;
}

/* True while empty lines are all there is; *taken counts them. */
static bool skip_blank_lines(struct head *head, struct text data, size_t *taken)
{
	while (*taken < data.len) {
		bool expects_lf = head->blank_bytes % 2 == 1;
		char c = data.data[*taken];

		if (c != (expects_lf ? '\n' : '\r') || head->blank_bytes == BLANK_BYTES_MAX)
			return false;
		head->blank_bytes++;
		(*taken)++;
	}
	return true;
}

static bool is_over_limit(const struct head *head, const struct http_settings *settings, size_t end,
	enum problem *problem_out)
{
	if (head->request_len == 0) {
		*problem_out = PROBLEM_URI_TOO_LONG;
		return end > (size_t)settings->request_line_max_bytes;
	}
	*problem_out = PROBLEM_HEADERS_TOO_LARGE;
	return end - head->request_len > (size_t)settings->headers_max_bytes;
}

/* A whole line stands at the end of head->data. */
static enum head_verdict line_ended(struct head *head, const struct http_settings *settings)
{
	const char *line = head->data + head->line_start;
	size_t len = head->len - head->line_start;

	if (len < 2 || line[len - 2] != '\r')
		return refused(head, PROBLEM_BAD_REQUEST);
	head->line_start = head->len;
	if (head->request_len == 0) {
		head->request_len = len;
		return request_line_parse(text_of(line, len - 2), &head->line, &head->problem)
			? HEAD_MORE
			: HEAD_REFUSED;
	}
	if (len == 2)
		return HEAD_COMPLETE;
	if (line[0] == ' ' || line[0] == '\t') /* obs-fold, RFC 9112, 5.2 */
		return refused(head, PROBLEM_BAD_REQUEST);
	head->field_count++;
	return head->field_count > (size_t)settings->headers_max_count
		? refused(head, PROBLEM_HEADERS_TOO_LARGE)
		: HEAD_MORE;
}

static enum head_verdict feed_lines(struct head *head, struct arena *arena,
	const struct http_settings *settings, struct text data, size_t *taken)
{
	enum head_verdict verdict = HEAD_MORE;

	while (*taken < data.len && verdict == HEAD_MORE) {
		const char *from = data.data + *taken;
		const char *newline = memchr(from, '\n', data.len - *taken);
		size_t len = newline ? (size_t)(newline - from) + 1 : data.len - *taken;
		enum problem problem;

		if (is_over_limit(head, settings, head->len + len, &problem))
			return refused(head, problem);
		if (!append(head, arena, text_of(from, len)))
			return refused(head, PROBLEM_HEADERS_TOO_LARGE);
		*taken += len;
		if (newline != NULL)
			verdict = line_ended(head, settings);
	}
	return verdict;
}

enum head_verdict head_feed(struct head *head, struct arena *arena,
	const struct http_settings *settings, struct text data, size_t *taken_out)
{
	*taken_out = 0;
	if (head->len == 0) {
		if (skip_blank_lines(head, data, taken_out))
			return HEAD_MORE;
		/* Also what a TLS client or noise meets: answered now, not after the timeout. */
		if (head->blank_bytes % 2 == 1 ||
			!character_is(data.data[*taken_out], CHARACTER_TOKEN))
			return refused(head, PROBLEM_BAD_REQUEST);
	}
	return feed_lines(head, arena, settings, data, taken_out);
}
