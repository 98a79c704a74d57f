// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/doctor.h"

enum { ANSWER_WITHIN_MS = 1000 };

union place {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* As http.host and ops.host are written; 0 when it is no address. */
static socklen_t parse_place(struct text host, int64_t port, union place *place_out)
{
	char terminated[INET6_ADDRSTRLEN];

	memset(place_out, 0, sizeof(*place_out));
	if (text_equals(host, TEXT("localhost")))
		host = TEXT("127.0.0.1");
	if (host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
		host = text_of(host.data + 1, host.len - 2);
	if (host.len == 0 || host.len >= sizeof(terminated))
		return 0;
	snprintf(terminated, sizeof(terminated), "%.*s", TEXT_ARG(host));
	place_out->v4.sin_family = AF_INET;
	place_out->v4.sin_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, terminated, &place_out->v4.sin_addr) == 1)
		return sizeof(place_out->v4);
	memset(place_out, 0, sizeof(*place_out));
	place_out->v6.sin6_family = AF_INET6;
	place_out->v6.sin6_port = htons((uint16_t)port);
	return inet_pton(AF_INET6, terminated, &place_out->v6.sin6_addr) == 1
		? sizeof(place_out->v6)
		: 0;
}

/* 0 when a listener could be opened there, or a negative errno. */
static int try_to_listen(const union place *place, socklen_t len)
{
	int on = 1, off = 0, result = 0;
	int fd = socket(place->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (place->any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, &place->any, len) != 0 || listen(fd, 1) != 0)
		result = -errno;
	close(fd);
	return result;
}

static bool wait_for(int fd, short events)
{
	struct pollfd wait = {.fd = fd, .events = events};

	return poll(&wait, 1, ANSWER_WITHIN_MS) == 1;
}

/* Does what listens there answer as the server does? Every interface (0.0.0.0, ::) is asked on this machine. */
static bool is_the_server(const union place *place, socklen_t len)
{
	static const char question[] =
		"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	static const char expected[] = "HTTP/1.1 200 ";
	char answer[sizeof(expected) - 1];
	size_t got = 0;
	ssize_t part = 1;
	int fd = socket(place->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return false;
	if ((connect(fd, &place->any, len) == 0 || errno == EINPROGRESS) && wait_for(fd, POLLOUT) &&
		send(fd, question, sizeof(question) - 1, MSG_NOSIGNAL) ==
			(ssize_t)sizeof(question) - 1)
		while (part > 0 && got < sizeof(answer) && wait_for(fd, POLLIN)) {
			part = recv(fd, answer + got, sizeof(answer) - got, 0);
			got += part > 0 ? (size_t)part : 0;
		}
	close(fd);
	return got == sizeof(answer) && memcmp(answer, expected, sizeof(answer)) == 0;
}

static void check_port(struct doctor *doctor, const char *name, struct text host, int64_t port)
{
	struct arena *arena = doctor->program.arena;
	union place place;
	socklen_t len = parse_place(host, port, &place);
	struct text shown = arena_printf(arena, "%.*s port %lld", TEXT_ARG(host), (long long)port);
	int result = len > 0 ? try_to_listen(&place, len) : -EADDRNOTAVAIL;

	if (result == 0)
		doctor_find(doctor, name, VERDICT_OK,
			port == 0 ? TEXT("the start picks a free one")
				  : arena_printf(arena, "%.*s is free", TEXT_ARG(shown)));
	else if (result == -EADDRINUSE && is_the_server(&place, len))
		doctor_find(doctor, name, VERDICT_OK,
			arena_printf(arena, "a server answers at %.*s", TEXT_ARG(shown)));
	else if (result == -EADDRINUSE)
		doctor_find(doctor, name, VERDICT_FAIL,
			arena_printf(arena, "%.*s is taken by another program", TEXT_ARG(shown)));
	else
		doctor_find(doctor, name, VERDICT_FAIL,
			arena_printf(arena, "%.*s: %s", TEXT_ARG(shown), strerror(-result)));
}

void doctor_check_ports(struct doctor *doctor)
{
	const struct http_settings *http = doctor->program.http_settings;

	check_port(doctor, "API port", http->host, http->port);
	check_port(doctor, "ops port", http->ops_host, http->ops_port);
	if (http->port != 0 && http->port == http->ops_port &&
		text_equals(http->host, http->ops_host))
		doctor_find(
			doctor, "ports", VERDICT_FAIL, TEXT("http.port and ops.port are the same"));
}
