// SPDX-License-Identifier: Apache-2.0

/*
 * negotiation - one cutter for lists with quoted strings serves every field; the rest judges
 * elements.
 */

#include "http/negotiation.h"

/* Takes what stands before the next separator outside a quoted string (RFC 9110, 5.6.4). */
static bool element_next(struct text *rest, char separator, struct text *element_out)
{
	bool quoted = false;
	size_t at = 0;

	if (text_is_absent(*rest))
		return false;
	for (; at < rest->len; at++) {
		if (rest->data[at] == '"')
			quoted = !quoted;
		else if (quoted && rest->data[at] == '\\' && at + 1 < rest->len)
			at++;
		else if (!quoted && rest->data[at] == separator)
			break;
	}
	*element_out = text_trim(text_of(rest->data, at));
	*rest = at < rest->len ? text_of(rest->data + at + 1, rest->len - at - 1) : TEXT_ABSENT;
	return true;
}

/* qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ); -1 when it is not one. */
static int parse_quality(struct text text)
{
	int quality, digit = 100;

	if (text.len == 0 || text.len > 5 || (text.data[0] != '0' && text.data[0] != '1'))
		return -1;
	quality = (text.data[0] - '0') * QUALITY_MAX;
	if (text.len > 1 && text.data[1] != '.')
		return -1;
	for (size_t i = 2; i < text.len; i++, digit /= 10) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return -1;
		quality += (text.data[i] - '0') * digit;
	}
	return quality <= QUALITY_MAX ? quality : -1;
}

/* The q among the parameters that follow a range; 1000 when there is none, -1 when it is
 * malformed. */
static int quality_of(struct text parameters)
{
	struct text parameter;

	while (element_next(&parameters, ';', &parameter)) {
		struct text value;
		struct text name = text_trim(text_cut(parameter, '=', &value));

		if (text_equals_ignore_case(name, TEXT("q")) && !text_is_absent(value))
			return parse_quality(text_trim(value));
	}
	return QUALITY_MAX;
}

static int specificity(struct text range, struct text type, struct text subtype)
{
	struct text range_subtype;
	struct text range_type = text_trim(text_cut(range, '/', &range_subtype));

	range_subtype = text_trim(range_subtype);
	if (text_equals(range_type, TEXT("*")))
		return text_equals(range_subtype, TEXT("*")) ? 1 : 0;
	if (!text_equals_ignore_case(range_type, type))
		return 0;
	if (text_equals(range_subtype, TEXT("*")))
		return 2;
	return text_equals_ignore_case(range_subtype, subtype) ? 3 : 0;
}

struct accepted accept_media_type(struct text accept, struct text type, struct text subtype)
{
	struct accepted best = {.quality = QUALITY_NONE};
	struct text element;

	if (text_is_absent(accept))
		return (struct accepted) {.quality = QUALITY_MAX};

	while (element_next(&accept, ',', &element)) {
		struct text parameters = TEXT_ABSENT;
		struct text range = TEXT_ABSENT;
		int quality, specific;

		parameters = element;
		element_next(&parameters, ';', &range);
		specific = specificity(range, type, subtype);
		quality = quality_of(parameters);
		if (specific == 0 || quality < 0 || specific < best.specificity)
			continue;
		if (specific > best.specificity || quality > best.quality)
			best = (struct accepted) {.quality = quality, .specificity = specific};
	}
	return best;
}

bool accept_prefers_problem_json(struct text accept)
{
	struct accepted problem, json;

	if (text_is_absent(accept))
		return false;
	problem = accept_media_type(accept, TEXT("application"), TEXT("problem+json"));
	if (problem.specificity < 3 || problem.quality == QUALITY_NONE)
		return false;
	json = accept_media_type(accept, TEXT("application"), TEXT("json"));
	return problem.quality >= json.quality;
}

/* x-gzip is gzip (RFC 9110, 8.4.1.3). */
static bool coding_is(struct text name, struct text coding)
{
	if (text_equals_ignore_case(name, TEXT("x-gzip")))
		name = TEXT("gzip");
	return text_equals_ignore_case(name, coding);
}

bool accept_encoding_allows(struct text accept_encoding, struct text coding)
{
	struct text element;
	int named = -1, star = -1;

	if (text_is_absent(accept_encoding))
		return true;

	while (element_next(&accept_encoding, ',', &element)) {
		struct text parameters = element;
		struct text name = TEXT_ABSENT;

		element_next(&parameters, ';', &name);
		if (coding_is(name, coding))
			named = quality_of(parameters);
		else if (text_equals(name, TEXT("*")))
			star = quality_of(parameters);
	}
	return named >= 0 ? named > 0 : star > 0;
}

static struct text unquote(struct text value)
{
	if (value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"')
		return text_of(value.data + 1, value.len - 2);
	return value;
}

bool content_type_is_json(struct text content_type)
{
	struct text range, parameter;

	if (!element_next(&content_type, ';', &range))
		return false;
	if (!text_equals_ignore_case(range, TEXT("application/json")))
		return false;

	while (element_next(&content_type, ';', &parameter)) {
		struct text value;
		struct text name = text_cut(parameter, '=', &value);

		if (parameter.len == 0)
			continue;
		if (text_is_absent(value) || !text_equals_ignore_case(name, TEXT("charset")))
			return false;
		if (!text_equals_ignore_case(unquote(value), TEXT("utf-8")))
			return false;
	}
	return true;
}

bool etag_is_listed(struct text if_none_match, struct text etag)
{
	struct text element;

	while (element_next(&if_none_match, ',', &element)) {
		if (text_equals(element, TEXT("*")))
			return true;
		if (text_starts_with(element, TEXT("W/")))
			element = text_of(element.data + 2, element.len - 2);
		if (text_equals(element, etag))
			return true;
	}
	return false;
}
