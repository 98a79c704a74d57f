// SPDX-License-Identifier: Apache-2.0
#include "core/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static int open_arena(void **state)
{
	arena_init(&arena, NULL, SIZE_MAX);
	return 0;
}

static int close_arena(void **state)
{
	arena_deinit(&arena);
	return 0;
}

static void an_address_takes_the_form_it_is_compared_in(void **state)
{
	static const struct {
		const char *given, *stored;
	} rows[] = {
		{"ada@example.com", "ada@example.com"},
		{"  Ada.Lovelace+News@EXAMPLE.Com\r\n", "ada.lovelace+news@example.com"},
		{"o'neil!#$%&*/=?^_`{|}~-@example.co.uk", "o'neil!#$%&*/=?^_`{|}~-@example.co.uk"},
		{"a@b\xC3\xBC"
		 "cher.example",
			"a@xn--bcher-kva.example"},
		{"a@B\xC3\x9C"
		 "CHER.example",
			"a@xn--bcher-kva.example"},
		{"a@bu\xCC\x88"
		 "cher.example",
			"a@xn--bcher-kva.example"},
		{"a@fa\xC3\x9F.de", "a@xn--fa-hia.de"},
		{"a@XN--bcher-KVA.example", "a@xn--bcher-kva.example"},
		{"a@\xE4\xBE\x8B\xE3\x81\x88\xE3\x80\x82\xE3\x83\x86\xE3\x82\xB9\xE3\x83\x88",
			"a@xn--r8jz45g.xn--zckzah"},
		{"us\xC3\xA9r@example.com", "us\xC3\xA9r@example.com"},
		/* Spellings of one address: capitals, composed and not, other widths, the KELVIN SIGN, the long s. */
		{"US\xC3\x89R@example.com", "us\xC3\xA9r@example.com"},
		{"use\xCC\x81r@example.com", "us\xC3\xA9r@example.com"},
		{"jos\xC3\xA9+news-1_2.x@example.com", "jos\xC3\xA9+news-1_2.x@example.com"},
		{"\xEF\xBD\x81"
		 "da@example.com",
			"ada@example.com"},
		{"\xE2\x84\xAA"
		 "im@example.com",
			"kim@example.com"},
		{"\xC5\xBF"
		 "am@example.com",
			"sam@example.com"},
		{"a\xEF\xB8\x8F"
		 "da@example.com",
			"ada@example.com"},
		{"a@1.2.3.example", "a@1.2.3.example"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct text stored = email_normalise(&arena, text_from_c(rows[i].given));
		assert_false(text_is_absent(stored));
		assert_string_equal(stored.data, rows[i].stored);
		struct text again = email_normalise(&arena, stored);
		assert_true(text_equals(stored, again));
	}
}

static void what_is_no_address_is_absent(void **state)
{
	static const struct text rows[] = {
		TEXT_INIT(""),
		TEXT_INIT("@"),
		TEXT_INIT("a@"),
		TEXT_INIT("@b.de"),
		TEXT_INIT("a"),
		TEXT_INIT("a@b"),
		TEXT_INIT("a@b@c.de"),
		TEXT_INIT(".a@b.de"),
		TEXT_INIT("a.@b.de"),
		TEXT_INIT("a..b@c.de"),
		TEXT_INIT("a b@c.de"),
		TEXT_INIT("\"a\"@b.de"),
		TEXT_INIT("a@[1.2.3.4]"),
		TEXT_INIT("a@1.2.3.4"),
		TEXT_INIT("a@b..de"),
		TEXT_INIT("a@.b.de"),
		TEXT_INIT("a@b.de."),
		TEXT_INIT("a@-b.de"),
		TEXT_INIT("a@b-.de"),
		TEXT_INIT("a@b_c.de"),
		TEXT_INIT("a@b c.de"),
		TEXT_INIT("a\0@b.de"),
		TEXT_INIT("a@b\0.de"),
		TEXT_INIT("a@b.de\0"),
		TEXT_INIT("a<a@b.de>"),
		TEXT_INIT("a@xn--a.de"),
		TEXT_INIT("a@b\xFF.de"),
		TEXT_INIT("\xFF@b.de"),
		TEXT_INIT("\xC2\x85@b.de"),
		TEXT_INIT("a\xE2\x80\x8B@b.de"),
		TEXT_INIT("a\xE2\x80\xAE@b.de"),
		TEXT_INIT("a\xEF\xBB\xBF@b.de"),
		TEXT_INIT("a\nb@c.de"),
		TEXT_INIT("a@b.de\nx: y"),
		TEXT_INIT("a,b@c.de"),
		TEXT_INIT("a@b\xC3\xBC.1"),
		/* Signs that mapping would turn into several, a dot among them, or into nothing: U+2100, U+2024, U+3164. */
		TEXT_INIT("a@ex\xE2\x84\x80.com"),
		TEXT_INIT("a\xE2\x84\x80@b.de"),
		TEXT_INIT("a\xE2\x80\xA4@b.de"),
		TEXT_INIT("a\xE3\x80\x82z@b.de"),
		TEXT_INIT("a\xE3\x85\xA4z@b.de"),
		TEXT_INIT("\xCC\x81"
			  "a@b.de"),
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_true(text_is_absent(email_normalise(&arena, rows[i])));
	assert_true(text_is_absent(email_normalise(&arena, TEXT_ABSENT)));
}

static void the_lengths_of_rfc_5321_bound_an_address(void **state)
{
	char address[400];
	struct text domain = TEXT("@example.com");

	memset(address, 'a', sizeof(address));
	memcpy(address + 64, domain.data, domain.len);
	assert_int_equal(
		email_normalise(&arena, text_of(address, 64 + domain.len)).len, 64 + domain.len);
	memset(address, 'a', sizeof(address));
	memcpy(address + 65, domain.data, domain.len);
	assert_true(text_is_absent(email_normalise(&arena, text_of(address, 65 + domain.len))));

	memset(address, 'a', sizeof(address));
	address[63] = '@';
	for (size_t at = 63 + 64; at < sizeof(address); at += 64)
		address[at] = '.';
	assert_int_equal(email_normalise(&arena, text_of(address, 254)).len, 254);
	assert_true(text_is_absent(email_normalise(&arena, text_of(address, 255))));
	address[127] = 'a';
	assert_true(text_is_absent(email_normalise(&arena, text_of(address, 200))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_takes_the_form_it_is_compared_in),
		cmocka_unit_test(what_is_no_address_is_absent),
		cmocka_unit_test(the_lengths_of_rfc_5321_bound_an_address),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
