// SPDX-License-Identifier: Apache-2.0

/*
 * Request targets: what is accepted has a path that starts with a slash, no dot segment however it
 * is written, and decodes segment by segment and pair by pair into texts without NUL.
 */

#include <stdlib.h>
#include <string.h>

#include "http/exchange.h"
#include "http/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_decoded(struct text decoded)
{
	if (text_is_absent(decoded))
		return; /* not UTF-8 */
	require(text_is_utf8(decoded));
	require(decoded.len == 0 || memchr(decoded.data, '\0', decoded.len) == NULL);
}

static void check_path(struct arena *arena, struct text path)
{
	struct text rest = path;

	require(path.len > 0 && path.data[0] == '/');
	while (!text_is_absent(rest)) {
		struct text segment = percent_decode(arena, text_cut(rest, '/', &rest), false);

		check_decoded(segment);
		require(!text_equals(segment, TEXT(".")) && !text_equals(segment, TEXT("..")));
	}
}

static void check_query(struct arena *arena, struct text query)
{
	struct text rest = query, name, value;

	while (query_next(&rest, &name, &value)) {
		check_decoded(percent_decode(arena, name, true));
		check_decoded(percent_decode(arena, value, true));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *owned = malloc(size + (size == 0));
	struct target target;
	enum problem problem;
	struct arena arena;

	if (size > 0)
		memcpy(owned, data, size);
	arena_init(&arena, NULL, 1 << 22);
	if (target_parse(text_of(owned, size), &target, &problem) &&
		!text_equals(target.path, TEXT("*"))) {
		check_path(&arena, target.path);
		check_query(&arena, target.query);
		if (!text_is_absent(target.authority))
			require(authority_is_valid(target.authority));
	}
	check_decoded(percent_decode(&arena, text_of(owned, size), true));
	arena_deinit(&arena);
	free(owned);
	return 0;
}
