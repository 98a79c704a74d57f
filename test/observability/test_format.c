// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "core/flow.h"
#include "observability/log_escape.h"
#include "observability/log_format.h"
#include "observability/number.h"

static char line[LOG_LINE_MAX_BYTES + 1];
static struct log_second second;
static alignas(8) char record[LOG_RECORD_MAX_BYTES];

static const struct log_record *make(
	const struct flow *flow, const struct log_field *fields, size_t count)
{
	struct log_plan plan;

	log_record_plan(&plan, flow, fields, count);
	assert_in_range(plan.size, 1, LOG_RECORD_MAX_BYTES);
	log_record_encode(record, &plan, LOG_INFO, "tested", flow, fields, count);
	return (const struct log_record *)(const void *)record;
}

/* The one object of the line, which ends with its only newline. */
static yyjson_doc *parse(const struct flow *flow, const struct log_field *fields, size_t count)
{
	size_t len = log_format_json(make(flow, fields, count), &second, line);

	assert_ptr_equal(memchr(line, '\n', len), line + len - 1);

	yyjson_doc *document = yyjson_read(line, len, YYJSON_READ_NOFLAG);

	assert_non_null(document);
	assert_true(yyjson_is_obj(yyjson_doc_get_root(document)));
	return document;
}

static const char *string_of(yyjson_doc *document, const char *key)
{
	return yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(document), key));
}

static yyjson_val *value_of(yyjson_doc *document, const char *key)
{
	return yyjson_obj_get(yyjson_doc_get_root(document), key);
}

static void expect_text(struct text in, const char *out)
{
	yyjson_doc *document = parse(NULL, LOG_FIELDS(LOG_TEXT("text", in)));

	assert_string_equal(string_of(document, "text"), out);
	yyjson_doc_free(document);
}

static void a_line_names_time_level_and_event(void **state)
{
	yyjson_doc *document = parse(NULL, NULL, 0);

	assert_int_equal(
		strlen(string_of(document, "time")), sizeof("2026-01-31T23:59:59.999Z") - 1);
	assert_string_equal(string_of(document, "level"), "info");
	assert_string_equal(string_of(document, "event"), "tested");
	yyjson_doc_free(document);
}

static void every_kind_of_value_has_its_json(void **state)
{
	struct uuid id;

	assert_true(uuid_parse(TEXT("01890a5d-ac96-774b-bcce-b302099a8057"), &id));

	yyjson_doc *document = parse(NULL,
		LOG_FIELDS(LOG_STRING("string", "a"), LOG_NUMBER("number", INT64_MIN),
			LOG_DECIMAL("decimal", 0.1), LOG_FLAG("flag", true), LOG_UUID("id", id),
			LOG_JSON("json", TEXT("{\"a\":[1,null]}")), LOG_DECIMAL("nan", NAN),
			LOG_TEXT("absent", TEXT_ABSENT)));

	assert_string_equal(string_of(document, "string"), "a");
	assert_int_equal(yyjson_get_sint(value_of(document, "number")), INT64_MIN);
	assert_true(yyjson_get_real(value_of(document, "decimal")) == 0.1);
	assert_true(yyjson_get_bool(value_of(document, "flag")));
	assert_string_equal(string_of(document, "id"), "01890a5d-ac96-774b-bcce-b302099a8057");
	assert_true(yyjson_is_null(yyjson_ptr_get(value_of(document, "json"), "/a/1")));
	assert_true(yyjson_is_null(value_of(document, "nan")));
	assert_true(yyjson_is_null(value_of(document, "absent")));
	yyjson_doc_free(document);
}

static void a_newline_a_quote_and_a_nul_cannot_forge_a_line(void **state)
{
	static const char forged[] = "x\"}\n{\"event\":\"forged\"}\r\t\\\0end";

	yyjson_doc *document = parse(
		NULL, LOG_FIELDS(LOG_TEXT("text", text_of(forged, sizeof(forged) - 1))));

	assert_string_equal(string_of(document, "event"), "tested");
	assert_int_equal(yyjson_get_len(value_of(document, "text")), sizeof(forged) - 1);
	assert_memory_equal(string_of(document, "text"), forged, sizeof(forged) - 1);
	yyjson_doc_free(document);
}

