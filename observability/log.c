// SPDX-License-Identifier: Apache-2.0
#include "observability/log.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "observability/log_ring.h"
#include "observability/log_writer.h"
#include "observability/metrics.h"

static const char *const level_choices[] = {"debug", "info", "warn", "error", NULL};
static const char *const format_choices[] = {"auto", "json", "text", NULL};

static const struct setting rows[] = {
	SETTING(SETTING_CHOICE, log_settings, level, "log.level", "info", .choices = level_choices,
		.alias = "LOG_LEVEL", .reloadable = true,
		.help = "The least level that is written."),
	SETTING(SETTING_CHOICE, log_settings, format, "log.format", "auto",
		.choices = format_choices,
		.help = "json: one object a line; text: for people; auto: text on a terminal, "
			"json elsewhere."),
	SETTING(SETTING_BOOL, log_settings, access, "log.access", "true", .reloadable = true,
		.help = "One line for every request answered."),
	SETTING(SETTING_BOOL, log_settings, colour, "log.color", "true",
		.help = "Colours in the text format on a terminal. NO_COLOR turns them off too."),
	SETTING(SETTING_SIZE, log_settings, ring_bytes, "log.ring_size", "1MiB", .min = 64 * 1024,
		.max = 64 * 1024 * 1024,
		.help = "Memory for lines that wait to be written, per loop. A full ring drops "
			"lines and counts them in log_dropped_total."),
	SETTING(SETTING_PATH, log_settings, file, "log.file", "",
		.help = "The file that lines are added to; SIGUSR1 opens it again after a rotation. "
			"Unset: standard error; \"-\": standard output."),
};

const struct setting_group log_setting_group = SETTING_GROUP(
	"log", log_settings, rows, "What is written about the work, how and where.");

static int start_writer(struct log *log)
{
	sigset_t all, before;

	/* Signals belong to the program's own threads; SIGPIPE becomes EPIPE. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);

	int result = pthread_create(&log->thread, NULL, log_writer_run, log);

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (result == 0)
		pthread_setname_np(log->thread, "log");
	return -result;
}

static void choose_format(struct log *log, const struct log_settings *settings)
{
	bool terminal = log_sink_is_terminal(&log->sink);

	log->json = settings->format == LOG_FORMAT_JSON ||
		(settings->format == LOG_FORMAT_AUTO && !terminal);
	log->colour = settings->colour && terminal;
}

struct log *log_open(const struct log_settings *settings)
{
	struct log *log = calloc(1, sizeof(*log));
	int result;

	if (log == NULL)
		return NULL;
	log_reload(log, settings);
	log->ring_bytes = settings->ring_bytes > 0 ? (size_t)settings->ring_bytes : 0;
	result = log_sink_open(&log->sink, settings->file);
	if (result < 0)
		goto fail_log;
	choose_format(log, settings);
	log->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (log->wake_fd < 0) {
		result = -errno;
		goto fail_sink;
	}
	result = start_writer(log);
	if (result == 0)
		return log;

	close(log->wake_fd);
fail_sink:
	log_sink_close(&log->sink);
fail_log:
	free(log);
	errno = -result;
	return NULL;
}

void log_close(struct log *log)
{
	struct log_ring *ring;

	if (log == NULL)
		return;
	atomic_store(&log->closing, true);
	log_writer_wake(log);
	pthread_join(log->thread, NULL);
	while ((ring = atomic_load(&log->rings)) != NULL) {
		atomic_store(&log->rings, ring->next);
		log_ring_free(ring);
	}
	close(log->wake_fd);
	log_sink_close(&log->sink);
	free(log);
}

void log_set_level(struct log *log, enum log_level level)
{
	atomic_store_explicit(&log->switches.level, (int)level, memory_order_relaxed);
}

void log_reload(struct log *log, const struct log_settings *settings)
{
	log_set_level(log, (enum log_level)settings->level);
	atomic_store_explicit(&log->switches.access, settings->access, memory_order_relaxed);
}

void log_reopen(struct log *log)
{
	atomic_store(&log->reopening, true);
	log_writer_wake(log);
}

struct log_ring *log_ring_new(struct log *log)
{
	struct log_ring *ring = log_ring_alloc(log, &log->switches, log->ring_bytes);

	if (ring == NULL)
		return NULL;
	ring->next = atomic_load(&log->rings);
	while (!atomic_compare_exchange_weak(&log->rings, &ring->next, ring))
		;
	return ring;
}

uint64_t log_dropped_total(const struct log *log)
{
	return log_writer_dropped(log);
}

uint64_t log_lines_total(const struct log *log)
{
	return atomic_load_explicit(&log->lines_total, memory_order_relaxed);
}

/* ---- producers ---- */

/* One system call, and only when the writer sleeps or the ring fills up while it naps. */
static void wake_if_needed(struct log_ring *ring, size_t waiting)
{
	struct log *log = ring->log;
	int mode = atomic_load(&log->mode);

	if (mode == LOG_WRITER_BUSY)
		return;
	if (mode == LOG_WRITER_NAPPING && waiting < ring->size / 2)
		return;
	if (mode == LOG_WRITER_NAPPING) {
		ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
		waiting = ring->reserved - ring->tail_seen;
		if (waiting < ring->size / 2)
			return;
	}
	if (atomic_exchange(&log->mode, LOG_WRITER_BUSY) != LOG_WRITER_BUSY)
		log_writer_wake(log);
}

static void append(struct log_ring *ring, const struct flow *flow, enum log_level level,
	const char *event, const struct log_field *fields, size_t field_count)
{
	struct log_plan plan;
	void *record;

	log_record_plan(&plan, flow, fields, field_count);
	record = log_ring_reserve(ring, plan.size);
	if (record == NULL)
		return;
	log_record_encode(record, &plan, level, event, flow, fields, field_count);
	wake_if_needed(ring, log_ring_commit(ring, plan.size));
}

void log_write(struct log_ring *ring, enum log_level level, const char *event,
	const struct log_field *fields, size_t field_count)
{
	if (log_enabled(ring, level))
		append(ring, NULL, level, event, fields, field_count);
}

void log_write_flow(struct flow *flow, enum log_level level, const char *event,
	const struct log_field *fields, size_t field_count)
{
	if (log_enabled(flow->loop->log, level))
		append(flow->loop->log, flow, level, event, fields, field_count);
}

/* ---- metrics ---- */

static const struct metric log_lines = {
	.name = "log_lines_total",
	.kind = METRIC_COUNTER,
	.help = "Log lines handed to the log's file.",
};

static const struct metric log_dropped = {
	.name = "log_dropped_total",
	.kind = METRIC_COUNTER,
	.help = "Log lines dropped by a full ring, or lost by a file that took nothing.",
};

static double read_lines(void *context)
{
	return (double)log_lines_total(context);
}

static double read_dropped(void *context)
{
	return (double)log_dropped_total(context);
}

void log_expose(struct log *log, struct metrics *metrics)
{
	metric_gauge_callback(metrics, &log_lines, NULL, 0, read_lines, log);
	metric_gauge_callback(metrics, &log_dropped, NULL, 0, read_dropped, log);
}
