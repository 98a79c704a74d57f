// SPDX-License-Identifier: Apache-2.0
#pragma once

/* routes - the scopes of this domain and the step tables behind their rows. */

#include <stdint.h>

#include "core/flow.h"
#include "core/schema.h"
#include "http/route.h"

enum { OPS_SCOPE_COUNT = 4 };
extern const struct scope *const ops_scopes[OPS_SCOPE_COUNT];

struct health_query {
	int64_t plain; /* 1: one word instead of JSON */
};
extern const struct schema health_query_schema;

struct health_request {
	struct health_query query;
	bool with_checks; /* which part is ill; for operators, not for the world */
};

extern const struct flow_step health_steps[];
extern const struct flow_step live_steps[];
extern const struct flow_step ready_steps[];
extern const struct flow_step startup_steps[];
extern const struct flow_step version_steps[];
extern const struct flow_step metrics_steps[];
/* Sets with_checks. */
extern const struct guard operators_guard;
