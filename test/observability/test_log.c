// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yyjson.h>

#include "observability/log.h"
#include "observability/log_writer.h"
#include "test/support/temporary.h"

struct fixture {
	char folder[TEMPORARY_MAX];
	char file[TEMPORARY_MAX + 32];
	struct log_settings settings;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	temporary_template(fixture->folder);
	assert_non_null(mkdtemp(fixture->folder));
	snprintf(fixture->file, sizeof(fixture->file), "%s/log", fixture->folder);
	fixture->settings = (struct log_settings) {
		.level = LOG_INFO,
		.access = true,
		.file = text_from_c(fixture->file),
	};
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	char old[TEMPORARY_MAX + 64];

	snprintf(old, sizeof(old), "%s.1", fixture->file);
	unlink(old);
	unlink(fixture->file);
	rmdir(fixture->folder);
	free(fixture);
	return 0;
}

/* The whole file, terminated; the caller frees it. */
static char *read_path(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t capacity = 64 * 1024 * 1024;
	char *content = malloc(capacity);
	size_t len = fread(content, 1, capacity - 1, file);

	content[len] = '\0';
	fclose(file);
	return content;
}

static size_t count_lines(const char *content)
{
	size_t count = 0;

	for (; *content != '\0'; content++)
		count += *content == '\n';
	return count;
}

static void expect_json_lines(const char *content)
{
	while (*content != '\0') {
		const char *end = strchr(content, '\n');

		assert_non_null(end);
		yyjson_doc *document = yyjson_read(content, (size_t)(end - content), 0);

		assert_non_null(document);
		yyjson_doc_free(document);
		content = end + 1;
	}
}

static void closing_writes_every_line(void **state)
{
	struct fixture *fixture = *state;
	struct log *log = log_open(&fixture->settings);
	struct log_ring *ring = log_ring_new(log);

	for (int i = 0; i < 1000; i++)
		log_info(ring, "counted", LOG_NUMBER("n", i));
	log_close(log);

	char *content = read_path(fixture->file);

	assert_int_equal(count_lines(content), 1000);
	assert_non_null(strstr(content, "\"n\":0}"));
	assert_non_null(strstr(content, "\"n\":999}"));
	expect_json_lines(content);
	free(content);
}

static void a_log_without_a_line_opens_and_closes(void **state)
{
	struct fixture *fixture = *state;
	struct log *log = log_open(&fixture->settings);

	assert_non_null(log_ring_new(log));
	log_close(log);
	log_close(NULL);
}

static int evaluated(int *times)
{
	return ++*times;
}

static void a_line_below_the_level_costs_nothing_and_is_not_written(void **state)
{
	struct fixture *fixture = *state;
	struct log *log = log_open(&fixture->settings);
	struct log_ring *ring = log_ring_new(log);
	int times = 0;

	log_debug(ring, "unseen", LOG_NUMBER("n", evaluated(&times)));
	assert_int_equal(times, 0);
	log_set_level(log, LOG_DEBUG);
	log_debug(ring, "seen", LOG_NUMBER("n", evaluated(&times)));
	assert_int_equal(times, 1);
	log_set_level(log, LOG_ERROR);
	log_warn(ring, "unseen", LOG_NUMBER("n", 1));
	log_close(log);

	char *content = read_path(fixture->file);

	assert_int_equal(count_lines(content), 1);
	assert_non_null(strstr(content, "\"event\":\"seen\""));
	free(content);
}

static void without_a_ring_nothing_is_logged(void **state)
{
	log_info(NULL, "unseen", LOG_NUMBER("n", 1));
	assert_false(log_access_enabled(NULL));
}

static void a_reload_turns_level_and_access_lines(void **state)
{
	struct fixture *fixture = *state;
	struct log *log = log_open(&fixture->settings);
	struct log_ring *ring = log_ring_new(log);

	assert_true(log_access_enabled(ring));
	fixture->settings.access = false;
	fixture->settings.level = LOG_WARN;
	log_reload(log, &fixture->settings);
	assert_false(log_access_enabled(ring));
	assert_false(log_enabled(ring, LOG_INFO));
	assert_true(log_enabled(ring, LOG_WARN));
	log_close(log);
}

static void a_flow_logs_with_its_request_id(void **state)
{
	struct fixture *fixture = *state;
	struct log *log = log_open(&fixture->settings);
	struct loop loop = {.log = log_ring_new(log)};
	struct flow flow = {.loop = &loop, .trace = {.request_id = "req-9"}};

	log_write_flow(&flow, LOG_ERROR, "failed", LOG_FIELDS(LOG_STRING("cause", "none")));
	log_write_flow(&flow, LOG_DEBUG, "unseen", NULL, 0);
	log_close(log);

	char *content = read_path(fixture->file);

	assert_int_equal(count_lines(content), 1);
	assert_non_null(strstr(content,
		"\"level\":\"error\",\"event\":\"failed\",\"cause\":\"none\","
		"\"request_id\":\"req-9\"}"));
	free(content);
}

