// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * arena - memory that dies with its flow: allocate by bumping, free all at once.
 * One thread at a time. Nothing in an arena is freed alone, nothing a driver or another
 * thread can touch lives in one. Past the cap arena_alloc returns NULL.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/text.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif

struct arena_block;

/* Blocks of ARENA_BLOCK_BYTES are kept for reuse by one loop; bounded. Owned by the loop. */
struct arena_pool {
	struct arena_block *free;
	unsigned count;
	unsigned max;
};

struct arena {
	char *next;
	char *end;
	struct arena_block *blocks; /* newest first */
	struct arena_pool *pool; /* NULL: plain malloc */
	size_t used_bytes; /* what blocks hold, for the cap */
	size_t cap_bytes;
	bool has_secrets; /* set it, and every block is wiped before it goes back */
};

enum { ARENA_BLOCK_BYTES = 8192 };

void arena_pool_init(struct arena_pool *pool, unsigned max_blocks);
void arena_pool_deinit(struct arena_pool *pool);

/* cap_bytes bounds what the arena takes from the machine; SIZE_MAX: unbounded. Takes nothing yet. */
void arena_init(struct arena *arena, struct arena_pool *pool, size_t cap_bytes);
void arena_deinit(struct arena *arena); /* gives every block back; the arena may be used again */

/* What arena_alloc does when the newest block is full. Not for callers. */
void *arena_alloc_slow(struct arena *arena, size_t size);

/* 16-byte aligned, not cleared. NULL past the cap or when the machine has no memory. A size of 0 gives
 * an address of its own. Under AddressSanitizer what was not handed out is poisoned. */
static inline void *arena_alloc(struct arena *arena, size_t size)
{
#ifndef ARENA_POISONS
	size_t rounded = (size + 15) & ~(size_t)15;

	/* rounded is 0 for 0 and for sizes that overflow: both are the slow path's */
	if (rounded - 1 < (size_t)(arena->end - arena->next)) {
		void *memory = arena->next;
		arena->next += rounded;
		return memory;
	}
#endif
	return arena_alloc_slow(arena, size);
}
void *arena_zalloc(struct arena *arena, size_t size);
/* Grows the newest allocation in place where it can, copies where it cannot. On NULL `old` stands. */
void *arena_grow(struct arena *arena, void *old, size_t old_size, size_t new_size);
/* A copy, terminated by a NUL that len does not count. Absent and null texts stay what they are. */
struct text arena_text(struct arena *arena, struct text text);
struct text arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
