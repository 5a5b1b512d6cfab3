/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The moment at which a connection has its route and nothing has left yet: whether its remote end is inside. */
#ifndef BACKFLOW_DIALLING_H
#define BACKFLOW_DIALLING_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "sockets.bpf.h"
#include "groups.bpf.h"
#include "outsides.bpf.h"
#include "joints.bpf.h"
#include "joins.bpf.h"

/* Shared addresses, and private ones behind a tunnel, that the configuration does not name. */
static __always_inline bool is_overlay(__u32 network, __u8 route)
{
	if (network & NETWORK_CONFIGURED || route == ROUTE_LOCAL)
		return false;
	return network & NETWORK_SHARED || (route == ROUTE_TUNNEL && (network & NETWORK_SCOPE) == SCOPE_INSIDE);
}

/* Somebody plainly outside, and no overlay's, has just spoken to the processes that `current` acts with. */
static __always_inline bool serves_outside(__u64 now)
{
	__u64 id;
	struct group *g = current_group(&id);
	__u32 network;

	if (!g || now - g->a_spoke_ns > AFTER_NS)
		return false;
	network = network_of(outside_latest(g)->remote);
	return (network & NETWORK_SCOPE) == SCOPE_OUTSIDE && !(network & NETWORK_SHARED);
}

/*
 * Runs in the process that dials. What is dialled in an overlay just after somebody outside spoke is where he is led (the
 * private network behind the VPN of this host), and no place of his.
 */
static __always_inline void dialled(struct sock *sk, struct tracked *t)
{
	__u64 now = bpf_ktime_get_boot_ns();
	bool was_inside = t->scope == SCOPE_INSIDE;

	judge_route(sk, t);
	if (t->route == ROUTE_LOCAL)
		note_caller(sk, t);
	if (is_overlay(network_of(t->remote), t->route) && serves_outside(now)) {
		t->route = ROUTE_ONWARD;
		t->scope = SCOPE_INSIDE;
	}
	if (t->scope == SCOPE_INSIDE && !was_inside)
		dials_inside(t, now);
}

SEC("sockops")
int on_connect(struct bpf_sock_ops *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct tcp_sock *tcp;
	struct tracked *t;

	if (ctx->op != BPF_SOCK_OPS_TCP_CONNECT_CB || !sk)
		return 1;
	t = bpf_sk_storage_get(&sockets, sk, NULL, 0);
	tcp = bpf_skc_to_tcp_sock(sk);
	if (t && tcp)
		dialled((struct sock *)tcp, t);
	return 1;
}

#endif
