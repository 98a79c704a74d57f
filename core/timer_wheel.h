// SPDX-License-Identifier: Apache-2.0
#pragma once

/* timer_wheel - the wheel of one loop; made and closed by loop.c only. */

#include "core/loop.h"

struct loop_wheel *timer_wheel_new(struct loop *loop); /* NULL without memory */
void timer_wheel_close(struct loop_wheel *wheel); /* its uv handle; timers never fire after it */
void timer_wheel_free(struct loop_wheel *wheel); /* after the loop has run out */
