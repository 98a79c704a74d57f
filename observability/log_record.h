// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * log_record - one line in binary: a head, what the flow knows (optional), slots with their values.
 * Made by the producer with a few copies, read once by the writer. Always a multiple of 8 bytes, never
 * over LOG_RECORD_MAX_BYTES. Event, keys and step are pointers to literals, everything else is a copy.
 */

#include <stddef.h>
#include <stdint.h>

#include "core/uuid.h"
#include "observability/log.h"

enum { LOG_RECORD_MAX_BYTES = 16384 };

enum log_record_parts {
	LOG_RECORD_PADDING = 1, /* not a line: skip to the start of the ring */
	LOG_RECORD_ORIGIN = 2, /* a struct log_origin follows the head */
	LOG_RECORD_CUT = 4, /* fields were left out */
};

struct log_record {
	uint32_t size; /* with everything that follows */
	uint16_t slot_count;
	uint8_t level;
	uint8_t parts;
	int64_t unix_ms;
	const char *event;
};

struct log_origin {
	const char *step; /* or NULL */
	uint8_t trace_id[16];
	struct uuid user_id; /* nil: nobody */
	char request_id[65]; /* terminated */
};

struct log_slot {
	const char *key;
	uint32_t len; /* of the value, which follows, padded to 8 bytes */
	uint8_t kind; /* enum log_kind; a JSON value too long to keep has become a text */
	uint8_t cut;
	uint8_t absent;
	uint8_t key_len;
};

/* What will be kept of each field, judged once. */
struct log_plan {
	size_t size; /* of the record */
	size_t fitting; /* fields */
	struct log_slot kept[LOG_FIELDS_MAX]; /* without their values */
};

/* flow may be NULL. */
void log_record_plan(struct log_plan *plan, const struct flow *flow, const struct log_field *fields,
	size_t field_count);
/* The same flow and fields. `out` is 8-byte aligned and has plan->size bytes. */
void log_record_encode(void *out, const struct log_plan *plan, enum log_level level,
	const char *event, const struct flow *flow, const struct log_field *fields,
	size_t field_count);

static inline const struct log_origin *log_record_origin(const struct log_record *record)
{
	return record->parts & LOG_RECORD_ORIGIN ? (const struct log_origin *)(record + 1) : NULL;
}

static inline const struct log_slot *log_record_slots(const struct log_record *record)
{
	const char *after = (const char *)(record + 1);

	if (record->parts & LOG_RECORD_ORIGIN)
		after += sizeof(struct log_origin);
	return (const struct log_slot *)(const void *)after;
}

static inline size_t log_record_padded(size_t len)
{
	return (len + 7) & ~(size_t)7;
}

static inline struct text log_slot_key(const struct log_slot *slot)
{
	return text_of(
		slot->key, slot->key_len < LOG_KEY_MAX_BYTES ? slot->key_len : LOG_KEY_MAX_BYTES);
}

static inline const char *log_slot_value(const struct log_slot *slot)
{
	return (const char *)(slot + 1);
}

static inline const struct log_slot *log_slot_next(const struct log_slot *slot)
{
	return (const struct log_slot *)(const void *)(log_slot_value(slot) +
		log_record_padded(slot->len));
}
