// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * log - structured log lines, one JSON object each. A line is a short binary record in the bounded
 * ring of its loop; a writer thread formats and writes it. Logging never blocks and never fails: a
 * full ring drops the line and counts the drop (log_dropped_total).
 * The only place that writes a log line. Threads other than loops use log_ring_new for a ring of
 * their own.
 *
 *   log_info(loop->log, "listener_opened", LOG_TEXT("address", address), LOG_NUMBER("port", port));
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/flow.h"
#include "core/setting.h"
#include "core/text.h"
#include "core/uuid.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

enum log_format { LOG_FORMAT_AUTO, LOG_FORMAT_JSON, LOG_FORMAT_TEXT };

struct log_settings {
	int64_t level; /* enum log_level; reloadable */
	int64_t format; /* enum log_format; auto: text on a terminal, JSON elsewhere */
	bool access; /* one line a request; reloadable */
	bool colour; /* in the text format on a terminal; cli clears it for NO_COLOR */
	int64_t ring_bytes; /* per loop, rounded up to a power of two */
	struct text file; /* empty: standard error; "-": standard output */
};
extern const struct setting_group log_setting_group;

/* Bounds of one line: a longer text is cut (and ends with an ellipsis), a longer JSON value is written
 * as a cut text, further fields are left out. */
enum {
	LOG_TEXT_MAX_BYTES = 2048,
	LOG_JSON_MAX_BYTES = 8192,
	LOG_FIELDS_MAX = 32,
	LOG_KEY_MAX_BYTES = 64,
};

struct log;
struct log_ring;
struct metrics;

enum log_kind {
	LOG_KIND_TEXT,
	LOG_KIND_INT,
	LOG_KIND_DOUBLE,
	LOG_KIND_BOOL,
	LOG_KIND_UUID,
	LOG_KIND_JSON,
};

struct log_field {
	const char *key; /* a literal: the writer reads it later */
	enum log_kind kind;
	uint8_t key_len;
	union {
		struct text text;
		int64_t integer;
		double number;
		struct uuid uuid;
	};
};

/* Keys are literals by construction: "" key_ "" takes nothing else. */
#define LOG_FIELD_(key_, kind_, ...) \
	((struct log_field) { \
		.key = "" key_ "", .key_len = sizeof(key_) - 1, .kind = (kind_), __VA_ARGS__})
#define LOG_TEXT(key_, text_)      LOG_FIELD_(key_, LOG_KIND_TEXT, .text = (text_))
#define LOG_STRING(key_, c_)       LOG_FIELD_(key_, LOG_KIND_TEXT, .text = text_from_c(c_))
#define LOG_NUMBER(key_, int_)     LOG_FIELD_(key_, LOG_KIND_INT, .integer = (int64_t)(int_))
#define LOG_DECIMAL(key_, double_) LOG_FIELD_(key_, LOG_KIND_DOUBLE, .number = (double_))
#define LOG_FLAG(key_, bool_)      LOG_FIELD_(key_, LOG_KIND_BOOL, .integer = (bool_))
#define LOG_UUID(key_, uuid_)      LOG_FIELD_(key_, LOG_KIND_UUID, .uuid = (uuid_))
/* JSON made by schema_encode_redacted. Anything that is not JSON is written as a string. */
#define LOG_JSON(key_, json_) LOG_FIELD_(key_, LOG_KIND_JSON, .text = (json_))

/* Starts the writer thread. NULL with errno when the file cannot be opened or no thread starts. */
struct log *log_open(const struct log_settings *settings);
/* After every producer has stopped: writes what the rings hold, joins the writer, frees the rings.
 * Gives up on a reader that takes nothing for a second. */
void log_close(struct log *log);
void log_set_level(struct log *log, enum log_level level); /* any thread */
/* The reloadable settings: level and access. Any thread. */
void log_reload(struct log *log, const struct log_settings *settings);
/* After a rotation. Any thread, safe in a signal handler; the writer does it soon. */
void log_reopen(struct log *log);
/* A ring for one producer thread; freed by log_close. NULL when there is no memory. Any thread. */
struct log_ring *log_ring_new(struct log *log);
/* Lines that full rings dropped, and that a file which takes nothing lost. Any thread. */
uint64_t log_dropped_total(const struct log *log);
uint64_t log_lines_total(const struct log *log); /* handed to the file; any thread */
/* Declares both as metrics, read at the scrape. */
void log_expose(struct log *log, struct metrics *metrics);

/* What the inline checks read; the first member of every ring. */
struct log_switches {
	_Atomic(int) level;
	_Atomic(bool) access;
};

static inline const struct log_switches *log_switches_of(const struct log_ring *ring)
{
	return *(const struct log_switches *const *)(const void *)ring;
}

/* ring NULL: nothing is logged (a loop without a log). */
static inline bool log_enabled(const struct log_ring *ring, enum log_level level)
{
	if (ring == NULL)
		return false;
	return (int)level >=
		atomic_load_explicit(&log_switches_of(ring)->level, memory_order_relaxed);
}

/* Is a line wanted for every request? */
static inline bool log_access_enabled(const struct log_ring *ring)
{
	if (ring == NULL)
		return false;
	return atomic_load_explicit(&log_switches_of(ring)->access, memory_order_relaxed);
}

/* The ring's own thread only. event: lower_snake, a literal. Field values are copied. */
void log_write(struct log_ring *ring, enum log_level level, const char *event,
	const struct log_field *fields, size_t field_count);
/* The same with the flow's request_id, trace_id, user_id and step. On the flow's loop. */
void log_write_flow(struct flow *flow, enum log_level level, const char *event,
	const struct log_field *fields, size_t field_count);

#define LOG_FIELDS(...) \
	(const struct log_field[]) {__VA_ARGS__}, \
		sizeof((const struct log_field[]) {__VA_ARGS__}) / sizeof(struct log_field)
/* The level is judged before a field is evaluated. */
#define LOG_AT_(ring_, level_, event_, ...) \
	do { \
		struct log_ring *log_at_ring_ = (ring_); \
		if (log_enabled(log_at_ring_, (level_))) \
			log_write(log_at_ring_, (level_), (event_), LOG_FIELDS(__VA_ARGS__)); \
	} while (0)
#define log_debug(ring_, event_, ...) LOG_AT_(ring_, LOG_DEBUG, event_, __VA_ARGS__)
#define log_info(ring_, event_, ...)  LOG_AT_(ring_, LOG_INFO, event_, __VA_ARGS__)
#define log_warn(ring_, event_, ...)  LOG_AT_(ring_, LOG_WARN, event_, __VA_ARGS__)
#define log_error(ring_, event_, ...) LOG_AT_(ring_, LOG_ERROR, event_, __VA_ARGS__)
