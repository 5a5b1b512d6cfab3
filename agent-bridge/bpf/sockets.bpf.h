/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Tracking of sockets: addresses, direction, owner, totals, records. */
#ifndef BACKFLOW_SOCKETS_H
#define BACKFLOW_SOCKETS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "identity.bpf.h"
#include "overloads.bpf.h"
#include "routes.bpf.h"

static __always_inline void v4_mapped(__u8 *out, __be32 address)
{
	__builtin_memset(out, 0, 10);
	out[10] = 0xff;
	out[11] = 0xff;
	__builtin_memcpy(out + 12, &address, 4);
}

static __always_inline void read_tuple(const struct sock *sk, struct tracked *t)
{
	if (sk->__sk_common.skc_family == AF_INET6) {
		BPF_CORE_READ_INTO(&t->local, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8);
		BPF_CORE_READ_INTO(&t->remote, sk, __sk_common.skc_v6_daddr.in6_u.u6_addr8);
	} else {
		v4_mapped(t->local, sk->__sk_common.skc_rcv_saddr);
		v4_mapped(t->remote, sk->__sk_common.skc_daddr);
	}
	t->local_port = sk->__sk_common.skc_num;
	t->remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
	t->netns = sk->__sk_common.skc_net.net->ns.inum;
}

/* Bits of enum network_bits. */
static __always_inline __u32 network_of(const __u8 *address)
{
	struct network_key key = { .prefixlen = 128 };
	__u32 *bits;

	__builtin_memcpy(key.address, address, 16);
	bits = bpf_map_lookup_elem(&networks, &key);
	return bits ? *bits : SCOPE_OUTSIDE;
}

/* By the address alone. */
static __always_inline __u8 scope_of(const __u8 *address)
{
	return network_of(address) & NETWORK_SCOPE;
}

/*
 * By the address and the way to it; Networks.scopeOf in analyzer/src/domain/networks.ts does the same. What is neither
 * plainly inside nor outside (shared addresses, private ones behind a tunnel, what a proxy reaches) is judged like outside.
 */
static __always_inline __u8 scope_by_route(__u32 network, __u8 route)
{
	__u8 scope = network & NETWORK_SCOPE;

	if (network & NETWORK_CONFIGURED)
		return scope;
	if (route == ROUTE_LOCAL || route == ROUTE_ONWARD)
		return SCOPE_INSIDE;
	if (route == ROUTE_ON_LINK && !(network & NETWORK_SHARED))
		return SCOPE_INSIDE;
	return route == ROUTE_TUNNEL || route == ROUTE_PROXY ? SCOPE_OUTSIDE : scope;
}

/* Reads the way to the remote end, where the socket knows one, and judges by it. */
static __always_inline void judge_route(struct sock *sk, struct tracked *t)
{
	__u32 zero = 0, *prover = bpf_map_lookup_elem(&prover_netns, &zero);
	__u8 route;

	if (prover && *prover && *prover == t->netns)
		return;
	route = route_of(sk, t->remote);
	if (route)
		t->route = route;
	t->scope = scope_by_route(network_of(t->remote), t->route);
}

/* The state of a socket, made where there is none. NULL, and counted, when the kernel gives none. */
static __always_inline struct tracked *state_of(struct sock *sk)
{
	struct tracked *t = bpf_sk_storage_get(&sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);

	if (!t)
		count_lost(LOST_MAP_SOCKET);
	return t;
}

/* Remembers that this host listens on the socket's port. */
static __always_inline void note_listener(const struct tracked *t)
{
	struct listening_key key = { .netns = t->netns, .port = t->local_port };
	__u32 present = 1;

	bpf_map_update_elem(&listening, &key, &present, BPF_ANY);
}

/* Starts (or restarts) tracking. `current` must be the owner; for an accepted socket the listener's owner stands. */
static __always_inline void track(struct sock *sk, struct tracked *t, __u8 initiator)
{
	struct process_id owner = t->owner;

	__builtin_memset(t, 0, sizeof(*t));
	if (initiator == INITIATOR_REMOTE)
		t->owner = owner;
	else
		process_of(bpf_get_current_task_btf(), &t->owner);
	t->cookie = bpf_get_socket_cookie(sk);
	t->opened_ns = bpf_ktime_get_boot_ns();
	t->initiator = initiator;
	t->protocol = sk->sk_protocol; /* of MPTCP the lower byte, which is that of TCP */
	read_tuple(sk, t);
	t->scope = scope_of(t->remote);
}

