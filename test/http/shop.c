// SPDX-License-Identifier: Apache-2.0

#include "test/http/shop.h"

#include "http/handler.h"

static const char *const order_states[] = {"open", "paid", "sent", NULL};

static const struct field order_line_fields[] = {
	FIELD(FIELD_TEXT, order_line, article, .min = 1, .max = 40, .about = "What",
		.example = "millstone"),
	FIELD(FIELD_INT, order_line, pieces, .min = 1, .max = 99, .about = "How many",
		.example = "2"),
};
static const struct schema order_line = SCHEMA(order_line, order_line_fields, "A line of an order");

static const struct field order_body_fields[] = {
	FIELD(FIELD_EMAIL, order_body, email, .max = 254, .about = "Who orders",
		.example = "ada@example.com"),
	FIELD(FIELD_TEXT, order_body, note, .max = 100, .optional = true, .nullable = true,
		.about = "Anything else"),
	FIELD_LIST_OF(&order_line, order_body, "lines", lines, line_count, .min = 1, .max = 10,
		.about = "What is ordered"),
};
static const struct schema order_body = SCHEMA(order_body, order_body_fields, "A new order");

static const struct field order_path_fields[] = {
	FIELD(FIELD_UUID, order_path, id, .about = "Which order"),
};
static const struct schema order_path = SCHEMA(order_path, order_path_fields, "An order's path");

static const struct field order_query_fields[] = {
	FIELD(FIELD_INT, order_query, page, .min = 1, .max = 1000, .fallback = 1, .optional = true,
		.about = "Which page"),
	FIELD(FIELD_BOOL, order_query, open, .optional = true, .about = "Only open ones"),
	FIELD(FIELD_TEXT, order_query, word, .max = 20, .optional = true, .about = "Search"),
};
static const struct schema order_query = SCHEMA(order_query, order_query_fields, "Which orders");

static const struct field order_fields[] = {
	FIELD(FIELD_UUID, order, id, .about = "Its id"),
	FIELD(FIELD_EMAIL, order, email, .about = "Who ordered"),
	FIELD(FIELD_TEXT, order, note, .max = 100, .optional = true, .nullable = true,
		.about = "Anything else"),
	FIELD(FIELD_TIME, order, placed_at, .about = "When"),
	FIELD(FIELD_ENUM, order, state, .choices = order_states, .about = "How far it is"),
	FIELD_LIST_OF(&order_line, order, "lines", lines, line_count, .about = "What was ordered"),
};
static const struct schema order = SCHEMA(order, order_fields, "An order");

static const struct field order_page_fields[] = {
	FIELD(FIELD_INT, order_page, total, .about = "How many there are"),
	FIELD_LIST_OF(&order, order_page, "data", data, count, .about = "Those of the page"),
};
static const struct schema order_page = SCHEMA(order_page, order_page_fields, "A page of orders");

/* ---- steps ---- */

static enum flow_verdict ask_for_a_badge(struct flow *flow)
{
	if (text_is_absent(http_request_header(flow, TEXT("authorization"))))
		return refuse(flow, PROBLEM_TOKEN_MISSING);
	flow->identity.known = true;
	return FLOW_NEXT;
}

static const struct flow_step badge_steps[] = {STEP(ask_for_a_badge), STEPS_END};
static const struct guard badge = {
	.name = "badge",
	.security = "bearer",
	.steps = badge_steps,
	.problems = PROBLEMS(PROBLEM_TOKEN_MISSING, PROBLEM_TOKEN_EXPIRED),
};

static enum flow_verdict place_order(struct flow *flow)
{
	const struct shop_state *state = flow->state;
	struct order placed = {
		.id = {{1, 2, 3}},
		.email = state->body.email,
		.note = state->body.note,
		.placed_at = 1700000000000,
		.lines = state->body.lines,
		.line_count = state->body.line_count,
	};

	if (text_equals(state->body.email, TEXT("taken@example.com")))
		return refuse(flow, PROBLEM_EMAIL_TAKEN);
	reply_header(flow, TEXT("location"), TEXT("/orders/1"));
	return reply(flow, &placed);
}

static enum flow_verdict list_orders(struct flow *flow)
{
	const struct shop_state *state = flow->state;
	struct order_page page = {.total = state->query.page};

	if (text_equals(state->query.word, TEXT("odd")))
		return refuse_field(flow, TEXT("word"), "ODD", TEXT("must not be odd"));
	return reply(flow, &page);
}

