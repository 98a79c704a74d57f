// SPDX-License-Identifier: Apache-2.0
#include "core/uuid.h"

#include <string.h>

#include "core/clock.h"
#include "core/secret.h"

/*
 * Per-thread state: what makes new identifiers of one thread ascend, and random bytes fetched from the
 * kernel a few hundred at a time. Not kept over a fork: a child must not go on making identifiers.
 */
static _Thread_local struct {
	uint64_t unix_ms;
	uint16_t counter; /* 12 bits */
	uint16_t random_left;
	uint8_t random[512];
} state;

enum {
	COUNTER_MAX = 0xFFF,
	COUNTER_SEED_MAX = 0x7FF /* the top bit is the guard: RFC 9562, 6.2 */
};

static void take_random(uint8_t *out, size_t size)
{
	if (state.random_left < size) {
		secret_random(state.random, sizeof(state.random));
		state.random_left = sizeof(state.random);
	}
	state.random_left = (uint16_t)(state.random_left - size);
	memcpy(out, state.random + state.random_left, size);
}

static void tick(void)
{
	uint64_t now_ms = (uint64_t)clock_unix_ms();

	if (now_ms <= state.unix_ms && state.counter < COUNTER_MAX) {
		state.counter++;
		return;
	}
	/* a new millisecond; or the counter is used up (or the clock went back): run ahead of the clock */
	state.unix_ms = now_ms > state.unix_ms ? now_ms : state.unix_ms + 1;
	take_random((uint8_t *)&state.counter, sizeof(state.counter));
	state.counter &= COUNTER_SEED_MAX;
}

struct uuid uuid_new(void)
{
	struct uuid uuid;

	tick();
	for (int i = 0; i < 6; i++)
		uuid.bytes[i] = (uint8_t)(state.unix_ms >> (40 - 8 * i));
	uuid.bytes[6] = (uint8_t)(0x70 | state.counter >> 8);
	uuid.bytes[7] = (uint8_t)state.counter;
	take_random(uuid.bytes + 8, 8);
	uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3F) | 0x80);
	return uuid;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool has_dash_before(size_t byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

bool uuid_parse(struct text text, struct uuid *uuid_out)
{
	struct uuid uuid;
	size_t at = 0;

	if (text.len != UUID_TEXT_LEN)
		return false;
	for (size_t i = 0; i < sizeof(uuid.bytes); i++) {
		if (has_dash_before(i) && text.data[at++] != '-')
			return false;
		int high = hex_value(text.data[at++]);
		int low = hex_value(text.data[at++]);
		if (high < 0 || low < 0)
			return false;
		uuid.bytes[i] = (uint8_t)(high << 4 | low);
	}
	*uuid_out = uuid;
	return true;
}

void uuid_format(const struct uuid *uuid, char out[static UUID_TEXT_LEN])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(uuid->bytes); i++) {
		if (has_dash_before(i))
			*out++ = '-';
		*out++ = digits[uuid->bytes[i] >> 4];
		*out++ = digits[uuid->bytes[i] & 15];
	}
}

bool uuid_is_nil(const struct uuid *uuid)
{
	static const struct uuid nil;

	return uuid_equals(uuid, &nil);
}

bool uuid_equals(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}
