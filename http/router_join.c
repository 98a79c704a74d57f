// SPDX-License-Identifier: Apache-2.0

/*
 * router_join - what a compiled route runs and what it can be refused with: guards first, then
 * reading the request, then the row's own steps. Whoever may not enter learns nothing about the
 * body.
 */

#include "http/router_tree.h"

/* ---- steps ---- */

static size_t count_steps(const struct flow_step *steps)
{
	size_t count = 0;

	while (steps[count].name)
		count++;
	return count;
}

static struct flow_step *append_steps(struct flow_step *to, const struct flow_step *steps)
{
	while (steps->name)
		*to++ = *steps++;
	return to;
}

const struct flow_step *join_steps(const struct routed *routed, struct arena *arena)
{
	static const struct flow_step reading[] = { STEP(read_request), STEPS_END };
	const struct route *row = routed->compiled.row;
	bool reads = row->query || row->body;
	size_t count = count_steps(row->steps) + reads + 1;
	struct flow_step *steps, *to;

	for (size_t i = 0; routed->guards[i]; i++)
		count += count_steps(routed->guards[i]->steps);
	steps = to = arena_zalloc(arena, count * sizeof(*steps)); /* cleared: ends with STEPS_END */
	if (!steps)
		return NULL;

	for (size_t i = 0; routed->guards[i]; i++)
		to = append_steps(to, routed->guards[i]->steps);
	if (reads)
		to = append_steps(to, reading);
	append_steps(to, row->steps);
	return steps;
}

/* ---- problems ---- */

struct problem_set {
	enum problem *list;
	size_t count;
	bool has[PROBLEM_COUNT];
};

static void add_problem(struct problem_set *set, enum problem problem)
{
	if (set->has[problem])
		return;
	set->has[problem] = true;
	set->list[set->count++] = problem;
}

static void add_problems(struct problem_set *set, const enum problem *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_problem(set, list[i]);
}

#define ADD(set_, ...) \
	add_problems(set_, (const enum problem[]) {__VA_ARGS__}, \
		sizeof((const enum problem[]) {__VA_ARGS__}) / sizeof(enum problem))

/* What the shape of a row brings along, whatever its steps do. */
static void add_by_shape(struct problem_set *set, const struct compiled_route *compiled)
{
	const struct route *row = compiled->row;

	if (row->parameters)
		ADD(set, PROBLEM_NOT_FOUND);
	if (row->query)
		ADD(set, PROBLEM_BAD_QUERY, PROBLEM_VALIDATION_FAILED);
	if (row->body)
		ADD(set, PROBLEM_BAD_JSON, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
			PROBLEM_VALIDATION_FAILED);
	if (compiled->body_max_bytes > 0)
		ADD(set, PROBLEM_BODY_TOO_LARGE);
	if (row->limit.key != LIMIT_NONE)
		ADD(set, PROBLEM_RATE_LIMITED);
	ADD(set, PROBLEM_INTERNAL, PROBLEM_OVERLOADED, PROBLEM_UNAVAILABLE, PROBLEM_SHUTTING_DOWN,
		PROBLEM_DEADLINE_EXCEEDED);
}

struct problem_list join_problems(const struct routed *routed, struct arena *arena)
{
	const struct route *row = routed->compiled.row;
	struct problem_set set = {.list = arena_alloc(arena, PROBLEM_COUNT * sizeof(enum problem))};

	if (!set.list)
		return (struct problem_list) {.list = NULL};

	add_problems(&set, row->problems.list, row->problems.count);
	for (size_t i = 0; routed->guards[i]; i++)
		add_problems(
			&set, routed->guards[i]->problems.list, routed->guards[i]->problems.count);
	add_by_shape(&set, &routed->compiled);
	return (struct problem_list) {.list = set.list, .count = set.count};
}
