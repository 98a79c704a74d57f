// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * log_format - a record as one line: a JSON object for machines, or words for people. Whatever the
 * record holds, the line is valid UTF-8, holds no control character and ends with its only newline.
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/clock.h"
#include "observability/log_record.h"

/* Six bytes for each of a record (\u0000), its keys and the head: an upper bound, checked by a fuzzer. */
enum { LOG_LINE_MAX_BYTES = 8 * LOG_RECORD_MAX_BYTES };

/* The second that a formatter wrote last: most lines share it. All zero at first. */
struct log_second {
	int64_t begin_ms; /* Unix time */
	char text[CLOCK_RFC3339_LEN];
};

/* `out` has LOG_LINE_MAX_BYTES; returns the length with the newline. */
size_t log_format_json(const struct log_record *record, struct log_second *second, char *out);
size_t log_format_text(
	const struct log_record *record, struct log_second *second, bool colour, char *out);

const char *log_level_name(enum log_level level); /* "debug" ... */
