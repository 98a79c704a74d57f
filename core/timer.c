// SPDX-License-Identifier: Apache-2.0
#include "core/timer.h"

#include <stdlib.h>

#include "core/loop.h"
#include "core/timer_wheel.h"

/* 1,024 slots of 10 ms: one round is 10.24 s, so that the timeouts of a request lie within a round and
 * only idle timeouts are passed over a few times (at most 6 for 60 s). */
enum { SLOTS = 1024 };

static const uint64_t delay_max_ms = UINT64_C(1) << 48; /* 8,900 years */

struct loop_wheel {
	uv_timer_t clock;
	/* Whether the clock runs. libuv cannot say: since 1.45 it stops all due timers before it calls the first
	 * of them, and a clock that is about to be called has slots to look through. */
	bool is_running;
	uint64_t tick; /* the last one whose slot was looked through */
	unsigned
		quiet; /* empty slots looked through in a row; a whole round of them stops the clock */
	struct timer *due; /* those of the slot being run that have not fired yet */
	struct timer *slots[SLOTS];
};

static uint64_t tick_of(uint64_t ms)
{
	return ms / TIMER_TICK_MS;
}

void timer_init(struct timer *timer, timer_fn *on_due)
{
	*timer = (struct timer) {.on_due = on_due};
}

static void unlink_timer(struct timer *timer)
{
	*timer->link = timer->next;
	if (timer->next != NULL)
		timer->next->link = timer->link;
	timer->link = NULL;
	timer->next = NULL;
}

static void link_timer(struct timer **head, struct timer *timer)
{
	timer->next = *head;
	if (timer->next != NULL)
		timer->next->link = &timer->next;
	timer->link = head;
	*head = timer;
}

static bool is_closed(const struct loop_wheel *wheel)
{
	return uv_is_closing((const uv_handle_t *)&wheel->clock);
}

/* Fires what is due in one slot. A callback may set or clear any timer, so each due one is first moved to
 * a list of its own, from which timer_clear can still take it. */
static void run_slot(struct loop_wheel *wheel, struct timer **slot, uint64_t now_ms)
{
	wheel->quiet = *slot == NULL ? wheel->quiet + 1 : 0;
	for (struct timer *timer = *slot, *next; timer != NULL; timer = next) {
		next = timer->next;
		if (timer->due_ms <= now_ms) {
			unlink_timer(timer);
			link_timer(&wheel->due, timer);
		}
	}
	while (wheel->due != NULL && !is_closed(wheel)) {
		struct timer *timer = wheel->due;

		unlink_timer(timer);
		timer->on_due(timer);
	}
}

static void on_tick(uv_timer_t *clock)
{
	struct loop_wheel *wheel = clock->data;
	uint64_t now_ms = uv_now(clock->loop);
	uint64_t now = tick_of(now_ms);

	/* After a long turn each slot needs one look, however many rounds went by. */
	if (now - wheel->tick > SLOTS)
		wheel->tick = now - SLOTS;
	while (wheel->tick < now && !is_closed(wheel))
		run_slot(wheel, &wheel->slots[++wheel->tick % SLOTS], now_ms);
	if (wheel->quiet >= SLOTS) {
		wheel->is_running = false;
		uv_timer_stop(clock);
	}
}

void timer_set(struct loop *loop, struct timer *timer, uint64_t delay_ms)
{
	struct loop_wheel *wheel = loop->wheel;
	uint64_t now_ms = uv_now(&loop->uv);
	uint64_t tick;

	timer_clear(timer);
	if (loop->stopping)
		return;
	if (!wheel->is_running) {
		wheel->is_running = true;
		wheel->tick = tick_of(now_ms);
		uv_timer_start(&wheel->clock, on_tick, TIMER_TICK_MS, TIMER_TICK_MS);
	}
	wheel->quiet = 0;
	timer->due_ms = now_ms + (delay_ms < delay_max_ms ? delay_ms : delay_max_ms);
	tick = tick_of(timer->due_ms + TIMER_TICK_MS - 1);
	if (tick <= wheel->tick)
		tick = wheel->tick + 1;
	link_timer(&wheel->slots[tick % SLOTS], timer);
}

void timer_clear(struct timer *timer)
{
	if (timer_is_set(timer))
		unlink_timer(timer);
}

struct loop_wheel *timer_wheel_new(struct loop *loop)
{
	struct loop_wheel *wheel = calloc(1, sizeof(*wheel));

	if (wheel == NULL)
		return NULL;
	uv_timer_init(&loop->uv, &wheel->clock);
	uv_unref((uv_handle_t *)&wheel->clock);
	wheel->clock.data = wheel;
	return wheel;
}

void timer_wheel_close(struct loop_wheel *wheel)
{
	uv_close((uv_handle_t *)&wheel->clock, NULL);
}

void timer_wheel_free(struct loop_wheel *wheel)
{
	free(wheel);
}
