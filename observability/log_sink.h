// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * log_sink - where lines go: standard error, standard output or a file, and the buffer before it. A
 * write never blocks the thread for good: what cannot be written now stays in the buffer, what can
 * never be written (no reader, disk full) is lost and counted. Writer thread only, except `lost_total`.
 */

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/text.h"

struct log_sink {
	int fd;
	bool owned; /* opened by us, to be closed */
	bool is_socket;
	bool is_piece; /* may block on large writes: poll, then at most PIPE_BUF bytes */
	bool mid_line; /* the last line that went out is not whole */
	char *buffer;
	size_t begin, end, capacity;
	_Atomic(uint64_t) lost_total; /* lines */
	char path[PATH_MAX]; /* empty: a standard stream */
};

/* Returns 0 or a negative errno; then nothing needs closing. */
int log_sink_open(struct log_sink *sink, struct text file);
void log_sink_close(struct log_sink *sink);
/* Opens the file's path again; keeps the old one when that fails. 0 or a negative errno. */
int log_sink_reopen(struct log_sink *sink);
bool log_sink_is_terminal(const struct log_sink *sink);

/* LOG_LINE_MAX_BYTES of room for the next line, or NULL: flush first. */
char *log_sink_room(struct log_sink *sink);
void log_sink_added(struct log_sink *sink, size_t len);
/* False when the file takes nothing more right now and something is left. */
bool log_sink_flush(struct log_sink *sink);
/* Loses what is left, and counts it. */
void log_sink_discard(struct log_sink *sink);
