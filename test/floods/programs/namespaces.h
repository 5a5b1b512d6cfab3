/* Becomes nobody, and makes a user and a network namespace in which OUTSIDE is an address of the loopback device. */
#ifndef BACKFLOW_TEST_NAMESPACES_H
#define BACKFLOW_TEST_NAMESPACES_H

#include <fcntl.h>
#include <grp.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include "flood.h"
#include "sockets.h"

#define NOBODY 65534

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "cannot write %s", path);
	close(fd);
}

static void become_nobody(void)
{
	if (getuid() == 0 && (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY)))
		err(1, "cannot become uid %d", NOBODY);
	/* A process that changed its user cannot write its own maps otherwise. */
	prctl(PR_SET_DUMPABLE, 1);
}

static void add_outside_address(int index)
{
	struct {
		struct nlmsghdr head;
		struct ifaddrmsg address;
		struct rtattr attribute;
		struct in_addr host;
	} request = { .head = { .nlmsg_len = sizeof(request), .nlmsg_type = RTM_NEWADDR, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		      .address = { .ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = (unsigned int)index },
		      .attribute = { .rta_len = RTA_LENGTH(4), .rta_type = IFA_LOCAL } };
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		char rest[256];
	} reply;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	request.host.s_addr = htonl(parse_host(OUTSIDE));
	if (fd < 0 || send(fd, &request, sizeof(request), 0) < 0 || recv(fd, &reply, sizeof(reply), 0) < 0 || reply.error.error)
		errx(1, "cannot add %s to the loopback device", OUTSIDE);
	close(fd);
}

static void make_namespaces(void)
{
	struct ifreq loopback = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	char map[64];
	unsigned int uid = getuid(), gid = getgid();
	int fd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		err(1, "cannot make a user and a network namespace (are unprivileged user namespaces allowed?)");
	write_text("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "%u %u 1", uid, uid);
	write_text("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "%u %u 1", gid, gid);
	write_text("/proc/self/gid_map", map);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &loopback) || ioctl(fd, SIOCGIFINDEX, &loopback))
		err(1, "cannot set the loopback device up");
	close(fd);
	add_outside_address(loopback.ifr_ifindex);
}

#endif
