// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * timer - many cheap deadlines on one loop: a hashed timing wheel (Varghese and Lauck 1987,
 * scheme 6) driven by one uv_timer_t. Setting and clearing are O(1); resolution is
 * TIMER_TICK_MS, and a timer never fires early by the loop's clock (uv_now). Loop thread only.
 */

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct timer;

/* Called once, on the loop's thread, after the timer was taken off the wheel; may set it again. */
typedef void timer_fn(struct timer *timer);

enum { TIMER_TICK_MS = 10 };

struct timer {
	struct timer *next, **link; /* link is NULL while not set */
	uint64_t due_ms;
	timer_fn *on_due;
};

void timer_init(struct timer *timer, timer_fn *on_due);
void timer_set(struct loop *loop, struct timer *timer, uint64_t delay_ms); /* sets again if set */
void timer_clear(struct timer *timer);
static inline bool timer_is_set(const struct timer *timer)
{
	return timer->link != 0;
}
