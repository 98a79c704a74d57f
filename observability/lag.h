// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * lag - how long an event that is ready waits for its loop. A timerfd knocks fifty times a second through the
 * same door as every socket; event_loop_lag_seconds{loop} observes, for each knock, the time from its
 * expiry to its callback. That is what a request arriving at that moment would have waited: the rest of
 * the turn under way, the events ahead of it, and the scheduler.
 *
 * Knocks come at fixed times whatever the loop does, so the share of knocks over a bound is the share of
 * time during which the loop was that late. A loop that was away for several knocks observes each of them:
 * a stall of a second counts as fifty late knocks, not as one (no coordinated omission). Durations of turns
 * are not what is measured: thousands of short turns a second would hide one long one from every percentile.
 *
 * event_loop_cpu_seconds_total{loop} is the loop thread's CPU time, read at the knock: its rate is how
 * busy the loop is, 1 being saturated.
 */

struct loop;
struct loop_lag;

enum { LOOP_LAG_KNOCK_MS = 20 };

/* Before loop_run or on the loop's thread; needs loop->metrics. 0 or a negative uv error code. */
int loop_lag_attach(struct loop *loop, struct loop_lag **lag_out);
/* Loop thread, before the loop can end: stops knocking, frees itself once libuv has let go. NULL is fine. */
void loop_lag_detach(struct loop_lag *lag);
