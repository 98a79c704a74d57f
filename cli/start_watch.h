// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * start_watch - SIGTERM and SIGINT while the server starts. Opening the database and migrating block the main
 * thread, maybe for long, and there is nothing to drain yet: the process leaves at once. What it was at is
 * undone by the databases (an open transaction is rolled back).
 * SIGTERM and SIGINT must be blocked in every thread; those that nobody took stay pending.
 */

#include <pthread.h>
#include <stdbool.h>

struct start_watch {
	int signal_fd, over_fd;
	pthread_t thread;
	bool running;
};

/* 0, or a negative errno. From here a signal ends the process with 128 and its number. */
int start_watch_begin(struct start_watch *watch);
/* From here signals are the caller's again. */
void start_watch_end(struct start_watch *watch);
