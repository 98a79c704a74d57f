// SPDX-License-Identifier: Apache-2.0
#include "core/secret.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void assert_hex(const uint8_t *bytes, const char *hex)
{
	char text[2 * SHA256_BYTES + 1];

	for (size_t i = 0; i < SHA256_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	assert_string_equal(text, hex);
}

static void sha256_gives_the_digests_of_fips_180(void **state)
{
	uint8_t digest[SHA256_BYTES];

	secret_sha256("", 0, digest);
	assert_hex(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	secret_sha256("abc", 3, digest);
	assert_hex(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	secret_sha256(NULL, 0, digest);
	assert_hex(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* RFC 4231, cases 1, 2, 3 and 6 */
static void hmac_gives_the_tags_of_rfc_4231(void **state)
{
	uint8_t tag[SHA256_BYTES], key[131], data[50];

	memset(key, 0x0b, 20);
	secret_hmac_sha256(key, 20, "Hi There", 8, tag);
	assert_hex(tag, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	secret_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, tag);
	assert_hex(tag, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	memset(data, 0xdd, sizeof(data));
	secret_hmac_sha256(key, 20, data, sizeof(data), tag);
	assert_hex(tag, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
	secret_hmac_sha256(
		key, 131, "Test Using Larger Than Block-Size Key - Hash Key First", 54, tag);
	assert_hex(tag, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void *digest_often(void *out)
{
	for (int i = 0; i < 200; i++)
		secret_hmac_sha256("key", 3, "data", 4, out);
	return NULL;
}

static void threads_digest_without_meeting(void **state)
{
	uint8_t tags[4][SHA256_BYTES], expected[SHA256_BYTES];
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, digest_often, tags[i]), 0);
	secret_hmac_sha256("key", 3, "data", 4, expected);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_memory_equal(tags[i], expected, SHA256_BYTES);
	}
}

static void comparing_and_wiping_do_what_they_say(void **state)
{
	char secret[] = "correct horse";

	assert_true(secret_equals("abc", "abc", 3));
	assert_false(secret_equals("abc", "abd", 3));
	assert_true(secret_equals(NULL, NULL, 0));
	secret_wipe(secret, sizeof(secret));
	for (size_t i = 0; i < sizeof(secret); i++)
		assert_int_equal(secret[i], 0);
}

static void randomness_differs_each_time(void **state)
{
	uint8_t a[32] = {0}, b[32] = {0};

	secret_random(a, sizeof(a));
	secret_random(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	secret_random(NULL, 0);
}

static void base64url_goes_there_and_back(void **state)
{
	uint8_t bytes[67], back[67];
	char text[100];

	for (size_t size = 0; size <= sizeof(bytes); size++) {
		secret_random(bytes, size);
		size_t len = base64url_encode(bytes, size, text);
		assert_int_equal(len, base64url_encoded_len(size));
		assert_int_equal(base64url_decode(text_of(text, len), back, sizeof(back)), size);
		if (size > 0)
			assert_memory_equal(bytes, back, size);
		if (size > 0)
			assert_int_equal(base64url_decode(text_of(text, len), back, size - 1), -1);
	}
	assert_int_equal(base64url_encode("\xfb\xff\xfe", 3, text), 4);
	assert_memory_equal(text, "-__-", 4);
}

static void base64url_refuses_what_is_not_canonical(void **state)
{
	static const char *const bad[] = {
		"A",
		"AAAAA",
		"AA==",
		"AAA=",
		"AB",
		"AAB",
		"A+AA",
		"A/AA",
		"AA A",
		"AAA\n",
		"\xC3\xA4"
		"AA",
	};
	uint8_t out[16];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(base64url_decode(text_from_c(bad[i]), out, sizeof(out)), -1);
	assert_int_equal(base64url_decode(TEXT("AA"), out, sizeof(out)), 1);
	assert_int_equal(base64url_decode(TEXT(""), out, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_gives_the_digests_of_fips_180),
		cmocka_unit_test(hmac_gives_the_tags_of_rfc_4231),
		cmocka_unit_test(threads_digest_without_meeting),
		cmocka_unit_test(comparing_and_wiping_do_what_they_say),
		cmocka_unit_test(randomness_differs_each_time),
		cmocka_unit_test(base64url_goes_there_and_back),
		cmocka_unit_test(base64url_refuses_what_is_not_canonical),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
