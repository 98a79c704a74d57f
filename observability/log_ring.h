// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * log_ring - a bounded queue of records from one producer thread to the writer: no lock, no wait. A
 * record never wraps; where it does not fit before the end, padding fills the rest. Positions only
 * grow; position & mask is the place in the buffer (Lamport 1977: one writer each, so no
 * compare-and-swap).
 */

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#include "observability/log.h"
#include "observability/log_record.h"

struct log;

struct log_ring {
	const struct log_switches *switches; /* first: log_enabled() reads it without this header */
	struct log *log;
	struct log_ring *next; /* rings of the log, newest first */
	char *data;
	size_t size; /* a power of two */
	/* the producer's */
	alignas(64) _Atomic(size_t) head; /* what stands before it is written */
	size_t tail_seen; /* the writer's tail when last looked at */
	size_t reserved; /* where the record being made begins */
	_Atomic(uint64_t) dropped; /* lines that found no room */
	/* the writer's */
	alignas(64) _Atomic(size_t) tail; /* what stands before it was read */
	size_t head_seen;
};

/* NULL when there is no memory. size is rounded up to a power of two. */
struct log_ring *log_ring_alloc(struct log *log, const struct log_switches *switches, size_t size);
void log_ring_free(struct log_ring *ring);

/* Producer. Room for a record of `size` bytes, or NULL when the ring is full (counted). */
void *log_ring_reserve(struct log_ring *ring, size_t size);
/* Producer: the writer may read it now. Returns how many bytes wait. */
size_t log_ring_commit(struct log_ring *ring, size_t size);

/* Writer. The oldest record, or NULL. It stays until log_ring_release. */
const struct log_record *log_ring_peek(struct log_ring *ring);
void log_ring_release(struct log_ring *ring, const struct log_record *record);
