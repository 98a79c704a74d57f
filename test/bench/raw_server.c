// SPDX-License-Identifier: Apache-2.0
/*
 * raw_server - the limit: epoll, one read, one write, no parsing. Answers every read with as many copies of
 * one fixed reply as there were blank lines in it. The reply is a file: the very bytes another server
 * sent, so that both put the same on the wire.
 *
 *   raw_server PORT REPLY_FILE
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256, READ_BYTES = 65536, REPLIES_MAX = 64 };

static char *replies; /* REPLIES_MAX copies in a row */
static size_t reply_len;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void read_reply(const char *path)
{
	static char one[READ_BYTES];
	FILE *file = fopen(path, "rb");

	if (file == NULL)
		die(path);
	reply_len = fread(one, 1, sizeof(one), file);
	fclose(file);
	replies = malloc(reply_len * REPLIES_MAX);
	if (replies == NULL || reply_len == 0)
		die("reply");
	for (int i = 0; i < REPLIES_MAX; i++)
		memcpy(replies + (size_t)i * reply_len, one, reply_len);
}

static int listen_on(const char *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1024) < 0)
		die("listen");
	return fd;
}

static void accept_all(int epoll, int listener)
{
	int fd, on = 1;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	}
}

static void serve(int fd)
{
	static char buffer[READ_BYTES];
	ssize_t len = read(fd, buffer, sizeof(buffer));
	size_t count = 0;
	const char *at = buffer, *end = buffer + len;

	if (len < 0 && errno == EAGAIN)
		return;
	if (len <= 0) {
		close(fd);
		return;
	}
	while (count < REPLIES_MAX &&
		(at = memmem(at, (size_t)(end - at), "\r\n\r\n", 4)) != NULL) {
		at += 4;
		count++;
	}
	if (write(fd, replies, count * reply_len) < 0)
		close(fd);
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS];
	struct epoll_event first = {.events = EPOLLIN};
	int listener, epoll;

	if (argc != 3) {
		fprintf(stderr, "usage: raw_server PORT REPLY_FILE\n");
		return 2;
	}
	read_reply(argv[2]);
	listener = listen_on(argv[1]);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	first.data.fd = listener;
	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &first);
	for (;;) {
		int count = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == listener)
				accept_all(epoll, listener);
			else
				serve(events[i].data.fd);
		}
	}
}
