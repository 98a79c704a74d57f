// SPDX-License-Identifier: Apache-2.0
/* flow - steps, verdicts, cancellation, deadlines, holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/flow.h"
#include "test/support/walk.h"

#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#endif

/* An operation that comes back on the next turn of the loop, as any real one does. */
struct echo {
	struct op op;
	struct loop_message message;
	bool abandoned;
	enum failure failure;
};

struct probe {
	struct loop loop;
	struct flow *flow;
	struct echo echo;
	struct flow_hold hold;
	unsigned steps_run;
	unsigned ends;
	unsigned releases;
	unsigned came_back;
	enum failure failure;
	const char *cause;
	const char *last_step;
};

static void abandon_echo(struct op *op)
{
	((struct echo *)op)->abandoned = true;
}

static const struct op_driver echo_driver = {.name = "echo", .abandon = abandon_echo};

static struct probe *probe_of(struct flow *flow)
{
	return flow->owner_data;
}

static void come_back(struct loop *loop, struct loop_message *message)
{
	struct echo *echo = (struct echo *)((char *)message - offsetof(struct echo, message));
	struct probe *probe = (struct probe *)((char *)loop - offsetof(struct probe, loop));

	probe->came_back++;
	if (echo->failure != FAILURE_NONE)
		flow_complete_failed(&echo->op, echo->failure, "the echo failed");
	else
		flow_complete(&echo->op, echo);
}

static enum flow_verdict start_echo(struct flow *flow, enum failure failure)
{
	struct echo *echo = &probe_of(flow)->echo;

	*echo = (struct echo) {.message.run = come_back, .failure = failure};
	loop_post(flow->loop, &echo->message);
	return flow_wait(flow, &echo->op, &echo_driver);
}

static enum flow_verdict ask(struct flow *flow)
{
	probe_of(flow)->steps_run++;
	return start_echo(flow, FAILURE_NONE);
}

static enum flow_verdict ask_in_vain(struct flow *flow)
{
	probe_of(flow)->steps_run++;
	return start_echo(flow, FAILURE_UNAVAILABLE);
}

static enum flow_verdict read_echo(struct flow *flow)
{
	probe_of(flow)->steps_run++;
	assert_ptr_equal(flow->result, &probe_of(flow)->echo);
	assert_ptr_equal(flow->result_driver, &echo_driver);
	return FLOW_NEXT;
}

static enum flow_verdict see_no_result(struct flow *flow)
{
	probe_of(flow)->steps_run++;
	assert_null(flow->result);
	return FLOW_NEXT;
}

static enum flow_verdict answer(struct flow *flow)
{
	probe_of(flow)->steps_run++;
	return FLOW_DONE;
}

static enum flow_verdict never_reached(struct flow *flow)
{
	(void)flow;
	fail_msg("a step ran that should not have");
	return FLOW_DONE;
}

static void release_hold(struct flow_hold *hold)
{
	((struct probe *)((char *)hold - offsetof(struct probe, hold)))->releases++;
}

static enum flow_verdict take_hold(struct flow *flow)
{
	struct probe *probe = probe_of(flow);

	probe->hold.release = release_hold;
	flow->hold = &probe->hold;
	return FLOW_NEXT;
}

static enum flow_verdict run_out_of_memory(struct flow *flow)
{
	return flow_fail(flow, FAILURE_MEMORY, "too much");
}

static const struct flow_step other_steps[] = {STEP(answer), STEP(never_reached), STEPS_END};

static enum flow_verdict fork_off(struct flow *flow)
{
	return flow_switch(flow, other_steps);
}

static enum flow_verdict leave_by_yourself(struct flow *flow)
{
	flow_stop(flow, FAILURE_SHUTDOWN);
	return FLOW_NEXT;
}

static void on_end(struct flow *flow, enum failure failure, const char *cause)
{
	struct probe *probe = probe_of(flow);

	probe->ends++;
	probe->failure = failure;
	probe->cause = cause;
	probe->flow = NULL;
}

static void on_step(struct flow *flow, const struct flow_step *step)
{
	probe_of(flow)->last_step = step->name;
}

static const struct flow_owner owner = {.on_end = on_end, .on_step = on_step};

static int set_up(void **state)
{
	static struct probe probe;

	probe = (struct probe) {0};
	assert_int_equal(loop_init(&probe.loop, 0), 0);
	*state = &probe;
	return 0;
}

static int tear_down(void **state)
{
	struct probe *probe = *state;

	loop_stop(&probe->loop);
	loop_run(&probe->loop);
	loop_deinit(&probe->loop);
	return 0;
}

static void begin(struct probe *probe, const struct flow_step *steps, uint64_t deadline_ms)
{
	probe->flow = flow_new(&probe->loop, &owner, probe, deadline_ms, 65536);
	flow_start(probe->flow, steps);
}

