// SPDX-License-Identifier: Apache-2.0
#include "observability/log_record.h"

#include <assert.h>
#include <string.h>

#include "core/clock.h"

static_assert(sizeof(struct log_record) % 8 == 0, "what follows the head is aligned");
static_assert(sizeof(struct log_origin) % 8 == 0, "what follows the origin is aligned");
static_assert(sizeof(struct log_slot) % 8 == 0, "values are aligned");

/* How much of a field is kept, and as what. */
struct cut {
	enum log_kind kind;
	size_t len;
	bool cut;
};

static struct cut cut_text(struct text text)
{
	if (text.data == NULL || text.len <= LOG_TEXT_MAX_BYTES)
		return (struct cut) {
			.kind = LOG_KIND_TEXT, .len = text.data == NULL ? 0 : text.len};

	size_t len = LOG_TEXT_MAX_BYTES;

	/* Not inside a character: 10xxxxxx continues one (RFC 3629, section 3). */
	for (unsigned back = 0; back < 3 && ((unsigned char)text.data[len] & 0xc0) == 0x80; back++)
		len--;
	return (struct cut) {.kind = LOG_KIND_TEXT, .len = len, .cut = true};
}

static struct cut cut_field(const struct log_field *field)
{
	switch (field->kind) {
	case LOG_KIND_TEXT:
		return cut_text(field->text);
	case LOG_KIND_JSON:
		if (field->text.data != NULL && field->text.len <= LOG_JSON_MAX_BYTES)
			return (struct cut) {.kind = LOG_KIND_JSON, .len = field->text.len};
		return cut_text(field->text);
	case LOG_KIND_INT:
	case LOG_KIND_DOUBLE:
	case LOG_KIND_BOOL:
		return (struct cut) {.kind = field->kind, .len = sizeof(int64_t)};
	case LOG_KIND_UUID:
		return (struct cut) {.kind = field->kind, .len = sizeof(struct uuid)};
	}
	assert(!"a log field without a kind");
	return (struct cut) {.kind = LOG_KIND_TEXT};
}

static size_t slot_size(const struct log_field *field)
{
	return sizeof(struct log_slot) + log_record_padded(cut_field(field).len);
}

/* How many fields fit, and their size in *size_inout, which holds the head's so far. */
static size_t count_fitting(const struct log_field *fields, size_t field_count, size_t *size_inout)
{
	size_t fitting = 0;

	for (; fitting < field_count && fitting < LOG_FIELDS_MAX; fitting++) {
		size_t size = slot_size(&fields[fitting]);

		if (*size_inout + size > LOG_RECORD_MAX_BYTES)
			break;
		*size_inout += size;
	}
	return fitting;
}

static size_t head_size(const struct flow *flow)
{
	return sizeof(struct log_record) + (flow == NULL ? 0 : sizeof(struct log_origin));
}

size_t log_record_size(const struct flow *flow, const struct log_field *fields, size_t field_count)
{
	size_t size = head_size(flow);

	count_fitting(fields, field_count, &size);
	return size;
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

static char *encode_slot(char *out, const struct log_field *field)
{
	struct cut cut = cut_field(field);
	bool is_text = field->kind == LOG_KIND_TEXT || field->kind == LOG_KIND_JSON;
	struct log_slot *slot = (struct log_slot *)(void *)out;

	*slot = (struct log_slot) {
		.key = field->key,
		.len = (uint32_t)cut.len,
		.kind = (uint8_t)cut.kind,
		.cut = cut.cut,
		.absent = is_text && (field->text.data == NULL || text_is_null(field->text)),
	};
	if (cut.len > 0)
		memcpy(slot + 1, field_value(field), cut.len);
	return (char *)(slot + 1) + log_record_padded(cut.len);
}

static void encode_origin(struct log_origin *origin, const struct flow *flow)
{
	*origin = (struct log_origin) {.step = flow->step == NULL ? NULL : flow->step->name};
	memcpy(origin->trace_id, flow->trace.trace_id, sizeof(origin->trace_id));
	memcpy(origin->request_id, flow->trace.request_id, sizeof(origin->request_id) - 1);
	if (flow->identity.known)
		origin->user_id = flow->identity.user_id;
}

void log_record_encode(void *out, size_t size, enum log_level level, const char *event,
	const struct flow *flow, const struct log_field *fields, size_t field_count)
{
	struct log_record *record = out;
	size_t needed = head_size(flow);
	size_t fitting = count_fitting(fields, field_count, &needed);
	char *at = (char *)out + head_size(flow);

	assert(needed == size);
	*record = (struct log_record) {
		.size = (uint32_t)size,
		.slot_count = (uint16_t)fitting,
		.level = (uint8_t)level,
		.parts = (uint8_t)((flow == NULL ? 0 : LOG_RECORD_ORIGIN) |
			(fitting < field_count ? LOG_RECORD_CUT : 0)),
		.unix_ms = clock_unix_ms(),
		.event = event,
	};
	if (flow != NULL)
		encode_origin((struct log_origin *)(record + 1), flow);
	for (size_t i = 0; i < fitting; i++)
		at = encode_slot(at, &fields[i]);
}
