// SPDX-License-Identifier: Apache-2.0
#include "cli/prompt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "core/secret.h"

enum answer { ANSWER_LINE, ANSWER_NONE, ANSWER_INTERRUPTED };

static void watched_signals(sigset_t *set)
{
	static const int watched[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(watched) / sizeof(*watched); i++)
		sigaddset(set, watched[i]);
}

/* False when a signal came first. It stays pending: it does its work once it is let in again. */
static bool wait_for_input(int signal_fd)
{
	struct pollfd waits[] = {
		{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = signal_fd, .events = POLLIN}};

	while (poll(waits, 2, -1) < 0 && errno == EINTR)
		;
	return waits[1].revents == 0;
}

/* Byte by byte and without stdio: a line begun and not ended must not hold a signal up. */
static enum answer read_answer(int signal_fd, char *out, size_t size)
{
	size_t len = 0;
	char c = '\0';

	for (;;) {
		if (!wait_for_input(signal_fd))
			return ANSWER_INTERRUPTED;
		ssize_t got = read(STDIN_FILENO, &c, 1);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0 || c == '\n')
			break;
		if (c == '\0' || len == size - 1)
			return ANSWER_NONE;
		out[len++] = c;
	}
	if (len > 0 && out[len - 1] == '\r')
		len--;
	out[len] = '\0';
	return len > 0 || c == '\n' ? ANSWER_LINE : ANSWER_NONE;
}

static enum answer ask_once(const char *question, int signal_fd, char *out, size_t size)
{
	struct termios before, silent;
	enum answer answer;

	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return ANSWER_NONE;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) != 0)
		return ANSWER_NONE;
	fputs(question, stderr);
	answer = read_answer(signal_fd, out, size);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	return answer;
}

bool prompt_silently(const char *question, char *out, size_t size)
{
	enum answer answer = ANSWER_INTERRUPTED;
	sigset_t watched, before;

	watched_signals(&watched);
	int signal_fd = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signal_fd < 0)
		return false;
	/* whoever is stopped by Ctrl-Z and goes on is asked again */
	while (answer == ANSWER_INTERRUPTED) {
		sigprocmask(SIG_BLOCK, &watched, &before);
		answer = ask_once(question, signal_fd, out, size);
		sigprocmask(SIG_SETMASK, &before, NULL);
	}
	close(signal_fd);
	if (answer != ANSWER_LINE)
		secret_wipe(out, size);
	return answer == ANSWER_LINE;
}