static bool has_ended(void *context)
{
	return ((struct probe *)context)->ends > 0;
}

static void a_table_runs_to_its_answer(void **state)
{
	static const struct flow_step steps[] = {
		STEP(ask),
		STEP(read_echo),
		STEP(see_no_result),
		STEP(answer),
		STEP(never_reached),
		STEPS_END
	};
	struct probe *probe = *state;

	begin(probe, steps, 0);
	assert_int_equal(probe->ends, 0);
	assert_true(turn_until(&probe->loop, has_ended, probe));
	assert_int_equal(probe->failure, FAILURE_NONE);
	assert_int_equal(probe->steps_run, 4);
	assert_string_equal(probe->last_step, "answer");
	assert_int_equal(probe->loop.flow_count, 0);
}

static void a_table_that_runs_off_its_end_is_done(void **state)
{
	static const struct flow_step steps[] = { STEP(see_no_result), STEPS_END };
	struct probe *probe = *state;

	begin(probe, steps, 0);
	assert_int_equal(probe->ends, 1);
	assert_int_equal(probe->failure, FAILURE_NONE);
}

static void a_failed_operation_ends_the_flow_without_another_step(void **state)
{
	static const struct flow_step steps[] = {
		STEP(ask_in_vain),
		STEP(never_reached),
		STEPS_END
	};
	struct probe *probe = *state;

	begin(probe, steps, 0);
	assert_true(turn_until(&probe->loop, has_ended, probe));
	assert_int_equal(probe->failure, FAILURE_UNAVAILABLE);
	assert_string_equal(probe->cause, "the echo failed");
}

static void a_client_that_leaves_abandons_the_operation(void **state)
{
	static const struct flow_step steps[] = { STEP(ask), STEP(never_reached), STEPS_END };
	struct probe *probe = *state;

	begin(probe, steps, 0);
	flow_stop(probe->flow, FAILURE_CLIENT_GONE);
	assert_int_equal(probe->ends, 1);
	assert_int_equal(probe->failure, FAILURE_CLIENT_GONE);
	assert_true(probe->echo.abandoned);
	turn_idle(&probe->loop);
	assert_int_equal(probe->came_back, 1); /* and was dropped in silence */
	assert_int_equal(probe->ends, 1);
}

static void past_a_commit_a_client_that_leaves_loses_only_the_reply(void **state)
{
	static const struct flow_step steps[] = {
		STEP_COMMITS(ask),
		STEP(read_echo),
		STEP(answer),
		STEPS_END
	};
	struct probe *probe = *state;

	begin(probe, steps, 0);
	flow_stop(probe->flow, FAILURE_CLIENT_GONE);
	assert_int_equal(probe->ends, 0);
	assert_true(probe->flow->client_gone);
	assert_true(turn_until(&probe->loop, has_ended, probe));
	assert_int_equal(probe->failure, FAILURE_NONE);
	assert_int_equal(probe->steps_run, 3);
}

static void a_deadline_ends_a_waiting_flow(void **state)
{
	static const struct flow_step steps[] = { STEP(ask), STEP(never_reached), STEPS_END };
	struct probe *probe = *state;

	probe->echo.failure = FAILURE_NONE;
	probe->flow = flow_new(&probe->loop, &owner, probe, 20, 65536);
	flow_start(probe->flow, steps);
	/* the echo must not come back before the deadline: take it out of the inbox */
	atomic_store(&probe->loop.inbox, NULL);
	assert_true(turn_until(&probe->loop, has_ended, probe));
	assert_int_equal(probe->failure, FAILURE_DEADLINE);
	assert_true(probe->echo.abandoned);
}

static void what_is_held_is_released_when_the_flow_ends_early(void **state)
{
	static const struct flow_step steps[] = {
		STEP(take_hold),
		STEP(ask),
		STEP(never_reached),
		STEPS_END
	};
	struct probe *probe = *state;

	begin(probe, steps, 0);
	assert_int_equal(probe->releases, 0);
	flow_stop(probe->flow, FAILURE_SHUTDOWN);
	assert_int_equal(probe->releases, 1);
	turn_idle(&probe->loop);
}

static void an_answer_with_something_held_releases_it(void **state)
{
	static const struct flow_step steps[] = { STEP(take_hold), STEP(answer), STEPS_END };
	struct probe *probe = *state;

	begin(probe, steps, 0);
	assert_int_equal(probe->releases, 1);
	assert_int_equal(probe->failure, FAILURE_NONE);
}

