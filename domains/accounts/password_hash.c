// SPDX-License-Identifier: Apache-2.0
#include "domains/accounts/password_hash.h"

#include <argon2.h>
#include <string.h>
#include <strings.h>
#include <zxcvbn.h>

#include "core/secret.h"

enum { SALT_BYTES = 16, HASH_BYTES = 32, EMAIL_MAX = 254 };

/* libargon2 asks for memory without telling for whom: what it may have is laid out here for the length of
 * one call, on the thread that calls. */
static _Thread_local struct scratch lent;

static int on_allocate(uint8_t **memory, size_t size)
{
	if (lent.memory == NULL || size > lent.size)
		return ARGON2_MEMORY_ALLOCATION_ERROR;
	*memory = lent.memory;
	return ARGON2_OK;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the library's type */
static void on_free(uint8_t *memory, size_t size)
{
	(void)memory, (void)size; /* stays with its thread; the library has wiped it */
}

size_t password_scratch_bytes(const struct password_cost *cost)
{
	return (size_t)cost->memory_kib * 1024;
}

static argon2_context context_of(const struct phc *phc, struct text password, uint8_t *out)
{
	return (argon2_context) {
		.out = out,
		.outlen = phc->hash_size,
		.pwd = (uint8_t *)(uintptr_t)password.data, /* read only: no FLAG_clear_password */
		.pwdlen = (uint32_t)password.len,
		.salt = (uint8_t *)(uintptr_t)phc->salt,
		.saltlen = phc->salt_size,
		.t_cost = phc->cost.iterations,
		.m_cost = phc->cost.memory_kib,
		.lanes = phc->cost.lanes,
		.threads = 1, /* the worker class decides how many cores hash */
		.version = ARGON2_VERSION_13,
	};
}

static bool compute(
	const struct phc *phc, struct text password, struct scratch scratch, uint8_t *out)
{
	argon2_context context = context_of(phc, password, out);
	int outcome;

	if (scratch.memory != NULL && scratch.size >= password_scratch_bytes(&phc->cost)) {
		context.allocate_cbk = on_allocate;
		context.free_cbk = on_free;
	}
	lent = scratch;
	outcome = argon2id_ctx(&context);
	lent = (struct scratch) {0};
	return outcome == ARGON2_OK;
}

bool password_hash_make(const struct password_cost *cost, struct text password,
	struct scratch scratch, struct phc *phc_out)
{
	*phc_out = (struct phc) {.cost = *cost, .salt_size = SALT_BYTES, .hash_size = HASH_BYTES};
	secret_random(phc_out->salt, SALT_BYTES);
	return compute(phc_out, password, scratch, phc_out->hash);
}

bool password_hash_matches(
	const struct phc *phc, struct text password, struct scratch scratch, bool *worked_out)
{
	uint8_t hash[PHC_HASH_MAX];
	bool matches;

	*worked_out = compute(phc, password, scratch, hash);
	matches = *worked_out && secret_equals(hash, phc->hash, phc->hash_size);
	secret_wipe(hash, sizeof(hash));
	return matches;
}

bool password_cost_is_weaker(const struct password_cost *cost, const struct password_cost *wanted)
{
	return cost->memory_kib < wanted->memory_kib || cost->iterations < wanted->iterations ||
		cost->lanes < wanted->lanes;
}

int password_strength(struct text password, struct text email)
{
	/* log2 of 10^3, 10^6, 10^8 and 10^10 guesses */
	static const double bits_of_score[] = {9.966, 19.932, 26.575, 33.219};
	char local_part[EMAIL_MAX + 1] = "";
	const char *words[] = {"millrace", email.data, local_part, NULL};
	struct text rest;
	double bits;
	int score = 0;

	if (email.len > 0) {
		struct text local = text_cut(email, '@', &rest);
		if (strcasestr(password.data, email.data) != NULL || local.len > EMAIL_MAX)
			return 0;
		memcpy(local_part, local.data, local.len);
	} else {
		words[1] = NULL;
	}
	bits = ZxcvbnMatch(password.data, words, NULL);
	while (score < 4 && bits >= bits_of_score[score])
		score++;
	return score;
}
