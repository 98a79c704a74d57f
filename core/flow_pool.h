// SPDX-License-Identifier: Apache-2.0
#pragma once

/* flow_pool - the flows of one loop as a whole; called by loop.c only. */

struct loop;

void flow_pool_stop(struct loop *loop); /* ends every flow that has begun: FAILURE_SHUTDOWN */
void flow_pool_deinit(struct loop *loop); /* frees what was kept for reuse */
