// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * log - structured log lines, one JSON object each. A line is a short binary record in the bounded
 * ring of its loop; a writer thread formats and writes it. Logging never blocks and never fails: a full
 * ring drops the line and counts the drop (log_dropped_total).
 * The only place that writes a log line. Threads other than loops use log_ring_new for a ring of their own.
 */

#include <stdbool.h>
#include <stdint.h>

#include "core/flow.h"
#include "core/schema.h"
#include "core/setting.h"
#include "core/text.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_settings {
	int64_t level;          /* enum log_level; reloadable */
	int64_t format;         /* json, or text for people (default on a terminal) */
	bool access;            /* one line a request */
	int64_t ring_bytes;     /* per loop */
	struct text file;       /* empty: stderr... */
};
extern const struct setting_group log_setting_group;

struct log;
struct log_ring;

enum log_kind { LOG_KIND_TEXT, LOG_KIND_INT, LOG_KIND_DOUBLE, LOG_KIND_BOOL, LOG_KIND_UUID, LOG_KIND_JSON };

struct log_field {
	const char *key;
	enum log_kind kind;
	union {
		struct text text;
		int64_t integer;
		double number;
		struct uuid uuid;
	};
};

#define LOG_TEXT(key_, text_) ((struct log_field){ .key = (key_), .kind = LOG_KIND_TEXT, .text = (text_) })
#define LOG_STRING(key_, c_) ((struct log_field){ .key = (key_), .kind = LOG_KIND_TEXT, .text = text_from_c(c_) })
#define LOG_NUMBER(key_, int_) ((struct log_field){ .key = (key_), .kind = LOG_KIND_INT, .integer = (int_) })
#define LOG_DECIMAL(key_, double_) ((struct log_field){ .key = (key_), .kind = LOG_KIND_DOUBLE, .number = (double_) })
#define LOG_FLAG(key_, bool_) ((struct log_field){ .key = (key_), .kind = LOG_KIND_BOOL, .integer = (bool_) })
#define LOG_UUID(key_, uuid_) ((struct log_field){ .key = (key_), .kind = LOG_KIND_UUID, .uuid = (uuid_) })
/* JSON made by schema_encode_redacted */
#define LOG_JSON(key_, json_) ((struct log_field){ .key = (key_), .kind = LOG_KIND_JSON, .text = (json_) })

/* Starts the writer thread. NULL with errno when the file cannot be opened. */
struct log *log_open(const struct log_settings *settings);
/* Flushes every ring, joins the writer. */
void log_close(struct log *log);
void log_set_level(struct log *log, enum log_level level); /* any thread */
void log_reopen(struct log *log);                          /* after a rotation; any thread */
/* A ring for one producer thread; freed by log_close. */
struct log_ring *log_ring_new(struct log *log);
uint64_t log_dropped_total(struct log *log);
uint64_t log_lines_total(struct log *log);

/* event: lower_snake, constant for the process's life. Fields are copied. */
void log_write(struct log_ring *ring, enum log_level level, const char *event,
	       const struct log_field *fields, size_t field_count);
/* The same with the flow's request_id, trace_id, user_id and step. */
void log_write_flow(struct flow *flow, enum log_level level, const char *event,
		    const struct log_field *fields, size_t field_count);

#define LOG_FIELDS(...)                                                                            \
	(const struct log_field[]){ __VA_ARGS__ },                                                 \
		sizeof((const struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field)
#define log_debug(ring_, event_, ...) log_write(ring_, LOG_DEBUG, event_, LOG_FIELDS(__VA_ARGS__))
#define log_info(ring_, event_, ...) log_write(ring_, LOG_INFO, event_, LOG_FIELDS(__VA_ARGS__))
#define log_warn(ring_, event_, ...) log_write(ring_, LOG_WARN, event_, LOG_FIELDS(__VA_ARGS__))
#define log_error(ring_, event_, ...) log_write(ring_, LOG_ERROR, event_, LOG_FIELDS(__VA_ARGS__))
