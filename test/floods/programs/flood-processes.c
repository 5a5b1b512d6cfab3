/* Floods of what processes have and do: descriptors, programs executed, forks, arguments that ask for a tunnel. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "flood.h"
#include "sockets.h"

#define HOLD_VARIABLE "FLOOD_HOLD_SECONDS"

static char copy_folder[] = "/tmp/backflow-flood-XXXXXX";

static long fill_table(void)
{
	long made = 0;
	int ends[2], fd;

	if (pipe(ends))
		err(1, "pipe");
	while (made < extra && (fd = dup(ends[made % 2])) >= 0)
		made++;
	return made;
}

long flood_descriptors(void)
{
	long in_table = fill_table(), made = 0;

	for (; made < count_limit && !is_time(); made++) {
		pid_t pid = start_process(CLONE_FILES);

		if (pid < 0)
			break;
		if (pid == 0) {
			hold();
			_exit(0);
		}
	}
	hold();
	return made * in_table;
}

/* Arguments of `extra` bytes together, with what a log or a terminal should not take at its word. */
long flood_execs(void)
{
	char piece[101], *arguments[64] = { (char *)"flood-exec" };
	long pieces = extra / 100 < 60 ? extra / 100 : 60, made = 0;

	memset(piece, 'x', 100);
	memcpy(piece, "\033]0;t\a\"<b>", 10);
	piece[100] = 0;
	for (long i = 0; i < pieces; i++)
		arguments[i + 1] = piece;
	for (; made < count_limit && !is_time(); made++) {
		pid_t pid;

		if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, arguments, environ))
			break;
		waitpid(pid, NULL, 0);
	}
	return made;
}

long flood_both(void)
{
	pid_t pid = start_process(0);

	if (pid == 0) {
		count_limit = 1000000;
		extra = 2000;
		flood_execs();
		_exit(0);
	}
	return flood_descriptors();
}

long flood_forks(void)
{
	long made = 0;

	signal(SIGCHLD, SIG_IGN);
	for (; made < count_limit && !is_time(); made++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		if (pid < 0)
			pause_us(1000);
	}
	return made;
}

/* A copy of this program called ssh, so that the name of the executable agrees with its arguments. */
static void copy_as_ssh(char *path, size_t size)
{
	char bytes[65536];
	ssize_t count;
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to;

	if (from < 0 || !mkdtemp(copy_folder))
		err(1, "cannot copy this program to %s", copy_folder);
	snprintf(path, size, "%s/ssh", copy_folder);
	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	while ((count = read(from, bytes, sizeof(bytes))) > 0)
		if (write(to, bytes, (size_t)count) != count)
			err(1, "cannot write %s", path);
	close(from);
	close(to);
}

long flood_intents(void)
{
	char path[64], *arguments[] = { (char *)"ssh", (char *)"-R", (char *)"i:10.0.0.1:22", (char *)"h", NULL };
	long made = 0;

	serve_outside(0);
	copy_as_ssh(path, sizeof(path));
	for (; made < count_limit && !is_time(); made++) {
		pid_t pid = start_process(0);

		if (pid < 0)
			break;
		if (pid == 0) {
			char left[16];

			snprintf(left, sizeof(left), "%ld", (long)((end_us - clock_us(CLOCK_MONOTONIC)) / 1000000 + 1));
			setenv(HOLD_VARIABLE, left, 1);
			execv(path, arguments);
			_exit(1);
		}
	}
	hold();
	unlink(path);
	rmdir(copy_folder);
	return made;
}

int act_as_ssh(void)
{
	const char *left = getenv(HOLD_VARIABLE);

	dial(parse_host(OUTSIDE), OUTSIDE_PORT);
	pause_us((left ? atol(left) : 1) * 1000000);
	return 0;
}
