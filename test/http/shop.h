// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * shop - a small domain for tests: every shape a row can have (body, query, path parameters, guard,
 * lists and objects in the reply, raw, empty, hidden, alias).
 */

#include "http/route.h"

struct order_line {
	struct text article;
	int64_t pieces;
};

struct order_body {
	struct text email;
	struct text note;
	struct order_line *lines;
	size_t line_count;
};

struct order_path {
	struct uuid id;
};

struct order_query {
	int64_t page;
	bool open;
	struct text word;
};

struct order {
	struct uuid id;
	struct text email;
	struct text note;
	int64_t placed_at;
	int64_t state;
	struct order_line *lines;
	size_t line_count;
};

struct order_page {
	int64_t total;
	struct order *data;
	size_t count;
};

struct shop_state {
	struct order_path path;
	struct order_query query;
	struct order_body body;
};

extern const struct scope shop_scope; /* "/orders" and "/api/v1/orders" */
extern const struct scope shop_open_scope; /* without a guard, without a prefix */
extern const struct scope shop_ops_scope; /* on LISTENER_OPS */
