// SPDX-License-Identifier: Apache-2.0
#include "observability/log_ring.h"

#include <assert.h>
#include <stdlib.h>

static size_t round_up_to_power_of_two(size_t size)
{
	size_t power = 4 * LOG_RECORD_MAX_BYTES;

	while (power < size)
		power *= 2;
	return power;
}

struct log_ring *log_ring_alloc(struct log *log, const struct log_switches *switches, size_t size)
{
	struct log_ring *ring = aligned_alloc(alignof(struct log_ring), sizeof(*ring));

	if (ring == NULL)
		return NULL;
	*ring = (struct log_ring) {
		.switches = switches,
		.log = log,
		.size = round_up_to_power_of_two(size),
	};
	ring->data = malloc(ring->size);
	if (ring->data == NULL) {
		free(ring);
		return NULL;
	}
	return ring;
}

void log_ring_free(struct log_ring *ring)
{
	free(ring->data);
	free(ring);
}

static bool has_room(struct log_ring *ring, size_t head, size_t needed)
{
	if (head + needed - ring->tail_seen <= ring->size)
		return true;
	ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
	return head + needed - ring->tail_seen <= ring->size;
}

static void pad(struct log_ring *ring, size_t at, size_t size)
{
	struct log_record *padding = (struct log_record *)(void *)(ring->data + at);

	/* Only the first 8 bytes are sure to be there. */
	padding->size = (uint32_t)size;
	padding->slot_count = 0;
	padding->level = 0;
	padding->parts = LOG_RECORD_PADDING;
}

void *log_ring_reserve(struct log_ring *ring, size_t size)
{
	size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	size_t at = head & (ring->size - 1);
	size_t skipped = size <= ring->size - at ? 0 : ring->size - at;

	assert(size % 8 == 0 && size <= LOG_RECORD_MAX_BYTES);
	if (!has_room(ring, head, skipped + size)) {
		uint64_t dropped = atomic_load_explicit(&ring->dropped, memory_order_relaxed);

		atomic_store_explicit(&ring->dropped, dropped + 1, memory_order_relaxed);
		return NULL;
	}
	if (skipped > 0)
		pad(ring, at, skipped);
	ring->reserved = head + skipped;
	return ring->data + (ring->reserved & (ring->size - 1));
}

size_t log_ring_commit(struct log_ring *ring, size_t size)
{
	size_t head = ring->reserved + size;

	/* Sequentially consistent: the producer then looks whether the writer sleeps, the writer says
	 * that it sleeps and then looks at the head; one of them sees the other. */
	atomic_store(&ring->head, head);
	return head - ring->tail_seen;
}

const struct log_record *log_ring_peek(struct log_ring *ring)
{
	size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	for (;;) {
		if (tail == ring->head_seen)
			ring->head_seen = atomic_load(&ring->head);
		if (tail == ring->head_seen)
			return NULL;

		const char *at = ring->data + (tail & (ring->size - 1));
		const struct log_record *record = (const struct log_record *)(const void *)at;

		if (!(record->parts & LOG_RECORD_PADDING))
			return record;
		tail += record->size;
		atomic_store_explicit(&ring->tail, tail, memory_order_release);
	}
}

void log_ring_release(struct log_ring *ring, const struct log_record *record)
{
	size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	atomic_store_explicit(&ring->tail, tail + record->size, memory_order_release);
}
