/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Programs that hand tracked sockets and the maps of coupling to user space, entry by entry, when they are read. An iterator
 * visits each entry that was there when it began: a batched lookup ends early where a bucket does not fit.
 */
#ifndef BACKFLOW_LISTING_H
#define BACKFLOW_LISTING_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "sockets.bpf.h"
#include "mptcp.bpf.h"
#include "datagrams.bpf.h"

/* Edges that changed since the time in `edge_walk`, whole. */
SEC("iter/bpf_map_elem")
int list_edges(struct bpf_iter__bpf_map_elem *ctx)
{
	struct edge_key *key = ctx->key;
	struct edge *edge = ctx->value;
	__u32 zero = 0;
	struct edge_walk *walk;

	if (!key || !edge)
		return 0;
	walk = bpf_map_lookup_elem(&edge_walk, &zero);
	if (!walk)
		return 0;
	/* What does not fit into the reader's buffer is visited again, and counted then. */
	if (edge->last_ns > walk->since_ns && (bpf_seq_write(ctx->meta->seq, key, sizeof(*key)) ||
					       bpf_seq_write(ctx->meta->seq, edge, sizeof(*edge))))
		return 0;
	walk->visited += 1;
	return 0;
}

SEC("iter/bpf_map_elem")
int list_edge_ages(struct bpf_iter__bpf_map_elem *ctx)
{
	struct edge_key *key = ctx->key;
	struct edge *edge = ctx->value;
	struct edge_age r;

	if (!key || !edge)
		return 0;
	r.key = *key;
	r.share = edge->share;
	r.first_ns = edge->first_ns;
	r.last_ns = edge->last_ns;
	r.both_ways = edge->forward_out && edge->backward_in;
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}

SEC("iter/bpf_map_elem")
int list_groups(struct bpf_iter__bpf_map_elem *ctx)
{
	struct group *g = ctx->value;
	__u64 *id = ctx->key;
	struct group_age r;

	if (!id || !g)
		return 0;
	r.group = *id;
	r.share = g->share;
	r.last_ns = g->a_spoke_ns > g->waiting_back_ns ? g->a_spoke_ns : g->waiting_back_ns;
	r.ended_ns = g->ended_ns;
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}

SEC("iter/bpf_map_elem")
int list_members(struct bpf_iter__bpf_map_elem *ctx)
{
	struct member *member = ctx->value;
	__u32 *pid = ctx->key;
	struct member_record r;

	if (!pid || !member)
		return 0;
	r.pid = *pid;
	r.member = *member;
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}

/* One line of the walk, where there is anything new; `all` asks for what is not. */
static __always_inline void walk_line(struct seq_file *seq, struct sock *sk, struct tracked *t, bool all)
{
	struct connection_record r;
	__u64 sent, received;

	read_totals(sk, t, &sent, &received);
	if (!all && sent == t->reported_sent && received == t->reported_received && !(t->flags & TRACKED_DIRTY))
		return;
	resolve_initiator(t);
	/* A whole walk follows each Welcome, which may have named networks since the socket was opened. Of many places none counts. */
	if (all && t->scope != SCOPE_UNKNOWN)
		t->scope = scope_by_route(network_of(t->remote), t->route);
	t->flags &= ~TRACKED_DIRTY;
	t->reported_sent = sent;
	t->reported_received = received;
	fill_record(&r, t, REASON_MOVED, sent, received);
	bpf_seq_write(seq, &r, sizeof(r));
}

/* Further remotes of a UDP socket that are connections: dialled, and heard of. */
static __always_inline void walk_remotes(struct seq_file *seq, struct sock *sk, bool all)
{
	struct remotes *more = bpf_sk_storage_get(&remotes, sk, NULL, 0);
	struct tracked *t;
	__u32 i;

	for (i = 0; more && i < MORE_REMOTES; i++) {
		t = &more->of[i];
		if (t->cookie && t->initiator == INITIATOR_LOCAL && t->datagram_received)
			walk_line(seq, sk, t, all);
	}
}

SEC("iter/bpf_sk_storage_map")
int walk_sockets(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct tracked *t = ctx->value;
	struct sock *sk = ctx->sk;
	__u32 zero = 0, *setting;
	bool all;

	if (!t || !sk || t->flags & (TRACKED_LISTENER | TRACKED_CLOSED | TRACKED_SUBFLOW) || !t->cookie)
		return 0;
	if (t->flags & TRACKED_MPTCP && !mptcp_addressed(sk, t))
		return 0;
	setting = bpf_map_lookup_elem(&walk_all, &zero);
	all = setting && *setting;
	walk_line(ctx->meta->seq, sk, t, all);
	if (is_datagram(sk->sk_protocol))
		walk_remotes(ctx->meta->seq, sk, all);
	return 0;
}

#endif
