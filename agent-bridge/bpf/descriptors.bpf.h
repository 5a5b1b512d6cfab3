/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What an open descriptor is: a connection, an unnamed pair, a terminal, a tun device; and which of them are looked for. */
#ifndef BACKFLOW_DESCRIPTORS_H
#define BACKFLOW_DESCRIPTORS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "records.h"

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
#define FMODE_READ 1
#define FMODE_WRITE 2
/* Documentation/admin-guide/devices.txt: ptmx 5:2, pts 136-143, /dev/net/tun 10:200. Kernel dev_t is major << 20 | minor. */
#define DEVICE_PTMX ((5 << 20) | 2)
#define DEVICE_TUN ((10 << 20) | 200)
#define MAJOR_PTS_FIRST 136
#define MAJOR_PTS_LAST 143

/* Pipes, socket pairs and terminals by their opaque ids, connections by cookie: the numbers do not meet. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u32);
} channels SEC(".maps");

static __always_inline __u64 tty_of(struct file *file)
{
	struct tty_file_private *private = BPF_CORE_READ(file, private_data);

	return (__u64)BPF_CORE_READ(private, tty);
}

/* Connections and unnamed pairs. */
static __always_inline void describe_socket(struct file *file, struct descriptor_record *r)
{
	struct socket *socket = BPF_CORE_READ(file, private_data);
	struct sock *sk = BPF_CORE_READ(socket, sk);
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	struct unix_sock *own = (struct unix_sock *)sk, *other;

	if (family == AF_UNIX) {
		other = (struct unix_sock *)BPF_CORE_READ(own, peer);
		if (!other || BPF_CORE_READ(own, addr) || BPF_CORE_READ(other, addr))
			return;
		r->descriptor = DESCRIPTOR_UNIX_PAIR;
		r->ours = (__u64)own;
		r->peer = (__u64)other;
	} else if ((family == AF_INET || family == AF_INET6) && r->fd <= 2) {
		r->ours = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
		if (bpf_map_lookup_elem(&channels, &r->ours))
			r->descriptor = DESCRIPTOR_SOCKET;
	}
}

/* The device that a descriptor of /dev/net/tun is attached to. Its private type is unknown where the driver's is. */
static __always_inline __u64 tun_device_of(struct file *file)
{
	struct tun_file *tun;
	struct net_device *device;

	if (!bpf_core_type_exists(struct tun_file) || !bpf_core_type_exists(struct tun_struct))
		return 0;
	tun = BPF_CORE_READ(file, private_data);
	device = BPF_CORE_READ(tun, tun, dev);
	if (!device)
		return 0;
	return (__u64)BPF_CORE_READ(device, nd_net.net, ns.inum) << 32 | (__u32)BPF_CORE_READ(device, ifindex);
}

static __always_inline void describe_device(struct file *file, struct inode *inode, struct descriptor_record *r)
{
	__u32 device = BPF_CORE_READ(inode, i_rdev), major = device >> 20;

	if (device == DEVICE_TUN) {
		r->descriptor = DESCRIPTOR_TUN;
		r->ours = tun_device_of(file);
	} else if (device == DEVICE_PTMX) {
		struct tty_struct *master = (struct tty_struct *)tty_of(file);

		r->descriptor = DESCRIPTOR_PTY_MASTER;
		r->ours = (__u64)BPF_CORE_READ(master, link);
	} else if (major >= MAJOR_PTS_FIRST && major <= MAJOR_PTS_LAST && r->fd <= 2) {
		r->descriptor = DESCRIPTOR_PTY_SLAVE;
		r->ours = tty_of(file);
	}
}

#endif
