// SPDX-License-Identifier: Apache-2.0

/* schema_set - a list is enough: a program has tens of schemas, and this runs once. */

#include "http/schema_set.h"

#include <string.h>

static bool append(struct schema_set *set, const struct schema *schema, struct arena *arena)
{
	if (set->count == set->capacity) {
		size_t capacity = set->capacity ? 2 * set->capacity : 16;
		const struct schema **list = arena_alloc(arena, capacity * sizeof(*list));

		if (!list)
			return false;
		if (set->count > 0)
			memcpy(list, set->list, set->count * sizeof(*list));
		set->list = list;
		set->capacity = capacity;
	}
	set->list[set->count++] = schema;
	return true;
}

static bool add(struct schema_set *set, const struct schema *schema, struct arena *arena,
	const struct schema **clash_out)
{
	if (!schema)
		return true;
	for (size_t i = 0; i < set->count; i++) {
		if (set->list[i] == schema)
			return true;
		if (strcmp(set->list[i]->name, schema->name) == 0)
			*clash_out = schema;
	}
	if (!append(set, schema, arena))
		return false;

	for (size_t i = 0; i < schema->field_count; i++) {
		if (!add(set, schema->fields[i].schema, arena, clash_out))
			return false;
	}
	return true;
}

bool schema_set_add_route(struct schema_set *set, const struct route *row, struct arena *arena,
	const struct schema **clash_out)
{
	return add(set, row->body, arena, clash_out) && add(set, row->reply, arena, clash_out);
}
