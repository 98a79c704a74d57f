// SPDX-License-Identifier: Apache-2.0
#include "observability/log_format.h"

#include <math.h>
#include <string.h>

#include "observability/log_escape.h"
#include "observability/number.h"

enum { NAME_MAX_BYTES = LOG_KEY_MAX_BYTES };

static const char ellipsis[] = "\xe2\x80\xa6";

const char *log_level_name(enum log_level level)
{
	switch (level) {
	case LOG_DEBUG:
		return "debug";
	case LOG_INFO:
		return "info";
	case LOG_WARN:
		return "warn";
	case LOG_ERROR:
		return "error";
	}
	return "error";
}

/* Inline: the length of a literal is then a constant. */
static inline char *put(char *out, const char *terminated)
{
	size_t len = strlen(terminated);

	memcpy(out, terminated, len);
	return out + len;
}

/* Event and step: literals of ours, cut all the same so that a line has a bound. */
static char *put_name(char *out, const char *name)
{
	return log_escape_string(out, text_of(name, strnlen(name, NAME_MAX_BYTES)));
}

static char *put_key(char *out, struct text key)
{
	*out++ = ',';
	*out++ = '"';
	out = log_escape_string(out, key);
	*out++ = '"';
	*out++ = ':';
	return out;
}

static char *put_string(char *out, struct text text, bool cut)
{
	*out++ = '"';
	out = log_escape_string(out, text);
	if (cut)
		out = put(out, ellipsis);
	*out++ = '"';
	return out;
}

static inline char hex_digit(unsigned nibble)
{
	return (char)(nibble + (nibble < 10 ? '0' : 'a' - 10));
}

/* No table and a buffer of its own: the compiler does all sixteen at once. */
static char *put_trace_id(char *out, const uint8_t bytes[static 16])
{
	char digits[32];

	for (size_t i = 0; i < 16; i++) {
		digits[2 * i] = hex_digit(bytes[i] >> 4);
		digits[2 * i + 1] = hex_digit(bytes[i] & 0xf);
	}
	memcpy(out, digits, sizeof(digits));
	return out + sizeof(digits);
}

static char *put_uuid(char *out, const void *bytes)
{
	struct uuid uuid;

	memcpy(&uuid, bytes, sizeof(uuid));
	uuid_format(&uuid, out);
	return out + UUID_TEXT_LEN;
}

static char *put_double(char *out, const char *value)
{
	double number;

	memcpy(&number, value, sizeof(number));
	/* JSON has no word for what is not finite. */
	return isfinite(number) ? out + number_format(number, out) : put(out, "null");
}

static int64_t integer_of(const struct log_slot *slot)
{
	int64_t integer;

	memcpy(&integer, log_slot_value(slot), sizeof(integer));
	return integer;
}

/* A value as JSON; people get the same for all but plain texts. */
static char *put_value(char *out, const struct log_slot *slot)
{
	struct text text = text_of(log_slot_value(slot), slot->len);

	if (slot->absent)
		return put(out, "null");
	switch ((enum log_kind)slot->kind) {
	case LOG_KIND_TEXT:
		return put_string(out, text, slot->cut);
	case LOG_KIND_JSON:
		return log_is_json(text) ? log_escape_json(out, text)
					 : put_string(out, text, false);
	case LOG_KIND_INT:
		return out + number_format_integer(integer_of(slot), out);
	case LOG_KIND_BOOL:
		return put(out, integer_of(slot) != 0 ? "true" : "false");
	case LOG_KIND_DOUBLE:
		return put_double(out, text.data);
	case LOG_KIND_UUID:
		*out++ = '"';
		out = put_uuid(out, text.data);
		*out++ = '"';
		return out;
	}
	return put(out, "null");
}

static bool has_bytes(const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (bytes[i] != 0)
			return true;
	return false;
}

enum origin_key { KEY_REQUEST_ID, KEY_TRACE_ID, KEY_USER_ID, KEY_STEP, ORIGIN_KEYS };

/* A field of the same name speaks for itself: no key twice. A bit for each enum origin_key. */
static unsigned origin_keys_taken(const struct log_record *record)
{
	static const struct text keys[ORIGIN_KEYS] = {
		[KEY_REQUEST_ID] = TEXT_INIT("request_id"),
		[KEY_TRACE_ID] = TEXT_INIT("trace_id"),
		[KEY_USER_ID] = TEXT_INIT("user_id"),
		[KEY_STEP] = TEXT_INIT("step"),
	};
	const struct log_slot *slot = log_record_slots(record);
	unsigned taken = 0;

	for (unsigned i = 0; i < record->slot_count; i++, slot = log_slot_next(slot))
		for (unsigned key = 0; key < ORIGIN_KEYS; key++)
			if (slot->key_len == keys[key].len &&
				memcmp(slot->key, keys[key].data, keys[key].len) == 0)
				taken |= 1u << key;
	return taken;
}

static char *put_origin(char *out, const struct log_record *record, const struct log_origin *origin)
{
	unsigned taken = origin_keys_taken(record);

	if (origin->request_id[0] != '\0' && !(taken & 1u << KEY_REQUEST_ID)) {
		out = put(out, ",\"request_id\":");
		out = put_string(out, text_from_c(origin->request_id), false);
	}
	if (has_bytes(origin->trace_id, sizeof(origin->trace_id)) &&
		!(taken & 1u << KEY_TRACE_ID)) {
		out = put_trace_id(put(out, ",\"trace_id\":\""), origin->trace_id);
		*out++ = '"';
	}
	if (!uuid_is_nil(&origin->user_id) && !(taken & 1u << KEY_USER_ID)) {
		out = put_uuid(put(out, ",\"user_id\":\""), &origin->user_id);
		*out++ = '"';
	}
	if (origin->step != NULL && !(taken & 1u << KEY_STEP)) {
		out = put_name(put(out, ",\"step\":\""), origin->step);
		*out++ = '"';
	}
	return out;
}

