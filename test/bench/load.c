// SPDX-License-Identifier: Apache-2.0
/*
 * load - a generator cheap enough to saturate a fast server from one core: keeps DEPTH requests in flight
 * on each of N keep-alive connections for a bounded time, checks the status of every answer, and prints
 * one JSON line. Closed model: it measures cost and capacity, not latency under a fixed arrival rate.
 *
 *   load PORT REQUEST_FILE CONNECTIONS DEPTH SECONDS STATUS
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	EVENTS = 512,
	BUFFER_BYTES = 65536,
	CONNECTIONS_MAX = 19000,
	DEPTH_MAX = 64,
	SECONDS_MAX = 600
};

struct link {
	int fd;
	size_t len; /* of what has come and is not a whole answer yet */
	char *buffer;
	uint64_t sent_ns;
	unsigned awaited;
};

struct load {
	int epoll;
	char batch[BUFFER_BYTES]; /* DEPTH requests in a row */
	size_t batch_len;
	unsigned depth;
	char status[4];
	uint64_t answers, wrong, broken, batches, latency_ns_sum, latency_ns_max;
};

static uint64_t now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static unsigned long number(const char *text, unsigned long max, const char *name)
{
	unsigned long value = strtoul(text, NULL, 10);

	if (value == 0 || value > max) {
		fprintf(stderr, "load: %s must be from 1 to %lu, not '%s'\n", name, max, text);
		exit(2);
	}
	return value;
}

static void read_request(struct load *load, const char *path)
{
	char one[8192];
	FILE *file = fopen(path, "rb");
	size_t len;

	if (file == NULL)
		die(path);
	len = fread(one, 1, sizeof(one), file);
	fclose(file);
	if (len * load->depth > sizeof(load->batch)) {
		fprintf(stderr, "load: the request is too long for that depth\n");
		exit(2);
	}
	for (unsigned i = 0; i < load->depth; i++)
		memcpy(load->batch + i * len, one, len);
	load->batch_len = len * load->depth;
}

static void send_batch(struct load *load, struct link *link)
{
	link->sent_ns = now_ns();
	link->awaited = load->depth;
	if (write(link->fd, load->batch, load->batch_len) != (ssize_t)load->batch_len)
		die("write");
}

static void open_link(struct load *load, struct link *link, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};
	int on = 1;

	link->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	link->buffer = malloc(BUFFER_BYTES);
	if (link->buffer == NULL ||
		connect(link->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("connect");
	setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	epoll_ctl(load->epoll, EPOLL_CTL_ADD, link->fd, &event);
}

/* Length of the answer that begins at data, 0 while it is not whole. */
static size_t answer_len(const char *data, size_t len)
{
	const char *end = memmem(data, len, "\r\n\r\n", 4);
	size_t head, body = 0;

	if (end == NULL)
		return 0;
	head = (size_t)(end - data) + 4;
	for (const char *at = data; at < end; at = memchr(at, '\n', (size_t)(end + 2 - at)) + 1)
		if ((*at | 0x20) == 'c' && strncasecmp(at, "content-length:", 15) == 0)
			body = strtoul(at + 15, NULL, 10);
	return head + body <= len ? head + body : 0;
}

static void take_answers(struct load *load, struct link *link)
{
	size_t done = 0, len;

	while (done < link->len && (len = answer_len(link->buffer + done, link->len - done)) > 0) {
		if (memcmp(link->buffer + done, "HTTP/1.1 ", 9) != 0 ||
			memcmp(link->buffer + done + 9, load->status, 3) != 0)
			load->wrong++;
		load->answers++;
		link->awaited--;
		done += len;
	}
	memmove(link->buffer, link->buffer + done, link->len - done);
	link->len -= done;
}

static void on_readable(struct load *load, struct link *link)
{
	ssize_t len = recv(
		link->fd, link->buffer + link->len, BUFFER_BYTES - link->len, MSG_DONTWAIT);
	uint64_t took_ns;

	if (len < 0 && errno == EAGAIN)
		return;
	if (len <= 0) {
		load->broken++;
		close(link->fd);
		return;
	}
	link->len += (size_t)len;
	take_answers(load, link);
	if (link->awaited > 0)
		return;
	took_ns = now_ns() - link->sent_ns;
	load->latency_ns_sum += took_ns;
	load->latency_ns_max = took_ns > load->latency_ns_max ? took_ns : load->latency_ns_max;
	load->batches++;
	send_batch(load, link);
}

int main(int argc, char **argv)
{
	static struct load load;
	struct epoll_event events[EVENTS];
	struct link *links;
	unsigned long connections, seconds, port;
	uint64_t begun_ns, until_ns;
	double took;

	if (argc != 7) {
		fprintf(stderr, "usage: load PORT REQUEST_FILE CONNECTIONS DEPTH SECONDS STATUS\n");
		return 2;
	}
	port = number(argv[1], 65535, "PORT");
	connections = number(argv[3], CONNECTIONS_MAX, "CONNECTIONS");
	load.depth = (unsigned)number(argv[4], DEPTH_MAX, "DEPTH");
	seconds = number(argv[5], SECONDS_MAX, "SECONDS");
	snprintf(load.status, sizeof(load.status), "%.3s", argv[6]);
	read_request(&load, argv[2]);
	load.epoll = epoll_create1(EPOLL_CLOEXEC);
	links = calloc(connections, sizeof(*links));
	if (links == NULL)
		die("links");
	for (unsigned long i = 0; i < connections; i++)
		open_link(&load, &links[i], (uint16_t)port);
	begun_ns = now_ns();
	until_ns = begun_ns + seconds * 1000000000u;
	for (unsigned long i = 0; i < connections; i++)
		send_batch(&load, &links[i]);
	while (now_ns() < until_ns && load.broken < connections) {
		int count = epoll_wait(load.epoll, events, EVENTS, 100);

		for (int i = 0; i < count; i++)
			on_readable(&load, events[i].data.ptr);
	}
	took = (double)(now_ns() - begun_ns) / 1e9;
	printf("{\"answers\":%lu,\"wrong\":%lu,\"broken\":%lu,\"seconds\":%.3f,\"mean_us\":%.1f,\"max_us\":%.1f}\n",
		load.answers, load.wrong, load.broken, took,
		load.batches ? (double)load.latency_ns_sum / (double)load.batches / 1e3 : 0.0,
		(double)load.latency_ns_max / 1e3);
	return load.wrong > 0 || load.broken > 0 ? 1 : 0;
}