static void a_file_that_cannot_be_opened_is_an_error(void **state)
{
	struct fixture *fixture = *state;
	static char long_path[8192];

	fixture->settings.file = TEXT("/nonexistent/folder/log");
	assert_null(log_open(&fixture->settings));
	assert_int_equal(errno, ENOENT);
	memset(long_path, 'x', sizeof(long_path));
	fixture->settings.file = text_of(long_path, sizeof(long_path));
	assert_null(log_open(&fixture->settings));
	assert_int_equal(errno, ENAMETOOLONG);
}

static void the_file_is_not_for_others_to_read(void **state)
{
	struct fixture *fixture = *state;
	struct stat status;

	log_close(log_open(&fixture->settings));
	assert_int_equal(stat(fixture->file, &status), 0);
	assert_int_equal(status.st_mode & 0007, 0);
}

static void a_full_disk_loses_lines_counts_them_and_goes_on(void **state)
{
	struct fixture *fixture = *state;

	fixture->settings.file = TEXT("/dev/full");
	struct log *log = log_open(&fixture->settings);

	if (log == NULL)
		skip();

	struct log_ring *ring = log_ring_new(log);

	for (int i = 0; i < 100; i++)
		log_info(ring, "lost", LOG_NUMBER("n", i));
	while (log_dropped_total(log) < 100)
		sched_yield();
	log_close(log);
}

