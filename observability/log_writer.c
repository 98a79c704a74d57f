// SPDX-License-Identifier: Apache-2.0
#include "observability/log_writer.h"

#include <errno.h>
#include <poll.h>
#include <stdalign.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "observability/log_ring.h"

enum {
	NAP_MS = 25, /* how late a line may be on the screen */
	IDLE_NAPS_MAX = 40, /* a second of quiet, then sleep */
	REPORT_EVERY_MS = 1000,
	GIVE_UP_AFTER_MS = 1000, /* closing, and the reader takes nothing */
};

static const uint64_t ns_per_ms = 1000000;

void log_writer_wake(struct log *log)
{
	int saved = errno;
	uint64_t one = 1;

	/* Can fail only when the counter is full: then it is awake. */
	(void)!write(log->wake_fd, &one, sizeof(one));
	errno = saved;
}

uint64_t log_writer_dropped(const struct log *log)
{
	uint64_t dropped = atomic_load_explicit(&log->sink.lost_total, memory_order_relaxed);

	for (struct log_ring *ring = atomic_load(&log->rings); ring != NULL; ring = ring->next)
		dropped += atomic_load_explicit(&ring->dropped, memory_order_relaxed);
	return dropped;
}

/* The oldest record of all rings, so that the lines of several loops come in order. */
static const struct log_record *find_oldest(struct log *log, struct log_ring **ring_out)
{
	const struct log_record *oldest = NULL;

	for (struct log_ring *ring = atomic_load(&log->rings); ring != NULL; ring = ring->next) {
		const struct log_record *record = log_ring_peek(ring);

		if (record == NULL || (oldest != NULL && record->unix_ms >= oldest->unix_ms))
			continue;
		oldest = record;
		*ring_out = ring;
	}
	return oldest;
}

static void format(struct log *log, const struct log_record *record, char *room)
{
	size_t len = log->json ? log_format_json(record, &log->second, room)
			       : log_format_text(record, &log->second, log->colour, room);

	log_sink_added(&log->sink, len);
}

/* Fills the buffer; true when there may be more. */
static bool drain(struct log *log)
{
	uint64_t lines = 0;
	struct log_ring *ring = NULL;
	const struct log_record *record = NULL;
	char *room = NULL;

	while ((record = find_oldest(log, &ring)) != NULL) {
		room = log_sink_room(&log->sink);
		if (room == NULL)
			break;
		format(log, record, room);
		log_ring_release(ring, record);
		lines++;
	}
	atomic_fetch_add_explicit(&log->lines_total, lines, memory_order_relaxed);
	if (lines > 0)
		log->idle_naps = 0;
	return record != NULL;
}

/* A line of the writer's own, beside the rings. */
static void write_own(struct log *log, enum log_level level, const char *event,
	const struct log_field *fields, size_t field_count)
{
	alignas(8) char record[8192];
	struct log_plan plan;
	char *room = log_sink_room(&log->sink);

	log_record_plan(&plan, NULL, fields, field_count);
	if (room == NULL || plan.size > sizeof(record))
		return;
	log_record_encode(record, &plan, level, event, NULL, fields, field_count);
	format(log, (const struct log_record *)(const void *)record, room);
}

static void report_drops(struct log *log)
{
	uint64_t dropped = log_writer_dropped(log);
	uint64_t now_ns = clock_now_ns();

	if (dropped == log->dropped_reported || log->stuck_since_ns != 0)
		return;
	if (now_ns - log->reported_ns < REPORT_EVERY_MS * ns_per_ms && !atomic_load(&log->closing))
		return;
	write_own(log, LOG_WARN, "log_dropped",
		LOG_FIELDS(LOG_NUMBER("lines", dropped - log->dropped_reported),
			LOG_NUMBER("total", dropped)));
	log->dropped_reported = dropped;
	log->reported_ns = now_ns;
}

static void flush(struct log *log)
{
	size_t begin = log->sink.begin;

	if (log_sink_flush(&log->sink))
		log->stuck_since_ns = 0;
	else if (log->stuck_since_ns == 0 || log->sink.begin != begin)
		log->stuck_since_ns = clock_now_ns();
}

static void reopen_if_asked(struct log *log)
{
	if (!atomic_exchange(&log->reopening, false))
		return;

	int result = log_sink_reopen(&log->sink);

	if (result < 0)
		write_own(log, LOG_ERROR, "log_reopen_failed",
			LOG_FIELDS(LOG_STRING("path", log->sink.path),
				LOG_STRING("cause", strerror(-result))));
	flush(log);
}

static bool rings_are_empty(struct log *log)
{
	struct log_ring *ring = NULL;

	return find_oldest(log, &ring) == NULL;
}

static int nap_timeout_ms(struct log *log)
{
	bool drops_to_report = log_writer_dropped(log) != log->dropped_reported;

	if (log->idle_naps < IDLE_NAPS_MAX || log->stuck_since_ns != 0 || drops_to_report)
		return NAP_MS;
	return -1;
}

static void nap(struct log *log)
{
	int timeout_ms = nap_timeout_ms(log);
	bool stuck = log->stuck_since_ns != 0;
	struct pollfd fds[] = {
		{.fd = log->wake_fd, .events = POLLIN},
		{.fd = stuck ? log->sink.fd : -1, .events = POLLOUT},
	};
	uint64_t wakes = 0;

	atomic_store(&log->mode, timeout_ms < 0 ? LOG_WRITER_ASLEEP : LOG_WRITER_NAPPING);
	/* A line that came before the mode was seen would wait for the next one. */
	if (timeout_ms < 0 && !rings_are_empty(log))
		timeout_ms = 0;
	poll(fds, 2, timeout_ms);
	atomic_store(&log->mode, LOG_WRITER_BUSY);
	(void)!read(log->wake_fd, &wakes, sizeof(wakes));
	log->idle_naps++;
}

static bool is_stuck_for_good(const struct log *log)
{
	return log->stuck_since_ns != 0 &&
		clock_now_ns() - log->stuck_since_ns > GIVE_UP_AFTER_MS * ns_per_ms;
}

/* Closing with a reader that takes nothing: count what is lost, that is all that can be done. */
static void give_up(struct log *log)
{
	struct log_ring *ring = NULL;
	const struct log_record *record = NULL;

	log_sink_discard(&log->sink);
	while ((record = find_oldest(log, &ring)) != NULL) {
		log_ring_release(ring, record);
		atomic_fetch_add_explicit(&log->sink.lost_total, 1, memory_order_relaxed);
	}
}

void *log_writer_run(void *context)
{
	struct log *log = context;

	for (;;) {
		/* Read first: a line written before log_close is in a ring by now. */
		bool closing = atomic_load(&log->closing);
		bool more = drain(log);

		report_drops(log);
		flush(log);
		reopen_if_asked(log);
		if (closing && !more && log->stuck_since_ns == 0)
			return NULL;
		if (closing && is_stuck_for_good(log)) {
			give_up(log);
			return NULL;
		}
		if (!more || log->stuck_since_ns != 0)
			nap(log);
	}
}
