/*
 * What must be found whatever else happens: `canary PART ...`, each part a process of its own.
 *   relay OUTSIDE PORT INSIDE PORT   dials the outside and passes what it says to a service inside, and its answers back
 *   user PORT TURNS MS               the outside: waits for the relay, then asks TURNS times through it, MS apart
 *   service ADDRESS PORT             the service inside
 *   typist PORT COMMANDS MS          the outside of a shell that dials back: types COMMANDS commands, MS apart
 * Requests, answers and framing vary in size. Who serves prints "listening"; who speaks first from outside prints
 * "first UNIX_MICROSECONDS" at the first byte, and "done" at the end, after which the relay ends too.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include "sockets.h"

/* No part outlives this, whatever happens to who started it. */
#define SECONDS_LIMIT 600
#define SIZE_LIMIT 20000
#define FRAME 6

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % limit;
}

/* Request: size of the answer, then that of the rest of the request; as frame: size of what follows. */
struct request {
	uint32_t answer;
	uint32_t rest;
};

static char bytes[SIZE_LIMIT + FRAME];

static void serve(uint32_t host, uint16_t port)
{
	int listener = listen_on(host, port);

	printf("listening\n");
	fflush(stdout);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		struct request request;

		while (!read_all(fd, &request, sizeof(request)) && request.answer <= SIZE_LIMIT && request.rest <= SIZE_LIMIT &&
		       !read_all(fd, bytes, request.rest) && !write_all(fd, bytes, request.answer))
			;
		close(fd);
	}
}

/* A frame in: FRAME bytes, of which the first four are its size, and that many. Its size, 0 at the end. */
static uint32_t read_frame(int outside)
{
	uint32_t size;

	if (read_all(outside, bytes, FRAME))
		return 0;
	memcpy(&size, bytes, sizeof(size));
	return size <= SIZE_LIMIT && !read_all(outside, bytes + FRAME, size) ? size : 0;
}

static int relay(uint32_t outside_host, uint16_t outside_port, uint32_t inside_host, uint16_t inside_port)
{
	int outside = dial(outside_host, outside_port), inside = -1;
	uint32_t size;

	if (outside < 0)
		err(1, "cannot dial the outside");
	printf("dialled\n");
	fflush(stdout);
	while ((size = read_frame(outside)) > 0) {
		ssize_t count;
		struct request request;
		uint32_t left;

		if (inside < 0 && (inside = dial(inside_host, inside_port)) < 0)
			err(1, "cannot dial the inside");
		memcpy(&request, bytes + FRAME, sizeof(request));
		if (write_all(inside, bytes + FRAME, size))
			return 1;
		for (left = request.answer; left > 0; left -= (uint32_t)count) {
			count = recv(inside, bytes + FRAME, left < SIZE_LIMIT ? left : SIZE_LIMIT, 0);
			if (count <= 0)
				return 1;
			size = (uint32_t)count;
			memset(bytes, 0, FRAME);
			memcpy(bytes, &size, sizeof(size));
			if (write_all(outside, bytes, FRAME + size))
				return 1;
		}
	}
	return 0;
}

static void print_first_use(void)
{
	printf("first %lld\n", (long long)clock_us(CLOCK_REALTIME));
	fflush(stdout);
}

static int use(uint16_t port, long turns, long rest_ms)
{
	int fd, listener = listen_on(INADDR_ANY, port);

	printf("listening\n");
	fflush(stdout);
	fd = accept(listener, NULL, NULL);
	random_state = (uint32_t)clock_us(CLOCK_MONOTONIC);
	for (long turn = 0; turn < turns; turn++) {
		struct request request = { .answer = 100 + random_below(6000), .rest = 20 + random_below(1500) };
		uint32_t size = sizeof(request) + request.rest, got = 0;

		memset(bytes, 0, FRAME);
		memcpy(bytes, &size, sizeof(size));
		memcpy(bytes + FRAME, &request, sizeof(request));
		if (turn == 0)
			print_first_use();
		if (write_all(fd, bytes, FRAME + size))
			errx(1, "the relay is gone");
		for (; got < request.answer; got += size)
			if (!(size = read_frame(fd)))
				errx(1, "the relay is gone");
		pause_us(rest_ms * 1000);
	}
	printf("done\n");
	return 0;
}

static int type_commands(uint16_t port, long commands, long rest_ms)
{
	static const char *const lines[] = { "id\n", "ls /\n", "cat /etc/hostname\n", "uname -a\n", "ls -l /etc\n" };
	int fd, listener = listen_on(INADDR_ANY, port);
	struct pollfd readable;

	printf("listening\n");
	fflush(stdout);
	fd = accept(listener, NULL, NULL);
	for (long i = 0; i < commands; i++) {
		const char *line = lines[i % 5];

		if (i == 0)
			print_first_use();
		if (write_all(fd, line, strlen(line)))
			errx(1, "the shell is gone");
		readable = (struct pollfd){ .fd = fd, .events = POLLIN };
		pause_us(rest_ms * 1000);
		while (poll(&readable, 1, 0) > 0 && recv(fd, bytes, sizeof(bytes), 0) > 0)
			;
	}
	printf("done\n");
	return 0;
}

int main(int argc, char **argv)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(SECONDS_LIMIT);
	if (argc == 6 && !strcmp(argv[1], "relay"))
		return relay(parse_host(argv[2]), (uint16_t)atoi(argv[3]), parse_host(argv[4]), (uint16_t)atoi(argv[5]));
	if (argc == 5 && !strcmp(argv[1], "user"))
		return use((uint16_t)atoi(argv[2]), atol(argv[3]), atol(argv[4]));
	if (argc == 5 && !strcmp(argv[1], "typist"))
		return type_commands((uint16_t)atoi(argv[2]), atol(argv[3]), atol(argv[4]));
	if (argc == 4 && !strcmp(argv[1], "service"))
		serve(parse_host(argv[2]), (uint16_t)atoi(argv[3]));
	errx(64, "usage: canary relay OUTSIDE PORT INSIDE PORT | user PORT TURNS MS | service ADDRESS PORT | typist PORT COMMANDS MS");
}
