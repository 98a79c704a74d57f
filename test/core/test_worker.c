// SPDX-License-Identifier: Apache-2.0
/* worker - bounded classes across real threads; loop_post from many threads. */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/worker.h"
#include "test/support/walk.h"

enum { SENDERS = 4, MESSAGES = 5000 };

struct sum {
	struct worker_job job;
	int a, b, result;
	sem_t *gate;
};

struct bench {
	struct loop loop;
	struct worker_class *class;
	sem_t gate;
	unsigned ended, freed;
	enum failure failure;
	int result;
};

static struct bench bench;

static void add_up(struct worker_job *job, void *scratch)
{
	struct sum *sum = (struct sum *)job;

	if (sum->gate != NULL)
		sem_wait(sum->gate);
	*(int *)scratch += 1;
	sum->result = sum->a + sum->b;
}

static void free_sum(struct worker_job *job)
{
	bench.freed++;
	worker_job_delete(job, sizeof(struct sum));
}

static enum flow_verdict submit(struct flow *flow)
{
	struct sum *sum = worker_job_new(sizeof(*sum));

	sum->a = 2;
	sum->b = 40;
	sum->gate = flow->state;
	return worker_submit(flow, bench.class, &sum->job, add_up, free_sum);
}

static enum flow_verdict read_sum(struct flow *flow)
{
	bench.result = ((struct sum *)worker_result(flow))->result;
	return FLOW_DONE;
}

static const struct flow_step steps[] = {STEP(submit), STEP(read_sum), STEPS_END};

static void on_end(struct flow *flow, enum failure failure, const char *cause)
{
	(void)flow;
	(void)cause;
	bench.ended++;
	if (failure != FAILURE_NONE)
		bench.failure = failure;
}

static const struct flow_owner owner = {.on_end = on_end};

static int set_up(void **state)
{
	(void)state;
	bench = (struct bench) {0};
	sem_init(&bench.gate, 0, 0);
	bench.class = worker_class_open("sums", 2, 3, 64);
	assert_non_null(bench.class);
	return loop_init(&bench.loop, 0);
}

static int tear_down(void **state)
{
	(void)state;
	loop_stop(&bench.loop);
	loop_run(&bench.loop);
	worker_class_close(bench.class);
	loop_deinit(&bench.loop);
	sem_destroy(&bench.gate);
	return 0;
}

static struct flow *begin(sem_t *gate, uint64_t deadline_ms)
{
	struct flow *flow = flow_new(&bench.loop, &owner, NULL, deadline_ms, 4096);

	flow->state = gate;
	flow_start(flow, steps);
	return flow;
}

static bool are_ended(void *context)
{
	return bench.ended >= *(unsigned *)context;
}

static bool are_freed(void *context)
{
	return bench.freed >= *(unsigned *)context;
}

static bool are_running(void *context)
{
	return worker_class_stats(bench.class).running == *(unsigned *)context;
}

static void a_job_runs_on_a_worker_and_comes_back(void **state)
{
	unsigned one = 1;

	(void)state;
	begin(NULL, 0);
	assert_true(turn_until(&bench.loop, are_ended, &one));
	assert_int_equal(bench.result, 42);
	assert_int_equal(bench.freed, 1);
	assert_int_equal(worker_class_stats(bench.class).done_total, 1);
}

static void a_full_queue_refuses_at_once(void **state)
{
	unsigned two = 2, all = 6;

	(void)state;
	begin(&bench.gate, 0);
	begin(&bench.gate, 0);
	assert_true(turn_until(&bench.loop, are_running, &two));
	for (int i = 0; i < 3; i++)
		begin(&bench.gate, 0);
	assert_int_equal(bench.ended, 0);
	begin(&bench.gate, 0);
	assert_int_equal(bench.ended, 1);
	assert_int_equal(bench.failure, FAILURE_BUSY);
	assert_int_equal(worker_class_stats(bench.class).refused_total, 1);
	for (int i = 0; i < 5; i++)
		sem_post(&bench.gate);
	assert_true(turn_until(&bench.loop, are_ended, &all));
	assert_int_equal(bench.freed, 6);
}

