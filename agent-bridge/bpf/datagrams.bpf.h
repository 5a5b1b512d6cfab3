/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * UDP: no state machine and no counters of its own. Owner and bytes come from sends and receives in process context, the
 * remote end of an unconnected socket from its first sendmsg or recvmsg. A socket that speaks with several remotes is
 * recorded with the first of them.
 */
#ifndef BACKFLOW_DATAGRAMS_H
#define BACKFLOW_DATAGRAMS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "sockets.bpf.h"
#include "exchanges.bpf.h"

/* The sendmsg and recvmsg hooks run before the length is known: they leave the address in a state without cookie. */
static __always_inline void datagram_address(struct bpf_sock_addr *ctx, const __u8 *remote)
{
	struct bpf_sock *sk = ctx->sk;
	struct tracked *t;

	if (!sk)
		return;
	/* A failure is counted once, by datagram_tracked(). */
	t = bpf_sk_storage_get(&sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!t || t->remote_port)
		return;
	__builtin_memcpy(t->remote, remote, 16);
	t->remote_port = bpf_ntohs(ctx->user_port);
	t->scope = scope_of(t->remote);
}

static __always_inline void datagram_address_v4(struct bpf_sock_addr *ctx)
{
	__u8 remote[16];

	v4_mapped(remote, ctx->user_ip4);
	datagram_address(ctx, remote);
}

static __always_inline void datagram_address_v6(struct bpf_sock_addr *ctx)
{
	__u32 remote[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] };

	datagram_address(ctx, (__u8 *)remote);
}

/* The state of a UDP socket, started at its first send or receive. */
static __always_inline struct tracked *datagram_tracked(struct sock *sk, __u8 initiator)
{
	struct tracked *t = bpf_sk_storage_get(&sockets, sk, NULL, 0);
	__u8 remote[16];
	__u16 port;

	if (t && t->cookie)
		return t;
	if (sk->__sk_common.skc_family != AF_INET && sk->__sk_common.skc_family != AF_INET6)
		return NULL;
	t = state_of(sk);
	if (!t)
		return NULL;
	port = t->remote_port;
	__builtin_memcpy(remote, t->remote, 16);
	track(sk, t, INITIATOR_LOCAL);
	if (!t->remote_port && port) {
		__builtin_memcpy(t->remote, remote, 16);
		t->remote_port = port;
		t->scope = scope_of(t->remote);
	}
	judge_route(sk, t);
	t->initiator = initiator;
	t->flags = TRACKED_ESTABLISHED;
	return t;
}

static __always_inline int datagram_closed(struct bpf_sock *sk)
{
	struct tracked *t;

	if (sk->protocol != IPPROTO_UDP)
		return 1;
	t = bpf_sk_storage_get(&sockets, sk, NULL, 0);
	if (!t || !t->cookie || t->flags & TRACKED_CLOSED)
		return 1;
	exchange_finish(t);
	t->flags |= TRACKED_CLOSED;
	emit_connection(t, REASON_CLOSED, t->datagram_sent, t->datagram_received);
	return 1;
}

#endif
