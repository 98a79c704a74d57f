// SPDX-License-Identifier: Apache-2.0
#include "domains/accounts/routes.h"
#include "http/handler.h"

static flow_step_fn count_users, find_users, list_users, find_user, show_user;

const struct flow_step list_users_steps[] = {
	STEP(count_users),
	STEP(find_users),
	STEP(list_users),
	STEPS_END,
};

const struct flow_step show_user_steps[] = {
	STEP(find_user),
	STEP(show_user),
	STEPS_END,
};

enum status_filter { FILTER_ALL, FILTER_ACTIVE, FILTER_SUSPENDED };

static const char *const filter_names[] = {"all", "active", "suspended", NULL};
static const char *const sort_names[] = {
	[SORT_NEWEST] = "-created_at",
	[SORT_OLDEST] = "created_at",
	[SORT_EMAIL] = "email",
	[SORT_EMAIL_DOWN] = "-email",
	NULL,
};

static const struct field users_query_fields[] = {
	FIELD(FIELD_INT, users_query, page, .min = 1, .max = 1000000, .optional = true,
		.fallback = 1, .about = "Counts from 1", .example = "1"),
	FIELD(FIELD_INT, users_query, page_size, .min = 1, .max = 100, .optional = true,
		.fallback = 20, .about = "Users on a page", .example = "20"),
	FIELD(FIELD_TEXT, users_query, q, .max = 254, .optional = true,
		.about = "What e-mail or name must contain, in any case", .example = "ada"),
	FIELD(FIELD_ENUM, users_query, status, .choices = filter_names, .optional = true,
		.fallback = FILTER_ALL, .about = "Which users", .example = "all"),
	FIELD(FIELD_ENUM, users_query, sort, .choices = sort_names, .optional = true,
		.fallback = SORT_NEWEST, .about = "A leading - turns the order round",
		.example = "-created_at"),
};
const struct schema users_query_schema = SCHEMA(
	users_query, users_query_fields, "Which page of which users");

static const struct field users_reply_fields[] = {
	FIELD(FIELD_INT, users_reply, total, .about = "Users found, on all pages", .example = "41"),
	FIELD(FIELD_INT, users_reply, page, .about = "This page", .example = "1"),
	FIELD(FIELD_INT, users_reply, page_size, .about = "Users on a full page", .example = "20"),
	FIELD(FIELD_INT, users_reply, total_pages, .about = "The last page", .example = "3"),
	FIELD_LIST_OF(&admin_user_schema, users_reply, "data", data, data_count,
		.about = "The users on this page"),
};
const struct schema users_reply_schema = SCHEMA(users_reply, users_reply_fields, "A page of users");

static const struct field user_parameters_fields[] = {
	FIELD(FIELD_UUID, user_parameters, id, .about = "The user"),
};
const struct schema user_parameters_schema = SCHEMA(
	user_parameters, user_parameters_fields, "Which user");

/* "Ad_a" becomes "%Ad!_a%": LIKE's own characters are taken literally. Absent when there is nothing to look for
 * (or no memory, told by *failed_out). */
static struct text like_pattern(struct arena *arena, struct text q, bool *failed_out)
{
	char *out;
	size_t len = 0;

	*failed_out = false;
	q = text_trim(q);
	if (q.len == 0)
		return TEXT_ABSENT;
	out = arena_alloc(arena, 2 * q.len + 2);
	if (out == NULL) {
		*failed_out = true;
		return TEXT_ABSENT;
	}
	out[len++] = '%';
	for (size_t i = 0; i < q.len; i++) {
		if (q.data[i] == '%' || q.data[i] == '_' || q.data[i] == '!')
			out[len++] = '!';
		out[len++] = q.data[i];
	}
	out[len++] = '%';
	return text_of(out, len);
}

static struct text wanted_status(const struct list_users *list)
{
	switch ((enum status_filter)list->query.status) {
	case FILTER_ALL:
		return TEXT_ABSENT;
	case FILTER_ACTIVE:
		return text_from_c(user_status_names[USER_ACTIVE]);
	case FILTER_SUSPENDED:
		return text_from_c(user_status_names[USER_SUSPENDED]);
	}
	return TEXT_ABSENT;
}

static enum flow_verdict count_users(struct flow *flow)
{
	struct list_users *list = flow->state;
	bool failed;

	list->pattern = like_pattern(&flow->arena, list->query.q, &failed);
	if (failed)
		return flow_fail(flow, FAILURE_MEMORY, "a search pattern");
	return db_query(flow, &users_count_statement,
		DB_VALUES(db_text(list->pattern), db_text(wanted_status(list))));
}

static enum flow_verdict find_users(struct flow *flow)
{
	struct list_users *list = flow->state;
	const struct users_query *query = &list->query;
	struct total_row row;

	db_row(flow, 0, &row);
	list->reply = (struct users_reply) {
		.total = row.total,
		.page = query->page,
		.page_size = query->page_size,
		.total_pages = (row.total + query->page_size - 1) / query->page_size,
	};
	return db_query(flow, &users_list_statements[query->sort],
		DB_VALUES(db_text(list->pattern), db_text(wanted_status(list)),
			db_int(query->page_size), db_int((query->page - 1) * query->page_size)));
}

static enum flow_verdict list_users(struct flow *flow)
{
	struct list_users *list = flow->state;

	list->reply.data_count = db_result(flow)->rows;
	list->reply.data = db_rows_copy(flow);
	if (list->reply.data == NULL && list->reply.data_count > 0)
		return FLOW_DONE;
	return reply(flow, &list->reply);
}

static enum flow_verdict find_user(struct flow *flow)
{
	const struct show_user *show = flow->state;

	return db_query(flow, &admin_user_by_id_statement, DB_VALUES(db_uuid(show->parameters.id)));
}

static enum flow_verdict show_user(struct flow *flow)
{
	struct admin_user user;

	if (db_result(flow)->rows == 0)
		return refuse(flow, PROBLEM_USER_NOT_FOUND);
	db_row(flow, 0, &user);
	return reply(flow, &user);
}
