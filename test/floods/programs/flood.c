/*
 * What one unprivileged process can do to those who watch: `flood MODE COUNT SECONDS [MORE]`, see usage() below.
 * It first becomes nobody, then makes a user and a network namespace of its own, in which 203.0.113.77 (RFC 5737) is an
 * address of the loopback device: no packet leaves it. It ends by itself, at the count or at the time, whichever is first.
 * Prints "started", and at the end "done COUNT MILLISECONDS".
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "flood.h"
#include "namespaces.h"
#include "sockets.h"

#define SECONDS_LIMIT 120

long count_limit, seconds, extra;
int64_t started_us;
volatile int64_t end_us;

static void usage(void)
{
	fprintf(stderr,
		"usage: flood MODE COUNT SECONDS [MORE]\n"
		"  edges COUNT SECONDS            connect() to COUNT loopback addresses, beside an outside connection that speaks\n"
		"  scan PORTS SECONDS RATE        PORTS of one inside address, RATE a second, beside such a connection\n"
		"  groups COUNT SECONDS           processes, each with an outside connection that speaks and 32 inherited descriptors\n"
		"  descriptors COUNT SECONDS N    processes that share one table of N descriptors\n"
		"  execs COUNT SECONDS BYTES      programs with BYTES of arguments, one after the other, as fast as it can\n"
		"  both COUNT SECONDS N           descriptors and execs (2,000 bytes) at once\n"
		"  connections COUNT SECONDS      connections to the outside, closed at once, as fast as it can\n"
		"  intents COUNT SECONDS          processes `ssh -R i:10.0.0.1:22 h` with a connection, held for SECONDS after the last\n"
		"  forks COUNT SECONDS            forks, as fast as it can\n"
		"at most %d seconds; descriptors, groups and intents are held until SECONDS are over\n",
		SECONDS_LIMIT);
	exit(64);
}

int is_time(void)
{
	return clock_us(CLOCK_MONOTONIC) >= end_us;
}

void hold(void)
{
	pause_us(end_us - clock_us(CLOCK_MONOTONIC));
}

pid_t start_process(int flags)
{
	pid_t parent = getpid(), pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGTERM, SIG_DFL);
		if (getppid() != parent)
			_exit(0);
		alarm((unsigned int)seconds + 10);
	}
	return pid;
}

static void raise_limits(void)
{
	struct rlimit files;

	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	/* First to go if the machine runs out of memory. */
	write_text("/proc/self/oom_score_adj", "1000");
}

void serve_outside(int speaks_fast)
{
	static int peers[20000];
	int listener = listen_on(parse_host(OUTSIDE), OUTSIDE_PORT), known = 0, ready[2];

	if (pipe(ready))
		err(1, "pipe");
	if (start_process(0) != 0) {
		char byte;

		close(listener);
		close(ready[1]);
		if (read(ready[0], &byte, 1) != 1)
			errx(1, "the far end did not start");
		close(ready[0]);
		return;
	}
	fcntl(listener, F_SETFL, O_NONBLOCK);
	if (write(ready[1], "r", 1) != 1)
		_exit(1);
	while (!is_time()) {
		for (int fd; known < 19000 && (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;)
			peers[known++] = fd;
		for (int i = 0; i < known; i++)
			send(peers[i], "speak", 5, MSG_NOSIGNAL | MSG_DONTWAIT);
		pause_us(speaks_fast ? 1000 : 100000);
	}
	_exit(0);
}

int dial_outside(void)
{
	int outside = dial(parse_host(OUTSIDE), OUTSIDE_PORT);
	char byte;

	if (outside < 0 || recv(outside, &byte, 1, 0) != 1)
		errx(1, "the connection to %s failed", OUTSIDE);
	return outside;
}

/* It is time: what waits is interrupted, and the flood cleans up. */
static void end_early(int number)
{
	(void)number;
	end_us = 0;
}

static void end_processes(void)
{
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	while (wait(NULL) > 0)
		;
}

static const struct {
	const char *name;
	long (*run)(void);
	int has_extra;
} modes[] = {
	{ "edges", flood_edges, 0 },
	{ "scan", flood_scan, 1 },
	{ "groups", flood_groups, 0 },
	{ "descriptors", flood_descriptors, 1 },
	{ "execs", flood_execs, 1 },
	{ "both", flood_both, 1 },
	{ "connections", flood_connections, 0 },
	{ "intents", flood_intents, 0 },
	{ "forks", flood_forks, 0 },
};

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	long made;

	if (!strcmp(name, "flood-exec"))
		return 0;
	if (!strcmp(name, "ssh"))
		return act_as_ssh();
	if (argc < 4)
		usage();
	count_limit = atol(argv[2]);
	seconds = atol(argv[3]);
	extra = argc > 4 ? atol(argv[4]) : 0;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(argv[1], modes[i].name))
			continue;
		if (count_limit < 1 || seconds < 1 || seconds > SECONDS_LIMIT || (extra < 1 && modes[i].has_extra))
			usage();
		become_nobody();
		make_namespaces();
		raise_limits();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0);
		alarm((unsigned int)seconds + 10);
		started_us = clock_us(CLOCK_MONOTONIC);
		end_us = started_us + seconds * 1000000;
		sigaction(SIGTERM, &(struct sigaction){ .sa_handler = end_early }, NULL);
		printf("started\n");
		fflush(stdout);
		made = modes[i].run();
		printf("done %ld %ld\n", made, (long)((clock_us(CLOCK_MONOTONIC) - started_us) / 1000));
		fflush(stdout);
		end_processes();
		return 0;
	}
	usage();
}
