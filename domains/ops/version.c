// SPDX-License-Identifier: Apache-2.0
#include "core/json.h"
#include "domains/ops/routes.h"
#include "domains/ops/state.h"
#include "http/handler.h"
#include "millrace_version.h"

static flow_step_fn answer_version;

const struct flow_step version_steps[] = {STEP(answer_version), STEPS_END};

static void put_member(struct json_writer *writer, struct text key, const char *value)
{
	json_key(writer, key);
	json_string(writer, text_from_c(value));
}

static enum flow_verdict answer_version(struct flow *flow)
{
	struct json_writer writer;
	struct text body;

	json_begin(&writer, &flow->arena, 128);
	json_object(&writer);
	put_member(&writer, TEXT("name"), "millrace");
	put_member(&writer, TEXT("version"), ops_of(flow)->version);
	put_member(&writer, TEXT("commit"), MILLRACE_COMMIT);
	json_object_end(&writer);
	body = json_text(&writer);
	if (text_is_absent(body))
		return flow_fail(flow, FAILURE_MEMORY, "the version does not fit");
	reply_header(flow, TEXT("cache-control"), TEXT("no-store"));
	return reply_raw(flow, 200, TEXT("application/json"), body);
}
