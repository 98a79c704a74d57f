// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "observability/log_format.h"
#include "observability/log_sink.h"

/* Standard output is another file while a sink looks at it: cmocka needs its own back. */
struct fixture {
	int fds[2]; /* read end, write end */
	int real_output;
	struct log_sink sink;
	char *taken;
};

static void replace_output(struct fixture *fixture)
{
	fixture->real_output = dup(STDOUT_FILENO);
	assert_int_equal(dup2(fixture->fds[1], STDOUT_FILENO), STDOUT_FILENO);
	assert_int_equal(log_sink_open(&fixture->sink, TEXT("-")), 0);
}

static void restore_output(struct fixture *fixture)
{
	dup2(fixture->real_output, STDOUT_FILENO);
	close(fixture->real_output);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->taken = malloc(4 * LOG_LINE_MAX_BYTES);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	close(fixture->fds[0]);
	close(fixture->fds[1]);
	free(fixture->taken);
	free(fixture);
	return 0;
}

static bool add_line(struct log_sink *sink, size_t len)
{
	char *room = log_sink_room(sink);

	if (room == NULL)
		return false;
	memset(room, 'x', len - 1);
	room[len - 1] = '\n';
	log_sink_added(sink, len);
	return true;
}

static size_t take_all(struct fixture *fixture)
{
	size_t len = 0;
	ssize_t got;

	fcntl(fixture->fds[0], F_SETFL, O_NONBLOCK);
	while ((got = read(fixture->fds[0], fixture->taken + len, LOG_LINE_MAX_BYTES)) > 0)
		len += (size_t)got;
	return len;
}

/* Far more than a pipe takes (64 KiB): returns, and the rest waits for its reader. */
static void expect_patience(struct fixture *fixture)
{
	enum { LEN = 100000 };
	size_t len;

	assert_true(add_line(&fixture->sink, LEN));
	assert_true(add_line(&fixture->sink, LEN));
	assert_false(add_line(&fixture->sink, LEN));
	assert_false(log_sink_flush(&fixture->sink));
	len = take_all(fixture);
	while (!log_sink_flush(&fixture->sink))
		len += take_all(fixture);
	len += take_all(fixture);
	assert_int_equal(len, 2 * LEN);
	assert_int_equal(atomic_load(&fixture->sink.lost_total), 0);
}

static void a_stalled_pipe_keeps_lines_and_stays_blocking_for_others(void **state)
{
	struct fixture *fixture = *state;
	bool shared;

	assert_int_equal(pipe(fixture->fds), 0);
	replace_output(fixture);
	shared = fcntl(STDOUT_FILENO, F_GETFL) & O_NONBLOCK;
	restore_output(fixture);
	assert_false(shared);
	expect_patience(fixture);
	log_sink_close(&fixture->sink);
}

static void a_stalled_socket_keeps_lines(void **state)
{
	struct fixture *fixture = *state;
	int size = 4096;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fixture->fds), 0);
	setsockopt(fixture->fds[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	replace_output(fixture);
	/* A socket cannot be opened once more: the sink writes to standard output itself. */
	assert_true(fixture->sink.is_socket);
	expect_patience(fixture);
	log_sink_close(&fixture->sink);
	restore_output(fixture);
}

static void a_stream_that_cannot_be_opened_again_is_written_in_pieces(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(pipe(fixture->fds), 0);
	assert_int_equal(log_sink_open(&fixture->sink, TEXT("/dev/null")), 0);
	close(fixture->sink.fd);
	fixture->sink.fd = fixture->fds[1];
	fixture->sink.owned = false;
	fixture->sink.is_piece = true;
	expect_patience(fixture);
	log_sink_close(&fixture->sink);
}

static void after_a_broken_line_the_next_begins_on_its_own(void **state)
{
	struct fixture *fixture = *state;
	size_t broken, len;

	assert_int_equal(pipe(fixture->fds), 0);
	replace_output(fixture);
	restore_output(fixture);
	assert_true(add_line(&fixture->sink, 100000));
	assert_false(log_sink_flush(&fixture->sink));
	log_sink_discard(&fixture->sink);
	assert_int_equal(atomic_load(&fixture->sink.lost_total), 1);
	broken = take_all(fixture);
	assert_int_not_equal(fixture->taken[broken - 1], '\n');

	assert_true(add_line(&fixture->sink, 10));
	assert_true(log_sink_flush(&fixture->sink));
	len = take_all(fixture);
	assert_int_equal(len, 11);
	assert_memory_equal(fixture->taken, "\nxxxxxxxxx\n", 11);
	log_sink_close(&fixture->sink);
}

static void a_socket_that_nobody_holds_loses_lines_without_a_signal(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fixture->fds), 0);
	replace_output(fixture);
	close(fixture->fds[0]);
	assert_true(add_line(&fixture->sink, 10));
	assert_true(add_line(&fixture->sink, 10));
	assert_true(log_sink_flush(&fixture->sink));
	restore_output(fixture);
	assert_int_equal(atomic_load(&fixture->sink.lost_total), 2);
	log_sink_close(&fixture->sink);
}

static void a_standard_stream_has_nothing_to_reopen(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(pipe(fixture->fds), 0);
	replace_output(fixture);
	assert_int_equal(log_sink_reopen(&fixture->sink), 0);
	assert_false(log_sink_is_terminal(&fixture->sink));
	log_sink_close(&fixture->sink);
	restore_output(fixture);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stalled_pipe_keeps_lines_and_stays_blocking_for_others),
		TEST(a_stalled_socket_keeps_lines),
		TEST(a_stream_that_cannot_be_opened_again_is_written_in_pieces),
		TEST(after_a_broken_line_the_next_begins_on_its_own),
		TEST(a_socket_that_nobody_holds_loses_lines_without_a_signal),
		TEST(a_standard_stream_has_nothing_to_reopen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
