// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "domains/ops/ops.h"
#include "test/http/ask.h"

static bool database_up;

bool db_is_up(const struct db *db)
{
	return database_up;
}

const struct domain *const domain_list[] = {&ops_domain, NULL};

void *domain_state(const struct loop *loop, const struct domain *domain)
{
	return loop->domains->states[0];
}

struct fixture {
	struct desk desk;
	struct domain_context context;
	struct domains domains;
	struct metrics *metrics;
};

static struct fixture *open_fixture(bool production)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct text error = TEXT_ABSENT;

	desk_open(&fixture->desk, ops_domain.scopes, ops_domain.scope_count);
	fixture->metrics = metrics_new();
	fixture->context = (struct domain_context) {
		.arena = &fixture->desk.arena,
		.metrics = fixture->metrics,
		.production = production,
		.version = "1.2.3",
	};
	assert_true(ops_domain.open(&fixture->context, NULL, &fixture->domains.states[0], &error));
	fixture->domains.context = &fixture->context;
	fixture->desk.loop.domains = &fixture->domains;
	database_up = true;
	return fixture;
}

static int open_development(void **state)
{
	*state = open_fixture(false);
	return 0;
}

static int open_production(void **state)
{
	*state = open_fixture(true);
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *fixture = *state;

	desk_close(&fixture->desk);
	metrics_free(fixture->metrics);
	free(fixture);
	return 0;
}

static const struct answer *get(
	struct fixture *fixture, enum listener listener, const char *path, const char *query)
{
	return ask(&fixture->desk,
		&(struct asked) {
			.method = HTTP_GET, .path = path, .query = query, .listener = listener});
}

static void expect(struct fixture *fixture, const char *path, unsigned status, const char *word)
{
	const struct answer *answer = get(fixture, LISTENER_API, path, NULL);
	char part[64];

	snprintf(part, sizeof(part), "{\"status\":\"%s\",\"version\":\"1.2.3\",\"uptime_s\":0}",
		word);
	assert_int_equal(answer->response.status, status);
	assert_text_equal(answer->response.body, part);
	assert_text_equal(answer->response.media_type, "application/json");
	assert_text_equal(answer_header(answer, "cache-control"), "no-store");
}

static void before_the_start_is_over_only_live_is_well(void **state)
{
	expect(*state, "/health/live", 200, "ok");
	expect(*state, "/health/startup", 503, "fail");
	expect(*state, "/health/ready", 503, "fail");
	expect(*state, "/health", 503, "fail");
}

static void after_the_start_everything_is_well_under_every_name(void **state)
{
	static const char *const paths[] = {"/health", "/health/live", "/health/ready",
		"/health/startup", "/healthz", "/livez", "/readyz"};
	struct fixture *fixture = *state;

	ops_set_ready(&fixture->domains);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		expect(fixture, paths[i], 200, "ok");
}

static void draining_turns_readiness_off_for_good(void **state)
{
	struct fixture *fixture = *state;

	ops_set_ready(&fixture->domains);
	ops_set_draining(&fixture->domains);
	ops_set_ready(&fixture->domains);
	expect(fixture, "/health/ready", 503, "fail");
	expect(fixture, "/health/live", 200, "ok");
	expect(fixture, "/health/startup", 200, "ok");
	expect(fixture, "/health", 200, "degraded");
}

static void without_its_database_it_lives_but_is_not_ready(void **state)
{
	struct fixture *fixture = *state;

	ops_set_ready(&fixture->domains);
	database_up = false;
	expect(fixture, "/health/ready", 503, "fail");
	expect(fixture, "/health/live", 200, "ok");
	expect(fixture, "/health/startup", 200, "ok");
	expect(fixture, "/health", 503, "fail");
}

