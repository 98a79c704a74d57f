// SPDX-License-Identifier: Apache-2.0
#include "domains/accounts/password.h"

#include <assert.h>
#include <string.h>

#include "core/worker.h"
#include "domains/accounts/password_hash.h"
#include "domains/accounts/state.h"

enum { EMAIL_MAX_BYTES = 254 };

struct password_job {
	struct worker_job job;
	struct password_cost cost; /* as configured */
	int strength_min;
	char password[PASSWORD_MAX_BYTES + 1];
	size_t password_len;
	char email[EMAIL_MAX_BYTES + 1];
	size_t email_len;
	char hash[PHC_MAX_BYTES]; /* in: to verify against; out: made */
	size_t hash_len;
	struct password_result result;
};

static struct text password_of(const struct password_job *job)
{
	return text_of(job->password, job->password_len);
}

static struct scratch scratch_of(const struct password_job *job, void *memory)
{
	return (struct scratch) {.memory = memory, .size = password_scratch_bytes(&job->cost)};
}

/* On a worker thread, as the two below. */
static void make(struct password_job *job, void *memory)
{
	struct phc phc;

	job->result.worked = password_hash_make(
		&job->cost, password_of(job), scratch_of(job, memory), &phc);
	if (job->result.worked) {
		job->hash_len = phc_write(&phc, job->hash);
		job->result.hash = text_of(job->hash, job->hash_len);
	}
	secret_wipe(&phc, sizeof(phc));
}

static void run_verify(struct worker_job *worker_job, void *memory)
{
	struct password_job *job = (struct password_job *)worker_job;
	struct phc phc;

	if (!phc_read(text_of(job->hash, job->hash_len), &phc))
		return; /* what is stored is no hash: `worked` stays false */
	job->result.matches = password_hash_matches(
		&phc, password_of(job), scratch_of(job, memory), &job->result.worked);
	if (job->result.matches && password_cost_is_weaker(&phc.cost, &job->cost))
		make(job, memory);
}

static void run_make(struct worker_job *worker_job, void *memory)
{
	struct password_job *job = (struct password_job *)worker_job;

	job->result.worked = true;
	job->result.too_common = password_strength(password_of(job),
					 text_of(job->email, job->email_len)) < job->strength_min;
	if (!job->result.too_common)
		make(job, memory);
}

static void free_job(struct worker_job *job)
{
	worker_job_delete(job, sizeof(struct password_job));
}

/* Bodies are bounded by their schema, stored hashes by what phc_write makes: longer is a defect. */
static size_t copy(char *out, size_t size, struct text text)
{
	assert(text.len <= size);
	if (text.len > 0 && text.len <= size)
		memcpy(out, text.data, text.len);
	return text.len <= size ? text.len : 0;
}

static struct password_job *new_job(const struct accounts *accounts, struct text password)
{
	struct password_job *job = worker_job_new(sizeof(*job));

	job->cost = accounts->cost;
	job->strength_min = (int)accounts->settings->strength;
	job->password_len = copy(job->password, PASSWORD_MAX_BYTES, password);
	return job;
}

enum flow_verdict password_verify(struct flow *flow, struct text password, struct text hash)
{
	const struct accounts *accounts = accounts_of(flow);
	struct password_job *job = new_job(accounts, password);

	if (hash.len == 0)
		hash = text_of(accounts->nobodys_hash, accounts->nobodys_hash_len);
	job->hash_len = copy(job->hash, sizeof(job->hash), hash);
	return worker_submit(flow, accounts->workers, &job->job, run_verify, free_job);
}

enum flow_verdict password_make(struct flow *flow, struct text password, struct text email)
{
	const struct accounts *accounts = accounts_of(flow);
	struct password_job *job = new_job(accounts, password);

	job->email_len = copy(job->email, EMAIL_MAX_BYTES, email);
	return worker_submit(flow, accounts->workers, &job->job, run_make, free_job);
}

const struct password_result *password_result(struct flow *flow)
{
	return &((struct password_job *)worker_result(flow))->result;
}