static enum flow_verdict drop_order(struct flow *flow)
{
	const struct shop_state *state = flow->state;

	if (uuid_is_nil(&state->path.id))
		return refuse(flow, PROBLEM_NOT_FOUND);
	return reply_empty(flow);
}

static enum flow_verdict print_order(struct flow *flow)
{
	return reply_raw(flow, 200, TEXT("text/plain"), TEXT("an order"));
}

static enum flow_verdict stay_silent(struct flow *flow)
{
	return FLOW_DONE;
}

static enum flow_verdict lose_the_database(struct flow *flow)
{
	reply_header(flow, TEXT("etag"), TEXT("\"prepared\""));
	return flow_fail(flow, FAILURE_UNAVAILABLE, "the connection was lost");
}

static const struct flow_step place_steps[] = {STEP_COMMITS(place_order), STEPS_END};
static const struct flow_step list_steps[] = {STEP(list_orders), STEPS_END};
static const struct flow_step drop_steps[] = {STEP(drop_order), STEPS_END};
static const struct flow_step print_steps[] = {STEP(print_order), STEPS_END};
static const struct flow_step silent_steps[] = {STEP(stay_silent), STEPS_END};
static const struct flow_step failing_steps[] = {STEP(lose_the_database), STEPS_END};

static const struct route shop_routes[] = {
	{
		.method = HTTP_POST,
		.path = "",
		.name = "order_place",
		.about = "Place an order",
		.details = "Answers with the order as it was stored.",
		STATE(shop_state),
		BODY(shop_state, body, &order_body),
		.body_max_bytes = 2048,
		.status = 201,
		.reply = &order,
		.problems = PROBLEMS(PROBLEM_EMAIL_TAKEN),
		.limit = PER_USER(10, MINUTE),
		.deadline_ms = 3000,
		.steps = place_steps,
	},
	{
		.method = HTTP_GET,
		.path = "",
		.name = "order_list",
		.about = "List orders",
		STATE(shop_state),
		QUERY(shop_state, query, &order_query),
		.reply = &order_page,
		.steps = list_steps,
	},
	{
		.method = HTTP_DELETE,
		.path = "/{id}",
		.name = "order_drop",
		.about = "Drop an order",
		STATE(shop_state),
		PARAMETERS(shop_state, path, &order_path),
		.status = 204,
		.steps = drop_steps,
	},
	{
		.method = HTTP_GET,
		.path = "/{id}/print",
		.name = "order_print",
		.about = "Print an order",
		STATE(shop_state),
		PARAMETERS(shop_state, path, &order_path),
		.reply_type = "text/plain",
		.steps = print_steps,
	},
};

const struct scope shop_scope = {
	.prefixes = {"/orders", "/api/v1/orders"},
	.tag = "orders",
	.about = "Orders of the shop",
	.guards = {&badge},
	ROUTES(shop_routes),
};

static const struct route open_routes[] = {
	{
		.method = HTTP_PUT,
		.path = "/orders-query/{id}",
		.name = "order_everything",
		.about = "Path, query and body at once",
		.tag = "odd",
		STATE(shop_state),
		PARAMETERS(shop_state, path, &order_path),
		QUERY(shop_state, query, &order_query),
		BODY(shop_state, body, &order_body),
		.status = 204,
		.steps = drop_steps,
	},
	{
		.method = HTTP_GET,
		.path = "/silent",
		.name = "silent",
		.about = "Never answers",
		.status = 204,
		.steps = silent_steps,
		.hidden = true,
	},
	{
		.method = HTTP_GET,
		.path = "/failing",
		.name = "failing",
		.about = "Loses its database",
		.reply_type = "text/plain",
		.steps = failing_steps,
		.hidden = true,
	},
	{
		.method = HTTP_POST,
		.path = "/hook",
		.name = "hook",
		.about = "Takes any body",
		.body_max_bytes = 16,
		.reply_type = "text/plain",
		.steps = print_steps,
	},
};

const struct scope shop_open_scope = {
	.prefixes = {""},
	.tag = "open",
	ROUTES(open_routes),
};

static const struct route ops_routes[] = {
	{
		.method = HTTP_GET,
		.path = "/inside",
		.name = "inside",
		.about = "Not for the API's listener",
		.reply_type = "text/plain",
		.steps = print_steps,
	},
};

const struct scope shop_ops_scope = {
	.prefixes = {""},
	.listeners = LISTENER_OPS,
	ROUTES(ops_routes),
};
