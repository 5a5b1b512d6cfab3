/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Coupling edges: their keys, who makes them and within which bounds, and their turns. */
#ifndef BACKFLOW_EDGES_H
#define BACKFLOW_EDGES_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "identity.bpf.h"
#include "groups.bpf.h"
#include "overloads.bpf.h"
#include "shares.bpf.h"

/* Bytes of one turn that enter the moments: 2^20 squared, a million times, still fits 64 bits. */
#define TURN_CAP (1ULL << 20)

static __always_inline void edge_key_to(struct edge_key *key, __u64 group_id, const struct outside *a, const __u8 *remote,
					__u16 port, __u8 protocol, __u16 joined)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->group = group_id;
	__builtin_memcpy(key->a_remote, a->remote, 16);
	key->a_port = a->port;
	__builtin_memcpy(key->b_remote, remote, 16);
	key->b_port = port;
	key->kind = protocol == IPPROTO_UDP ? EDGE_UDP : protocol == PROTOCOL_UNIX ? EDGE_UNIX : EDGE_TCP;
	key->joined = joined;
}

/* Of what `current` does, of which `joined` says is_joined(). */
static __always_inline void edge_key_of(struct edge_key *key, __u64 group_id, const struct outside *a, const struct tracked *b,
					__u16 joined)
{
	edge_key_to(key, group_id, a, b->remote, b->remote_port, b->protocol, joined);
}

/* Of the B that spoke last. */
static __always_inline void edge_key_back(struct edge_key *key, __u64 group_id, const struct outside *a, const struct group *g)
{
	edge_key_to(key, group_id, a, g->back_remote, g->back_port, g->back_protocol, g->back_joined);
}

static __always_inline struct edge *edge_make(const struct edge_key *key, struct group *g)
{
	static const struct edge nothing;
	int failed = bpf_map_update_elem(&edges, key, &nothing, BPF_NOEXIST);
	struct edge *edge;

	if (failed && failed != -EEXIST)
		return NULL;
	edge = bpf_map_lookup_elem(&edges, key);
	if (edge && !failed) {
		edge->share = g->share;
		edge->delay_min_ns = ~0ULL;
		edge->first_ns = bpf_ktime_get_boot_ns();
		share_took_edge(g);
	}
	return edge;
}

/* The key of the edge that takes what is beyond the bound: all that A was followed by. */
static __always_inline void edge_key_pool(struct edge_key *key)
{
	__builtin_memset(key->b_remote, 0, sizeof(key->b_remote));
	key->b_port = 0;
	key->kind = EDGE_MANY;
}

/* The edge, made where there is none; beyond the bound, the pooled one, in whose key `key` turns. */
static __always_inline struct edge *edge_get(struct edge_key *key, struct group *g, const struct process_id *maker)
{
	struct edge *edge = bpf_map_lookup_elem(&edges, key);
	__u64 bound;

	if (edge)
		return edge;
	bound = bound_of_edges(key->group, g, false);
	if (!bound) {
		edge = edge_make(key, g);
		if (edge)
			return edge;
		bound = MAX_EDGES;
	}
	g->crowded = 1;
	note_overload(OVERLOAD_EDGES, key->group, maker, bound);
	edge_key_pool(key);
	edge = bpf_map_lookup_elem(&edges, key);
	if (!edge && !bound_of_edges(key->group, g, true))
		edge = edge_make(key, g);
	if (!edge)
		count_lost(LOST_MAP_EDGE);
	return edge;
}

/* The edge if there is one, or the pooled one if the group has it. */
static __always_inline struct edge *edge_find(const struct edge_key *key, const struct group *g)
{
	struct edge *edge = bpf_map_lookup_elem(&edges, key);
	struct edge_key pooled;

	if (edge || !g->crowded)
		return edge;
	pooled = *key;
	edge_key_pool(&pooled);
	return bpf_map_lookup_elem(&edges, &pooled);
}

static __always_inline void edge_parties(struct edge *edge, const struct outside *a, __u64 b_cookie)
{
	edge->a_process = a->process;
	edge->a_cookie = a->cookie;
	edge->b_cookie = b_cookie;
	process_of(bpf_get_current_task_btf(), &edge->b_process);
	edge->last_ns = bpf_ktime_get_boot_ns();
}

static __always_inline void turn_finish(struct turn *turn, struct moments *m)
{
	__u64 x = turn->came_in < TURN_CAP ? turn->came_in : TURN_CAP;
	__u64 y = turn->went_out < TURN_CAP ? turn->went_out : TURN_CAP;

	if (x || y) {
		m->n += 1;
		m->x += x;
		m->y += y;
		m->xx += x * x;
		m->yy += y * y;
		m->xy += x * y;
	}
	turn->came_in = 0;
	turn->went_out = 0;
}

#endif
