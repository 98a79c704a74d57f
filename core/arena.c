// SPDX-License-Identifier: Apache-2.0
#include "core/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/secret.h"

#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
enum { GAP_BYTES = 16 }; /* poisoned, behind each allocation */
#define POISON(address, size)   ASAN_POISON_MEMORY_REGION((address), (size))
#define UNPOISON(address, size) ASAN_UNPOISON_MEMORY_REGION((address), (size))
#else
enum { GAP_BYTES = 0 };
#define POISON(address, size)   ((void)(address), (void)(size))
#define UNPOISON(address, size) ((void)(address), (void)(size))
#endif

struct arena_block {
	struct arena_block *next;
	size_t size; /* with this header */
	alignas(16) char data[];
};

enum { SHARED_MAX = (ARENA_BLOCK_BYTES - sizeof(struct arena_block)) / 2 };

void arena_pool_init(struct arena_pool *pool, unsigned max_blocks)
{
	*pool = (struct arena_pool) {.max = max_blocks};
}

void arena_pool_deinit(struct arena_pool *pool)
{
	while (pool->free != NULL) {
		struct arena_block *block = pool->free;
		pool->free = block->next;
		free(block);
	}
	pool->count = 0;
}

static struct arena_block *pool_take(struct arena_pool *pool)
{
	struct arena_block *block = pool->free;

	pool->free = block->next;
	pool->count--;
	return block;
}

static void block_give_back(struct arena_pool *pool, struct arena_block *block)
{
	if (pool == NULL || pool->count >= pool->max || block->size != ARENA_BLOCK_BYTES) {
		UNPOISON(block->data, block->size - sizeof(*block));
		free(block);
		return;
	}
	POISON(block->data, block->size - sizeof(*block));
	block->next = pool->free;
	pool->free = block;
	pool->count++;
}

void arena_init(struct arena *arena, struct arena_pool *pool, size_t cap_bytes)
{
	*arena = (struct arena) {.pool = pool, .cap_bytes = cap_bytes};
}

static void block_wipe(struct arena_block *block)
{
	UNPOISON(block->data, block->size - sizeof(*block));
	secret_wipe(block->data, block->size - sizeof(*block));
}

void arena_deinit(struct arena *arena)
{
	while (arena->blocks != NULL) {
		struct arena_block *block = arena->blocks;
		arena->blocks = block->next;
		if (arena->has_secrets)
			block_wipe(block);
		block_give_back(arena->pool, block);
	}
	arena->next = arena->end = NULL;
	arena->used_bytes = 0;
	arena->has_secrets = false;
}

static struct arena_block *block_new(struct arena *arena, size_t size)
{
	struct arena_block *block;

	if (size > arena->cap_bytes - arena->used_bytes)
		return NULL;
	if (size == ARENA_BLOCK_BYTES && arena->pool != NULL && arena->pool->free != NULL)
		block = pool_take(arena->pool);
	else
		block = malloc(size);
	if (block == NULL)
		return NULL;
	block->size = size;
	arena->used_bytes += size;
	POISON(block->data, size - sizeof(*block));
	return block;
}

static void *bump(struct arena *arena, size_t size, size_t rounded)
{
	void *memory = arena->next;

	arena->next += rounded;
	UNPOISON(memory, size);
	return memory;
}

/* A block of its own, behind the newest: what is left of that one stays in use. */
static void *alloc_alone(struct arena *arena, size_t size)
{
	struct arena_block *block = block_new(arena, sizeof(*block) + size);

	if (block == NULL)
		return NULL;
	struct arena_block **link = arena->blocks != NULL ? &arena->blocks->next : &arena->blocks;
	block->next = *link;
	*link = block;
	UNPOISON(block->data, size);
	return block->data;
}