static void operators_learn_which_part_is_ill(void **state)
{
	struct fixture *fixture = *state;

	ops_set_ready(&fixture->domains);
	database_up = false;
	assert_text_has(get(fixture, LISTENER_OPS, "/health", NULL)->response.body,
		"\"checks\":{\"startup\":\"ok\",\"accepting\":\"ok\",\"database\":\"fail\"}}");
	assert_text_has(get(fixture, LISTENER_OPS, "/readyz", NULL)->response.body, "\"checks\":{");
}

static void expect_plain(
	struct fixture *fixture, const char *path, unsigned status, const char *word)
{
	const struct answer *answer = get(fixture, LISTENER_API, path, "plain=1");

	assert_int_equal(answer->response.status, status);
	assert_text_equal(answer->response.body, word);
	assert_text_equal(answer->response.media_type, "text/plain; charset=utf-8");
}

static void plain_answers_one_word(void **state)
{
	struct fixture *fixture = *state;

	expect_plain(fixture, "/health/ready", 503, "fail");
	ops_set_ready(&fixture->domains);
	expect_plain(fixture, "/health/live", 200, "live");
	expect_plain(fixture, "/health/ready", 200, "ready");
	expect_plain(fixture, "/health/startup", 200, "started");
	expect_plain(fixture, "/health", 200, "ok");
	assert_text_has(get(fixture, LISTENER_API, "/health/live", "plain=0")->response.body,
		"{\"status\"");
	assert_int_equal(
		get(fixture, LISTENER_API, "/health/live", "plain=2")->response.status, 422);
}

static void the_version_names_the_build(void **state)
{
	const struct answer *answer = get(*state, LISTENER_OPS, "/version", NULL);

	assert_int_equal(answer->response.status, 200);
	assert_text_has(answer->response.body,
		"{\"name\":\"millrace\",\"version\":\"1.2.3\",\"commit\":\"");
}

static void metrics_come_in_the_text_format(void **state)
{
	static const struct metric up = {.name = "test_up", .kind = METRIC_GAUGE, .help = "Up."};
	struct fixture *fixture = *state;

	metric_series(fixture->metrics, &up, METRIC_NO_LABELS);

	const struct answer *answer = get(fixture, LISTENER_OPS, "/metrics", NULL);

	assert_int_equal(answer->response.status, 200);
	assert_text_equal(answer->response.media_type, "text/plain; version=0.0.4; charset=utf-8");
	assert_text_equal(
		answer->response.body, "# HELP test_up Up.\n# TYPE test_up gauge\ntest_up 0\n");
}

static void in_development_operators_routes_stand_beside_the_api(void **state)
{
	assert_int_equal(get(*state, LISTENER_API, "/metrics", NULL)->response.status, 200);
	assert_int_equal(get(*state, LISTENER_API, "/version", NULL)->response.status, 200);
}

static void in_production_they_are_a_404_there(void **state)
{
	assert_int_equal(get(*state, LISTENER_API, "/metrics", NULL)->response.status, 404);
	assert_int_equal(get(*state, LISTENER_API, "/version", NULL)->response.status, 404);
	assert_int_equal(get(*state, LISTENER_OPS, "/metrics", NULL)->response.status, 200);
	assert_int_equal(get(*state, LISTENER_OPS, "/version", NULL)->response.status, 200);
}

#define TEST(name_, open_) cmocka_unit_test_setup_teardown(name_, open_, close_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(before_the_start_is_over_only_live_is_well, open_production),
		TEST(after_the_start_everything_is_well_under_every_name, open_production),
		TEST(draining_turns_readiness_off_for_good, open_production),
		TEST(without_its_database_it_lives_but_is_not_ready, open_production),
		TEST(operators_learn_which_part_is_ill, open_production),
		TEST(plain_answers_one_word, open_production),
		TEST(the_version_names_the_build, open_production),
		TEST(metrics_come_in_the_text_format, open_production),
		TEST(in_development_operators_routes_stand_beside_the_api, open_development),
		TEST(in_production_they_are_a_404_there, open_production),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
