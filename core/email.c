// SPDX-License-Identifier: Apache-2.0
#include <idn2.h>
#include <string.h>

#include "core/schema.h"

/* RFC 5321, 4.5.3.1: local part, domain (RFC 1035: 255 with length bytes, so 253), and the path's 256
 * without its angle brackets. */
enum {
	LOCAL_MAX_BYTES = 64,
	DOMAIN_MAX_BYTES = 253,
	LABEL_MAX_BYTES = 63,
	ADDRESS_MAX_BYTES = 254
};
enum { UTF8_MAX_BYTES = 4 };

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* RFC 5322, 3.2.3: atext */
static bool is_atom_char(char c)
{
	return is_letter_or_digit(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool is_ascii(struct text text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.data[i] >= 0x80)
			return false;
	return true;
}

/* C1 controls, and what shows as nothing or turns the line around: no name needs them, and two addresses
 * that look alike must not both be somebody. */
static bool is_invisible(struct text sequence)
{
	const unsigned char *at = (const unsigned char *)sequence.data;

	if (sequence.len == 2)
		return at[0] == 0xC2 && (at[1] <= 0xA0 || at[1] == 0xAD);
	if (sequence.len != 3)
		return at[0] == 0xF3; /* U+C0000 to U+FFFFF: tags and private use */
	if (at[0] == 0xE2)
		return (at[1] == 0x80 && (at[2] <= 0x8F || (at[2] >= 0xA8 && at[2] <= 0xAF))) ||
			(at[1] == 0x81 && at[2] >= 0x9F && at[2] <= 0xAF);
	return (at[0] == 0xE3 && at[1] == 0x80 && at[2] == 0x80) ||
		(at[0] == 0xEF && at[1] == 0xBB && at[2] == 0xBF) ||
		(at[0] == 0xEF && at[1] == 0xBF);
}

/* RFC 5321, 4.1.2: Dot-string, with the UTF-8 of RFC 6531, 3.3. No quoted strings. */
static bool is_local_part(struct text local)
{
	bool atom_begins = true;

	if (local.len == 0 || local.len > LOCAL_MAX_BYTES)
		return false;
	for (size_t i = 0; i < local.len;) {
		struct text rest = text_of(local.data + i, local.len - i);
		size_t len = text_utf8_sequence(rest);
		if (len == 0)
			return false;
		if (len == 1 && rest.data[0] == '.') {
			if (atom_begins)
				return false;
			atom_begins = true;
			i++;
			continue;
		}
		if (len == 1 ? !is_atom_char(rest.data[0]) : is_invisible(text_of(rest.data, len)))
			return false;
		atom_begins = false;
		i += len;
	}
	return !atom_begins;
}

static bool is_label(struct text label)
{
	if (label.len == 0 || label.len > LABEL_MAX_BYTES)
		return false;
	for (size_t i = 0; i < label.len; i++)
		if (!is_letter_or_digit(label.data[i]) && label.data[i] != '-')
			return false;
	return label.data[0] != '-' && label.data[label.len - 1] != '-';
}

static bool is_number(struct text label)
{
	for (size_t i = 0; i < label.len; i++)
		if (label.data[i] < '0' || label.data[i] > '9')
			return false;
	return true;
}

/* Two labels or more, the last not a number: "user@host" is a slip of the finger, and an address that
 * ends in a number is an IPv4 address (RFC 3696, section 2). */
static bool is_host_name(struct text domain)
{
	struct text label, rest = domain;
	size_t labels = 0;

	if (domain.len == 0 || domain.len > DOMAIN_MAX_BYTES)
		return false;
	do {
		label = text_cut(rest, '.', &rest);
		labels++;
		if (!is_label(label))
			return false;
	} while (!text_is_absent(rest));
	return labels >= 2 && !is_number(label);
}

static bool has_a_label(struct text domain)
{
	for (size_t i = 0; i + 4 <= domain.len; i++)
		if ((i == 0 || domain.data[i - 1] == '.') &&
			text_equals_ignore_case(text_of(domain.data + i, 4), TEXT("xn--")))
			return true;
	return false;
}

/* UTS 46 mapping without transitional forms, then RFC 5891 lookup: lower case, composed, A-labels. Not with
 * IDN2_USE_STD3_ASCII_RULES: libidn2 then drops what maps to "a/c" and the like instead of refusing it, and a
 * letter that is dropped makes somebody else's domain. What it maps to is judged by the caller. */
static struct text to_ascii(struct arena *arena, struct text name)
{
	struct text terminated = arena_text(arena, name);
	uint8_t *ascii = NULL;

	if (text_is_absent(terminated) ||
		idn2_lookup_u8((const uint8_t *)terminated.data, &ascii,
			IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return TEXT_ABSENT;
	struct text result = arena_text(arena, text_from_c((const char *)ascii));
	idn2_free(ascii);
	return result;
}

/* ---- the local part ------------------------------------------------------------------------- */

static bool is_word_char(char c)
{
	return (unsigned char)c >= 0x80 || is_letter_or_digit(c);
}

/* What a word maps to must still be one: no dot, slash or blank made of a sign that looks like it. */
static bool is_word(struct text word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!is_word_char(word.data[i]))
			return false;
	return word.len > 0;
}

/* "JOSE\xCC\x81" becomes "jos\xC3\xA9": a word as a label of a domain has one form however it is typed, and the
 * signs that nobody sees are not in it. */
static struct text map_word(struct arena *arena, struct text word)
{
	struct text ascii = to_ascii(arena, word), mapped = TEXT_ABSENT;
	char *unicode = NULL;

	if (text_is_absent(ascii) || idn2_to_unicode_8z8z(ascii.data, &unicode, 0) != IDN2_OK)
		return TEXT_ABSENT;
	if (is_word(text_from_c(unicode)))
		mapped = arena_text(arena, text_from_c(unicode));
	idn2_free(unicode);
	return mapped;
}

/* Two spellings of one name must not be two users: the words of a local part that go beyond ASCII are mapped,
 * what stands between them stays. Absent when a word has no form, or is no good. */
static struct text map_local_part(struct arena *arena, struct text local)
{
	struct text mapped = TEXT("");
	size_t end;

	for (size_t at = 0; at < local.len; at = end) {
		bool is_word_here = is_word_char(local.data[at]);
		for (end = at + 1;
			end < local.len && is_word_char(local.data[end]) == is_word_here;)
			end++;
		struct text part = text_of(local.data + at, end - at);
		if (is_word_here && !is_ascii(part))
			part = map_word(arena, part);
		if (text_is_absent(part))
			return TEXT_ABSENT;
		mapped = arena_printf(arena, "%.*s%.*s", TEXT_ARG(mapped), TEXT_ARG(part));
		if (text_is_absent(mapped))
			return TEXT_ABSENT;
	}
	return mapped.len <= LOCAL_MAX_BYTES ? mapped : TEXT_ABSENT;
}

/* ---- the whole ------------------------------------------------------------------------------ */

static char *put_lower(char *out, struct text text)
{
	for (size_t i = 0; i < text.len; i++)
		*out++ = lower(text.data[i]);
	return out;
}

static struct text join(struct arena *arena, struct text local, struct text domain)
{
	size_t len = local.len + 1 + domain.len;
	char *address = len > ADDRESS_MAX_BYTES ? NULL : arena_alloc(arena, len + 1);

	if (address == NULL)
		return TEXT_ABSENT;
	char *at = put_lower(address, local);
	*at++ = '@';
	*put_lower(at, domain) = '\0';
	return text_of(address, len);
}

struct text email_normalise(struct arena *arena, struct text address)
{
	struct text domain, trimmed = text_trim(address);
	struct text local = text_cut(trimmed, '@', &domain);

	if (!is_local_part(local) || text_is_absent(domain) || domain.len == 0 ||
		domain.len > DOMAIN_MAX_BYTES * UTF8_MAX_BYTES ||
		memchr(domain.data, '\0', domain.len) != NULL)
		return TEXT_ABSENT;
	if (!is_ascii(domain) || has_a_label(domain)) {
		if (!text_is_utf8(domain))
			return TEXT_ABSENT;
		domain = to_ascii(arena, domain);
	}
	if (!is_ascii(local))
		local = map_local_part(arena, local);
	if (text_is_absent(local))
		return TEXT_ABSENT;
	return is_host_name(domain) ? join(arena, local, domain) : TEXT_ABSENT;
}
