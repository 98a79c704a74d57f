// SPDX-License-Identifier: Apache-2.0
/*
 * statement - what a loop knows of each statement it has run: a number, its series, its columns and how
 * long it takes. An open-addressing table by address; statements are consts of the program, so the table
 * is as large as the program and never shrinks.
 */
#include <stdlib.h>

#include "db/engine.h"
#include "observability/log.h"
#include "observability/metrics.h"

enum { FIRST_SLOTS = 64, NS_PER_US = 1000, NS_PER_MS = 1000000 };

static const struct metric query_duration = {
	.name = "database_query_duration_seconds",
	.kind = METRIC_HISTOGRAM,
	.help = "Time from sending a statement to its result, by statement name.",
	.labels = {"query"},
};
static const struct metric query_errors = {
	.name = "database_query_errors_total",
	.kind = METRIC_COUNTER,
	.help = "Statements that did not succeed, by statement name and error.",
	.labels = {"query", "error"},
};
static const struct metric wait_duration = {
	.name = "database_wait_duration_seconds",
	.kind = METRIC_HISTOGRAM,
	.help = "Time that statements waited for a connection; only those that had to.",
};
static const struct metric connections_active = {
	.name = "database_connections_active",
	.kind = METRIC_GAUGE,
	.help = "Database connections with work in flight.",
};
static const struct metric connections_idle = {
	.name = "database_connections_idle",
	.kind = METRIC_GAUGE,
	.help = "Open database connections without work.",
};

static size_t slot_of(const struct db_statement *statement, size_t slots)
{
	/* Fibonacci hashing (Knuth, TAOCP 3, 6.4): 2^64 divided by the golden ratio. */
	return (size_t)(((uintptr_t)statement >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 32) &
		(slots - 1);
}

static struct db_statement_info **find(
	struct db_statement_info **table, size_t slots, const struct db_statement *statement)
{
	size_t slot = slot_of(statement, slots);

	while (table[slot] != NULL && table[slot]->statement != statement)
		slot = (slot + 1) & (slots - 1);
	return &table[slot];
}

static bool grow(struct db_loop *db_loop)
{
	size_t slots = db_loop->statement_slots == 0 ? FIRST_SLOTS : db_loop->statement_slots * 2;
	struct db_statement_info **table = calloc(slots, sizeof(*table));

	if (table == NULL)
		return false;
	for (size_t i = 0; i < db_loop->statement_slots; i++)
		if (db_loop->statements[i] != NULL)
			*find(table, slots,
				db_loop->statements[i]->statement) = db_loop->statements[i];
	free(db_loop->statements);
	db_loop->statements = table;
	db_loop->statement_slots = slots;
	return true;
}

static struct db_statement_info *info_new(
	struct db_loop *db_loop, const struct db_statement *statement)
{
	struct db_statement_info *info = calloc(1, sizeof(*info));
	struct metrics *metrics = db_loop->db->metrics;

	if (info == NULL)
		return NULL;
	info->statement = statement;
	info->is_slow = statement->slow;
	info->number = (uint32_t)db_loop->statement_count++;
	if (metrics != NULL)
		info->duration_series = metric_series(
			metrics, &query_duration, METRIC_LABELS(text_from_c(statement->name)));
	return info;
}

struct db_statement_info *db_statement_info(
	struct db_loop *db_loop, const struct db_statement *statement)
{
	struct db_statement_info **slot;

	if (db_loop->statement_slots > 0) {
		slot = find(db_loop->statements, db_loop->statement_slots, statement);
		if (*slot != NULL)
			return *slot;
	}
	if ((db_loop->statement_count + 1) * 2 > db_loop->statement_slots && !grow(db_loop))
		return NULL;
	slot = find(db_loop->statements, db_loop->statement_slots, statement);
	*slot = info_new(db_loop, statement);
	return *slot;
}

void db_statements_init(struct db_loop *db_loop)
{
	struct metrics *metrics = db_loop->db->metrics;

	if (metrics == NULL)
		return;
	db_loop->active_series = metric_series(metrics, &connections_active, NULL, 0);
	db_loop->idle_series = metric_series(metrics, &connections_idle, NULL, 0);
	db_loop->wait_series = metric_series(metrics, &wait_duration, NULL, 0);
}

void db_statements_free(struct db_loop *db_loop)
{
	for (size_t i = 0; i < db_loop->statement_slots; i++)
		free(db_loop->statements[i]);
	free(db_loop->statements);
	db_loop->statements = NULL;
	db_loop->statement_slots = 0;
	db_loop->statement_count = 0;
}

void db_statement_learn(struct db_loop *db_loop, struct db_statement_info *info, uint64_t busy_ns)
{
	uint64_t limit_us = (uint64_t)db_loop->db->settings.slow_query_ms * 1000;
	uint64_t busy_us = busy_ns / NS_PER_US + 1;

	/* The new measure weighs an eighth, as in TCP's round trip estimate (RFC 6298, 2.3). */
	if (info->average_us == 0)
		info->average_us = busy_us;
	else
		info->average_us = info->average_us - info->average_us / 8 + busy_us / 8;
	if (info->statement->slow || limit_us == 0)
		return;
	if (info->average_us > limit_us)
		info->is_slow = true;
	else if (info->average_us < limit_us / 2)
		info->is_slow = false;
}

static void log_slow(struct db_loop *db_loop, const char *name, struct flow *flow, uint64_t took_ns)
{
	const struct log_field fields[] = {
		LOG_STRING("query", name),
		LOG_DECIMAL("duration_ms", (double)took_ns / NS_PER_MS),
	};

	if (db_loop->loop->log == NULL)
		return;
	if (flow != NULL)
		log_write_flow(flow, LOG_WARN, "slow_query", fields, 2);
	else
		log_write(db_loop->loop->log, LOG_WARN, "slow_query", fields, 2);
}

void db_statement_observe(struct db_loop *db_loop, struct db_statement_info *info,
	struct flow *flow, uint64_t took_ns, const char *error)
{
	struct metrics *metrics = db_loop->db->metrics;
	struct metric_shard *shard = db_loop->loop->metrics;
	uint64_t slow_ns = (uint64_t)db_loop->db->settings.slow_query_ms * NS_PER_MS;
	const char *name = info->statement->name;

	if (slow_ns > 0 && took_ns > slow_ns)
		log_slow(db_loop, name, flow, took_ns);
	if (metrics == NULL || shard == NULL)
		return;
	metric_observe(shard, info->duration_series, (double)took_ns / 1e9);
	if (error != NULL)
		metric_add(shard,
			metric_series(metrics, &query_errors,
				METRIC_LABELS(text_from_c(name), text_from_c(error))),
			1);
}

void db_wait_observe(struct db_loop *db_loop, uint64_t waited_ns)
{
	if (db_loop->loop->metrics != NULL)
		metric_observe(
			db_loop->loop->metrics, db_loop->wait_series, (double)waited_ns / 1e9);
}

void db_connections_observe(struct db_loop *db_loop, size_t active, size_t idle)
{
	struct metric_shard *shard = db_loop->loop->metrics;

	if (shard == NULL)
		return;
	metric_set(shard, db_loop->active_series, (double)active);
	metric_set(shard, db_loop->idle_series, (double)idle);
}
