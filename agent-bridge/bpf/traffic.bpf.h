/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a process sends and receives: the state that it counts for, and whom it goes to or comes from. */
#ifndef BACKFLOW_TRAFFIC_H
#define BACKFLOW_TRAFFIC_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "sockets.bpf.h"
#include "exchanges.bpf.h"
#include "coupling.bpf.h"
#include "executions.bpf.h"
#include "joints.bpf.h"
#include "joins.bpf.h"
#include "mptcp.bpf.h"
#include "tunnels.bpf.h"
#include "datagrams.bpf.h"
#include "names.bpf.h"
#include "icmp.bpf.h"
#include "unfollowed.bpf.h"

/* The state that what a process sends or receives counts for, where no kernel counter has it: NULL for other families. */
static __always_inline struct tracked *counted_state(struct sock *sk, __u8 speaker)
{
	struct tracked *t;

	if (sk->sk_type != SOCK_RAW && is_datagram(sk->sk_protocol))
		return datagram_with(sk, speaker);
	if (is_icmp(sk->sk_protocol))
		return speaker == INITIATOR_LOCAL ? icmp_sent(sk) : icmp_received(sk);
	if (sk->sk_protocol != IPPROTO_MPTCP)
		return NULL;
	t = bpf_sk_storage_get(&sockets, sk, NULL, 0);
	return t && t->cookie && mptcp_addressed(sk, t) ? t : NULL;
}

/*
 * Functions that the verifier takes by themselves, once and not for each way on which a state may be reached: with them
 * inline, on_send() has more such ways than it follows. Older kernels refuse them, and have no sock_send_length either.
 */
__noinline int sent_outside(struct tracked *a, __u64 bytes, __u64 now)
{
	if (a) {
		outside_sent(a, bytes, now);
		speaker_sent(a, bytes, now);
	}
	return 0;
}

__noinline int sent_inside(struct tracked *b, __u64 bytes, __u64 now)
{
	if (b) {
		workload_writes(b, now);
		if (!is_joint(b))
			inside_sent(b, bytes, now);
	}
	return 0;
}

static __always_inline void received(struct sock *sk, struct tracked *t, __u64 bytes)
{
	__u64 now = bpf_ktime_get_boot_ns();

	note_owner(t);
	tunnel_moved(t, bytes, 0);
	if (is_outside_connection(t)) {
		exchange_spoke(t, SIDE_REMOTE, bytes, now);
		if (t->flags & TRACKED_RESOLVER)
			bytes = names_carried_in(t, bytes);
		if (!bytes || !is_spoken_on(t))
			return;
		outside_received(t, bytes, now);
		speaker_received(t, bytes, now);
	} else if (is_dialled_inside(t)) {
		if (!is_joint(t))
			inside_received(t, bytes, now);
	} else if (t->initiator == INITIATOR_REMOTE) {
		accepted_spoke(sk, t, SIDE_REMOTE, now);
	}
}

#endif
