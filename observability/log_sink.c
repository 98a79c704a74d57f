// SPDX-License-Identifier: Apache-2.0
#include "observability/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "observability/log_format.h"

enum { BUFFER_BYTES = 2 * LOG_LINE_MAX_BYTES };

static int open_file(const char *path)
{
	/* Readable by the group (adm reads logs on Debian), by nobody else. */
	int fd = open(
		path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);

	return fd < 0 ? -errno : fd;
}

static void take_file(struct log_sink *sink, int fd)
{
	struct stat status;

	sink->fd = fd;
	sink->owned = true;
	sink->is_socket = fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
	sink->is_piece = false;
}

/*
 * A standard stream's description is shared with the shell and others: it must not become
 * nonblocking for them. Pipes and terminals can be opened once more, for us alone.
 */
static void take_stream(struct log_sink *sink, int stream)
{
	char name[32];
	struct stat status;

	sink->fd = stream;
	if (fstat(stream, &status) < 0 || S_ISREG(status.st_mode))
		return;
	sink->is_socket = S_ISSOCK(status.st_mode);
	if (sink->is_socket)
		return;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", stream);
	int fd = open(name, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd >= 0)
		take_file(sink, fd);
	else
		sink->is_piece = true;
}

static int open_path(struct log_sink *sink, struct text file)
{
	if (file.len >= sizeof(sink->path))
		return -ENAMETOOLONG;
	memcpy(sink->path, file.data, file.len);
	sink->path[file.len] = '\0';

	int fd = open_file(sink->path);

	if (fd < 0)
		return fd;
	take_file(sink, fd);
	return 0;
}

int log_sink_open(struct log_sink *sink, struct text file)
{
	int result = 0;

	*sink = (struct log_sink) {.fd = -1, .capacity = BUFFER_BYTES};
	sink->buffer = malloc(sink->capacity);
	if (sink->buffer == NULL)
		return -ENOMEM;
	if (file.len == 0)
		take_stream(sink, STDERR_FILENO);
	else if (text_equals(file, TEXT("-")))
		take_stream(sink, STDOUT_FILENO);
	else
		result = open_path(sink, file);
	if (result < 0)
		log_sink_close(sink);
	return result;
}

void log_sink_close(struct log_sink *sink)
{
	if (sink->owned)
		close(sink->fd);
	free(sink->buffer);
	sink->buffer = NULL;
	sink->owned = false;
}

int log_sink_reopen(struct log_sink *sink)
{
	if (sink->path[0] == '\0')
		return 0;

	int fd = open_file(sink->path);

	if (fd < 0)
		return fd;
	close(sink->fd);
	take_file(sink, fd);
	sink->mid_line = false;
	return 0;
}

bool log_sink_is_terminal(const struct log_sink *sink)
{
	return isatty(sink->fd) == 1;
}

static void move_to_front(struct log_sink *sink)
{
	if (sink->begin == 0)
		return;
	memmove(sink->buffer, sink->buffer + sink->begin, sink->end - sink->begin);
	sink->end -= sink->begin;
	sink->begin = 0;
}

char *log_sink_room(struct log_sink *sink)
{
	/* One byte more: a newline that ends a broken line. */
	if (sink->capacity - sink->end < LOG_LINE_MAX_BYTES + 1)
		move_to_front(sink);
	if (sink->capacity - sink->end < LOG_LINE_MAX_BYTES + 1)
		return NULL;
	if (sink->mid_line && sink->begin == sink->end) {
		sink->buffer[sink->end++] = '\n';
		sink->mid_line = false;
	}
	return sink->buffer + sink->end;
}

void log_sink_added(struct log_sink *sink, size_t len)
{
	sink->end += len;
}

static bool is_writable(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};

	return poll(&poll_fd, 1, 0) > 0;
}

static ssize_t write_some(struct log_sink *sink, const char *data, size_t len)
{
	if (sink->is_socket)
		return send(sink->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (!sink->is_piece)
		return write(sink->fd, data, len);
	if (!is_writable(sink->fd)) {
		errno = EAGAIN;
		return -1;
	}
	return write(sink->fd, data, len < PIPE_BUF ? len : PIPE_BUF);
}

bool log_sink_flush(struct log_sink *sink)
{
	while (sink->begin < sink->end) {
		ssize_t written = write_some(
			sink, sink->buffer + sink->begin, sink->end - sink->begin);

		if (written > 0)
			sink->begin += (size_t)written;
		else if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return false;
		else if (written == 0 || errno != EINTR)
			log_sink_discard(sink);
	}
	sink->begin = 0;
	sink->end = 0;
	return true;
}

void log_sink_discard(struct log_sink *sink)
{
	uint64_t lines = 0;

	for (size_t i = sink->begin; i < sink->end; i++)
		lines += sink->buffer[i] == '\n';
	/* Where a line was cut in the middle, the next begins on a line of its own. */
	if (sink->begin > 0 && sink->buffer[sink->begin - 1] != '\n')
		sink->mid_line = true;
	sink->begin = 0;
	sink->end = 0;
	atomic_fetch_add_explicit(&sink->lost_total, lines, memory_order_relaxed);
}
