// SPDX-License-Identifier: Apache-2.0

#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/flow.h"
#include "http/handler.h"
#include "http/request.h"
#include "http/server_state.h"
#include "observability/log.h"
#include "observability/metrics.h"

enum { LOOPS = 4, HELD_MAX = 64, CLIENT_BYTES = BIG_BYTES + 65536, LIMIT_S = 10 };

struct held {
	struct op op;
	bool used;
};

struct wire_loop {
	struct loop loop;
	uv_thread_t thread;
	struct held held[HELD_MAX]; /* loop thread only */
	struct loop_message release;
	struct loop_message drain;
	struct wire_state *state;
	_Atomic(bool) is_draining;
};

struct wire_state {
	struct wire_loop loops[LOOPS];
	unsigned loop_count;
	struct arena arena;
	struct router *router;
	struct http_server *server;
	sem_t waiting, abandoned, ended, released, drained, blocked, unblocked;
	struct loop_message block;
	_Atomic(unsigned) piece_count;
	_Atomic(unsigned) asked_count;
};

static struct wire_state *running; /* one at a time: steps have no other way to it */

/* ---- routes ---- */

static char big[BIG_BYTES];

static flow_step_fn say_hello, say_big, hold, say_hello_again, say_nothing, say_address, count,
	echo;

static const struct flow_step hello_steps[] = {STEP(say_hello), STEPS_END};
static const struct flow_step big_steps[] = {STEP(say_big), STEPS_END};
static const struct flow_step wait_steps[] = {STEP(hold), STEP(say_hello_again), STEPS_END};
static const struct flow_step commit_steps[] = {
	STEP_COMMITS(hold), STEP(say_hello_again), STEPS_END};
static const struct flow_step silent_steps[] = {STEP(say_nothing), STEPS_END};
static const struct flow_step address_steps[] = {STEP(say_address), STEPS_END};
static const struct flow_step count_steps[] = {STEP(count), STEPS_END};
static const struct flow_step echo_steps[] = {STEP(echo), STEPS_END};

static enum flow_verdict say_hello(struct flow *flow)
{
	return reply_raw(flow, 200, TEXT("text/plain"), TEXT("hello"));
}

static enum flow_verdict say_big(struct flow *flow)
{
	return reply_raw(flow, 200, TEXT("text/plain"), text_of(big, sizeof(big)));
}

static void abandon(struct op *op)
{
	((struct held *)op)->used = false;
	sem_post(&running->abandoned);
}

static const struct op_driver holder = {.name = "holder", .abandon = abandon};

static enum flow_verdict hold(struct flow *flow)
{
	struct wire_loop *loop = &running->loops[flow->loop->index];
	unsigned i = 0;

	while (loop->held[i].used)
		i++;
	loop->held[i].used = true;
	sem_post(&running->waiting);
	return flow_wait(flow, &loop->held[i].op, &holder);
}

static enum flow_verdict say_hello_again(struct flow *flow)
{
	sem_post(&running->ended);
	return say_hello(flow);
}

static enum flow_verdict say_nothing(struct flow *flow)
{
	return FLOW_DONE;
}

static enum flow_verdict say_address(struct flow *flow)
{
	return reply_raw(flow, 200, TEXT("text/plain"), http_request_address(flow));
}

static enum flow_verdict count(struct flow *flow)
{
	unsigned before = atomic_fetch_add(&running->asked_count, 1);

	return reply_raw(flow, 200, TEXT("text/plain"), arena_printf(&flow->arena, "%06u", before));
}

struct echo_body {
	struct text text;
};
static const struct field echo_fields[] = {
	FIELD(FIELD_TEXT, echo_body, text, .max = 32768, .about = "What to say", .example = "hi"),
};
static const struct schema echo_schema = SCHEMA(echo_body, echo_fields, "A text");

static enum flow_verdict echo(struct flow *flow)
{
	struct echo_body *body = flow->state;

	return reply_raw(flow, 200, TEXT("text/plain"), body->text);
}

/* ---- bodies in pieces ---- */

struct stream {
	unsigned made;
};

static flow_step_fn begin_stream, send_piece, go_on, go_on_forever, send_word, note_end, fail_now;

static const struct flow_step stream_steps[] = {
	STEP(begin_stream), STEP(send_piece), STEP(go_on), STEPS_END};
static const struct flow_step endless_steps[] = {
	STEP(begin_stream), STEP(send_piece), STEP(go_on_forever), STEPS_END};
static const struct flow_step empty_stream_steps[] = {STEP(begin_stream), STEPS_END};
static const struct flow_step held_stream_steps[] = {
	STEP(begin_stream), STEP(send_word), STEP(hold), STEP(send_word), STEPS_END};
