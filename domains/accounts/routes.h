// SPDX-License-Identifier: Apache-2.0
#pragma once

/*
 * routes - the scopes of accounts and, for their tables, what each flow shows: body, state and steps.
 */

#include "domains/accounts/store.h"

extern const struct scope accounts_scope;
extern const struct scope admin_scope;

/* ---- signup.c ---- */

struct signup_body {
	struct text email;
	struct text password;
	struct text password_confirmation;
	struct text name;
};
extern const struct schema signup_body_schema;

struct signup {
	struct signup_body body;
	struct text password_hash;
	struct user user;
	struct session_grant grant;
};
extern const struct flow_step signup_steps[];

/* ---- login.c ---- */

struct login_body {
	struct text email;
	struct text password;
};
extern const struct schema login_body_schema;

struct login {
	struct login_body body;
	struct credentials_row row;
	bool known;
	struct text new_hash;
	struct session_grant grant;
};
extern const struct flow_step login_steps[];

/* ---- profile.c ---- */

struct profile_body {
	struct text name; /* absent: stays; null: removed (RFC 7396) */
};
extern const struct schema profile_body_schema;

struct change_profile {
	struct profile_body body;
};
extern const struct flow_step show_profile_steps[];
extern const struct flow_step change_profile_steps[];

/* ---- password_change.c ---- */

struct change_password_body {
	struct text current_password;
	struct text password;
	struct text password_confirmation;
};
extern const struct schema change_password_body_schema;

struct change_password {
	struct change_password_body body;
	struct credentials_row row;
	struct text new_hash;
};
extern const struct flow_step change_password_steps[];

/* ---- users.c ---- */

struct users_query {
	int64_t page;
	int64_t page_size;
	struct text q;
	int64_t status; /* enum status_filter */
	int64_t sort; /* enum user_sort */
};
extern const struct schema users_query_schema;

struct users_reply {
	int64_t total;
	int64_t page;
	int64_t page_size;
	int64_t total_pages;
	struct admin_user *data;
	size_t data_count;
};
extern const struct schema users_reply_schema;

struct list_users {
	struct users_query query;
	struct text pattern; /* of LIKE; absent: everyone */
	struct users_reply reply;
};
extern const struct flow_step list_users_steps[];

struct user_parameters {
	struct uuid id;
};
extern const struct schema user_parameters_schema;

struct show_user {
	struct user_parameters parameters;
};
extern const struct flow_step show_user_steps[];

/* ---- suspension.c ---- */

struct suspension_body {
	struct text reason;
};
extern const struct schema suspension_body_schema;

struct suspension {
	struct user_parameters parameters;
	struct suspension_body body;
	struct admin_user target;
};
extern const struct flow_step suspend_user_steps[];
extern const struct flow_step unsuspend_user_steps[];
