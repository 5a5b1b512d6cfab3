/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * UDP and UDP-Lite: no state machine and no counters of its own. Bytes and owner come from sends and receives in process
 * context, the remote end of a datagram from the sendmsg or recvmsg hook just before. A socket speaks with whom it likes:
 * the first remote has the state of the socket, up to seven others have one each, so that what was said to or by one hides
 * no other. Remotes have numbers: 0 is not known, 1 the first, 2 and on the others.
 */
#ifndef BACKFLOW_DATAGRAMS_H
#define BACKFLOW_DATAGRAMS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "sockets.bpf.h"
#include "exchanges.bpf.h"

#define FIRST_REMOTE 1
/* A remote that this host dialled outside and that answered keeps its place against others as long as it is not silent for: */
#define REMOTE_KEPT_NS (600ULL * 1000 * 1000 * 1000)
/* Socket cookies count up from 1; above these bits a further remote of a socket has its own number. */
#define COOKIE_BITS 40
/* Ports of UDP are beside those of TCP in the map of what this host listens on, by the scope of who spoke first. */
#define LISTENING_UDP(scope) (((scope) + 1U) << 16)

struct remote_address {
	__u8 address[16];
	__u16 port;
} __attribute__((aligned(8)));

static __always_inline bool is_datagram(__u16 protocol)
{
	return protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE;
}

static __always_inline bool is_with(const struct tracked *t, const struct remote_address *a)
{
	const __u64 *x = (const __u64 *)t->remote, *y = (const __u64 *)a->address;

	return t->remote_port == a->port && x[0] == y[0] && x[1] == y[1];
}

/* The smaller, the sooner it makes room for another. */
static __always_inline __u64 remote_worth(const struct tracked *t, __u64 now)
{
	if (!t->cookie)
		return 0;
	if (!is_outside_connection(t) || !t->datagram_received || now - t->datagram_ns > REMOTE_KEPT_NS)
		return t->datagram_ns;
	return (1ULL << 63) + t->datagram_received;
}

static __always_inline void remote_ended(struct tracked *t)
{
	if (!t->cookie || !(t->reported_sent | t->reported_received))
		return;
	exchange_finish(t);
	emit_connection(t, REASON_CLOSED, t->datagram_sent, t->datagram_received);
}

/* Who began with a remote that there is no state of. */
static __always_inline __u8 remote_initiator(const struct tracked *first, __u8 scope, __u8 speaker)
{
	__u32 forgotten = scope == SCOPE_INSIDE ? TRACKED_STRANGERS_INSIDE : TRACKED_STRANGERS_OUTSIDE;

	return speaker == INITIATOR_LOCAL && first->flags & forgotten ? INITIATOR_UNKNOWN : speaker;
}

static __always_inline void remote_begin(struct tracked *t, struct tracked *first, const struct remote_address *a,
					 __u8 speaker, __u64 number)
{
	remote_ended(t);
	if (t->cookie && t->initiator == INITIATOR_REMOTE)
		first->flags |= t->scope == SCOPE_INSIDE ? TRACKED_STRANGERS_INSIDE : TRACKED_STRANGERS_OUTSIDE;
	__builtin_memset(t, 0, sizeof(*t));
	t->cookie = first->cookie | (number << COOKIE_BITS);
	t->opened_ns = bpf_ktime_get_boot_ns();
	t->datagram_ns = t->opened_ns;
	t->owner = first->owner;
	__builtin_memcpy(t->local, first->local, 16);
	__builtin_memcpy(t->remote, a->address, 16);
	t->local_port = first->local_port;
	t->remote_port = a->port;
	t->netns = first->netns;
	t->protocol = first->protocol;
	t->flags = TRACKED_ESTABLISHED | (first->flags & TRACKED_UDPLITE);
	t->scope = scope_of(t->remote);
	t->initiator = remote_initiator(first, t->scope, speaker);
}

