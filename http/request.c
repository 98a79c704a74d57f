// SPDX-License-Identifier: Apache-2.0

#include "http/request.h"

#include <string.h>

#include "http/characters.h"
#include "http/target.h"

/* Most names differ in length already. */
static inline bool is_named(const struct http_header *header, struct text name)
{
	return header->name.len == name.len && memcmp(header->name.data, name.data, name.len) == 0;
}

struct text request_header(const struct http_request *request, struct text lower_case_name)
{
	for (size_t i = 0; i < request->header_count; i++)
		if (is_named(&request->headers[i], lower_case_name))
			return request->headers[i].value;
	return TEXT_ABSENT;
}

size_t request_header_count(const struct http_request *request, struct text lower_case_name)
{
	size_t count = 0;

	for (size_t i = 0; i < request->header_count; i++)
		count += is_named(&request->headers[i], lower_case_name);
	return count;
}

static enum http_method method_of(struct text name)
{
	/* CONNECT is for proxies, TRACE reflects what it should not (RFC 9110, 9.3.8): not known
	 * here. */
	static const struct {
		struct text name;
		enum http_method method;
	} known[] = {
		{TEXT_INIT("GET"), HTTP_GET},
		{TEXT_INIT("POST"), HTTP_POST},
		{TEXT_INIT("HEAD"), HTTP_HEAD},
		{TEXT_INIT("PUT"), HTTP_PUT},
		{TEXT_INIT("PATCH"), HTTP_PATCH},
		{TEXT_INIT("DELETE"), HTTP_DELETE},
		{TEXT_INIT("OPTIONS"), HTTP_OPTIONS},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (text_equals(name, known[i].name))
			return known[i].method;
	return 0;
}

static bool all_are(struct text text, uint8_t class)
{
	for (size_t i = 0; i < text.len; i++)
		if (!character_is(text.data[i], class))
			return false;
	return text.len > 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* RFC 9112, 2.3: HTTP-name "/" DIGIT "." DIGIT, case-sensitive. */
static bool version_parse(struct text version, uint8_t *minor_out, enum problem *problem_out)
{
	if (version.len != 8 || !text_starts_with(version, TEXT("HTTP/")) ||
		!is_digit(version.data[5]) || version.data[6] != '.' ||
		!is_digit(version.data[7])) {
		*problem_out = PROBLEM_BAD_REQUEST;
		return false;
	}
	*problem_out = PROBLEM_VERSION_NOT_SUPPORTED;
	*minor_out = (uint8_t)(version.data[7] - '0');
	return version.data[5] == '1' && *minor_out <= 1;
}

bool request_line_parse(struct text line, struct request_line *line_out, enum problem *problem_out)
{
	struct text method, target, version;

	method = text_cut(line, ' ', &target);
	target = text_cut(target, ' ', &version);
	*problem_out = PROBLEM_BAD_REQUEST;
	if (!all_are(method, CHARACTER_TOKEN) || !all_are(target, CHARACTER_TARGET) ||
		text_is_absent(version))
		return false;
	if (!version_parse(version, &line_out->minor, problem_out))
		return false;

	line_out->method = method_of(method);
	line_out->target_at = (uint32_t)(target.data - line.data);
	line_out->target_len = (uint32_t)target.len;
	*problem_out = PROBLEM_METHOD_NOT_IMPLEMENTED;
	return line_out->method != 0;
}

static bool check_target(struct http_request *request, enum problem *problem_out)
{
	struct target target;

	if (!target_parse(request->target, &target, problem_out))
		return false;
	*problem_out = PROBLEM_BAD_REQUEST;
	if (text_equals(target.path, TEXT("*")) && request->method != HTTP_OPTIONS)
		return false;
	request->path = target.path;
	request->query = target.query;
	request->host = target.authority;
	return true;
}

/* RFC 9112, 3.2: exactly one on 1.1, at most one on 1.0. An absolute target wins over a valid
 * header. */
static bool check_host(struct http_request *request, enum problem *problem_out)
{
	size_t count = request_header_count(request, TEXT("host"));
	struct text host = request_header(request, TEXT("host"));

	*problem_out = PROBLEM_BAD_HOST;
	if (count > 1 || (count == 0 && request->minor >= 1))
		return false;
	if (count == 1 && !authority_is_valid(host))
		return false;
	if (text_is_absent(request->host))
		request->host = host;
	return true;
}

/* RFC 9110, 8.6: digits only, once. A list of equal numbers is allowed to be refused, and is. */
static bool content_length_parse(struct text value, uint64_t *length_out)
{
	int64_t length;

	if (value.len == 0 || !is_digit(value.data[0]) || !text_to_int(value, &length))
		return false;
	*length_out = (uint64_t)length;
	return true;
}

bool request_check_framing(struct http_request *request, enum problem *problem_out)
{
	struct text coding = request_header(request, TEXT("transfer-encoding"));
	size_t codings = request_header_count(request, TEXT("transfer-encoding"));
	size_t lengths = request_header_count(request, TEXT("content-length"));

	*problem_out = PROBLEM_BAD_FRAMING;
	request->has_body = codings + lengths > 0;
	request->chunked = codings > 0;
	if (lengths > 1 || codings > 1 || (lengths > 0 && codings > 0))
		return false;
	if (lengths == 1)
		return content_length_parse(
			request_header(request, TEXT("content-length")), &request->content_length);
	if (codings == 0 ||
		(request->minor >= 1 && text_equals_ignore_case(coding, TEXT("chunked"))))
		return true;
	/* RFC 9112, 6.1: a coding we do not understand is a 501; on 1.0 any is faulty framing. */
	if (request->minor >= 1 && all_are(coding, CHARACTER_TOKEN))
		*problem_out = PROBLEM_METHOD_NOT_IMPLEMENTED;
	return false;
}

static bool list_has(const struct http_request *request, struct text name, struct text option)
{
	for (size_t i = 0; i < request->header_count; i++) {
		struct text rest = request->headers[i].value;

		if (!is_named(&request->headers[i], name))
			continue;
		while (!text_is_absent(rest))
			if (text_equals_ignore_case(text_trim(text_cut(rest, ',', &rest)), option))
				return true;
	}
	return false;
}

/* RFC 9112, 9.3 */
static void read_connection_options(struct http_request *request)
{
	bool close = list_has(request, TEXT("connection"), TEXT("close"));

	if (request->minor >= 1)
		request->keep_alive = !close;
	else
		request->keep_alive = !close &&
			list_has(request, TEXT("connection"), TEXT("keep-alive"));
}

/* RFC 9110, 10.1.1; a 1.0 client does not know it, so there it is ignored. */
static bool check_expectation(struct http_request *request, enum problem *problem_out)
{
	struct text expect = request_header(request, TEXT("expect"));

	*problem_out = PROBLEM_EXPECTATION_FAILED;
	if (text_is_absent(expect) || request->minor == 0)
		return true;
	request->expects_continue = request_header_count(request, TEXT("expect")) == 1 &&
		text_equals_ignore_case(expect, TEXT("100-continue"));
	return request->expects_continue;
}

bool request_check(struct http_request *request, enum problem *problem_out)
{
	read_connection_options(request);
	return check_target(request, problem_out) && check_host(request, problem_out) &&
		request_check_framing(request, problem_out) &&
		check_expectation(request, problem_out);
}
