// SPDX-License-Identifier: Apache-2.0

#include "http/target.h"

#include <arpa/inet.h>
#include <string.h>

#include "http/characters.h"
#include "http/exchange.h"

/* RFC 1035, 2.3.4 */
enum { HOST_NAME_MAX_BYTES = 255, PORT_DIGITS_MAX = 5, PORT_MAX = 65535 };

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte behind "%XX" at `at`, or -1. */
static int escape_at(struct text text, size_t at)
{
	int high, low;

	if (text.len - at < 3)
		return -1;
	high = hex_value(text.data[at + 1]);
	low = hex_value(text.data[at + 2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static bool check_characters(struct text text, uint8_t class)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!character_is(text.data[i], class))
			return false;
		if (text.data[i] == '%') {
			if (escape_at(text, i) <= 0)
				return false;
			i += 2;
		}
	}
	return true;
}

/* "." and "..", each dot written plainly or as %2E (RFC 3986, 6.2.2.2 makes them equal). */
static bool is_dot_segment(struct text segment)
{
	size_t dots = 0;

	for (size_t i = 0; i < segment.len; i++, dots++) {
		if (segment.data[i] == '%' && escape_at(segment, i) == '.')
			i += 2;
		else if (segment.data[i] != '.')
			return false;
	}
	return dots == 1 || dots == 2;
}

static bool check_path(struct text path)
{
	struct text segment, rest = path;

	if (path.len == 0 || path.data[0] != '/' || !check_characters(path, CHARACTER_PATH))
		return false;
	if (memchr(path.data, '.', path.len) == NULL && memchr(path.data, '%', path.len) == NULL)
		return true;
	do {
		segment = text_cut(rest, '/', &rest);
		if (is_dot_segment(segment))
			return false;
	} while (!text_is_absent(rest));
	return true;
}

/* "http://host/path": leaves the rest after the authority in *rest. An absent authority is the
 * origin form. */
static bool cut_authority(struct text *rest, struct text *authority_out)
{
	static const struct text schemes[] = {TEXT_INIT("http://"), TEXT_INIT("https://")};
	size_t skip = 0, len;

	*authority_out = TEXT_ABSENT;
	if (rest->len > 0 && rest->data[0] == '/')
		return true;
	for (size_t i = 0; i < 2 && skip == 0; i++)
		if (rest->len > schemes[i].len &&
			text_equals_ignore_case(text_of(rest->data, schemes[i].len), schemes[i]))
			skip = schemes[i].len;
	if (skip == 0)
		return false;
	for (len = 0; skip + len < rest->len; len++)
		if (strchr("/?#", rest->data[skip + len]) != NULL)
			break;
	*authority_out = text_of(rest->data + skip, len);
	*rest = text_of(rest->data + skip + len, rest->len - skip - len);
	return authority_is_valid(*authority_out);
}

bool target_parse(struct text raw, struct target *target_out, enum problem *problem_out)
{
	struct text rest = raw;

	*target_out = (struct target) {.path = raw};
	*problem_out = PROBLEM_BAD_REQUEST;
	if (text_equals(raw, TEXT("*")))
		return true;
	if (!cut_authority(&rest, &target_out->authority))
		return false;

	target_out->path = text_cut(rest, '?', &target_out->query);
	/* RFC 9112, 3.2.2 with RFC 3986, 6.2.3: an absolute form without a path means "/". */
	if (!text_is_absent(target_out->authority) && target_out->path.len == 0)
		target_out->path = TEXT("/");
	if (!check_path(target_out->path))
		return false;

	*problem_out = PROBLEM_BAD_QUERY;
	return text_is_absent(target_out->query) ||
		check_characters(target_out->query, CHARACTER_QUERY);
}

static bool port_is_valid(struct text port)
{
	int64_t number;

	if (port.len == 0)
		return true; /* "host:" is allowed, RFC 3986, 3.2.3 */
	return port.len <= PORT_DIGITS_MAX && port.data[0] != '-' && text_to_int(port, &number) &&
		number <= PORT_MAX;
}

static bool ipv6_is_valid(struct text literal)
{
	char terminated[INET6_ADDRSTRLEN];
	struct in6_addr ignored;

	if (literal.len == 0 || literal.len >= sizeof(terminated))
		return false;
	memcpy(terminated, literal.data, literal.len);
	terminated[literal.len] = '\0';
	return strlen(terminated) == literal.len && inet_pton(AF_INET6, terminated, &ignored) == 1;
}

bool authority_is_valid(struct text authority)
{
	struct text host, port, after;

	if (authority.len > 0 && authority.data[0] == '[') {
		host = text_cut(text_of(authority.data + 1, authority.len - 1), ']', &after);
		if (text_is_absent(after) || !ipv6_is_valid(host))
			return false;
		if (after.len == 0)
			return true;
		return after.data[0] == ':' &&
			port_is_valid(text_of(after.data + 1, after.len - 1));
	}
	host = text_cut(authority, ':', &port);
	if (host.len == 0 || host.len > HOST_NAME_MAX_BYTES ||
		!check_characters(host, CHARACTER_HOST))
		return false;
	return text_is_absent(port) || port_is_valid(port);
}

struct text percent_decode(struct arena *arena, struct text raw, bool plus_is_space)
{
	size_t len = 0;
	char *decoded;

	if (text_is_absent(raw))
		return TEXT_ABSENT;
	if (memchr(raw.data, '%', raw.len) == NULL &&
		(!plus_is_space || memchr(raw.data, '+', raw.len) == NULL))
		return memchr(raw.data, '\0', raw.len) == NULL && text_is_utf8(raw) ? raw
										    : TEXT_ABSENT;

	decoded = arena_alloc(arena, raw.len + 1);
	if (decoded == NULL)
		return TEXT_ABSENT;
	for (size_t i = 0; i < raw.len; i++) {
		int byte = (unsigned char)raw.data[i];

		if (byte == '%') {
			byte = escape_at(raw, i);
			i += 2;
		} else if (byte == '+' && plus_is_space) {
			byte = ' ';
		}
		if (byte <= 0)
			return TEXT_ABSENT;
		decoded[len++] = (char)byte;
	}
	decoded[len] = '\0';
	return text_is_utf8(text_of(decoded, len)) ? text_of(decoded, len) : TEXT_ABSENT;
}

bool query_next(struct text *rest, struct text *name_out, struct text *value_out)
{
	while (!text_is_absent(*rest)) {
		struct text pair = text_cut(*rest, '&', rest);

		if (pair.len == 0)
			continue;
		*name_out = text_cut(pair, '=', value_out);
		if (text_is_absent(*value_out))
			*value_out = TEXT("");
		return true;
	}
	return false;
}
