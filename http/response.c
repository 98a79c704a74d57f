// SPDX-License-Identifier: Apache-2.0

#include "http/response.h"

#include <string.h>

enum {
	FIXED_BOUND = 512, /* status line, date, length, request id, connection, separators */
	DIGITS_MAX = 20,
};

struct text response_phrase(uint16_t status)
{
	static const struct {
		uint16_t status;
		struct text phrase;
	} phrases[] = {
		{200, TEXT_INIT("OK")},
		{201, TEXT_INIT("Created")},
		{202, TEXT_INIT("Accepted")},
		{204, TEXT_INIT("No Content")},
		{206, TEXT_INIT("Partial Content")},
		{301, TEXT_INIT("Moved Permanently")},
		{302, TEXT_INIT("Found")},
		{303, TEXT_INIT("See Other")},
		{304, TEXT_INIT("Not Modified")},
		{307, TEXT_INIT("Temporary Redirect")},
		{308, TEXT_INIT("Permanent Redirect")},
		{400, TEXT_INIT("Bad Request")},
		{401, TEXT_INIT("Unauthorized")},
		{403, TEXT_INIT("Forbidden")},
		{404, TEXT_INIT("Not Found")},
		{405, TEXT_INIT("Method Not Allowed")},
		{406, TEXT_INIT("Not Acceptable")},
		{408, TEXT_INIT("Request Timeout")},
		{409, TEXT_INIT("Conflict")},
		{410, TEXT_INIT("Gone")},
		{411, TEXT_INIT("Length Required")},
		{412, TEXT_INIT("Precondition Failed")},
		{413, TEXT_INIT("Content Too Large")},
		{414, TEXT_INIT("URI Too Long")},
		{415, TEXT_INIT("Unsupported Media Type")},
		{416, TEXT_INIT("Range Not Satisfiable")},
		{417, TEXT_INIT("Expectation Failed")},
		{422, TEXT_INIT("Unprocessable Content")},
		{428, TEXT_INIT("Precondition Required")},
		{429, TEXT_INIT("Too Many Requests")},
		{431, TEXT_INIT("Request Header Fields Too Large")},
		{500, TEXT_INIT("Internal Server Error")},
		{501, TEXT_INIT("Not Implemented")},
		{502, TEXT_INIT("Bad Gateway")},
		{503, TEXT_INIT("Service Unavailable")},
		{504, TEXT_INIT("Gateway Timeout")},
		{505, TEXT_INIT("HTTP Version Not Supported")},
		{507, TEXT_INIT("Insufficient Storage")},
	};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return TEXT("Unknown");
}

bool response_allows_body(uint16_t status)
{
	return status >= 200 && status != 204 && status != 304;
}

size_t response_head_bound(const struct exchange_response *response)
{
	size_t bound = FIXED_BOUND + response->media_type.len;

	for (size_t i = 0; i < response->header_count; i++)
		bound += response->headers[i].name.len + response->headers[i].value.len + 4;
	return bound;
}

static char *put(char *out, struct text text)
{
	memcpy(out, text.data, text.len);
	return out + text.len;
}

static char *put_number(char *out, uint64_t number)
{
	char digits[DIGITS_MAX];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	return put(out, text_of(digits + at, sizeof(digits) - at));
}

static char *put_header(char *out, struct text name_and_colon, struct text value)
{
	out = put(out, name_and_colon);
	if (value.len > 0)
		out = put(out, value);
	return put(out, TEXT("\r\n"));
}

static char *put_status_line(char *out, uint16_t status)
{
	if (status == 200)
		return put(out, TEXT("HTTP/1.1 200 OK\r\n"));
	out = put_number(put(out, TEXT("HTTP/1.1 ")), status);
	return put_header(out, TEXT(" "), response_phrase(status));
}

char *response_write_head(char *out, const struct exchange_response *response,
	struct text date_line, const char *request_id, enum response_connection connection)
{
	out = put(put_status_line(out, response->status), date_line);
	if (!text_is_absent(response->media_type) && response_allows_body(response->status))
		out = put_header(out, TEXT("Content-Type: "), response->media_type);
	if (response->framing == BODY_CHUNKED)
		out = put(out, TEXT("Transfer-Encoding: chunked\r\n"));
	else if (response->framing == BODY_OF_LENGTH && response_allows_body(response->status))
		out = put(put_number(put(out, TEXT("Content-Length: ")), response->body.len),
			TEXT("\r\n"));
	out = put_header(out, TEXT("X-Request-ID: "), text_from_c(request_id));
	for (size_t i = 0; i < response->header_count; i++) {
		out = put(out, response->headers[i].name);
		out = put_header(out, TEXT(": "), response->headers[i].value);
	}
	switch (connection) {
	case RESPONSE_IMPLICIT:
		break;
	case RESPONSE_KEEPS:
		out = put(out, TEXT("Connection: keep-alive\r\n"));
		break;
	case RESPONSE_CLOSES:
		out = put(out, TEXT("Connection: close\r\n"));
		break;
	}
	return put(out, TEXT("\r\n"));
}