/* The second's text stays, the milliseconds are the line's. */
static const char *time_text(struct log_second *second, int64_t unix_ms)
{
	enum { MS_AT = sizeof("2026-01-31T23:59:59.") - 1 };
	uint64_t ms = (uint64_t)unix_ms - (uint64_t)second->begin_ms;
	char *digits = second->text + MS_AT;

	if (ms >= 1000 || second->text[0] == '\0') {
		clock_format_rfc3339(unix_ms, second->text);
		second->begin_ms = unix_ms - (digits[0] - '0') * 100 - (digits[1] - '0') * 10 -
			(digits[2] - '0');
		return second->text;
	}
	digits[0] = (char)('0' + ms / 100);
	digits[1] = (char)('0' + ms / 10 % 10);
	digits[2] = (char)('0' + ms % 10);
	return second->text;
}

size_t log_format_json(const struct log_record *record, struct log_second *second, char *out)
{
	const struct log_slot *slot = log_record_slots(record);
	const struct log_origin *origin = log_record_origin(record);
	char *at = put(out, "{\"time\":\"");

	memcpy(at, time_text(second, record->unix_ms), CLOCK_RFC3339_LEN);
	at = put(at + CLOCK_RFC3339_LEN, "\",\"level\":\"");
	at = put(at, log_level_name((enum log_level)record->level));
	at = put(at, "\",\"event\":\"");
	at = put_name(at, record->event);
	*at++ = '"';
	for (unsigned i = 0; i < record->slot_count; i++, slot = log_slot_next(slot))
		at = put_value(put_key(at, log_slot_key(slot)), slot);
	if (origin != NULL)
		at = put_origin(at, record, origin);
	if (record->parts & LOG_RECORD_CUT)
		at = put(at, ",\"fields_left_out\":true");
	at = put(at, "}\n");
	return (size_t)(at - out);
}

/* ---- for people ---- */

static const char *level_word(enum log_level level)
{
	static const char *const words[] = {"DEBUG", "INFO ", "WARN ", "ERROR"};

	return words[level <= LOG_ERROR ? level : LOG_ERROR];
}

/* ECMA-48 SGR: grey, green, yellow, red. */
static const char *level_colour(enum log_level level)
{
	static const char *const colours[] = {"\033[90m", "\033[32m", "\033[33m", "\033[31m"};

	return colours[level <= LOG_ERROR ? level : LOG_ERROR];
}

/* Needs no quotes: nothing that could be read as another field. */
static bool is_plain(struct text text)
{
	if (text.len == 0)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.data[i];

		if (byte <= ' ' || byte >= 0x7f || byte == '"' || byte == '=' || byte == '\\')
			return false;
	}
	return true;
}

static char *put_pair(char *out, const struct log_slot *slot)
{
	struct text text = text_of(log_slot_value(slot), slot->len);
	bool plain = slot->kind == LOG_KIND_TEXT && !slot->absent && !slot->cut && is_plain(text);

	*out++ = ' ';
	out = log_escape_string(out, log_slot_key(slot));
	*out++ = '=';
	if (slot->kind == LOG_KIND_UUID)
		return put_uuid(out, text.data);
	if (!plain)
		return put_value(out, slot);
	memcpy(out, text.data, text.len);
	return out + text.len;
}

static char *put_origin_words(char *out, const struct log_origin *origin)
{
	if (origin->request_id[0] != '\0') {
		out = put(out, " request_id=");
		out = log_escape_string(out, text_from_c(origin->request_id));
	}
	if (!uuid_is_nil(&origin->user_id))
		out = put_uuid(put(out, " user_id="), &origin->user_id);
	if (origin->step != NULL)
		out = put_name(put(out, " step="), origin->step);
	return out;
}

/* 13:37:00.123Z INFO  listener_opened address=127.0.0.1 port=3000 */
size_t log_format_text(
	const struct log_record *record, struct log_second *second, bool colour, char *out)
{
	enum { DATE_LEN = sizeof("2026-01-31T") - 1 };
	const struct log_slot *slot = log_record_slots(record);
	const struct log_origin *origin = log_record_origin(record);
	enum log_level level = (enum log_level)record->level;
	char *at = out;

	memcpy(at, time_text(second, record->unix_ms) + DATE_LEN, CLOCK_RFC3339_LEN - DATE_LEN);
	at += CLOCK_RFC3339_LEN - DATE_LEN;
	*at++ = ' ';
	at = put(at, colour ? level_colour(level) : "");
	at = put(at, level_word(level));
	at = put(at, colour ? "\033[0m" : "");
	*at++ = ' ';
	at = put_name(at, record->event);
	for (unsigned i = 0; i < record->slot_count; i++, slot = log_slot_next(slot))
		at = put_pair(at, slot);
	if (origin != NULL)
		at = put_origin_words(at, origin);
	if (record->parts & LOG_RECORD_CUT)
		at = put(at, " fields_left_out=true");
	*at++ = '\n';
	return (size_t)(at - out);
}
