// SPDX-License-Identifier: Apache-2.0
#pragma once

/* header - one header field, of a request or of an answer. */

#include "core/text.h"

struct http_header {
	struct text name; /* of a request: lower case */
	struct text value; /* without the white space around it */
};
