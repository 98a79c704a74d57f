// SPDX-License-Identifier: Apache-2.0
#include "domains/access/revocation.h"

#include <stddef.h>
#include <string.h>

/* The last bytes of a version 7 id are random (RFC 9562, 5.7). */
static size_t slot_of(const struct uuid *id)
{
	uint32_t bits;

	memcpy(&bits, id->bytes + sizeof(id->bytes) - sizeof(bits), sizeof(bits));
	return bits % REVOCATION_SLOTS;
}

void revocations_add(struct revocations *revocations, const struct uuid *id, uint64_t now_ns)
{
	_Atomic uint64_t *slot = &revocations->ended_ns[slot_of(id)];
	uint64_t last = atomic_load_explicit(slot, memory_order_relaxed);

	while (last < now_ns &&
		!atomic_compare_exchange_weak_explicit(
			slot, &last, now_ns, memory_order_release, memory_order_relaxed))
		;
}

uint64_t revocations_last(const struct revocations *revocations, const struct uuid *id)
{
	return atomic_load_explicit(&revocations->ended_ns[slot_of(id)], memory_order_acquire);
}
