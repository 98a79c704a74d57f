// SPDX-License-Identifier: Apache-2.0
#pragma once

/* flow_pool - flows kept for reuse on one loop; emptied by loop.c only. */

struct loop;

void flow_pool_deinit(struct loop *loop);
