// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * schema_set - every schema that bodies and replies use, each once, nested ones too: what the
 * document lists under components.schemas. Two schemas of one name cannot both stand there.
 */

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/schema.h"
#include "http/route.h"

struct schema_set {
	const struct schema **list;
	size_t count;
	size_t capacity;
};

/* Adds the row's body and reply with what they hold. *clash_out: a schema whose name another one
 * has. False without memory. */
bool schema_set_add_route(struct schema_set *set, const struct route *row, struct arena *arena,
	const struct schema **clash_out);
