// SPDX-License-Identifier: Apache-2.0
#include "core/secret.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { SHA256_BLOCK_BYTES = 64 };

/* A digest context per thread, initialised once: fetching an algorithm costs more than hashing. */
struct digester {
	EVP_MD *sha256;
	EVP_MD_CTX *context;
};

static _Thread_local struct digester digester;
static pthread_once_t once = PTHREAD_ONCE_INIT; /* both written once, by pthread_once */
static pthread_key_t at_thread_end;

static void on_thread_end(void *data)
{
	struct digester *mine = data;

	EVP_MD_CTX_free(mine->context);
	EVP_MD_free(mine->sha256);
	*mine = (struct digester) {0};
}

static void create_key(void)
{
	if (pthread_key_create(&at_thread_end, on_thread_end) != 0)
		abort();
}

/* Digests have no way to fail that a caller could handle: no memory, or a broken OpenSSL. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

static void digest_begin(void)
{
	if (digester.context == NULL) {
		must(pthread_once(&once, create_key) == 0);
		digester.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
		digester.context = EVP_MD_CTX_new();
		must(digester.sha256 != NULL && digester.context != NULL);
		must(pthread_setspecific(at_thread_end, &digester) == 0);
		must(EVP_DigestInit_ex2(digester.context, digester.sha256, NULL));
		return;
	}
	must(EVP_DigestInit_ex2(digester.context, NULL, NULL));
}

static void digest_add(const void *data, size_t size)
{
	if (size > 0)
		must(EVP_DigestUpdate(digester.context, data, size));
}

static void digest_end(uint8_t out[static SHA256_BYTES])
{
	must(EVP_DigestFinal_ex(digester.context, out, NULL));
}

void secret_random(void *out, size_t size)
{
	uint8_t *at = out;

	while (size > 0) {
		ssize_t got = getrandom(at, size, 0);
		if (got < 0 && errno != EINTR)
			abort();
		if (got > 0) {
			at += got;
			size -= (size_t)got;
		}
	}
}

void secret_wipe(void *data, size_t size)
{
	if (size > 0)
		explicit_bzero(data, size);
}

bool secret_equals(const void *a, const void *b, size_t size)
{
	return size == 0 || CRYPTO_memcmp(a, b, size) == 0;
}

void secret_sha256(const void *data, size_t size, uint8_t out[static SHA256_BYTES])
{
	digest_begin();
	digest_add(data, size);
	digest_end(out);
}

void secret_hmac_sha256(const void *key, size_t key_size, const void *data, size_t size,
	uint8_t out[static SHA256_BYTES])
{
	uint8_t pad[SHA256_BLOCK_BYTES] = {0};

	if (key_size > sizeof(pad))
		secret_sha256(key, key_size, pad);
	else if (key_size > 0)
		memcpy(pad, key, key_size);
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36; /* ipad */
	digest_begin();
	digest_add(pad, sizeof(pad));
	digest_add(data, size);
	digest_end(out);
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36 ^ 0x5c; /* opad */
	digest_begin();
	digest_add(pad, sizeof(pad));
	digest_add(out, SHA256_BYTES);
	digest_end(out);
	secret_wipe(pad, sizeof(pad));
}

size_t base64url_encoded_len(size_t size)
{
	return size / 3 * 4 + (size % 3 == 0 ? 0 : size % 3 + 1);
}

size_t base64url_encode(const void *data, size_t size, char *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const uint8_t *bytes = data;
	char *start = out;
	size_t i;

	for (i = 0; i + 3 <= size; i += 3) {
		uint32_t group = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 |
			bytes[i + 2];
		*out++ = digits[group >> 18];
		*out++ = digits[group >> 12 & 63];
		*out++ = digits[group >> 6 & 63];
		*out++ = digits[group & 63];
	}
	if (i == size)
		return (size_t)(out - start);
	uint32_t tail = (uint32_t)bytes[i] << 16 | (i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0);
	*out++ = digits[tail >> 18];
	*out++ = digits[tail >> 12 & 63];
	if (i + 1 < size)
		*out++ = digits[tail >> 6 & 63];
	return (size_t)(out - start);
}

static int base64url_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

ptrdiff_t base64url_decode(struct text text, void *out, size_t out_size)
{
	size_t tail = text.len % 4;
	size_t size = text.len / 4 * 3 + (tail == 0 ? 0 : tail - 1);
	uint8_t *bytes = out;
	uint32_t bits = 0;
	unsigned bit_count = 0;

	if (tail == 1 || size > out_size)
		return -1;
	for (size_t i = 0; i < text.len; i++) {
		int value = base64url_value(text.data[i]);
		if (value < 0)
			return -1;
		bits = bits << 6 | (uint32_t)value;
		bit_count += 6;
		if (bit_count >= 8) {
			bit_count -= 8;
			*bytes++ = (uint8_t)(bits >> bit_count);
			bits &= (1u << bit_count) - 1;
		}
	}
	return bits == 0 ? (ptrdiff_t)size : -1;
}
