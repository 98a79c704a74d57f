// SPDX-License-Identifier: Apache-2.0

/* The text of a password hash: what is read is written back as it was. */

#include <stdlib.h>
#include <string.h>

#include "domains/accounts/phc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[PHC_MAX_BYTES];
	struct phc phc;

	if (!phc_read(text_of((const char *)data, size), &phc))
		return 0;
	if (phc_write(&phc, text) != size || memcmp(text, data, size) != 0)
		abort();
	return 0;
}
