// SPDX-License-Identifier: Apache-2.0
#include "db/db.h"
#include "domains/access/access.h"
#include "domains/access/store.h"

/* `millrace token mint`: no request, no reply; what it found stands in the state. */

static flow_step_fn find_user, open_transaction, insert_session, insert_refresh_token,
	commit_session, finish;

const struct flow_step token_mint_steps[] = {
	STEP(find_user),
	STEP(open_transaction),
	STEP(insert_session),
	STEP(insert_refresh_token),
	STEP_COMMITS(commit_session),
	STEP(finish),
	STEPS_END,
};

static enum flow_verdict find_user(struct flow *flow)
{
	struct token_mint *mint = flow->state;
	struct text email = email_normalise(&flow->arena, mint->email);

	if (text_is_absent(email))
		return FLOW_DONE;
	return db_query(flow, &active_user_by_email_statement, DB_VALUES(db_text(email)));
}

static enum flow_verdict open_transaction(struct flow *flow)
{
	struct token_mint *mint = flow->state;

	if (db_result(flow)->rows == 0)
		return FLOW_DONE;
	if (!db_row_copy(flow, 0, &mint->user))
		return FLOW_DONE;
	if (!session_grant_new(
		    flow, &mint->user, TEXT("millrace token mint"), TEXT_ABSENT, &mint->grant))
		return flow_fail(flow, FAILURE_MEMORY, "tokens");
	return db_begin(flow);
}

static enum flow_verdict insert_session(struct flow *flow)
{
	return session_insert(flow, &((struct token_mint *)flow->state)->grant);
}

static enum flow_verdict insert_refresh_token(struct flow *flow)
{
	return session_insert_refresh_token(flow, &((struct token_mint *)flow->state)->grant);
}

static enum flow_verdict commit_session(struct flow *flow)
{
	return db_commit(flow);
}

static enum flow_verdict finish(struct flow *flow)
{
	((struct token_mint *)flow->state)->found = true;
	return FLOW_DONE;
}
