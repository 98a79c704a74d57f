// SPDX-License-Identifier: Apache-2.0
#include "domains/ops/ops.h"

#include "core/clock.h"
#include "domains/ops/routes.h"
#include "domains/ops/state.h"
#include "http/handler.h"

struct ops *ops_of(const struct flow *flow)
{
	return domain_state(flow->loop, &ops_domain);
}

enum ops_phase ops_phase(const struct ops *ops)
{
	return (enum ops_phase)atomic_load_explicit(&ops->phase, memory_order_relaxed);
}

/* A start that ends while the process is stopping already does not make it ready again. */
static void advance(const struct domains *domains, enum ops_phase phase)
{
	for (size_t i = 0; domain_list[i] != NULL; i++) {
		struct ops *ops = domains->states[i];
		int before = OPS_STARTING;

		if (domain_list[i] != &ops_domain || ops == NULL)
			continue;
		while (before < (int)phase &&
			!atomic_compare_exchange_weak(&ops->phase, &before, (int)phase))
			;
	}
}

void ops_set_ready(const struct domains *domains)
{
	advance(domains, OPS_READY);
}

void ops_set_draining(const struct domains *domains)
{
	advance(domains, OPS_DRAINING);
}

static bool open_ops(struct domain_context *context, const void *settings, void **state_out,
	struct text *error_out)
{
	struct ops *ops = arena_zalloc(context->arena, sizeof(*ops));

	if (ops == NULL) {
		*error_out = TEXT("no memory");
		return false;
	}
	ops->db = context->db;
	ops->metrics = context->metrics;
	ops->version = context->version;
	ops->production = context->production;
	ops->started_ns = clock_now_ns();
	*state_out = ops;
	return true;
}

static enum flow_verdict only_in_development(struct flow *flow)
{
	return ops_of(flow)->production ? refuse(flow, PROBLEM_NOT_FOUND) : FLOW_NEXT;
}

static const struct flow_step development_steps[] = {
	STEP(only_in_development),
	STEPS_END,
};

const struct guard development_guard = {
	.name = "development",
	.steps = development_steps,
	.problems = PROBLEMS(PROBLEM_NOT_FOUND),
};

const struct domain ops_domain = {
	.name = "ops",
	.scopes = ops_scopes,
	.scope_count = OPS_SCOPE_COUNT,
	.open = open_ops,
};