/* What the kernel counts on an MPTCP socket itself, whatever subflow carried it (kernel 6.5 or later). */
static __always_inline void mptcp_totals(struct sock *sk, __u64 *sent, __u64 *received)
{
	struct mptcp_sock *mptcp = (struct mptcp_sock *)sk;

	if (!bpf_core_field_exists(mptcp->bytes_received))
		return;
	*sent = BPF_CORE_READ(mptcp, bytes_sent);
	*received = BPF_CORE_READ(mptcp, bytes_received);
}

/*
 * Payload bytes so far. bytes_sent counts retransmissions but neither SYN nor FIN (RFC 4898 HCDataOctetsOut);
 * bytes_received follows rcv_nxt and so counts the FIN once it came (SOCK_DONE is set by tcp_fin alone).
 */
static __always_inline void read_totals(struct sock *sk, const struct tracked *t, __u64 *sent, __u64 *received)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);

	*sent = t->datagram_sent;
	*received = t->datagram_received;
	if (t->flags & TRACKED_MPTCP)
		mptcp_totals(sk, sent, received);
	if (!tcp)
		return;
	*sent = tcp->bytes_sent - tcp->bytes_retrans;
	*received = tcp->bytes_received;
	if (*received && (sk->__sk_common.skc_flags & (1UL << bpf_core_enum_value(enum sock_flags, SOCK_DONE))))
		*received -= 1;
}

static __always_inline void fill_record(struct connection_record *r, const struct tracked *t, __u8 reason, __u64 sent,
					__u64 received)
{
	r->kind = RECORD_CONNECTION;
	r->reason = reason;
	r->protocol = t->protocol;
	r->netns = t->netns;
	r->cookie = t->cookie;
	r->opened_ns = t->opened_ns;
	r->observed_ns = bpf_ktime_get_boot_ns();
	r->owner = t->owner;
	__builtin_memcpy(r->local, t->local, 16);
	__builtin_memcpy(r->remote, t->remote, 16);
	r->local_port = t->local_port;
	r->remote_port = t->remote_port;
	r->initiator = t->initiator;
	r->scope = t->scope;
	r->ssh = t->ssh;
	r->flags = (t->flags & TRACKED_OLDER ? CONNECTION_OLDER : 0) |
		   (t->flags & TRACKED_ESTABLISHED ? CONNECTION_ESTABLISHED : 0) |
		   (t->flags & (TRACKED_MPTCP | TRACKED_SUBFLOW) ? CONNECTION_MPTCP : 0) |
		   (t->flags & TRACKED_UDPLITE ? CONNECTION_UDPLITE : 0) | t->route * CONNECTION_ROUTE;
	r->bytes_sent = sent;
	r->bytes_received = received;
	r->exchanges = t->exchanges;
}

static __always_inline void emit_connection(const struct tracked *t, __u8 reason, __u64 sent, __u64 received)
{
	struct connection_record *r = bpf_ringbuf_reserve(&ring, sizeof(*r), 0);

	if (!r) {
		record_lost(LOST_RING_CONNECTION, &t->owner, sizeof(*r));
		return;
	}
	fill_record(r, t, reason, sent, received);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
}

/* State follows the socket: whoever reads or writes it owns it (ssh forks after authentication, servers pre-fork). */
static __always_inline void note_owner(struct tracked *t)
{
	if (t->owner.pid == current_tgid())
		return;
	process_of(bpf_get_current_task_btf(), &t->owner);
	t->flags |= TRACKED_DIRTY;
}

/* The direction of a socket that was there before the hooks: its port is one that this host listens on, or not. */
static __always_inline void resolve_initiator(struct tracked *t)
{
	struct listening_key key = { .netns = t->netns, .port = t->local_port };

	if (t->initiator != INITIATOR_UNKNOWN || t->protocol != IPPROTO_TCP)
		return;
	t->initiator = bpf_map_lookup_elem(&listening, &key) ? INITIATOR_REMOTE : INITIATOR_LOCAL;
}

static __always_inline bool is_outside_connection(const struct tracked *t)
{
	return t->initiator == INITIATOR_LOCAL && t->scope == SCOPE_OUTSIDE;
}

/* Somebody outside may act through it: not by answering questions for names, as long as these carry nothing. */
static __always_inline bool is_spoken_on(const struct tracked *t)
{
	return !(t->flags & TRACKED_RESOLVER) || t->flags & TRACKED_CARRIES;
}

static __always_inline bool is_dialled_inside(const struct tracked *t)
{
	return t->initiator == INITIATOR_LOCAL && t->scope == SCOPE_INSIDE;
}

#endif
