/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * MPTCP: a process reads and writes the MPTCP socket, and the kernel carries that on TCP sockets of its own, the subflows.
 * The MPTCP socket is the connection: cookie, owner, turns and totals. Its first subflow knows the addresses before it does
 * and has the packets, by which SSH is recognised: it says so under the cookie of the MPTCP socket. Further subflows are no
 * connections and have no state. A far end without MPTCP changes nothing on the side that connects; what a listener accepts
 * from one is an ordinary TCP socket.
 */
#ifndef BACKFLOW_MPTCP_H
#define BACKFLOW_MPTCP_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "sockets.bpf.h"
#include "exchanges.bpf.h"
#include "joins.bpf.h"

/* The MPTCP socket that a TCP socket is a subflow of, or NULL. */
static __always_inline struct sock *mptcp_of(struct sock *sk)
{
	struct mptcp_subflow_context *subflow;
	struct tcp_sock *tcp;

	if (!bpf_core_field_exists(struct tcp_sock, is_mptcp))
		return NULL;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp || !tcp->is_mptcp)
		return NULL;
	subflow = BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_ulp_data);
	return BPF_CORE_READ(subflow, conn);
}

/*
 * The addresses of an MPTCP socket, from its first subflow, for they are copied from there only once the socket's state has
 * changed. False as long as neither knows the remote one.
 */
static __always_inline bool mptcp_addressed(struct sock *sk, struct tracked *t)
{
	struct sock *carrier;

	if (t->remote_port)
		return true;
	carrier = BPF_CORE_READ((struct mptcp_sock *)sk, first);
	if (!carrier || !BPF_CORE_READ(carrier, __sk_common.skc_dport))
		carrier = sk;
	if (BPF_CORE_READ(carrier, __sk_common.skc_family) == AF_INET6) {
		BPF_CORE_READ_INTO(&t->local, carrier, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8);
		BPF_CORE_READ_INTO(&t->remote, carrier, __sk_common.skc_v6_daddr.in6_u.u6_addr8);
	} else {
		v4_mapped(t->local, BPF_CORE_READ(carrier, __sk_common.skc_rcv_saddr));
		v4_mapped(t->remote, BPF_CORE_READ(carrier, __sk_common.skc_daddr));
	}
	t->local_port = BPF_CORE_READ(carrier, __sk_common.skc_num);
	t->remote_port = bpf_ntohs(BPF_CORE_READ(carrier, __sk_common.skc_dport));
	if (!t->remote_port)
		return false;
	t->scope = scope_of(t->remote);
	if (t->initiator == INITIATOR_LOCAL)
		judge_route(carrier, t);
	return true;
}

/* Starts tracking of the MPTCP socket. The state that this goes by changes before the addresses are there. */
static __always_inline void mptcp_track(struct sock *sk, struct tracked *t, __u8 initiator, __u32 flags)
{
	track(sk, t, initiator);
	t->flags = TRACKED_MPTCP | flags;
	if (!t->remote_port)
		t->scope = SCOPE_UNKNOWN;
}

static __always_inline void mptcp_closed(struct sock *sk)
{
	struct tracked *t = bpf_sk_storage_get(&sockets, sk, NULL, 0);
	__u64 sent, received;

	if (!t || t->flags & (TRACKED_LISTENER | TRACKED_CLOSED) || !t->cookie || !mptcp_addressed(sk, t))
		return;
	read_totals(sk, t, &sent, &received);
	exchange_finish(t);
	resolve_initiator(t);
	t->flags |= TRACKED_CLOSED;
	emit_connection(t, REASON_CLOSED, sent, received);
}

static __always_inline void mptcp_state(struct sock *sk, int old_state, int new_state)
{
	struct tracked *t;

	if (new_state == TCP_CLOSE) {
		mptcp_closed(sk);
		return;
	}
	if (new_state != TCP_LISTEN && new_state != TCP_SYN_SENT && new_state != TCP_ESTABLISHED)
		return;
	t = state_of(sk);
	if (!t)
		return;
	if (new_state == TCP_LISTEN) {
		/* Its subflow listens as well and is what knows the port. */
		mptcp_track(sk, t, INITIATOR_UNKNOWN, TRACKED_LISTENER);
	} else if (new_state == TCP_SYN_SENT) {
		mptcp_track(sk, t, INITIATOR_LOCAL, 0);
	} else if (old_state == TCP_SYN_SENT) {
		t->flags |= TRACKED_ESTABLISHED;
		mptcp_addressed(sk, t);
	} else {
		mptcp_track(sk, t, INITIATOR_REMOTE, TRACKED_ESTABLISHED);
	}
}

static __always_inline void subflow_state(struct sock *sk, struct sock *mptcp, int old_state, int new_state)
{
	struct tracked *t;

	if (new_state != TCP_SYN_SENT && (new_state != TCP_ESTABLISHED || old_state == TCP_ESTABLISHED))
		return;
	if (BPF_CORE_READ((struct mptcp_sock *)mptcp, first) != sk)
		return;
	t = state_of(sk);
	if (!t)
		return;
	if (old_state == TCP_SYN_SENT)
		read_tuple(sk, t);
	else
		track(sk, t, new_state == TCP_SYN_SENT ? INITIATOR_LOCAL : INITIATOR_REMOTE);
	/* Given to it when its own state changed, which is earlier. */
	t->cookie = BPF_CORE_READ(mptcp, __sk_common.skc_cookie.counter);
	t->flags = TRACKED_SUBFLOW;
	if (new_state == TCP_ESTABLISHED) {
		t->flags |= TRACKED_ESTABLISHED;
		emit_connection(t, REASON_OPENED, 0, 0);
	} else if (t->scope == SCOPE_INSIDE) {
		dials_inside(t, t->opened_ns);
	}
}

#endif
