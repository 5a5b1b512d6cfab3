/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A walk over every descriptor of every task, once at the start and for each fresh analyzer: sockets older than the hooks. */
#ifndef BACKFLOW_WALK_H
#define BACKFLOW_WALK_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "identity.bpf.h"
#include "sockets.bpf.h"

/* A socket that was there before the hooks: `task` may be one of several owners, the first that the walk meets counts. */
static __always_inline void track_older(struct sock *sk, struct task_struct *task)
{
	struct tracked *t = bpf_sk_storage_get(&sockets, sk, NULL, 0);
	struct tcp_sock *tcp;

	if (t)
		return;
	t = state_of(sk);
	if (!t)
		return;
	track(sk, t, INITIATOR_UNKNOWN);
	judge_route(sk, t);
	process_of(task, &t->owner);
	t->flags = TRACKED_OLDER | (sk->sk_protocol == IPPROTO_MPTCP ? TRACKED_MPTCP : 0);
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
}

static __always_inline void visit_file(struct task_struct *task, struct file *file)
{
	struct socket *socket = bpf_sock_from_file(file);
	struct sock *sk;

	if (!socket)
		return;
	sk = socket->sk;
	if (!sk || (sk->__sk_common.skc_family != AF_INET && sk->__sk_common.skc_family != AF_INET6))
		return;
	if ((sk->sk_protocol == IPPROTO_TCP || sk->sk_protocol == IPPROTO_MPTCP) && sk->__sk_common.skc_state != TCP_CLOSE)
		track_older(sk, task);
}

#endif