static const struct flow_step committed_stream_steps[] = {STEP(begin_stream), STEP(send_word),
	STEP_COMMITS(hold), STEP(send_word), STEP(note_end), STEPS_END};
static const struct flow_step failing_stream_steps[] = {
	STEP(begin_stream), STEP(send_word), STEP(fail_now), STEPS_END};
static const struct flow_step refused_stream_steps[] = {
	STEP(begin_stream), STEP(fail_now), STEPS_END};

static enum flow_verdict begin_stream(struct flow *flow)
{
	return reply_stream(flow, 200, TEXT("text/plain"));
}

static enum flow_verdict send_piece(struct flow *flow)
{
	struct stream *stream = flow->state;
	char piece[STREAM_PIECE_BYTES];

	memset(piece, 'a' + (int)(stream->made++ % 26), sizeof(piece));
	atomic_fetch_add(&running->piece_count, 1);
	return reply_piece(flow, text_of(piece, sizeof(piece)));
}

static enum flow_verdict go_on(struct flow *flow)
{
	struct stream *stream = flow->state;

	return stream->made == STREAM_PIECES ? FLOW_DONE : flow_switch(flow, &stream_steps[1]);
}

static enum flow_verdict go_on_forever(struct flow *flow)
{
	return flow_switch(flow, &endless_steps[1]);
}

static enum flow_verdict send_word(struct flow *flow)
{
	return reply_piece(flow, TEXT("word"));
}

static enum flow_verdict note_end(struct flow *flow)
{
	sem_post(&running->ended);
	return FLOW_DONE;
}

static enum flow_verdict fail_now(struct flow *flow)
{
	return flow_fail(flow, FAILURE_UNAVAILABLE, "the test asks for it");
}

#define STREAM(path_, name_, steps_) \
	{ \
		.method = HTTP_GET, .path = path_, .name = name_, .about = "For tests", \
		.reply_type = "text/plain", .state_size = sizeof(struct stream), .steps = steps_ \
	}

#define RAW(path_, name_, steps_) \
	{ \
		.method = HTTP_GET, .path = path_, .name = name_, .about = "For tests", \
		.reply_type = "text/plain", .steps = steps_ \
	}

static const struct route api_routes[] = {
	RAW("/hello", "hello", hello_steps),
	RAW("/big", "big", big_steps),
	RAW("/wait", "wait", wait_steps),
	RAW("/commit", "commit", commit_steps),
	RAW("/silent", "silent", silent_steps),
	RAW("/address", "address", address_steps),
	RAW("/count", "count", count_steps),
	STREAM("/stream", "stream", stream_steps),
	STREAM("/stream/endless", "endless", endless_steps),
	STREAM("/stream/empty", "empty_stream", empty_stream_steps),
	STREAM("/stream/held", "held_stream", held_stream_steps),
	STREAM("/stream/committed", "committed_stream", committed_stream_steps),
	STREAM("/stream/failing", "failing_stream", failing_stream_steps),
	STREAM("/stream/refused", "refused_stream", refused_stream_steps),
	{.method = HTTP_POST,
		.path = "/echo",
		.name = "echo",
		.about = "For tests",
		.reply_type = "text/plain",
		.body_max_bytes = ECHO_MAX_BYTES,
		STATE(echo_body),
		.body = &echo_schema,
		.steps = echo_steps},
	{.method = HTTP_POST,
		.path = "/bodiless",
		.name = "bodiless",
		.about = "For tests",
		.reply_type = "text/plain",
		.steps = hello_steps},
};
static const struct route ops_routes[] = {RAW("/ping", "ping", hello_steps)};
static const struct scope api = {.prefixes = {""}, .tag = "test", ROUTES(api_routes)};
static const struct scope ops = {
	.prefixes = {""}, .tag = "ops", .listeners = LISTENER_OPS, ROUTES(ops_routes)};
static const struct scope *const scopes[] = {&api, &ops};

/* ---- the server ---- */

void wire_init(struct wire *wire)
{
	struct arena arena;
	struct text error;

	*wire = (struct wire) {.loop_count = 1, .state = calloc(1, sizeof(*wire->state))};
	assert_non_null(wire->state);
	arena_init(&wire->state->arena, NULL, 64 << 20);
	arena = wire->state->arena;
	for (size_t i = 0; i < http_setting_group.row_count; i++)
		assert_true(setting_parse(&http_setting_group.rows[i],
			text_from_c(http_setting_group.rows[i].fallback), &wire->settings, &arena,
			&error));
	wire->state->arena = arena;
	wire->settings.port = wire->settings.ops_port = 0;
	wire->settings.drain_timeout_ms = 2000;
	memset(big, 'b', sizeof(big));
}

