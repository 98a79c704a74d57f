// SPDX-License-Identifier: Apache-2.0
#include "cli/start_watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void write_line(const char *line)
{
	ssize_t put = write(STDERR_FILENO, line, strlen(line));

	(void)put; /* nobody reads: there is nobody to tell */
}

static void leave(uint32_t number)
{
	write_line(number == SIGINT ? "millrace serve: SIGINT during the start: stopped\n"
				    : "millrace serve: SIGTERM during the start: stopped\n");
	_exit(128 + (int)number);
}

static void *run_watch(void *data)
{
	const struct start_watch *watch = data;
	struct pollfd waits[] = {{.fd = watch->signal_fd, .events = POLLIN},
		{.fd = watch->over_fd, .events = POLLIN}};
	struct signalfd_siginfo info;

	for (;;) {
		if (poll(waits, 2, -1) < 0 && errno != EINTR)
			return NULL;
		if (waits[1].revents != 0)
			return NULL; /* what is pending is for who comes after */
		if (read(watch->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
			leave(info.ssi_signo);
	}
}

int start_watch_begin(struct start_watch *watch)
{
	sigset_t set;
	int result;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	*watch = (struct start_watch) {
		.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
		.over_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	if (watch->signal_fd < 0 || watch->over_fd < 0)
		result = errno;
	else
		result = pthread_create(&watch->thread, NULL, run_watch, watch);
	watch->running = result == 0;
	if (!watch->running)
		start_watch_end(watch);
	return -result;
}

void start_watch_end(struct start_watch *watch)
{
	if (watch->running) {
		eventfd_write(watch->over_fd, 1);
		pthread_join(watch->thread, NULL);
	}
	watch->running = false;
	if (watch->signal_fd >= 0)
		close(watch->signal_fd);
	if (watch->over_fd >= 0)
		close(watch->over_fd);
	watch->signal_fd = watch->over_fd = -1;
}
