// SPDX-License-Identifier: Apache-2.0

/* Argon2id hashes, their text, and how guessable passwords are. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domains/accounts/password_hash.h"

static const struct scratch no_scratch;

/* Known answers of the Argon2 reference implementation, version 19. */
static const struct {
	const char *password, *hash;
} known[] = {
	{"password",
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"},
	{"password",
		"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"},
	{"differentpassword",
		"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94"},
};

static bool matches(struct text hash, struct text password, struct scratch scratch)
{
	bool worked, same;
	struct phc phc;

	assert_true(phc_read(hash, &phc));
	same = password_hash_matches(&phc, password, scratch, &worked);
	assert_true(worked);
	return same;
}

static void hashes_of_the_reference_implementation_are_recognised(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_true(matches(
			text_from_c(known[i].hash), text_from_c(known[i].password), no_scratch));
		assert_false(matches(text_from_c(known[i].hash), TEXT("Password"), no_scratch));
	}
}

static void a_hash_made_is_a_hash_that_matches(void **state)
{
	const struct password_cost cost = {.memory_kib = 1024, .iterations = 2, .lanes = 1};
	struct text password = TEXT("correct horse battery staple");
	struct phc phc, again;
	char text[PHC_MAX_BYTES];
	size_t len;

	(void)state;
	assert_true(password_hash_make(&cost, password, no_scratch, &phc));
	len = phc_write(&phc, text);
	assert_true(len <= PHC_MAX_BYTES);
	assert_true(phc_read(text_of(text, len), &again));
	assert_memory_equal(&phc, &again, sizeof(phc));
	assert_true(matches(text_of(text, len), password, no_scratch));
	assert_false(matches(text_of(text, len), TEXT("correct horse battery stapl"), no_scratch));
	assert_false(matches(text_of(text, len), TEXT(""), no_scratch));
}

static void two_hashes_of_one_password_differ(void **state)
{
	const struct password_cost cost = {.memory_kib = 1024, .iterations = 1, .lanes = 1};
	struct phc first, second;

	(void)state;
	assert_true(password_hash_make(&cost, TEXT("password"), no_scratch, &first));
	assert_true(password_hash_make(&cost, TEXT("password"), no_scratch, &second));
	assert_memory_not_equal(first.salt, second.salt, first.salt_size);
	assert_memory_not_equal(first.hash, second.hash, first.hash_size);
}

static void memory_of_the_thread_is_used_when_it_is_large_enough(void **state)
{
	struct scratch scratch = {.size = 256 * 1024};

	(void)state;
	scratch.memory = malloc(scratch.size);
	memset(scratch.memory, 0xa5, scratch.size);
	assert_true(matches(text_from_c(known[0].hash), TEXT("password"), scratch));
	/* Wiped behind the hash: nothing of the pattern is left. */
	for (size_t i = 0; i < scratch.size; i++)
		assert_int_equal(((unsigned char *)scratch.memory)[i], 0);
	memset(scratch.memory, 0xa5, scratch.size);
	assert_true(matches(text_from_c(known[1].hash), TEXT("password"), scratch));
	assert_int_equal(((unsigned char *)scratch.memory)[0], 0xa5);
	free(scratch.memory);
}

static void a_hash_has_one_spelling(void **state)
{
	static const char *const bad[] = {
		"",
		"$",
		"password",
		"$argon2id$",
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ",
		"$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=16$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$t=2,m=256,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=0256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=+256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=256,t=0,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR-uIPnA4rEsF5h7TKyQwu9U1bMCHGi_4",
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ=$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=256,t=2,p=1$c29t$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65",
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4$",
	};
	struct phc phc;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(phc_read(text_from_c(bad[i]), &phc));
}

static void a_hash_that_would_cost_too_much_is_not_computed(void **state)
{
	static const char *const bad[] = {
		"$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=4294967552,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=256,t=65,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=256,t=2,p=17$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=7,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
	};
	struct phc phc;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(phc_read(text_from_c(bad[i]), &phc));
}

static void a_cost_is_weaker_when_any_part_of_it_is(void **state)
{
	const struct password_cost wanted = {.memory_kib = 19456, .iterations = 2, .lanes = 1};
	struct password_cost cost = wanted;

	(void)state;
	assert_false(password_cost_is_weaker(&cost, &wanted));
	cost.memory_kib = 65536;
	assert_false(password_cost_is_weaker(&cost, &wanted));
	cost.iterations = 1;
	assert_true(password_cost_is_weaker(&cost, &wanted));
	cost = wanted;
	cost.memory_kib--;
	assert_true(password_cost_is_weaker(&cost, &wanted));
}

static void common_passwords_and_addresses_are_guessed_soon(void **state)
{
	static const char *const weak[] = {"password", "12345678", "qwertyuiop", "Passw0rd!",
		"aaaaaaaaaaaaaaaa", "millrace", "iloveyou1", "abcdefgh", "letmein123"};
	static const char *const strong[] = {
		"correct horse battery staple", "kx9vqz2m-7Rt", "S3cure-Pass-2026"};
	struct text email = TEXT("ada.lovelace@example.com");

	(void)state;
	for (size_t i = 0; i < sizeof(weak) / sizeof(weak[0]); i++)
		assert_true(password_strength(text_from_c(weak[i]), email) < 2);
	for (size_t i = 0; i < sizeof(strong) / sizeof(strong[0]); i++)
		assert_true(password_strength(text_from_c(strong[i]), email) >= 3);
	assert_int_equal(password_strength(TEXT("ADA.Lovelace@example.COM"), email), 0);
	assert_int_equal(password_strength(TEXT("xK!9-ada.lovelace@example.com-77"), email), 0);
	assert_true(password_strength(TEXT("ada.lovelace"), email) < 2);
}

static void any_bytes_can_be_judged(void **state)
{
	char password[513];

	(void)state;
	for (unsigned seed = 1; seed < 200; seed++) {
		unsigned value = seed * 2654435761u;
		size_t len = seed * 512 / 199;
		for (size_t i = 0; i < len; i++) {
			value = value * 1664525u + 1013904223u;
			password[i] = (char)(value >> 24 ? value >> 24 : 1);
		}
		password[len] = '\0';
		assert_in_range(password_strength(text_of(password, len), TEXT("")), 0, 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_of_the_reference_implementation_are_recognised),
		cmocka_unit_test(a_hash_made_is_a_hash_that_matches),
		cmocka_unit_test(two_hashes_of_one_password_differ),
		cmocka_unit_test(memory_of_the_thread_is_used_when_it_is_large_enough),
		cmocka_unit_test(a_hash_has_one_spelling),
		cmocka_unit_test(a_hash_that_would_cost_too_much_is_not_computed),
		cmocka_unit_test(a_cost_is_weaker_when_any_part_of_it_is),
		cmocka_unit_test(common_passwords_and_addresses_are_guessed_soon),
		cmocka_unit_test(any_bytes_can_be_judged),
	};

	return cmocka_run_group_tests_name("domains/accounts password", tests, NULL, NULL);
}
