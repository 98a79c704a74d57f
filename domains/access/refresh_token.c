// SPDX-License-Identifier: Apache-2.0
#include "domains/access/refresh_token.h"

#include <arpa/inet.h>
#include <string.h>

void refresh_token_new(struct refresh_token *token)
{
	secret_random(token->bytes, sizeof(token->bytes));
}

bool refresh_token_parse(struct text text, struct refresh_token *token_out)
{
	return text.len == REFRESH_TOKEN_LEN &&
		base64url_decode(text, token_out->bytes, sizeof(token_out->bytes)) ==
		REFRESH_TOKEN_BYTES;
}

struct text refresh_token_text(const struct refresh_token *token, struct arena *arena)
{
	char *out = arena_alloc(arena, REFRESH_TOKEN_LEN);

	if (out == NULL)
		return TEXT_ABSENT;
	return text_of(out, base64url_encode(token->bytes, sizeof(token->bytes), out));
}

void refresh_token_hash(const struct refresh_token *token, uint8_t out[static SHA256_BYTES])
{
	secret_sha256(token->bytes, sizeof(token->bytes), out);
}

void refresh_token_successor(const struct refresh_token *token,
	const uint8_t salt[static REFRESH_SALT_BYTES], const uint8_t key[static SHA256_BYTES],
	struct refresh_token *successor_out)
{
	uint8_t input[REFRESH_TOKEN_BYTES + REFRESH_SALT_BYTES];

	memcpy(input, token->bytes, REFRESH_TOKEN_BYTES);
	memcpy(input + REFRESH_TOKEN_BYTES, salt, REFRESH_SALT_BYTES);
	secret_hmac_sha256(key, SHA256_BYTES, input, sizeof(input), successor_out->bytes);
	secret_wipe(input, sizeof(input));
}

/* Writes 3 or 6 bytes of network; 0 when it is no address. */
static size_t network_of(struct text address, uint8_t out[static 16])
{
	static const uint8_t v4_mapped[12] = {[10] = 0xff, [11] = 0xff}; /* RFC 4291, 2.5.5.2 */
	char name[INET6_ADDRSTRLEN];

	if (address.len == 0 || address.len >= sizeof(name))
		return 0;
	memcpy(name, address.data, address.len);
	name[address.len] = '\0';
	if (inet_pton(AF_INET, name, out) == 1)
		return 3;
	if (inet_pton(AF_INET6, name, out) != 1)
		return 0;
	if (memcmp(out, v4_mapped, sizeof(v4_mapped)) != 0)
		return 6;
	memmove(out, out + sizeof(v4_mapped), 4);
	return 3;
}

void refresh_client(struct text user_agent, struct text address, uint8_t out[static SHA256_BYTES])
{
	uint8_t input[SHA256_BYTES + 1 + 16] = {0};
	size_t size;

	secret_sha256(user_agent.len > 0 ? user_agent.data : "", user_agent.len, input);
	size = network_of(address, input + SHA256_BYTES + 1);
	input[SHA256_BYTES] = (uint8_t)size;
	secret_sha256(input, SHA256_BYTES + 1 + size, out);
}
