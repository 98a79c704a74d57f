// SPDX-License-Identifier: Apache-2.0
#include "domains/accounts/routes.h"

#include "domains/access/access.h"

static const struct route account_routes[] = {
	{
		.method = HTTP_POST,
		.path = "/register",
		.name = "register",
		.about = "Open an account and log in",
		STATE(signup),
		BODY(signup, body, &signup_body_schema),
		.status = 201,
		.reply = &session_reply_schema,
		.problems = PROBLEMS(PROBLEM_EMAIL_TAKEN, PROBLEM_PASSWORD_TOO_COMMON),
		.steps = signup_steps,
	},
	{
		.method = HTTP_POST,
		.path = "/login",
		.name = "login",
		.about = "Log in with e-mail and password",
		.details =
			"An unknown address and a wrong password get the same answer in the same time.",
		STATE(login),
		BODY(login, body, &login_body_schema),
		.reply = &session_reply_schema,
		.problems = PROBLEMS(PROBLEM_INVALID_CREDENTIALS, PROBLEM_ACCOUNT_SUSPENDED),
		.steps = login_steps,
	},
	{
		.method = HTTP_GET,
		.path = "/me",
		.name = "show_profile",
		.about = "The user who asks",
		.reply = &user_schema,
		.problems = PROBLEMS(PROBLEM_USER_NOT_FOUND),
		.guards = {&bearer_guard},
		.steps = show_profile_steps,
	},
	{
		.method = HTTP_PATCH,
		.path = "/me",
		.name = "change_profile",
		.about = "Change the profile in part",
		.details = "A merge patch (RFC 7396): what is left out stays, null removes.",
		STATE(change_profile),
		BODY(change_profile, body, &profile_body_schema),
		.reply = &user_schema,
		.problems = PROBLEMS(PROBLEM_USER_NOT_FOUND),
		.guards = {&bearer_guard},
		.steps = change_profile_steps,
	},
	{
		.method = HTTP_POST,
		.path = "/password",
		.name = "change_password",
		.about = "Change the password and end every other session",
		STATE(change_password),
		BODY(change_password, body, &change_password_body_schema),
		.status = 204,
		.problems = PROBLEMS(PROBLEM_PASSWORD_WRONG, PROBLEM_PASSWORD_TOO_COMMON,
			PROBLEM_USER_NOT_FOUND),
		.guards = {&bearer_guard},
		.steps = change_password_steps,
	},
};

const struct scope accounts_scope = {
	.prefixes = {"/auth", "/api/v1/auth"},
	.tag = "accounts",
	.about = "Registering, logging in and the profile",
	ROUTES(account_routes),
};

static const struct route admin_routes[] = {
	{
		.method = HTTP_GET,
		.path = "/users",
		.name = "list_users",
		.about = "Users in pages, searched, filtered and sorted",
		STATE(list_users),
		QUERY(list_users, query, &users_query_schema),
		.reply = &users_reply_schema,
		.steps = list_users_steps,
	},
	{
		.method = HTTP_GET,
		.path = "/users/{id}",
		.name = "show_user",
		.about = "One user",
		STATE(show_user),
		PARAMETERS(show_user, parameters, &user_parameters_schema),
		.reply = &admin_user_schema,
		.problems = PROBLEMS(PROBLEM_USER_NOT_FOUND),
		.steps = show_user_steps,
	},
	{
		.method = HTTP_POST,
		.path = "/users/{id}/suspend",
		.name = "suspend_user",
		.about = "Shut a user out and end all the user's sessions",
		STATE(suspension),
		PARAMETERS(suspension, parameters, &user_parameters_schema),
		BODY(suspension, body, &suspension_body_schema),
		.reply = &admin_user_schema,
		.problems = PROBLEMS(PROBLEM_USER_NOT_FOUND, PROBLEM_ADMIN_REQUIRED),
		.steps = suspend_user_steps,
	},
	{
		.method = HTTP_POST,
		.path = "/users/{id}/unsuspend",
		.name = "unsuspend_user",
		.about = "Let a suspended user in again",
		STATE(suspension),
		PARAMETERS(suspension, parameters, &user_parameters_schema),
		.reply = &admin_user_schema,
		.problems = PROBLEMS(PROBLEM_USER_NOT_FOUND),
		.steps = unsuspend_user_steps,
	},
};

const struct scope admin_scope = {
	.prefixes = {"/admin", "/api/v1/admin"},
	.tag = "admin",
	.about = "What only admins may do",
	.guards = {&bearer_guard, &admin_guard},
	ROUTES(admin_routes),
};