/* The number of a remote of a socket whose first one is another: its own, or that of one that made room. */
static __always_inline __u8 further_remote(void *sk, struct tracked *first, const struct remote_address *a, __u8 speaker)
{
	struct remotes *more = bpf_sk_storage_get(&remotes, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	__u64 worth, lowest = ~0ULL, now;
	__u32 i, victim = 0;

	if (!more) {
		count_lost(LOST_MAP_SOCKET);
		return 0;
	}
	for (i = 0; i < MORE_REMOTES; i++)
		if (is_with(&more->of[i], a))
			return FIRST_REMOTE + 1 + i;
	now = bpf_ktime_get_boot_ns();
	for (i = 0; i < MORE_REMOTES; i++) {
		worth = remote_worth(&more->of[i], now);
		if (worth < lowest) {
			lowest = worth;
			victim = i;
		}
	}
	if (victim >= MORE_REMOTES)
		return 0;
	more->made++;
	remote_begin(&more->of[victim], first, a, speaker, more->made);
	return FIRST_REMOTE + 1 + victim;
}

static __always_inline __u8 remote_number(void *sk, struct tracked *first, const struct remote_address *a, __u8 speaker)
{
	return is_with(first, a) ? FIRST_REMOTE : further_remote(sk, first, a, speaker);
}

/* The sendmsg and recvmsg hooks run before it is known whether there will be a datagram, and how long it is. */
static __always_inline void datagram_address(struct bpf_sock_addr *ctx, struct remote_address *a, __u8 speaker)
{
	struct bpf_sock *sk = ctx->sk;
	struct tracked *t;
	__u8 number;

	if (!sk)
		return;
	/* A failure is counted once, by datagram_tracked(). */
	t = bpf_sk_storage_get(&sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!t)
		return;
	a->port = bpf_ntohs(ctx->user_port);
	if (!t->cookie) {
		/* No datagram yet: a state without cookie holds the address of what may be the first. */
		__builtin_memcpy(t->remote, a->address, 16);
		t->remote_port = a->port;
		return;
	}
	number = remote_number(sk, t, a, speaker);
	if (speaker == INITIATOR_LOCAL)
		t->sending = number;
	else
		t->receiving = number;
}

static __always_inline void datagram_address_v4(struct bpf_sock_addr *ctx, __u8 speaker)
{
	struct remote_address a = {};

	v4_mapped(a.address, ctx->user_ip4);
	datagram_address(ctx, &a, speaker);
}

static __always_inline void datagram_address_v6(struct bpf_sock_addr *ctx, __u8 speaker)
{
	__u32 remote[4] = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] };
	struct remote_address a = {};

	__builtin_memcpy(a.address, remote, 16);
	datagram_address(ctx, &a, speaker);
}

static __always_inline bool is_connected(const struct sock *sk)
{
	return sk->__sk_common.skc_dport && sk->__sk_common.skc_state == TCP_ESTABLISHED;
}

/*
 * Servers connect a socket of its own to who has spoken on the one that is bound to their port: there the answer is the
 * first datagram, and yet nobody was dialled.
 */
static __always_inline __u8 connected_initiator(const struct tracked *t)
{
	struct listening_key key = { .netns = t->netns, .port = LISTENING_UDP(t->scope) | t->local_port };

	return bpf_map_lookup_elem(&listening, &key) ? INITIATOR_REMOTE : INITIATOR_LOCAL;
}

static __always_inline void note_stranger(const struct tracked *t)
{
	struct listening_key key = { .netns = t->netns, .port = LISTENING_UDP(t->scope) | t->local_port };
	__u32 present = 1;

	bpf_map_update_elem(&listening, &key, &present, BPF_ANY);
}

