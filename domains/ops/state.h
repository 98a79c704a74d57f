// SPDX-License-Identifier: Apache-2.0
#pragma once

/* state - what the steps of this domain share: process-wide, read-only but for the phase. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "domains/ops/ops.h"

enum ops_phase { OPS_STARTING, OPS_READY, OPS_DRAINING };

struct ops {
	_Atomic(int) phase; /* enum ops_phase; only ever grows */
	const struct db *db;
	struct metrics *metrics;
	const char *version;
	uint64_t started_ns;
	bool production;
};

struct ops *ops_of(const struct flow *flow);
enum ops_phase ops_phase(const struct ops *ops);
/* On the API's listener in production, operators' routes do not exist. */
extern const struct guard development_guard;