static void a_step_can_fail_the_flow(void **state)
{
	static const struct flow_step steps[] = {
		STEP(run_out_of_memory),
		STEP(never_reached),
		STEPS_END
	};
	struct probe *probe = *state;

	begin(probe, steps, 0);
	assert_int_equal(probe->failure, FAILURE_MEMORY);
	assert_string_equal(probe->cause, "too much");
}

static void a_fork_goes_on_with_the_other_table(void **state)
{
	static const struct flow_step steps[] = { STEP(fork_off), STEP(never_reached), STEPS_END };
	struct probe *probe = *state;

	begin(probe, steps, 0);
	assert_int_equal(probe->ends, 1);
	assert_string_equal(probe->last_step, "answer");
}

static void a_flow_stopped_inside_its_step_ends_after_it(void **state)
{
	static const struct flow_step steps[] = {
		STEP(leave_by_yourself),
		STEP(never_reached),
		STEPS_END
	};
	struct probe *probe = *state;

	begin(probe, steps, 0);
	assert_int_equal(probe->ends, 1);
	assert_int_equal(probe->failure, FAILURE_SHUTDOWN);
}

static enum flow_verdict fail_after_leaving(struct flow *flow)
{
	flow_stop(flow, FAILURE_CLIENT_GONE);
	return flow_fail(flow, FAILURE_MEMORY, "too much");
}

static enum flow_verdict leave_after_failing(struct flow *flow)
{
	enum flow_verdict verdict = flow_fail(flow, FAILURE_MEMORY, "too much");

	flow_stop(flow, FAILURE_CLIENT_GONE);
	return verdict;
}

static void of_two_failures_in_one_step_the_first_counts(void **state)
{
	static const struct flow_step leaves_first[] = { STEP(fail_after_leaving), STEPS_END };
	static const struct flow_step fails_first[] = { STEP(leave_after_failing), STEPS_END };
	struct probe *probe = *state;

	begin(probe, leaves_first, 0);
	assert_int_equal(probe->failure, FAILURE_CLIENT_GONE);
	assert_null(probe->cause);
	begin(probe, fails_first, 0);
	assert_int_equal(probe->failure, FAILURE_MEMORY);
	assert_string_equal(probe->cause, "too much");
}

static void leave_at_a_step(struct flow *flow, const struct flow_step *step)
{
	(void)step;
	flow_stop(flow, FAILURE_CLIENT_GONE);
}

static void a_flow_stopped_as_its_step_is_announced_ends_without_running_it(void **state)
{
	static const struct flow_step steps[] = { STEP_COMMITS(never_reached), STEPS_END };
	static const struct flow_owner leaver = {.on_end = on_end, .on_step = leave_at_a_step};
	struct probe *probe = *state;

	flow_start(flow_new(&probe->loop, &leaver, probe, 0, 4096), steps);
	assert_int_equal(probe->ends, 1);
	assert_int_equal(probe->failure, FAILURE_CLIENT_GONE);
}

static void stop_again(struct flow *flow, enum failure failure, const char *cause)
{
	flow_stop(flow, FAILURE_SHUTDOWN);
	flow_set_deadline(flow, 10);
	on_end(flow, failure, cause);
}

static void a_flow_stopped_by_its_own_end_ends_once(void **state)
{
	static const struct flow_step steps[] = { STEP(ask), STEP(never_reached), STEPS_END };
	static const struct flow_owner stubborn = {.on_end = stop_again};
	struct probe *probe = *state;

	probe->flow = flow_new(&probe->loop, &stubborn, probe, 0, 4096);
	flow_start(probe->flow, steps);
	flow_stop(probe->flow, FAILURE_CLIENT_GONE);
	assert_int_equal(probe->ends, 1);
	assert_int_equal(probe->failure, FAILURE_CLIENT_GONE);
	turn_idle(&probe->loop);
}

static void a_loop_that_stops_ends_the_flows_left_on_it(void **state)
{
	static const struct flow_step steps[] = {
		STEP_COMMITS(ask),
		STEP(never_reached),
		STEPS_END
	};
	struct probe *probe = *state;

	begin(probe, steps, 0);
	flow_stop(probe->flow, FAILURE_CLIENT_GONE); /* committed: it goes on alone */
	assert_int_equal(probe->ends, 0);
	loop_stop(&probe->loop);
	assert_int_equal(probe->ends, 1);
	assert_int_equal(probe->failure, FAILURE_SHUTDOWN);
	assert_true(probe->echo.abandoned);
	assert_int_equal(probe->loop.flow_count, 0);
}

static void stop_loop(struct flow *flow, enum failure failure, const char *cause)
{
	on_end(flow, failure, cause);
	loop_stop(flow->loop);
}

static enum flow_verdict stop_the_loop(struct flow *flow)
{
	loop_stop(flow->loop);
	return FLOW_DONE;
}

