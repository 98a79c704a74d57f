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

/* What the rules below ask about, picked out in one pass. */
struct picked {
	struct text value; /* of the first */
	unsigned count;
};

struct picked_headers {
	struct picked host, content_length, transfer_encoding, expect;
	struct picked authorization, content_type;
	bool closes, stays; /* options of any Connection header */
};

static void pick(struct picked *one, const struct http_header *header, struct text name)
{
	if (!is_named(header, name))
		return;
	if (one->count++ == 0)
		one->value = header->value;
}

static void pick_options(struct picked_headers *picked, const struct http_header *header)
{
	struct text rest = header->value;

	if (!is_named(header, TEXT("connection")))
		return;
	while (!text_is_absent(rest)) {
		struct text option = text_trim(text_cut(rest, ',', &rest));

		picked->closes |= text_equals_ignore_case(option, TEXT("close"));
		picked->stays |= text_equals_ignore_case(option, TEXT("keep-alive"));
	}
}

static struct picked_headers pick_headers(const struct http_request *request)
{
	struct picked_headers picked = {0};

	for (size_t i = 0; i < request->header_count; i++) {
		const struct http_header *header = &request->headers[i];

		switch (header->name.len) {
		case sizeof("host") - 1:
			pick(&picked.host, header, TEXT("host"));
			break;
		case sizeof("expect") - 1:
			pick(&picked.expect, header, TEXT("expect"));
			break;
		case sizeof("connection") - 1:
			pick_options(&picked, header);
			break;
		case sizeof("content-type") - 1:
			pick(&picked.content_type, header, TEXT("content-type"));
			break;
		case sizeof("authorization") - 1:
			pick(&picked.authorization, header, TEXT("authorization"));
			break;
		case sizeof("content-length") - 1:
			pick(&picked.content_length, header, TEXT("content-length"));
			break;
		case sizeof("transfer-encoding") - 1:
			pick(&picked.transfer_encoding, header, TEXT("transfer-encoding"));
			break;
		}
	}
	return picked;
}

/* RFC 9112, 3.2: exactly one on 1.1, at most one on 1.0. An absolute target wins over a valid
 * header. */
static bool check_host(
	struct http_request *request, const struct picked *host, enum problem *problem_out)
{
	*problem_out = PROBLEM_BAD_HOST;
	if (host->count > 1 || (host->count == 0 && request->minor >= 1))
		return false;
	if (host->count == 1 && !authority_is_valid(host->value))
		return false;
	if (text_is_absent(request->host))
		request->host = host->value;
	return true;
}

/* RFC 9110, 5.3: what is no list is sent once. Of two, whoever looks next may take the other one. */
static bool check_singletons(const struct picked_headers *picked, enum problem *problem_out)
{
	*problem_out = PROBLEM_BAD_REQUEST;
	return picked->authorization.count <= 1 && picked->content_type.count <= 1;
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

static bool check_framing(struct http_request *request, const struct picked_headers *picked,
	enum problem *problem_out)
{
	const struct picked *length = &picked->content_length, *coding = &picked->transfer_encoding;

	*problem_out = PROBLEM_BAD_FRAMING;
	request->has_body = coding->count + length->count > 0;
	request->chunked = coding->count > 0;
	if (coding->count + length->count > 1)
		return false;
	if (length->count == 1)
		return content_length_parse(length->value, &request->content_length);
	if (coding->count == 0 ||
		(request->minor >= 1 && text_equals_ignore_case(coding->value, TEXT("chunked"))))
		return true;
	/* RFC 9112, 6.1: a coding we do not understand is a 501; on 1.0 any is faulty framing. */
	if (request->minor >= 1 && all_are(coding->value, CHARACTER_TOKEN))
		*problem_out = PROBLEM_METHOD_NOT_IMPLEMENTED;
	return false;
}

bool request_check_framing(struct http_request *request, enum problem *problem_out)
{
	struct picked_headers picked = pick_headers(request);

	return check_framing(request, &picked, problem_out);
}

/* RFC 9110, 10.1.1; a 1.0 client does not know it, so there it is ignored. */
static bool check_expectation(
	struct http_request *request, const struct picked *expect, enum problem *problem_out)
{
	*problem_out = PROBLEM_EXPECTATION_FAILED;
	if (expect->count == 0 || request->minor == 0)
		return true;
	request->expects_continue = expect->count == 1 &&
		text_equals_ignore_case(expect->value, TEXT("100-continue"));
	return request->expects_continue;
}

bool request_check(struct http_request *request, enum problem *problem_out)
{
	struct picked_headers picked = pick_headers(request);

	/* RFC 9112, 9.3 */
	request->keep_alive = !picked.closes && (request->minor >= 1 || picked.stays);
	return check_target(request, problem_out) &&
		check_host(request, &picked.host, problem_out) &&
		check_framing(request, &picked, problem_out) &&
		check_singletons(&picked, problem_out) &&
		check_expectation(request, &picked.expect, problem_out);
}