static void an_abandoned_job_is_dropped_unrun_and_freed(void **state)
{
	unsigned two = 2, three = 3;
	struct flow *third;

	(void)state;
	begin(&bench.gate, 0);
	begin(&bench.gate, 0);
	assert_true(turn_until(&bench.loop, are_running, &two));
	third = begin(&bench.gate, 0);
	flow_stop(third, FAILURE_CLIENT_GONE);
	assert_int_equal(bench.failure, FAILURE_CLIENT_GONE);
	sem_post(&bench.gate);
	sem_post(&bench.gate);
	assert_true(turn_until(&bench.loop, are_freed, &three));
	assert_int_equal(bench.ended, 3);
	assert_int_equal(worker_class_stats(bench.class).expired_total, 1);
}

static void a_class_that_closes_frees_what_is_queued(void **state)
{
	unsigned two = 2;
	struct flow *flows[3];

	(void)state;
	for (int i = 0; i < 2; i++)
		flows[i] = begin(&bench.gate, 0);
	assert_true(turn_until(&bench.loop, are_running, &two));
	flows[2] = begin(&bench.gate, 0);
	for (int i = 0; i < 3; i++)
		flow_stop(flows[i], FAILURE_SHUTDOWN);
	assert_int_equal(bench.ended, 3);
	sem_post(&bench.gate);
	sem_post(&bench.gate);
	/* tear_down stops the loop, closes the class and frees what came too late */
}

struct note {
	struct loop_message message;
	unsigned sender, number;
};

static unsigned heard[SENDERS];
static unsigned out_of_order;

static void hear(struct loop *loop, struct loop_message *message)
{
	struct note *note = (struct note *)message;

	(void)loop;
	if (heard[note->sender]++ != note->number)
		out_of_order++;
	free(note);
}

static void *send_notes(void *argument)
{
	unsigned sender = (unsigned)(uintptr_t)argument;

	for (unsigned i = 0; i < MESSAGES; i++) {
		struct note *note = calloc(1, sizeof(*note));

		note->message.run = hear;
		note->sender = sender;
		note->number = i;
		loop_post(&bench.loop, &note->message);
	}
	return NULL;
}

static bool are_heard(void *context)
{
	unsigned total = 0;

	(void)context;
	for (unsigned i = 0; i < SENDERS; i++)
		total += heard[i];
	return total == SENDERS * MESSAGES;
}

static void messages_of_one_sender_arrive_once_and_in_order(void **state)
{
	pthread_t threads[SENDERS];

	(void)state;
	for (unsigned i = 0; i < SENDERS; i++)
		pthread_create(&threads[i], NULL, send_notes, (void *)(uintptr_t)i);
	assert_true(turn_until(&bench.loop, are_heard, NULL));
	for (unsigned i = 0; i < SENDERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(out_of_order, 0);
}

static void pass_on(struct loop *loop, struct loop_message *message)
{
	message->run = hear;
	loop_post(loop, message);
}

static void what_is_sent_too_late_is_run_with_all_it_sends(void **state)
{
	struct note *note = calloc(1, sizeof(*note));
	unsigned before = heard[0];

	(void)state;
	loop_stop(&bench.loop);
	loop_run(&bench.loop);
	note->message.run = pass_on;
	note->number = before;
	loop_post(&bench.loop, &note->message);
	loop_deinit(&bench.loop);
	assert_int_equal(heard[0], before + 1);
	assert_int_equal(loop_init(&bench.loop, 0), 0); /* for tear_down */
}

static void a_loop_may_stop_while_others_send(void **state)
{
	pthread_t threads[SENDERS];

	(void)state;
	for (unsigned i = 0; i < SENDERS; i++) {
		heard[i] = 0;
		pthread_create(&threads[i], NULL, send_notes, (void *)(uintptr_t)i);
	}
	turn_idle(&bench.loop);
	loop_stop(&bench.loop);
	loop_run(&bench.loop);
	for (unsigned i = 0; i < SENDERS; i++)
		pthread_join(threads[i], NULL);
	loop_deinit(&bench.loop);
	assert_true(are_heard(NULL));
	assert_int_equal(out_of_order, 0);
	assert_int_equal(loop_init(&bench.loop, 0), 0); /* for tear_down */
}

#define WORKER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORKER_TEST(a_job_runs_on_a_worker_and_comes_back),
		WORKER_TEST(a_full_queue_refuses_at_once),
		WORKER_TEST(an_abandoned_job_is_dropped_unrun_and_freed),
		WORKER_TEST(a_class_that_closes_frees_what_is_queued),
		WORKER_TEST(messages_of_one_sender_arrive_once_and_in_order),
		WORKER_TEST(what_is_sent_too_late_is_run_with_all_it_sends),
		WORKER_TEST(a_loop_may_stop_while_others_send),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
