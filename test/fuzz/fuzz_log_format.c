// SPDX-License-Identifier: Apache-2.0

/*
 * Whatever bytes become fields and ids of a line: it is one valid JSON object, or one line of words, with no
 * newline but the last and no control character, within its bound.
 *
 * Input: a byte of flags, the request id up to a NUL, then fields: a byte of kind, a byte of length (times
 * 32), the value.
 */

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "observability/log_format.h"
#include "observability/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

static struct input take(struct input *input, size_t len)
{
	struct input taken = {.data = input->data, .size = len < input->size ? len : input->size};

	input->data += taken.size;
	input->size -= taken.size;
	return taken;
}

static uint8_t take_byte(struct input *input)
{
	struct input byte = take(input, 1);

	return byte.size == 0 ? 0 : byte.data[0];
}

static struct log_field take_field(struct input *input)
{
	struct log_field field = {
		.key = "key", .key_len = 3, .kind = (enum log_kind)(take_byte(input) % 6)};
	struct input value = take(input, (size_t)take_byte(input) * 32 + 1);

	if (field.kind == LOG_KIND_TEXT || field.kind == LOG_KIND_JSON)
		field.text = text_of((const char *)value.data, value.size);
	else
		memcpy(&field.uuid, value.data,
			value.size < sizeof(field.uuid) ? value.size : sizeof(field.uuid));
	return field;
}

static void fill_flow(struct flow *flow, struct input *input)
{
	size_t len = strnlen((const char *)input->data, input->size);
	struct input id = take(input, len < sizeof(flow->trace.request_id) ? len : 63);

	memcpy(flow->trace.request_id, id.data, id.size);
	flow->trace.trace_id[0] = take_byte(input);
	flow->identity.known = true;
	flow->identity.user_id.bytes[0] = take_byte(input);
}

/* One line of clean UTF-8: nothing moves a cursor, nothing begins another line. */
static void check_line(const char *line, size_t len)
{
	uint32_t character = 0;

	if (len == 0 || len > LOG_LINE_MAX_BYTES || line[len - 1] != '\n')
		abort();
	for (size_t at = 0; at < len - 1;) {
		size_t taken = utf8_take(line + at, len - at, &character);

		if (taken == 0 || utf8_is_control(character))
			abort();
		at += taken;
	}
}

static void check_json(const char *line, size_t len)
{
	yyjson_doc *document = yyjson_read(line, len, YYJSON_READ_NOFLAG);

	if (!yyjson_is_obj(yyjson_doc_get_root(document)))
		abort();
	yyjson_doc_free(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static alignas(8) char record[LOG_RECORD_MAX_BYTES];
	static char line[LOG_LINE_MAX_BYTES];
	static struct log_second second;
	struct input input = {.data = data, .size = size};
	struct log_field fields[LOG_FIELDS_MAX + 2];
	struct flow flow = {0};
	uint8_t flags = take_byte(&input);
	size_t count = 0;

	if (size == 0)
		return 0;
	fill_flow(&flow, &input);
	while (input.size > 0 && count < LOG_FIELDS_MAX + 2)
		fields[count++] = take_field(&input);

	const struct flow *with_flow = flags & 4 ? &flow : NULL;
	const struct log_record *made = (const struct log_record *)(const void *)record;

	struct log_plan plan;

	log_record_plan(&plan, with_flow, fields, count);
	log_record_encode(
		record, &plan, (enum log_level)(flags & 3), "fuzzed", with_flow, fields, count);
	size_t len = log_format_json(made, &second, line);

	check_line(line, len);
	check_json(line, len);
	check_line(line, log_format_text(made, &second, false, line));
	return 0;
}
