/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Programs that hand the maps of coupling to user space, entry by entry, when they are read. An iterator visits each entry
 * that was there when it began: a batched lookup ends early where a bucket does not fit.
 */
#ifndef BACKFLOW_LISTING_H
#define BACKFLOW_LISTING_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"

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

#endif