/* The state of a UDP socket, started at its first send or receive. */
static __always_inline struct tracked *datagram_tracked(struct sock *sk, __u8 speaker)
{
	struct tracked *t = bpf_sk_storage_get(&sockets, sk, NULL, 0);
	struct remote_address pending;
	__u32 question;

	if (t && t->cookie)
		return t;
	if (sk->__sk_common.skc_family != AF_INET && sk->__sk_common.skc_family != AF_INET6)
		return NULL;
	t = state_of(sk);
	if (!t)
		return NULL;
	pending.port = t->remote_port;
	__builtin_memcpy(pending.address, t->remote, 16);
	question = t->question;
	track(sk, t, INITIATOR_LOCAL);
	t->question = question;
	if (pending.port) {
		__builtin_memcpy(t->remote, pending.address, 16);
		t->remote_port = pending.port;
	}
	judge_route(sk, t);
	t->flags = TRACKED_ESTABLISHED | (sk->sk_protocol == IPPROTO_UDPLITE ? TRACKED_UDPLITE : 0);
	/* Whatever this carries beside the payload, to what reads records and edges it is UDP. */
	t->protocol = IPPROTO_UDP;
	t->initiator = speaker;
	if (is_connected(sk))
		t->initiator = speaker == INITIATOR_LOCAL ? connected_initiator(t) : speaker;
	else if (speaker == INITIATOR_REMOTE)
		note_stranger(t);
	t->sending = FIRST_REMOTE;
	t->receiving = FIRST_REMOTE;
	t->usual = FIRST_REMOTE;
	return t;
}

/* Of a datagram without an address of its own: whom the socket is connected to, or whom it usually speaks with. */
static __always_inline __u8 implied_remote(struct sock *sk, struct tracked *first, __u8 speaker)
{
	struct remote_address a = {};

	if (!is_connected(sk))
		return first->usual;
	if (sk->__sk_common.skc_family == AF_INET6)
		BPF_CORE_READ_INTO(&a.address, sk, __sk_common.skc_v6_daddr.in6_u.u6_addr8);
	else
		v4_mapped(a.address, sk->__sk_common.skc_daddr);
	a.port = bpf_ntohs(sk->__sk_common.skc_dport);
	return remote_number(sk, first, &a, speaker);
}

/* The state of the remote that a datagram went to or came from. */
static __always_inline struct tracked *datagram_with(struct sock *sk, __u8 speaker)
{
	struct tracked *first = datagram_tracked(sk, speaker), *t;
	struct remotes *more;
	__u32 number, at;

	if (!first)
		return NULL;
	number = speaker == INITIATOR_LOCAL ? first->sending : first->receiving;
	first->sending = 0;
	first->receiving = 0;
	if (!number)
		number = implied_remote(sk, first, speaker);
	if (number <= FIRST_REMOTE) {
		t = first;
	} else {
		more = bpf_sk_storage_get(&remotes, sk, NULL, 0);
		at = number - FIRST_REMOTE - 1;
		if (!more || at >= MORE_REMOTES)
			return first;
		t = &more->of[at];
		if (t->initiator == INITIATOR_REMOTE && !t->datagram_received && !is_connected(sk))
			note_stranger(t);
		t->datagram_ns = bpf_ktime_get_boot_ns();
	}
	if (speaker == INITIATOR_LOCAL && is_outside_connection(t))
		first->usual = number;
	return t;
}

static __always_inline int datagram_closed(struct bpf_sock *sk)
{
	struct remotes *more;
	struct tracked *t;
	__u32 i;

	if (!is_datagram(sk->protocol))
		return 1;
	t = bpf_sk_storage_get(&sockets, sk, NULL, 0);
	if (!t || !t->cookie || t->flags & TRACKED_CLOSED)
		return 1;
	more = bpf_sk_storage_get(&remotes, sk, NULL, 0);
	for (i = 0; more && i < MORE_REMOTES; i++)
		remote_ended(&more->of[i]);
	exchange_finish(t);
	t->flags |= TRACKED_CLOSED;
	emit_connection(t, REASON_CLOSED, t->datagram_sent, t->datagram_received);
	return 1;
}

#endif
