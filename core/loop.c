// SPDX-License-Identifier: Apache-2.0
#include "core/loop.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/flow_pool.h"
#include "core/timer_wheel.h"

/* Enough for every request in flight on a busy loop; what is above goes back to malloc. */
enum { LOOP_BLOCKS_MAX = 1024 };

/* Takes the whole inbox at once and turns it round: senders push at the head. */
static void read_inbox(struct loop *loop)
{
	struct loop_message *newest = atomic_exchange(&loop->inbox, NULL);
	struct loop_message *oldest = NULL;

	while (newest != NULL) {
		struct loop_message *older = atomic_load_explicit(
			&newest->next, memory_order_relaxed);

		atomic_store_explicit(&newest->next, oldest, memory_order_relaxed);
		oldest = newest;
		newest = older;
	}
	while (oldest != NULL) {
		struct loop_message *next = atomic_load_explicit(
			&oldest->next, memory_order_relaxed);

		oldest->run(loop, oldest);
		oldest = next;
	}
}

static void on_wake(uv_poll_t *wake, int status, int events)
{
	struct loop *loop = wake->data;
	eventfd_t count;

	(void)status;
	(void)events;
	eventfd_read(loop->wake_fd, &count);
	read_inbox(loop);
}

/* An eventfd instead of uv_async_t: uv_async_send (1.44) lets the loop spin until the sender has come back from
 * its write, and a sender of low priority may not be back for milliseconds. */
static int open_wake(struct loop *loop)
{
	int error;

	loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->wake_fd < 0)
		return UV_EMFILE;
	error = uv_poll_init(&loop->uv, &loop->wake, loop->wake_fd);
	if (error < 0) {
		close(loop->wake_fd);
		return error;
	}
	loop->wake.data = loop;
	uv_poll_start(&loop->wake, UV_READABLE, on_wake);
	return 0;
}

static void on_before_sleep(uv_prepare_t *handle)
{
	struct loop *loop = handle->data;

	for (unsigned i = 0; i < loop->flush_count; i++)
		loop->flushes[i].run(loop, loop->flushes[i].context);
}

int loop_init(struct loop *loop, unsigned index)
{
	int error;

	*loop = (struct loop) {.index = index};
	error = uv_loop_init(&loop->uv);
	if (error < 0)
		return error;
	loop->uv.data = loop;
	error = open_wake(loop);
	if (error < 0)
		goto fail_loop;
	loop->wheel = timer_wheel_new(loop);
	if (loop->wheel == NULL) {
		error = UV_ENOMEM;
		goto fail_wake;
	}
	uv_prepare_init(&loop->uv, &loop->before_sleep);
	uv_prepare_start(&loop->before_sleep, on_before_sleep);
	uv_unref((uv_handle_t *)&loop->before_sleep);
	loop->before_sleep.data = loop;
	arena_pool_init(&loop->blocks, LOOP_BLOCKS_MAX);
	return 0;

fail_wake:
	uv_close((uv_handle_t *)&loop->wake, NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	close(loop->wake_fd);
fail_loop:
	uv_loop_close(&loop->uv);
	return error;
}

void loop_run(struct loop *loop)
{
	uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
	if (atomic_exchange(&loop->stopping, true))
		return;
	flow_pool_stop(loop);
	uv_close((uv_handle_t *)&loop->wake, NULL);
	uv_close((uv_handle_t *)&loop->before_sleep, NULL);
	timer_wheel_close(loop->wheel);
}

void loop_deinit(struct loop *loop)
{
	int error;

	/* What other threads sent after the last turn still frees itself. */
	while (atomic_load_explicit(&loop->inbox, memory_order_relaxed) != NULL)
		read_inbox(loop);
	flow_pool_deinit(loop);
	timer_wheel_free(loop->wheel);
	arena_pool_deinit(&loop->blocks);
	error = uv_loop_close(&loop->uv);
	assert(error == 0 && "a handle was left open");
	(void)error;
	close(loop->wake_fd);
}

void loop_post(struct loop *loop, struct loop_message *message)
{
	struct loop_message *head = atomic_load_explicit(&loop->inbox, memory_order_relaxed);

	do {
		atomic_store_explicit(&message->next, head, memory_order_relaxed);
	} while (!atomic_compare_exchange_weak_explicit(
		&loop->inbox, &head, message, memory_order_release, memory_order_relaxed));
	/* Only the first into an empty inbox wakes the loop: the others ride along. */
	if (head == NULL && !atomic_load_explicit(&loop->stopping, memory_order_relaxed))
		eventfd_write(loop->wake_fd, 1);
}

void loop_on_flush(struct loop *loop, loop_flush_fn *run, void *context)
{
	assert(loop->flush_count < LOOP_FLUSHES_MAX);
	loop->flushes[loop->flush_count].run = run;
	loop->flushes[loop->flush_count].context = context;
	loop->flush_count++;
}
