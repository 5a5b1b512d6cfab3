/* Sockets as the floods and the canaries use them: blocking, IPv4, small. */
#ifndef BACKFLOW_TEST_SOCKETS_H
#define BACKFLOW_TEST_SOCKETS_H

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static inline struct sockaddr_in address_of(uint32_t host, uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(host) };
}

static inline uint32_t parse_host(const char *text)
{
	struct in_addr host;

	if (inet_pton(AF_INET, text, &host) != 1)
		errx(64, "%s is no IPv4 address", text);
	return ntohl(host.s_addr);
}

static inline int listen_on(uint32_t host, uint16_t port)
{
	struct sockaddr_in address = address_of(host, port);
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 4096))
		err(1, "cannot listen on port %u", port);
	return fd;
}

/* The connection, or -1. */
static inline int dial(uint32_t host, uint16_t port)
{
	struct sockaddr_in address = address_of(host, port);
	int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	close(fd);
	return -1;
}

/* 0 once all is written, -1 when the far side is gone. */
static inline int write_all(int fd, const void *bytes, size_t size)
{
	while (size > 0) {
		ssize_t count = send(fd, bytes, size, MSG_NOSIGNAL);

		if (count <= 0)
			return -1;
		bytes = (const char *)bytes + count;
		size -= (size_t)count;
	}
	return 0;
}

static inline int read_all(int fd, void *bytes, size_t size)
{
	while (size > 0) {
		ssize_t count = recv(fd, bytes, size, 0);

		if (count <= 0)
			return -1;
		bytes = (char *)bytes + count;
		size -= (size_t)count;
	}
	return 0;
}

static inline int64_t clock_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static inline void pause_us(int64_t us)
{
	struct timespec rest = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	if (us > 0)
		nanosleep(&rest, NULL);
}

#endif