static void a_flow_may_stop_its_loop_from_a_step_or_its_end(void **state)
{
	static const struct flow_step steps[] = { STEP(stop_the_loop), STEPS_END };
	static const struct flow_owner last = {.on_end = stop_loop};
	struct probe *probe = *state;

	flow_start(flow_new(&probe->loop, &last, probe, 0, 4096), steps);
	assert_int_equal(probe->ends, 1);
	assert_int_equal(probe->loop.flow_count, 0);
}

static void a_deadline_beyond_all_time_never_comes(void **state)
{
	struct probe *probe = *state;
	struct flow *flow = flow_new(&probe->loop, &owner, probe, UINT64_MAX - 5, 4096);

	assert_true(flow_remaining_ms(flow) > 60000);
	flow_discard(flow);
}

#ifdef ARENA_POISONS
static void the_memory_of_a_flow_that_ended_is_poisoned(void **state)
{
	struct probe *probe = *state;
	struct flow *flow = flow_new(&probe->loop, &owner, probe, 0, 4096);

	assert_false(__asan_address_is_poisoned(flow));
	flow_discard(flow);
	assert_true(__asan_address_is_poisoned(flow));
}
#endif

static void what_is_left_of_a_deadline_is_never_zero(void **state)
{
	struct probe *probe = *state;
	struct flow *flow = flow_new(&probe->loop, &owner, probe, 0, 4096);

	assert_true(flow_remaining_ms(flow) == UINT64_MAX);
	flow_set_deadline(flow, 60000);
	assert_in_range(flow_remaining_ms(flow), 50000, 60000);
	flow->deadline_ns = 1;
	assert_int_equal(flow_remaining_ms(flow), 1);
	flow_discard(flow);
	assert_int_equal(probe->loop.flow_count, 0);
}

static void prepare(struct flow *flow, void *context)
{
	struct probe *probe = context;

	/* the walker's owner_data is its own: steps of this walk find the probe by the loop */
	flow->state = probe;
}

static enum flow_verdict ask_by_state(struct flow *flow)
{
	struct probe *probe = flow->state;

	probe->echo = (struct echo) {.message.run = come_back};
	loop_post(flow->loop, &probe->echo.message);
	return flow_wait(flow, &probe->echo.op, &echo_driver);
}

static enum flow_verdict be_done(struct flow *flow)
{
	(void)flow;
	return FLOW_DONE;
}

static void the_walker_leaves_at_every_wait(void **state)
{
	static const struct flow_step steps[] = {
		STEP(ask_by_state),
		STEP(ask_by_state),
		STEP(ask_by_state),
		STEP(be_done),
		STEPS_END
	};
	struct probe *probe = *state;
	struct walk walk = {
		.loop = &probe->loop, .steps = steps, .prepare = prepare, .context = probe};
	struct walk_counts counts = walk_steps(&walk);

	assert_int_equal(counts.waits, 3);
	assert_int_equal(counts.runs, 4);
	assert_int_equal(counts.ended, 4);
	assert_int_equal(counts.failure, FAILURE_NONE);
	assert_int_equal(probe->came_back, 3 + 1 + 2 + 3);
}

#define FLOW_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FLOW_TEST(a_table_runs_to_its_answer),
		FLOW_TEST(a_table_that_runs_off_its_end_is_done),
		FLOW_TEST(a_failed_operation_ends_the_flow_without_another_step),
		FLOW_TEST(a_client_that_leaves_abandons_the_operation),
		FLOW_TEST(past_a_commit_a_client_that_leaves_loses_only_the_reply),
		FLOW_TEST(a_deadline_ends_a_waiting_flow),
		FLOW_TEST(what_is_held_is_released_when_the_flow_ends_early),
		FLOW_TEST(an_answer_with_something_held_releases_it),
		FLOW_TEST(a_step_can_fail_the_flow),
		FLOW_TEST(a_fork_goes_on_with_the_other_table),
		FLOW_TEST(a_flow_stopped_inside_its_step_ends_after_it),
		FLOW_TEST(of_two_failures_in_one_step_the_first_counts),
		FLOW_TEST(a_flow_stopped_as_its_step_is_announced_ends_without_running_it),
		FLOW_TEST(a_flow_stopped_by_its_own_end_ends_once),
		FLOW_TEST(a_loop_that_stops_ends_the_flows_left_on_it),
		FLOW_TEST(a_flow_may_stop_its_loop_from_a_step_or_its_end),
		FLOW_TEST(a_deadline_beyond_all_time_never_comes),
#ifdef ARENA_POISONS
		FLOW_TEST(the_memory_of_a_flow_that_ended_is_poisoned),
#endif
		FLOW_TEST(what_is_left_of_a_deadline_is_never_zero),
		FLOW_TEST(the_walker_leaves_at_every_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