static void bytes_that_are_no_utf8_are_replaced(void **state)
{
	expect_text(TEXT("a\xff\x62"), "a\xef\xbf\xbd\x62");
	expect_text(TEXT("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd"); /* overlong */
	expect_text(TEXT("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"); /* surrogate */
	expect_text(TEXT("\xf4\x90\x80\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	expect_text(TEXT("end\xe2\x82"), "end\xef\xbf\xbd\xef\xbf\xbd"); /* cut short */
	expect_text(TEXT("\xe2\x82\xac \xf0\x9f\x98\x80"), "\xe2\x82\xac \xf0\x9f\x98\x80");
}

static void what_moves_a_terminal_is_escaped(void **state)
{
	make(NULL,
		LOG_FIELDS(LOG_TEXT("text", TEXT("\x1b[2J\x7f\xc2\x9b\xe2\x80\xae\xe2\x80\xa8"))));
	line[log_format_json((const struct log_record *)(const void *)record, &second, line)] =
		'\0';
	assert_non_null(strstr(line, "\\u001b[2J\\u007f\\u009b\\u202e\\u2028"));
	line[log_format_text(
		(const struct log_record *)(const void *)record, &second, false, line)] = '\0';
	assert_non_null(strstr(line, "text=\"\\u001b[2J\\u007f\\u009b\\u202e\\u2028\"\n"));
}

/* Whatever the escaping looks at in one go: a byte comes out as it does alone. */
static void a_byte_is_escaped_the_same_at_every_place_of_a_text(void **state)
{
	enum { LEN_MAX = 27 };
	char alone[6], in[LEN_MAX], out[LEN_MAX + sizeof(alone)], expected[sizeof(out)];

	for (unsigned byte = 0; byte < 256; byte++) {
		char character = (char)byte;
		size_t size = (size_t)(log_escape_string(alone, text_of(&character, 1)) - alone);

		for (size_t len = 1; len <= LEN_MAX; len++) {
			for (size_t at = 0; at < len; at++) {
				memset(in, '~', len);
				in[at] = character;
				memset(expected, '~', len + size - 1);
				memcpy(expected + at, alone, size);
				assert_ptr_equal(log_escape_string(out, text_of(in, len)),
					out + len + size - 1);
				assert_memory_equal(out, expected, len + size - 1);
			}
		}
	}
}

static void only_quotes_backslashes_and_controls_of_ascii_are_escaped(void **state)
{
	char out[6];

	for (unsigned byte = 0; byte < 0x80; byte++) {
		char character = (char)byte;
		bool plain = byte >= ' ' && byte != 0x7f && byte != '"' && byte != '\\';
		size_t size = (size_t)(log_escape_string(out, text_of(&character, 1)) - out);

		assert_int_equal(plain, size == 1 && out[0] == character);
	}
}

static void a_long_text_is_cut_between_characters_and_says_so(void **state)
{
	static char text[3 * LOG_TEXT_MAX_BYTES];
	const char *cut;
	size_t len;

	/* Three bytes each: the bound falls inside a character. */
	for (size_t i = 0; i < sizeof(text); i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3);

	yyjson_doc *document = parse(
		NULL, LOG_FIELDS(LOG_TEXT("text", text_of(text, sizeof(text)))));

	cut = string_of(document, "text");
	len = strlen(cut);
	assert_in_range(len, LOG_TEXT_MAX_BYTES - 3, LOG_TEXT_MAX_BYTES + 3);
	assert_string_equal(cut + len - 3, "\xe2\x80\xa6");
	assert_true(text_is_utf8(text_from_c(cut)));
	yyjson_doc_free(document);
}

static void json_that_is_broken_or_too_long_becomes_a_string(void **state)
{
	static char deep[LOG_JSON_MAX_BYTES + 2];

	memset(deep, ' ', sizeof(deep));
	deep[0] = '1';

	yyjson_doc *document = parse(NULL,
		LOG_FIELDS(LOG_JSON("broken", TEXT("{\"a\":1}\n{\"event\":\"forged\"}")),
			LOG_JSON("empty", TEXT("")), LOG_JSON("long", text_of(deep, sizeof(deep))),
			LOG_JSON("spread", TEXT("{\n\t\"a\" : 1\r\n}"))));

	assert_string_equal(string_of(document, "broken"), "{\"a\":1}\n{\"event\":\"forged\"}");
	assert_string_equal(string_of(document, "empty"), "");
	assert_true(yyjson_is_str(value_of(document, "long")));
	assert_int_equal(yyjson_get_int(yyjson_ptr_get(value_of(document, "spread"), "/a")), 1);
	yyjson_doc_free(document);
}

static void fields_past_the_bound_are_left_out_and_the_line_says_so(void **state)
{
	struct log_field fields[LOG_FIELDS_MAX + 1];
	static char text[LOG_TEXT_MAX_BYTES];

	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < LOG_FIELDS_MAX + 1; i++)
		fields[i] = LOG_NUMBER("same", i);

	yyjson_doc *document = parse(NULL, fields, LOG_FIELDS_MAX + 1);

	assert_true(yyjson_get_bool(value_of(document, "fields_left_out")));
	yyjson_doc_free(document);

	for (size_t i = 0; i < LOG_FIELDS_MAX; i++)
		fields[i] = LOG_TEXT("large", text_of(text, sizeof(text)));
	document = parse(NULL, fields, LOG_FIELDS_MAX);
	assert_true(yyjson_get_bool(value_of(document, "fields_left_out")));
	yyjson_doc_free(document);
}

static void fill_flow(struct flow *flow, const struct flow_step *step)
{
	memset(flow, 0, sizeof(*flow));
	flow->step = step;
	flow->trace.trace_id[15] = 0xab;
	memcpy(flow->trace.request_id, "req-1", 6);
	flow->identity.known = true;
	assert_true(
		uuid_parse(TEXT("01890a5d-ac96-774b-bcce-b302099a8057"), &flow->identity.user_id));
}

static void a_flow_adds_request_trace_user_and_step(void **state)
{
	static const struct flow_step step = {.name = "look_up_email"};
	struct flow flow;

	fill_flow(&flow, &step);
	yyjson_doc *document = parse(&flow, LOG_FIELDS(LOG_NUMBER("status", 200)));

	assert_string_equal(string_of(document, "request_id"), "req-1");
	assert_string_equal(string_of(document, "trace_id"), "000000000000000000000000000000ab");
	assert_string_equal(string_of(document, "user_id"), "01890a5d-ac96-774b-bcce-b302099a8057");
	assert_string_equal(string_of(document, "step"), "look_up_email");
	yyjson_doc_free(document);
}

static void a_flow_that_knows_nothing_adds_nothing(void **state)
{
	struct flow flow = {0};
	yyjson_doc *document = parse(&flow, NULL, 0);

	assert_int_equal(yyjson_obj_size(yyjson_doc_get_root(document)), 3);
	yyjson_doc_free(document);
}

static void no_key_stands_twice(void **state)
{
	static const struct flow_step step = {.name = "look_up_email"};
	struct flow flow;

	fill_flow(&flow, &step);
	yyjson_doc *document = parse(&flow,
		LOG_FIELDS(LOG_STRING("user_id", "mine"), LOG_STRING("step", "s"),
			LOG_STRING("trace_id", "t"), LOG_STRING("request_id", "r")));

	assert_int_equal(yyjson_obj_size(yyjson_doc_get_root(document)), 7);
	assert_string_equal(string_of(document, "user_id"), "mine");
	yyjson_doc_free(document);
}

static void the_worst_record_fits_into_a_line(void **state)
{
	struct log_field fields[LOG_FIELDS_MAX];
	static char text[LOG_TEXT_MAX_BYTES];

	memset(text, 0, sizeof(text));
	for (size_t i = 0; i < LOG_FIELDS_MAX; i++)
		fields[i] = LOG_TEXT("key", text_of(text, i < 7 ? sizeof(text) : 8));
	assert_in_range(log_format_json(make(NULL, fields, LOG_FIELDS_MAX), &second, line), 1,
		LOG_LINE_MAX_BYTES);
	assert_in_range(log_format_text((const struct log_record *)(const void *)record, &second,
				true, line),
		1, LOG_LINE_MAX_BYTES);
}

static void people_get_words(void **state)
{
	static const struct flow_step step = {.name = "insert_user"};
	struct flow flow;

	fill_flow(&flow, &step);
	make(&flow,
		LOG_FIELDS(LOG_STRING("plain", "a/b"), LOG_STRING("spaced", "a b=c"),
			LOG_NUMBER("n", 7), LOG_UUID("id", flow.identity.user_id),
			LOG_STRING("empty", "")));
	line[log_format_text(
		(const struct log_record *)(const void *)record, &second, false, line)] = '\0';
	assert_string_equal(line + sizeof("12:00:00.000Z"),
		"INFO  tested plain=a/b spaced=\"a b=c\" n=7 "
		"id=01890a5d-ac96-774b-bcce-b302099a8057 empty=\"\" request_id=req-1 "
		"user_id=01890a5d-ac96-774b-bcce-b302099a8057 step=insert_user\n");
}

static void colours_stand_around_the_level_only(void **state)
{
	make(NULL, LOG_FIELDS(LOG_NUMBER("n", 1)));
	line[log_format_text(
		(const struct log_record *)(const void *)record, &second, true, line)] = '\0';
	assert_non_null(strstr(line, " \033[32mINFO \033[0m tested n=1\n"));
}

static void expect_number(double value, const char *text)
{
	char out[NUMBER_TEXT_MAX];

	assert_int_equal(number_format(value, out), strlen(text));
	assert_string_equal(out, text);
	if (isfinite(value))
		assert_true(strtod(out, NULL) == value);
}

static void a_number_is_written_in_the_fewest_digits_that_read_back(void **state)
{
	expect_number(0, "0");
	expect_number(-0.0, "0");
	expect_number(0.0005, "0.0005");
	expect_number(0.1, "0.1");
	expect_number(0.1 + 0.2, "0.30000000000000004");
	expect_number(1e14, "100000000000000");
	expect_number(1e21, "1e+21");
	expect_number(-7, "-7");
	expect_number(1.0 / 3, "0.3333333333333333");
	expect_number(5e-324, "4.94065645841247e-324");
	expect_number(0.000001, "0.000001");
	expect_number(0.0000015, "1.5e-06");
	expect_number(123.456, "123.456");
	expect_number(999999999.000001, "999999999.000001");
	expect_number(1000000000.5, "1000000000.5");
	expect_number(-0.25, "-0.25");
	expect_number(NAN, "NaN");
	expect_number(INFINITY, "+Inf");
	expect_number(-INFINITY, "-Inf");
}

static void expect_integer(int64_t value)
{
	char out[NUMBER_TEXT_MAX], expected[NUMBER_TEXT_MAX];
	int len = snprintf(expected, sizeof(expected), "%lld", (long long)value);

	assert_int_equal(number_format_integer(value, out), len);
	assert_memory_equal(out, expected, len);
}

static void an_integer_of_any_length_is_written_in_full(void **state)
{
	expect_integer(0);
	expect_integer(INT64_MAX);
	expect_integer(INT64_MIN);
	for (int64_t power = 1; power <= INT64_MAX / 10; power *= 10) {
		expect_integer(power);
		expect_integer(power - 1);
		expect_integer(power * 10 - power);
		expect_integer(-power);
		expect_integer(1 - power);
	}
}

static void expect_time(int64_t unix_ms)
{
	struct log_record *changed = (struct log_record *)(void *)record;
	char expected[CLOCK_RFC3339_LEN];
	size_t time_at = sizeof("{\"time\":\"") - 1;

	changed->unix_ms = unix_ms;
	clock_format_rfc3339(unix_ms, expected);
	log_format_json(changed, &second, line);
	assert_memory_equal(line + time_at, expected, sizeof(expected));
}

static void lines_of_any_order_have_their_own_time(void **state)
{
	make(NULL, NULL, 0);
	memset(&second, 0, sizeof(second));
	expect_time(7);
	expect_time(0);
	expect_time(999);
	expect_time(1000);
	expect_time(INT64_C(1767225599999)); /* the last of a year */
	expect_time(INT64_C(1767225600000));
	expect_time(INT64_C(1767225600120));
	expect_time(INT64_C(1767225599001)); /* the clock was set back */
	expect_time(INT64_C(1767225599998));
	expect_time(-1);
	expect_time(-1000);
	expect_time(-1001);
	expect_time(INT64_MAX);
	expect_time(INT64_MIN);
}

static void any_double_reads_back_as_itself(void **state)
{
	uint64_t bits = 1;

	for (unsigned i = 0; i < 100000; i++) {
		char out[NUMBER_TEXT_MAX];
		double value;

		/* Any odd multiplier walks through all kinds of exponents (Knuth 3.2.1.2). */
		bits = bits * 6364136223846793005 + 1442695040888963407;
		memcpy(&value, &bits, sizeof(value));
		if (!isfinite(value))
			continue;
		assert_in_range(number_format(value, out), 1, NUMBER_TEXT_MAX - 1);
		assert_true(strtod(out, NULL) == value);
		value = (double)(bits % 1000000000000) / 1000;
		number_format(value, out);
		assert_true(strtod(out, NULL) == value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_names_time_level_and_event),
		cmocka_unit_test(every_kind_of_value_has_its_json),
		cmocka_unit_test(a_newline_a_quote_and_a_nul_cannot_forge_a_line),
		cmocka_unit_test(bytes_that_are_no_utf8_are_replaced),
		cmocka_unit_test(what_moves_a_terminal_is_escaped),
		cmocka_unit_test(a_byte_is_escaped_the_same_at_every_place_of_a_text),
		cmocka_unit_test(only_quotes_backslashes_and_controls_of_ascii_are_escaped),
		cmocka_unit_test(a_long_text_is_cut_between_characters_and_says_so),
		cmocka_unit_test(json_that_is_broken_or_too_long_becomes_a_string),
		cmocka_unit_test(fields_past_the_bound_are_left_out_and_the_line_says_so),
		cmocka_unit_test(a_flow_adds_request_trace_user_and_step),
		cmocka_unit_test(a_flow_that_knows_nothing_adds_nothing),
		cmocka_unit_test(no_key_stands_twice),
		cmocka_unit_test(the_worst_record_fits_into_a_line),
		cmocka_unit_test(people_get_words),
		cmocka_unit_test(colours_stand_around_the_level_only),
		cmocka_unit_test(a_number_is_written_in_the_fewest_digits_that_read_back),
		cmocka_unit_test(an_integer_of_any_length_is_written_in_full),
		cmocka_unit_test(lines_of_any_order_have_their_own_time),
		cmocka_unit_test(any_double_reads_back_as_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
