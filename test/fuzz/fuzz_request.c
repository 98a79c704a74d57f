// SPDX-License-Identifier: Apache-2.0

/*
 * A whole connection's input through head, rules, llhttp and body, in several splits: what is
 * understood and what is refused must not depend on how the bytes were cut.
 *
 * Input: eight bytes of seed for the splits, then the bytes of the connection.
 */

#include <stdlib.h>
#include <string.h>

#include "test/http/judge.h"

enum { BODY_MAX = 4096, SPLITS = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_settings settings = judge_settings();
	struct judgement whole;
	uint64_t seed;

	if (size < sizeof(seed))
		return 0;
	memcpy(&seed, data, sizeof(seed));
	data += sizeof(seed);
	size -= sizeof(seed);
	settings.request_line_max_bytes = 256;
	settings.headers_max_bytes = 1024;
	settings.headers_max_count = 16;
	whole = judge(&settings, BODY_MAX, (const char *)data, size, 0);
	for (uint64_t i = 1; i <= SPLITS; i++) {
		struct judgement split = judge(
			&settings, BODY_MAX, (const char *)data, size, i == 1 ? 1 : seed + i);

		if (split.digest != whole.digest || split.requests != whole.requests ||
			split.problem != whole.problem || split.left != whole.left ||
			split.last != whole.last)
			abort();
	}
	return 0;
}
