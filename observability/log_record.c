// SPDX-License-Identifier: Apache-2.0
#include "observability/log_record.h"

#include <assert.h>
#include <string.h>

#include "core/clock.h"

static_assert(sizeof(struct log_record) % 8 == 0, "what follows the head is aligned");
static_assert(sizeof(struct log_origin) % 8 == 0, "what follows the origin is aligned");
static_assert(sizeof(struct log_slot) % 8 == 0, "values are aligned");

static size_t cut_len(struct text text)
{
	size_t len = LOG_TEXT_MAX_BYTES;

	/* Not inside a character: 10xxxxxx continues one (RFC 3629, section 3). */
	for (unsigned back = 0; back < 3 && ((unsigned char)text.data[len] & 0xc0) == 0x80; back++)
		len--;
	return len;
}

static void plan_text(struct log_plan *plan, size_t i, enum log_kind kind, struct text text)
{
	size_t max = kind == LOG_KIND_JSON ? LOG_JSON_MAX_BYTES : LOG_TEXT_MAX_BYTES;
	size_t len = text.data == NULL ? 0 : text.len;

	plan->kept[i].kind = (uint8_t)kind;
	plan->kept[i].cut = len > max;
	plan->kept[i].len = (uint32_t)len;
	if (len <= max)
		return;
	/* Half a JSON value is none: it goes on as a text. */
	plan->kept[i].kind = LOG_KIND_TEXT;
	plan->kept[i].len = (uint32_t)cut_len(text);
}

static void plan_field(struct log_plan *plan, size_t i, const struct log_field *field)
{
	switch (field->kind) {
	case LOG_KIND_TEXT:
	case LOG_KIND_JSON:
		plan_text(plan, i, field->kind, field->text);
		return;
	case LOG_KIND_INT:
	case LOG_KIND_DOUBLE:
	case LOG_KIND_BOOL:
		plan->kept[i].len = sizeof(int64_t);
		break;
	case LOG_KIND_UUID:
		plan->kept[i].len = sizeof(struct uuid);
		break;
	}
	plan->kept[i].kind = (uint8_t)field->kind;
	plan->kept[i].cut = false;
}

static size_t head_size(const struct flow *flow)
{
	return sizeof(struct log_record) + (flow == NULL ? 0 : sizeof(struct log_origin));
}

void log_record_plan(struct log_plan *plan, const struct flow *flow, const struct log_field *fields,
	size_t field_count)
{
	size_t max = field_count < LOG_FIELDS_MAX ? field_count : LOG_FIELDS_MAX;
	size_t i = 0;

	plan->size = head_size(flow);
	for (; i < max; i++) {
		plan_field(plan, i, &fields[i]);

		size_t size = sizeof(struct log_slot) + log_record_padded(plan->kept[i].len);

		if (plan->size + size > LOG_RECORD_MAX_BYTES)
			break;
		plan->size += size;
	}
	plan->fitting = i;
}

static const void *field_value(const struct log_field *field)
{
	switch (field->kind) {
	case LOG_KIND_TEXT:
	case LOG_KIND_JSON:
		return field->text.data;
	case LOG_KIND_INT:
	case LOG_KIND_BOOL:
		return &field->integer;
	case LOG_KIND_DOUBLE:
		return &field->number;
	case LOG_KIND_UUID:
		return &field->uuid;
	}
	return NULL;
}

static char *encode_slot(
	char *out, const struct log_plan *plan, size_t i, const struct log_field *field)
{
	bool is_text = field->kind == LOG_KIND_TEXT || field->kind == LOG_KIND_JSON;
	struct log_slot *slot = (struct log_slot *)(void *)out;

	*slot = (struct log_slot) {
		.key = field->key,
		.len = plan->kept[i].len,
		.kind = plan->kept[i].kind,
		.cut = plan->kept[i].cut,
		.absent = is_text && (field->text.data == NULL || text_is_null(field->text)),
	};
	if (slot->len > 0)
		memcpy(slot + 1, field_value(field), slot->len);
	return (char *)(slot + 1) + log_record_padded(slot->len);
}

static void encode_origin(struct log_origin *origin, const struct flow *flow)
{
	*origin = (struct log_origin) {.step = flow->step == NULL ? NULL : flow->step->name};
	memcpy(origin->trace_id, flow->trace.trace_id, sizeof(origin->trace_id));
	memcpy(origin->request_id, flow->trace.request_id, sizeof(origin->request_id) - 1);
	if (flow->identity.known)
		origin->user_id = flow->identity.user_id;
}

void log_record_encode(void *out, const struct log_plan *plan, enum log_level level,
	const char *event, const struct flow *flow, const struct log_field *fields,
	size_t field_count)
{
	struct log_record *record = out;
	unsigned parts = 0;
	char *at = (char *)out + head_size(flow);

	if (flow != NULL)
		parts |= LOG_RECORD_ORIGIN;
	if (plan->fitting < field_count)
		parts |= LOG_RECORD_CUT;
	*record = (struct log_record) {
		.size = (uint32_t)plan->size,
		.slot_count = (uint16_t)plan->fitting,
		.level = (uint8_t)level,
		.parts = (uint8_t)parts,
		.unix_ms = clock_unix_ms(),
		.event = event,
	};
	if (flow != NULL)
		encode_origin((struct log_origin *)(record + 1), flow);
	for (size_t i = 0; i < plan->fitting; i++)
		at = encode_slot(at, plan, i, &fields[i]);
}
