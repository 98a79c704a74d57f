// SPDX-License-Identifier: Apache-2.0

/* Whatever the bytes are: an address in its stored form, which stays what it is when it is given again. */

#include <assert.h>
#include <stdint.h>

#include "core/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena;

	arena_init(&arena, NULL, 1 << 20);
	struct text address = email_normalise(&arena, text_of((const char *)data, size));
	if (!text_is_absent(address)) {
		assert(address.len <= 254 && text_is_utf8(address));
		struct text again = email_normalise(&arena, address);
		assert(text_equals(address, again));
	}
	arena_deinit(&arena);
	return 0;
}
