// SPDX-License-Identifier: Apache-2.0
#include "core/failure.h"

const char *failure_name(enum failure failure)
{
	switch (failure) {
	case FAILURE_NONE:
		return "none";
	case FAILURE_CLIENT_GONE:
		return "client_gone";
	case FAILURE_DEADLINE:
		return "deadline";
	case FAILURE_SHUTDOWN:
		return "shutdown";
	case FAILURE_BUSY:
		return "busy";
	case FAILURE_UNAVAILABLE:
		return "unavailable";
	case FAILURE_CONFLICT:
		return "conflict";
	case FAILURE_INVALID:
		return "invalid";
	case FAILURE_RETRY:
		return "retry";
	case FAILURE_READ_ONLY:
		return "read_only";
	case FAILURE_STORAGE_FULL:
		return "storage_full";
	case FAILURE_MEMORY:
		return "memory";
	case FAILURE_INTERNAL:
		return "internal";
	case FAILURE_COUNT:
		break;
	}
	return "unknown";
}
