// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * server - the running program: loops on their threads, the main thread waiting for signals. Loops share
 * nothing but what is read-only after the start; a reload changes settings while every loop stands still
 * between two turns.
 */

#include <pthread.h>

#include "cli/program.h"
#include "core/loop.h"
#include "observability/lag.h"

struct server;

/* One loop and its thread. */
struct server_loop {
	struct loop loop; /* first: a callback gets the loop */
	struct loop_message drain, pause;
	struct loop_lag *lag;
	struct server *server;
	pthread_t thread;
	bool running;
};

struct server {
	struct program program;
	struct command *command;
	struct router *router;
	struct http_server *http;
	struct server_loop *loops;
	unsigned loop_count;
	unsigned loops_attached;
	int ended_fd; /* eventfd: a loop's thread has ended */
	int signal_fd;
	bool stopping;
	pthread_barrier_t pause; /* main thread and all loops, twice a reload */
};

/* banner.c */
void server_tell_start(struct server *server);
/* reload.c */
void server_reload(struct server *server);
/* Runs `change` while every loop stands between two turns. Main thread. */
void server_change(
	struct server *server, void (*change)(struct server *server, void *context), void *context);
unsigned server_loop_count(const struct app_settings *app);