static void on_drained(struct loop *loop)
{
	sem_post(&running->drained);
	loop_stop(loop);
}

static void on_drain(struct loop *loop, struct loop_message *message)
{
	http_drain(loop, on_drained);
}

static void on_release(struct loop *loop, struct loop_message *message)
{
	struct wire_loop *own = &running->loops[loop->index];

	for (unsigned i = 0; i < HELD_MAX; i++) {
		if (own->held[i].used) {
			own->held[i].used = false;
			flow_complete(&own->held[i].op, NULL);
		}
	}
	sem_post(&running->released);
}

static void run(void *context)
{
	loop_run(context);
}

void wire_start(struct wire *wire)
{
	struct wire_state *state = wire->state;
	struct text error = TEXT_ABSENT;

	signal(SIGPIPE, SIG_IGN); /* as the program does */
	running = state;
	state->loop_count = wire->loop_count;
	sem_init(&state->waiting, 0, 0);
	sem_init(&state->abandoned, 0, 0);
	sem_init(&state->ended, 0, 0);
	sem_init(&state->released, 0, 0);
	sem_init(&state->drained, 0, 0);
	sem_init(&state->blocked, 0, 0);
	sem_init(&state->unblocked, 0, 0);
	state->router = router_new(scopes, 2, &state->arena, &error);
	if (state->router == NULL)
		fail_msg("%.*s", TEXT_ARG(error));
	state->server = http_server_new(
		&wire->settings, state->router, NULL, NULL, &state->arena, &error);
	if (state->server == NULL)
		fail_msg("%.*s", TEXT_ARG(error));
	for (unsigned i = 0; i < state->loop_count; i++) {
		assert_int_equal(loop_init(&state->loops[i].loop, i), 0);
		if (wire->metrics != NULL)
			state->loops[i].loop.metrics = metric_shard_new(wire->metrics);
		if (wire->log != NULL)
			state->loops[i].loop.log = log_ring_new(wire->log);
		assert_int_equal(http_attach(state->server, &state->loops[i].loop), 0);
	}
	for (unsigned i = 0; i < state->loop_count; i++)
		assert_int_equal(
			uv_thread_create(&state->loops[i].thread, run, &state->loops[i].loop), 0);
}

static void await(sem_t *semaphore)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += LIMIT_S;
	while (sem_timedwait(semaphore, &until) != 0)
		assert_int_equal(errno, EINTR);
}

void wire_drain(struct wire *wire)
{
	for (unsigned i = 0; i < wire->state->loop_count; i++) {
		struct wire_loop *loop = &wire->state->loops[i];

		if (atomic_exchange(&loop->is_draining, true))
			continue;
		loop->drain.run = on_drain;
		loop_post(&loop->loop, &loop->drain);
	}
}

static void on_block(struct loop *loop, struct loop_message *message)
{
	sem_post(&running->blocked);
	await(&running->unblocked);
}

void wire_block(struct wire *wire)
{
	wire->state->block.run = on_block;
	loop_post(&wire->state->loops[0].loop, &wire->state->block);
	await(&wire->state->blocked);
}

void wire_unblock(struct wire *wire)
{
	sem_post(&wire->state->unblocked);
}

void wire_stop(struct wire *wire)
{
	struct wire_state *state = wire->state;

	wire_drain(wire);
	for (unsigned i = 0; i < state->loop_count; i++)
		await(&state->drained);
	for (unsigned i = 0; i < state->loop_count; i++) {
		uv_thread_join(&state->loops[i].thread);
		wire->write_count += state->server->loops[i]->write_count;
		assert_int_equal(state->server->loops[i]->pending_bytes, 0);
		assert_int_equal(state->server->loops[i]->stashed_bytes, 0);
		assert_int_equal(state->server->loops[i]->intake_bytes, 0);
		assert_int_equal(state->loops[i].loop.flow_count, 0);
	}
	wire->piece_count = state->piece_count;
	assert_int_equal(http_connection_count(state->server), 0);
	assert_int_equal(state->server->api_count, 0);
	for (unsigned i = 0; i < state->loop_count; i++)
		loop_deinit(&state->loops[i].loop);
	http_server_free(state->server);
	router_free(state->router);
	arena_deinit(&state->arena);
	free(state);
	running = NULL;
}

size_t wire_connections(const struct wire *wire)
{
	return http_connection_count(wire->state->server);
}

unsigned wire_connections_of(const struct wire *wire, unsigned loop)
{
	return atomic_load(&wire->state->server->loops[loop]->connection_count);
}