void *arena_alloc_slow(struct arena *arena, size_t size)
{
	if (size == 0)
		size = 1;
	if (size > PTRDIFF_MAX - 2 * sizeof(struct arena_block))
		return NULL;
	size_t rounded = ((size + 15) & ~(size_t)15) + GAP_BYTES;
	if (rounded <= (size_t)(arena->end - arena->next))
		return bump(arena, size, rounded);
	if (rounded > SHARED_MAX || arena->cap_bytes - arena->used_bytes < ARENA_BLOCK_BYTES)
		return alloc_alone(arena, size);

	struct arena_block *block = block_new(arena, ARENA_BLOCK_BYTES);
	if (block == NULL)
		return NULL;
	block->next = arena->blocks;
	arena->blocks = block;
	arena->next = block->data;
	arena->end = (char *)block + block->size;
	return bump(arena, size, rounded);
}

void *arena_zalloc(struct arena *arena, size_t size)
{
	void *memory = arena_alloc(arena, size);

	return memory != NULL ? memset(memory, 0, size) : NULL;
}

/* The link that holds the block which `memory` has to itself, or NULL. Only the two newest are asked:
 * whatever grows was allocated last. */
static struct arena_block **lonely_block(struct arena *arena, const void *memory)
{
	struct arena_block **link = &arena->blocks;

	for (int tried = 0; tried < 2 && *link != NULL; tried++, link = &(*link)->next) {
		bool shared = arena->next >= (*link)->data &&
			arena->next <= (char *)*link + (*link)->size;
		if ((*link)->data == memory && !shared && (*link)->size != ARENA_BLOCK_BYTES)
			return link;
	}
	return NULL;
}

static void *grow_alone(struct arena *arena, struct arena_block **link, size_t new_size)
{
	size_t size = sizeof(struct arena_block) + new_size;
	size_t more = size - (*link)->size;

	if (size <= (*link)->size)
		return (*link)->data;
	if (more > arena->cap_bytes - arena->used_bytes)
		return NULL;
	struct arena_block *block = realloc(*link, size);
	if (block == NULL)
		return NULL;
	block->size = size;
	arena->used_bytes += more;
	*link = block;
	return block->data;
}

void *arena_grow(struct arena *arena, void *old, size_t old_size, size_t new_size)
{
	size_t held = ((old_size + (old_size == 0) + 15) & ~(size_t)15) + GAP_BYTES;

	if (old == NULL)
		return arena_alloc(arena, new_size);
	if (new_size <= old_size)
		return old;
	if (new_size > PTRDIFF_MAX - 2 * sizeof(struct arena_block))
		return NULL;
	size_t wanted = ((new_size + 15) & ~(size_t)15) + GAP_BYTES;
	if ((char *)old + held == arena->next &&
		wanted - held <= (size_t)(arena->end - arena->next)) {
		arena->next += wanted - held;
		UNPOISON(old, new_size);
		return old;
	}
	struct arena_block **link = lonely_block(arena, old);
	if (link != NULL)
		return grow_alone(arena, link, new_size);

	void *memory = arena_alloc(arena, new_size);
	if (memory != NULL && old_size > 0)
		memcpy(memory, old, old_size);
	return memory;
}

struct text arena_text(struct arena *arena, struct text text)
{
	if (text_is_absent(text) || text_is_null(text))
		return text;
	if (text.len == SIZE_MAX)
		return TEXT_ABSENT;
	char *copy = arena_alloc(arena, text.len + 1);
	if (copy == NULL)
		return TEXT_ABSENT;
	if (text.len > 0)
		memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	return text_of(copy, text.len);
}

struct text arena_printf(struct arena *arena, const char *format, ...)
{
	va_list arguments;
	struct text result = TEXT_ABSENT;

	va_start(arguments, format);
	int len = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	char *data = len < 0 ? NULL : arena_alloc(arena, (size_t)len + 1);
	if (data == NULL)
		return result;
	va_start(arguments, format);
	vsnprintf(data, (size_t)len + 1, format, arguments);
	va_end(arguments);
	return text_of(data, (size_t)len);
}
