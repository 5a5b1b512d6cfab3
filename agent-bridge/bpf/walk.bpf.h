/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a walk over every descriptor of every task looks at: sockets, pipes, terminals and tun devices. */
#ifndef BACKFLOW_WALK_H
#define BACKFLOW_WALK_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "identity.bpf.h"
#include "sockets.bpf.h"

#define S_IFMT 0170000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
#define FMODE_READ 1
#define FMODE_WRITE 2
/* Documentation/admin-guide/devices.txt: ptmx 5:2, pts 136-143, /dev/net/tun 10:200. Kernel dev_t is major << 20 | minor. */
#define DEVICE_PTMX ((5 << 20) | 2)
#define DEVICE_TUN ((10 << 20) | 200)
#define MAJOR_PTS_FIRST 136
#define MAJOR_PTS_LAST 143

static __always_inline struct tty_struct *tty_of(struct file *file)
{
	struct tty_file_private *private = file->private_data;

	return BPF_CORE_READ(private, tty);
}

static __always_inline void describe_unix(struct sock *sk, struct descriptor_record *r)
{
	struct unix_sock *own = (struct unix_sock *)sk, *other;

	other = (struct unix_sock *)BPF_CORE_READ(own, peer);
	if (!other || BPF_CORE_READ(own, addr) || BPF_CORE_READ(other, addr))
		return;
	r->descriptor = DESCRIPTOR_UNIX_PAIR;
	r->ours = (__u64)own;
	r->peer = (__u64)other;
}

/* A socket that was there before the hooks: `task` may be one of several owners, the first that the walk meets counts. */
static __always_inline struct tracked *track_older(struct sock *sk, struct task_struct *task)
{
	struct tracked *t = bpf_sk_storage_get(&sockets, sk, NULL, 0);
	struct tcp_sock *tcp;

	if (t)
		return t;
	t = state_of(sk);
	if (!t)
		return NULL;
	track(sk, t, INITIATOR_UNKNOWN);
	process_of(task, &t->owner);
	t->flags = TRACKED_OLDER;
	t->ssh_local.stage = SSH_STAGE_DONE;
	t->ssh_remote.stage = SSH_STAGE_DONE;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (tcp)
		t->copied_seq = tcp->copied_seq;
	if (sk->__sk_common.skc_state == TCP_LISTEN) {
		t->flags |= TRACKED_LISTENER;
		note_listener(t);
	} else if (sk->__sk_common.skc_state != TCP_SYN_SENT) {
		t->flags |= TRACKED_ESTABLISHED;
	}
	return t;
}

/* Fills kind and identities of an interesting descriptor; the kind stays 0 for one that tells nothing. */
static __always_inline void describe(struct task_struct *task, struct file *file, struct descriptor_record *r)
{
	struct socket *socket = bpf_sock_from_file(file);
	struct inode *inode = file->f_inode;
	struct tracked *t;
	struct sock *sk;

	if (socket) {
		sk = socket->sk;
		if (!sk)
			return;
		if (sk->__sk_common.skc_family == AF_UNIX) {
			describe_unix(sk, r);
		} else if ((sk->__sk_common.skc_family == AF_INET || sk->__sk_common.skc_family == AF_INET6) &&
			   sk->sk_protocol == IPPROTO_TCP && sk->__sk_common.skc_state != TCP_CLOSE) {
			t = track_older(sk, task);
			if (t && !(t->flags & TRACKED_LISTENER)) {
				r->descriptor = DESCRIPTOR_SOCKET;
				r->ours = t->cookie;
			}
		}
		return;
	}
	if ((inode->i_mode & S_IFMT) == S_IFIFO) {
		r->descriptor = file->f_mode & FMODE_WRITE ? DESCRIPTOR_PIPE_WRITE : DESCRIPTOR_PIPE_READ;
		r->ours = inode->i_ino;
	} else if ((inode->i_mode & S_IFMT) == S_IFCHR) {
		__u32 device = inode->i_rdev, major = device >> 20;

		if (device == DEVICE_TUN) {
			r->descriptor = DESCRIPTOR_TUN;
		} else if (device == DEVICE_PTMX) {
			r->descriptor = DESCRIPTOR_PTY_MASTER;
			r->ours = (__u64)BPF_CORE_READ(tty_of(file), link);
		} else if (major >= MAJOR_PTS_FIRST && major <= MAJOR_PTS_LAST) {
			r->descriptor = DESCRIPTOR_PTY_SLAVE;
			r->ours = (__u64)tty_of(file);
		}
	}
}

#endif
