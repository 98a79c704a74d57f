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

static inline bool is_text(const struct log_field *field)
{
	return field->kind == LOG_KIND_TEXT || field->kind == LOG_KIND_JSON;
}

static void plan_text(struct log_slot *slot, struct text text)
{
	size_t max = slot->kind == LOG_KIND_JSON ? LOG_JSON_MAX_BYTES : LOG_TEXT_MAX_BYTES;

	slot->absent = text_is_absent(text) || text_is_null(text);
	if (slot->absent)
		return;
	slot->len = (uint32_t)text.len;
	if (text.len <= max)
		return;
	/* Half a JSON value is none: it goes on as a text. */
	slot->kind = LOG_KIND_TEXT;
	slot->cut = true;
	slot->len = (uint32_t)cut_len(text);
}

static void plan_field(struct log_slot *slot, const struct log_field *field)
{
	*slot = (struct log_slot) {
		.key = field->key,
		.key_len = field->key_len,
		.kind = (uint8_t)field->kind,
	};
	if (is_text(field))
		plan_text(slot, field->text);
	else if (field->kind == LOG_KIND_UUID)
		slot->len = sizeof(field->uuid);
	else
		slot->len = sizeof(field->integer);
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
		plan_field(&plan->kept[i], &fields[i]);

		size_t size = sizeof(struct log_slot) + log_record_padded(plan->kept[i].len);

		if (plan->size + size > LOG_RECORD_MAX_BYTES)
			break;
		plan->size += size;
	}
	plan->fitting = i;
}

static_assert(
	sizeof(double) == sizeof(int64_t), "a number of either kind is copied as eight bytes");

static char *encode_slot(char *out, const struct log_slot *planned, const struct log_field *field)
{
	struct log_slot *slot = (struct log_slot *)(void *)out;

	*slot = *planned;
	if (is_text(field)) {
		if (planned->len > 0)
			memcpy(slot + 1, field->text.data, planned->len);
	} else if (field->kind == LOG_KIND_UUID) {
		memcpy(slot + 1, &field->uuid, sizeof(field->uuid));
	} else {
		memcpy(slot + 1, &field->integer, sizeof(field->integer));
	}
	return (char *)(slot + 1) + log_record_padded(planned->len);
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
		at = encode_slot(at, &plan->kept[i], &fields[i]);
}
