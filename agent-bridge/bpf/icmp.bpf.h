/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * ICMP as a connection: what a process sends by a raw or ping socket to one place, and what it reads there. The remote end
 * stands in the packet alone, which leaves within the send. A raw socket reads all ICMP of the host, so that only one that
 * has sent counts. Who sends to more than a few places watches them.
 */
#ifndef BACKFLOW_ICMP_H
#define BACKFLOW_ICMP_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "sockets.bpf.h"
#include "exchanges.bpf.h"

#define IPPROTO_ICMP 1
#define IPPROTO_ICMPV6 58
/* Remotes beside the first one. A ping or a traceroute has none, a monitor many. */
#define MAX_OTHERS 3
#define V4_DESTINATION 16
#define V6_DESTINATION 24

static __always_inline bool is_icmp(__u32 protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

static __always_inline bool packet_destination(struct __sk_buff *skb, __u8 *remote)
{
	__be32 v4;
	__u8 version;

	if (bpf_skb_load_bytes(skb, 0, &version, 1))
		return false;
	if (version >> 4 == 6)
		return !bpf_skb_load_bytes(skb, V6_DESTINATION, remote, 16);
	if (version >> 4 != 4 || bpf_skb_load_bytes(skb, V4_DESTINATION, &v4, 4))
		return false;
	v4_mapped(remote, v4);
	return true;
}

/* The parser of SSH has no use for its place in a state of ICMP: one bit for each of 32 classes of other remotes. */
static __always_inline void note_other(struct tracked *t, const __u8 *remote)
{
	const __u32 *words = (const __u32 *)remote;
	__u32 bit = ((words[0] ^ words[1] ^ words[2] ^ words[3]) * 0x9e3779b1U) >> 27;

	t->ssh_local.next_seq |= 1U << bit;
	if (__builtin_popcount(t->ssh_local.next_seq) > MAX_OTHERS)
		t->scope = SCOPE_UNKNOWN;
}

/* A packet leaves. The first one leaves its destination in a state without cookie. */
static __always_inline void icmp_leaves(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	__u8 remote[16] __attribute__((aligned(8)));
	const __u64 *x = (const __u64 *)remote, *y;
	struct tracked *t;

	if (!sk)
		return;
	sk = bpf_sk_fullsock(sk);
	if (!sk || !is_icmp(sk->protocol) || !packet_destination(skb, remote))
		return;
	t = bpf_sk_storage_get(&sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!t)
		return;
	y = (const __u64 *)t->remote;
	if (!t->cookie)
		__builtin_memcpy(t->remote, remote, 16);
	else if (x[0] != y[0] || x[1] != y[1])
		note_other(t, remote);
}

/* The state of a socket that sends, started with the first packet that left. */
static __always_inline struct tracked *icmp_sent(struct sock *sk)
{
	struct tracked *t = bpf_sk_storage_get(&sockets, sk, NULL, 0);
	__u8 remote[16];

	/* An own socket of the kernel has no file, and answers for it. */
	if (!t || !sk->sk_socket)
		return NULL;
	if (!t->cookie) {
		__builtin_memcpy(remote, t->remote, 16);
		track(sk, t, INITIATOR_LOCAL);
		__builtin_memcpy(t->remote, remote, 16);
		t->scope = scope_of(t->remote);
		t->local_port = 0;
		t->remote_port = 0;
		t->flags = TRACKED_ESTABLISHED;
	}
	return t;
}

/* NULL where it has never sent. */
static __always_inline struct tracked *icmp_received(struct sock *sk)
{
	struct tracked *t = bpf_sk_storage_get(&sockets, sk, NULL, 0);

	return t && t->cookie ? t : NULL;
}

static __always_inline int icmp_closed(struct bpf_sock *sk)
{
	struct tracked *t = bpf_sk_storage_get(&sockets, sk, NULL, 0);

	if (!t || !t->cookie || t->flags & TRACKED_CLOSED)
		return 1;
	exchange_finish(t);
	t->flags |= TRACKED_CLOSED;
	emit_connection(t, REASON_CLOSED, t->datagram_sent, t->datagram_received);
	return 1;
}

#endif
