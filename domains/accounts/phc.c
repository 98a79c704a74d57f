// SPDX-License-Identifier: Apache-2.0
#include "domains/accounts/phc.h"

#include <stdio.h>
#include <string.h>

#include "core/secret.h"

enum {
	MEMORY_MAX_KIB = 1024 * 1024,
	ITERATIONS_MAX = 64,
	LANES_MAX = 16,
	SALT_MIN = 8,
	HASH_MIN = 16
};

static bool take(struct text *rest, struct text prefix)
{
	if (!text_starts_with(*rest, prefix))
		return false;
	*rest = text_of(rest->data + prefix.len, rest->len - prefix.len);
	return true;
}

/* A decimal of at most seven digits without a leading zero. */
static bool take_number(struct text *rest, uint32_t max, uint32_t *value_out)
{
	uint32_t value = 0;
	size_t i = 0;

	while (i < rest->len && i < 8 && rest->data[i] >= '0' && rest->data[i] <= '9')
		value = value * 10 + (uint32_t)(rest->data[i++] - '0');
	if (i == 0 || i == 8 || rest->data[0] == '0' || value > max)
		return false;
	*rest = text_of(rest->data + i, rest->len - i);
	*value_out = value;
	return true;
}

/* Standard base64 (RFC 4648, 4) differs from base64url in two digits. */
static bool decode(struct text text, uint8_t *out, size_t min, size_t max, uint32_t *size_out)
{
	char url[PHC_MAX_BYTES];
	ptrdiff_t size;

	if (text.len > sizeof(url))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '-' || text.data[i] == '_')
			return false;
		url[i] = text.data[i] == '+' ? '-' : text.data[i] == '/' ? '_' : text.data[i];
	}
	size = base64url_decode(text_of(url, text.len), out, max);
	if (size < (ptrdiff_t)min)
		return false;
	*size_out = (uint32_t)size;
	return true;
}

bool phc_read(struct text text, struct phc *phc_out)
{
	struct text rest = text, salt, hash;

	*phc_out = (struct phc) {0};
	if (text.len > PHC_MAX_BYTES || !take(&rest, TEXT("$argon2id$v=19$m=")) ||
		!take_number(&rest, MEMORY_MAX_KIB, &phc_out->cost.memory_kib) ||
		!take(&rest, TEXT(",t=")) ||
		!take_number(&rest, ITERATIONS_MAX, &phc_out->cost.iterations) ||
		!take(&rest, TEXT(",p=")) || !take_number(&rest, LANES_MAX, &phc_out->cost.lanes) ||
		!take(&rest, TEXT("$")))
		return false;
	salt = text_cut(rest, '$', &hash);
	return phc_out->cost.memory_kib >= 8 * phc_out->cost.lanes && !text_is_absent(hash) &&
		decode(salt, phc_out->salt, SALT_MIN, sizeof(phc_out->salt), &phc_out->salt_size) &&
		decode(hash, phc_out->hash, HASH_MIN, sizeof(phc_out->hash), &phc_out->hash_size);
}

static size_t encode(const uint8_t *data, size_t size, char *out)
{
	size_t len = base64url_encode(data, size, out);

	for (size_t i = 0; i < len; i++)
		out[i] = out[i] == '-' ? '+' : out[i] == '_' ? '/' : out[i];
	return len;
}

size_t phc_write(const struct phc *phc, char out[static PHC_MAX_BYTES])
{
	/* 52 bytes at most, then 64 and 86 of base64. */
	size_t len = (size_t)snprintf(out, PHC_MAX_BYTES, "$argon2id$v=19$m=%u,t=%u,p=%u$",
		phc->cost.memory_kib, phc->cost.iterations, phc->cost.lanes);

	len += encode(phc->salt, phc->salt_size, out + len);
	out[len++] = '$';
	return len + encode(phc->hash, phc->hash_size, out + len);
}
