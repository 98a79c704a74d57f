// SPDX-License-Identifier: Apache-2.0
#include "core/json.h"
#include "domains/ops/routes.h"
#include "domains/ops/state.h"
#include "http/handler.h"

static flow_step_fn answer_health, answer_live, answer_ready, answer_startup, show_checks;

const struct flow_step health_steps[] = {STEP(answer_health), STEPS_END};
const struct flow_step live_steps[] = {STEP(answer_live), STEPS_END};
const struct flow_step ready_steps[] = {STEP(answer_ready), STEPS_END};
const struct flow_step startup_steps[] = {STEP(answer_startup), STEPS_END};

static const struct flow_step operators_steps[] = {STEP(show_checks), STEPS_END};
const struct guard operators_guard = {.name = "operators", .steps = operators_steps};

static const struct field query_fields[] = {
	FIELD(FIELD_INT, health_query, plain, .min = 0, .max = 1, .optional = true,
		.about = "1 answers with one word instead of JSON", .example = "1"),
};
const struct schema health_query_schema = SCHEMA(
	health_query, query_fields, "How a probe wants its answer");

enum health { HEALTH_OK, HEALTH_DEGRADED, HEALTH_FAIL };

/* What was looked at; nothing here waits: the drivers keep their state. */
struct findings {
	bool started;
	bool draining;
	bool database_up;
};

static const char *health_name(enum health health)
{
	switch (health) {
	case HEALTH_OK:
		return "ok";
	case HEALTH_DEGRADED:
		return "degraded";
	case HEALTH_FAIL:
		return "fail";
	}
	return "fail";
}

static struct findings look(const struct flow *flow)
{
	const struct ops *ops = ops_of(flow);
	enum ops_phase phase = ops_phase(ops);

	return (struct findings) {
		.started = phase >= OPS_READY,
		.draining = phase >= OPS_DRAINING,
		.database_up = db_is_up(ops->db),
	};
}

static void put_check(struct json_writer *writer, struct text name, bool good)
{
	json_key(writer, name);
	json_string(writer, text_from_c(health_name(good ? HEALTH_OK : HEALTH_FAIL)));
}

static void put_checks(struct json_writer *writer, const struct findings *findings)
{
	json_key(writer, TEXT("checks"));
	json_object(writer);
	put_check(writer, TEXT("startup"), findings->started);
	put_check(writer, TEXT("accepting"), !findings->draining);
	put_check(writer, TEXT("database"), findings->database_up);
	json_object_end(writer);
}

/* {"status":"ok","version":"0.1.0","uptime_s":42,"checks":{...}} */
static struct text body_of(struct flow *flow, enum health health, const struct findings *findings)
{
	const struct health_request *request = flow->state;
	const struct ops *ops = ops_of(flow);
	uint64_t now_ns = flow->started_ns;
	struct json_writer writer;

	json_begin(&writer, &flow->arena, 256);
	json_object(&writer);
	json_key(&writer, TEXT("status"));
	json_string(&writer, text_from_c(health_name(health)));
	json_key(&writer, TEXT("version"));
	json_string(&writer, text_from_c(ops->version));
	json_key(&writer, TEXT("uptime_s"));
	json_int(&writer,
		now_ns > ops->started_ns
			? (int64_t)((now_ns - ops->started_ns) / UINT64_C(1000000000))
			: 0);
	if (request->with_checks && findings != NULL)
		put_checks(&writer, findings);
	json_object_end(&writer);
	return json_text(&writer);
}

/* findings NULL: nothing was looked at. word: what ?plain=1 answers when all is well. */
static enum flow_verdict answer(
	struct flow *flow, enum health health, const struct findings *findings, struct text word)
{
	const struct health_request *request = flow->state;
	uint16_t status = health == HEALTH_FAIL ? 503 : 200;
	struct text body;

	reply_header(flow, TEXT("cache-control"), TEXT("no-store"));
	if (request->query.plain)
		return reply_raw(flow, status, TEXT("text/plain; charset=utf-8"),
			health == HEALTH_FAIL ? TEXT("fail") : word);
	body = body_of(flow, health, findings);
	if (text_is_absent(body))
		return flow_fail(flow, FAILURE_MEMORY, "the health report does not fit");
	return reply_raw(flow, status, TEXT("application/json"), body);
}

static enum flow_verdict show_checks(struct flow *flow)
{
	struct health_request *request = flow->state;

	request->with_checks = true;
	return FLOW_NEXT;
}

/* Draining is no illness: what is in flight is still answered. */
static enum flow_verdict answer_health(struct flow *flow)
{
	struct findings findings = look(flow);
	enum health health = HEALTH_OK;

	if (!findings.started || !findings.database_up)
		health = HEALTH_FAIL;
	else if (findings.draining)
		health = HEALTH_DEGRADED;
	return answer(flow, health, &findings, text_from_c(health_name(health)));
}

/* Looks at nothing: a probe that restarts the process must not fail because of its database. */
static enum flow_verdict answer_live(struct flow *flow)
{
	return answer(flow, HEALTH_OK, NULL, TEXT("live"));
}

static enum flow_verdict answer_ready(struct flow *flow)
{
	struct findings findings = look(flow);
	bool ready = findings.started && !findings.draining && findings.database_up;

	return answer(flow, ready ? HEALTH_OK : HEALTH_FAIL, &findings, TEXT("ready"));
}

static enum flow_verdict answer_startup(struct flow *flow)
{
	struct findings findings = look(flow);

	return answer(flow, findings.started ? HEALTH_OK : HEALTH_FAIL, &findings, TEXT("started"));
}