uint16_t wire_port(const struct wire *wire, enum listener listener)
{
	return http_server_port(wire->state->server, listener);
}

void wire_await_waiting(struct wire *wire, unsigned count)
{
	while (count-- > 0)
		await(&wire->state->waiting);
}

void wire_await_abandoned(struct wire *wire)
{
	await(&wire->state->abandoned);
}

void wire_await_ended(struct wire *wire)
{
	await(&wire->state->ended);
}

void wire_release(struct wire *wire)
{
	for (unsigned i = 0; i < wire->state->loop_count; i++) {
		wire->state->loops[i].release.run = on_release;
		loop_post(&wire->state->loops[i].loop, &wire->state->loops[i].release);
		await(&wire->state->released);
	}
}

/* ---- the client ---- */

struct client client_open(struct wire *wire, enum listener listener)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct timeval limit = {.tv_sec = LIMIT_S};
	struct client client = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	int on = 1;

	address.sin_port = htons(http_server_port(wire->state->server, listener));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(client.fd >= 0);
	/* The kernel restarts what io_uring interrupts, without any signal, unless it has a timeout. */
	assert_int_equal(connect(client.fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setsockopt(client.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(client.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(client.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	client.data = malloc(CLIENT_BYTES);
	assert_non_null(client.data);
	return client;
}

void client_close(struct client *client)
{
	close(client->fd);
	free(client->data);
}

void client_reset(struct client *client)
{
	struct linger now = {.l_onoff = 1};

	setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	client_close(client);
}

static ssize_t give(struct client *client, const char *bytes, size_t len)
{
	ssize_t sent;

	do
		sent = send(client->fd, bytes, len, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent;
}

void client_send_bytes(struct client *client, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t sent = give(client, bytes, len);

		assert_true(sent > 0);
		bytes += sent;
		len -= (size_t)sent;
	}
}

void client_send(struct client *client, const char *bytes)
{
	client_send_bytes(client, bytes, strlen(bytes));
}

void client_trickle(struct client *client, const char *bytes)
{
	/* The server may have answered and closed before the last byte. */
	for (; *bytes != '\0'; bytes++)
		if (give(client, bytes, 1) != 1)
			return;
}

ssize_t client_take(struct client *client, char *out, size_t size)
{
	ssize_t got;

	do
		got = recv(client->fd, out, size, 0);
	while (got < 0 && errno == EINTR);
	return got;
}

bool client_read(struct client *client)
{
	ssize_t size;

	assert_true(client->len < CLIENT_BYTES);
	size = client_take(client, client->data + client->len, CLIENT_BYTES - client->len);
	assert_true(size >= 0 || errno == ECONNRESET);
	client->len += size > 0 ? (size_t)size : 0;
	return size > 0;
}

static size_t head_len(const struct client *client)
{
	const char *start = client->data + client->at;
	const char *end = memmem(start, client->len - client->at, "\r\n\r\n", 4);

	return end ? (size_t)(end - start) + 4 : 0;
}

bool client_header(const struct client *client, const char *name, char out[static 256])
{
	const char *line = client->head;
	size_t name_len = strlen(name);

	while ((line = strstr(line, "\r\n")) != NULL) {
		line += 2;
		if (strncasecmp(line, name, name_len) == 0 && line[name_len] == ':') {
			size_t len = strcspn(line + name_len + 2, "\r");

			assert_true(len < 256);
			memcpy(out, line + name_len + 2, len);
			out[len] = '\0';
			return true;
		}
	}
	return false;
}

bool client_receive(struct client *client, bool without_body)
{
	char value[256];
	size_t head, body = 0;

	while ((head = head_len(client)) == 0)
		if (!client_read(client))
			return false;
	assert_true(head < sizeof(client->head));
	memcpy(client->head, client->data + client->at, head);
	client->head[head] = '\0';
	assert_int_equal(strncmp(client->head, "HTTP/1.1 ", 9), 0);
	client->status = (unsigned)atoi(client->head + 9);
	if (client_header(client, "Content-Length", value) && !without_body)
		body = strtoul(value, NULL, 10);
	while (client->len - client->at < head + body)
		if (!client_read(client))
			return false;
	client->body = client->data + client->at + head;
	client->body_len = body;
	client->at += head + body;
	return true;
}

void client_expect(struct client *client, unsigned status)
{
	assert_true(client_receive(client, false));
	if (client->status != status)
		print_error("%s%.*s\n", client->head, (int)client->body_len, client->body);
	assert_int_equal(client->status, status);
}

void client_expect_end(struct client *client)
{
	while (client_read(client))
		;
	assert_int_equal(client->len - client->at, 0);
}
