// SPDX-License-Identifier: Apache-2.0
#include "observability/metrics.h"

#include "domains/ops/routes.h"
#include "domains/ops/state.h"
#include "http/handler.h"

static flow_step_fn answer_metrics;

const struct flow_step metrics_steps[] = {STEP(answer_metrics), STEPS_END};

static enum flow_verdict answer_metrics(struct flow *flow)
{
	struct text body = metrics_expose(ops_of(flow)->metrics, &flow->arena);

	if (text_is_absent(body))
		return flow_fail(flow, FAILURE_MEMORY, "the metrics do not fit into the arena");
	reply_header(flow, TEXT("cache-control"), TEXT("no-store"));
	return reply_raw(flow, 200, TEXT("text/plain; version=0.0.4; charset=utf-8"), body);
}
