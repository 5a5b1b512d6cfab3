/* Floods of connections: to many places, by many processes, or simply many. */
#define _GNU_SOURCE
#include <fcntl.h>
#include "flood.h"
#include "sockets.h"

#define INSIDE_PORT 9000

/* Accepts what is dialled inside, and closes it. */
static void serve_inside(uint16_t port)
{
	int listener = listen_on(INADDR_ANY, port);

	if (start_process(0) != 0) {
		close(listener);
		return;
	}
	for (;;)
		close(accept(listener, NULL, NULL));
}

static void hear(int outside)
{
	char bytes[4096];

	while (recv(outside, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

static void touch(uint32_t host, uint16_t port)
{
	struct sockaddr_in address = address_of(host, port);
	struct linger at_once = { .l_onoff = 1 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	connect(fd, (struct sockaddr *)&address, sizeof(address));
	close(fd);
}

long flood_edges(void)
{
	int outside;
	long made = 0;

	serve_outside(1);
	serve_inside(INSIDE_PORT);
	for (outside = dial_outside(); made < count_limit && !is_time(); made++) {
		hear(outside);
		touch(0x7f000001 + (uint32_t)made % 0xfffff0, INSIDE_PORT);
	}
	return made;
}

long flood_scan(void)
{
	int outside;
	long made = 0;

	serve_outside(1);
	for (outside = dial_outside(); made < count_limit && !is_time(); made++) {
		hear(outside);
		touch(0x7f000001, (uint16_t)(1024 + made % 60000));
		pause_us(started_us + made * 1000000 / extra - clock_us(CLOCK_MONOTONIC));
	}
	return made;
}

long flood_groups(void)
{
	long made = 0;
	int ends[2];

	serve_outside(0);
	for (int i = 0; i < 16; i++)
		if (pipe(ends))
			err(1, "pipe");
	for (; made < count_limit && !is_time(); made++) {
		pid_t pid = start_process(0);

		if (pid < 0)
			break;
		if (pid == 0) {
			char bytes[64];
			int outside = dial(parse_host(OUTSIDE), OUTSIDE_PORT);

			while (!is_time() && recv(outside, bytes, sizeof(bytes), 0) > 0)
				;
			_exit(0);
		}
	}
	hold();
	return made;
}

long flood_connections(void)
{
	long made = 0;
	int listener = listen_on(parse_host(OUTSIDE), OUTSIDE_PORT);

	if (start_process(0) == 0)
		for (;;)
			close(accept(listener, NULL, NULL));
	for (; made < count_limit && !is_time(); made++) {
		int fd = dial(parse_host(OUTSIDE), OUTSIDE_PORT);

		if (fd < 0)
			break;
		struct linger at_once = { .l_onoff = 1 };
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		write_all(fd, "hello", 5);
		close(fd);
	}
	return made;
}