static void lines_that_nobody_reads_fill_the_ring_and_are_counted(void **state)
{
	struct fixture *fixture = *state;
	enum { LINES = 30000 };
	static char padding[1000];

	assert_int_equal(mkfifo(fixture->file, 0600), 0);
	int reader = open(fixture->file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct log *log = log_open(&fixture->settings);
	struct log_ring *ring = log_ring_new(log);

	memset(padding, 'x', sizeof(padding));
	for (int i = 0; i < LINES; i++)
		log_info(ring, "stalled", LOG_TEXT("padding", text_of(padding, sizeof(padding))));
	/* A pipe, the buffer and the ring hold a megabyte at most; nothing waited for the reader. */
	assert_in_range(log_dropped_total(log), LINES / 2, LINES);
	log_close(log);
	close(reader);
}

static void a_reader_that_has_gone_loses_lines_and_kills_nobody(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(mkfifo(fixture->file, 0600), 0);
	int reader = open(fixture->file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct log *log = log_open(&fixture->settings);
	struct log_ring *ring = log_ring_new(log);

	close(reader);
	log_info(ring, "lost", LOG_NUMBER("n", 1));
	while (log_dropped_total(log) == 0)
		sched_yield();
	log_close(log);
}

static void drain_pipe(int reader, char *buffer, size_t capacity, size_t *len)
{
	ssize_t got = read(reader, buffer + *len, capacity - *len - 1);

	if (got > 0)
		*len += (size_t)got;
	else
		sched_yield();
	buffer[*len] = '\0';
}

static void drops_are_told_once_there_is_room_again(void **state)
{
	struct fixture *fixture = *state;
	size_t capacity = 64 * 1024 * 1024, len = 0;
	char *said = calloc(1, capacity);
	static char padding[1000];

	assert_int_equal(mkfifo(fixture->file, 0600), 0);
	int reader = open(fixture->file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct log *log = log_open(&fixture->settings);
	struct log_ring *ring = log_ring_new(log);

	memset(padding, 'x', sizeof(padding));
	while (log_dropped_total(log) < 10)
		log_info(ring, "stalled", LOG_TEXT("padding", text_of(padding, sizeof(padding))));

	uint64_t dropped = log_dropped_total(log);
	char expected[64];

	snprintf(expected, sizeof(expected), "\"total\":%llu}", (unsigned long long)dropped);
	while (strstr(said, expected) == NULL)
		drain_pipe(reader, said, capacity, &len);
	assert_non_null(strstr(said, "\"level\":\"warn\",\"event\":\"log_dropped\""));
	expect_json_lines(said);
	assert_int_equal(log_dropped_total(log), dropped);
	log_close(log);
	close(reader);
	free(said);
}

static void rotate(const struct fixture *fixture)
{
	char old[TEMPORARY_MAX + 64];

	snprintf(old, sizeof(old), "%s.1", fixture->file);
	assert_int_equal(rename(fixture->file, old), 0);
}

static void reopening_follows_a_rotation(void **state)
{
	struct fixture *fixture = *state;
	struct log *log = log_open(&fixture->settings);
	struct log_ring *ring = log_ring_new(log);

	log_info(ring, "before", LOG_NUMBER("n", 1));
	rotate(fixture);
	log_reopen(log);
	while (access(fixture->file, F_OK) != 0)
		sched_yield();
	log_info(ring, "after", LOG_NUMBER("n", 2));
	log_close(log);

	char *content = read_path(fixture->file);

	assert_non_null(strstr(content, "\"event\":\"after\""));
	assert_null(strstr(content, "\"event\":\"before\""));
	free(content);
}

static void a_reopening_that_fails_keeps_the_old_file_and_says_so(void **state)
{
	struct fixture *fixture = *state;
	char old[TEMPORARY_MAX + 64];

	snprintf(old, sizeof(old), "%s.1", fixture->file);
	struct log *log = log_open(&fixture->settings);

	rotate(fixture);
	assert_int_equal(mkdir(fixture->file, 0700), 0);
	log_reopen(log);
	log_close(log);
	assert_int_equal(rmdir(fixture->file), 0);

	char *content = read_path(old);

	assert_non_null(strstr(content, "\"event\":\"log_reopen_failed\""));
	free(content);
}

/* ---- several threads ---- */

enum { THREADS = 4, LINES_EACH = 20000 };

struct producer {
	pthread_t thread;
	struct log *log;
	int number;
};

static void *produce(void *context)
{
	struct producer *producer = context;
	struct log_ring *ring = log_ring_new(producer->log);

	for (int i = 0; i < LINES_EACH; i++) {
		log_info(ring, "counted", LOG_NUMBER("thread", producer->number),
			LOG_NUMBER("n", i));
		if (i % 64 == 0)
			sched_yield();
	}
	return NULL;
}

static void every_line_of_several_threads_is_written_or_counted(void **state)
{
	struct fixture *fixture = *state;
	struct log *log = log_open(&fixture->settings);
	struct producer producers[THREADS];

	for (int i = 0; i < THREADS; i++) {
		producers[i] = (struct producer) {.log = log, .number = i};
		assert_int_equal(
			pthread_create(&producers[i].thread, NULL, produce, &producers[i]), 0);
	}
	for (int i = 0; i < 50; i++) {
		log_set_level(log, i % 2 ? LOG_INFO : LOG_DEBUG);
		assert_true(log_lines_total(log) + log_dropped_total(log) <= THREADS * LINES_EACH);
		sched_yield();
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(producers[i].thread, NULL);

	uint64_t dropped = log_dropped_total(log);

	log_close(log);

	char *content = read_path(fixture->file);
	size_t own = 0;

	expect_json_lines(content);
	for (const char *at = content; (at = strstr(at, "\"log_dropped\"")) != NULL; at++)
		own++;
	assert_int_equal(count_lines(content) - own + dropped, THREADS * LINES_EACH);
	free(content);
}

static void a_line_wakes_a_writer_that_sleeps(void **state)
{
	struct fixture *fixture = *state;
	struct log *log = log_open(&fixture->settings);
	struct log_ring *ring = log_ring_new(log);

	for (uint64_t lines = 1; lines <= 2; lines++) {
		while (atomic_load(&log->mode) != LOG_WRITER_ASLEEP)
			sched_yield();
		log_info(ring, "knock", LOG_NUMBER("n", lines));
		while (log_lines_total(log) < lines)
			sched_yield();
	}
	log_close(log);
}

static void the_settings_have_their_defaults_names_and_bounds(void **state)
{
	struct log_settings settings = {0};
	struct text error;
	struct arena arena;

	arena_init(&arena, NULL, 65536);
	for (size_t i = 0; i < log_setting_group.row_count; i++)
		assert_true(setting_parse(&log_setting_group.rows[i],
			text_from_c(log_setting_group.rows[i].fallback), &settings, &arena,
			&error));
	assert_int_equal(settings.level, LOG_INFO);
	assert_int_equal(settings.format, LOG_FORMAT_AUTO);
	assert_true(settings.access && settings.colour);
	assert_int_equal(settings.ring_bytes, 1024 * 1024);
	assert_int_equal(settings.file.len, 0);
	assert_string_equal(log_setting_group.rows[0].alias, "LOG_LEVEL");
	assert_false(
		setting_parse(&log_setting_group.rows[0], TEXT("loud"), &settings, &arena, &error));
	arena_deinit(&arena);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_settings_have_their_defaults_names_and_bounds),
		TEST(closing_writes_every_line),
		TEST(a_line_wakes_a_writer_that_sleeps),
		TEST(a_log_without_a_line_opens_and_closes),
		TEST(a_line_below_the_level_costs_nothing_and_is_not_written),
		TEST(without_a_ring_nothing_is_logged),
		TEST(a_reload_turns_level_and_access_lines),
		TEST(a_flow_logs_with_its_request_id),
		TEST(a_file_that_cannot_be_opened_is_an_error),
		TEST(the_file_is_not_for_others_to_read),
		TEST(a_full_disk_loses_lines_counts_them_and_goes_on),
		TEST(lines_that_nobody_reads_fill_the_ring_and_are_counted),
		TEST(a_reader_that_has_gone_loses_lines_and_kills_nobody),
		TEST(drops_are_told_once_there_is_room_again),
		TEST(reopening_follows_a_rotation),
		TEST(a_reopening_that_fails_keeps_the_old_file_and_says_so),
		TEST(every_line_of_several_threads_is_written_or_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
