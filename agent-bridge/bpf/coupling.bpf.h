/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Coupling: does what is received on an outbound connection A come out on an endpoint B inside, and B's answer on A?
 * Forward and backward turns are kept apart, so that a slow service, a bulk answer and window updates in the middle of it
 * do not tear the pairs. Counters are updated without locks: threads of one group may lose a few bytes of a turn to a race.
 */
#ifndef BACKFLOW_COUPLING_H
#define BACKFLOW_COUPLING_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "identity.bpf.h"
#include "groups.bpf.h"
#include "overloads.bpf.h"
#include "shares.bpf.h"
#include "log2.bpf.h"

/* What A said stays a possible cause for this long: relays with a second of delay exist, people's pauses are longer. */
#define CAUSE_NS (2000ULL * 1000 * 1000)
/* After a lull of this length on A, what it said before was for the process itself (TLS session tickets, greetings). */
#define LULL_NS (500ULL * 1000 * 1000)
/* A pause of this length within one direction ends a turn even when the other direction was silent. */
#define TURN_PAUSE_NS (50ULL * 1000 * 1000)
/* Bytes of one turn that enter the moments: 2^20 squared, a million times, still fits 64 bits. */
#define TURN_CAP (1ULL << 20)

static __always_inline void edge_key_of(struct edge_key *key, __u64 group_id, const struct group *g, const struct tracked *b)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->group = group_id;
	__builtin_memcpy(key->a_remote, g->a_remote, 16);
	key->a_port = g->a_port;
	__builtin_memcpy(key->b_remote, b->remote, 16);
	key->b_port = b->remote_port;
	key->kind = b->protocol == IPPROTO_UDP ? EDGE_UDP : b->protocol == PROTOCOL_UNIX ? EDGE_UNIX : EDGE_TCP;
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
static __always_inline struct edge *edge_get(struct edge_key *key, struct group *g)
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
	note_overload(OVERLOAD_EDGES, key->group, &g->a_process, bound);
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

static __always_inline void edge_parties(struct edge *edge, const struct group *g, __u64 b_cookie)
{
	edge->a_process = g->a_process;
	edge->a_cookie = g->a_cookie;
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

/* A begins or ends a turn: what the far side said so far on A waits for a write to B. */
static __always_inline void outside_received(struct tracked *a, __u64 bytes, __u64 now)
{
	__u64 id = current_group_id(bpf_get_current_task_btf());
	struct group *g = bpf_map_lookup_elem(&groups, &id);

	if (!g)
		g = group_make(id, a);
	if (!g)
		return;
	if (now - g->a_spoke_ns > LULL_NS)
		g->waiting_in = 0;
	g->waiting_in += bytes;
	g->a_spoke_ns = now;
	if (g->a_cookie != a->cookie) {
		g->a_cookie = a->cookie;
		__builtin_memcpy(g->a_remote, a->remote, 16);
		g->a_port = a->remote_port;
	}
	g->a_process = a->owner;
}

/* Something was opened or executed: after A spoke, or by itself. */
static __always_inline void edge_opened(struct edge_key *key, struct group *g, __u64 b_cookie, __u64 now)
{
	__u64 delay = now - g->a_spoke_ns;
	struct edge *edge;

	if (delay > CAUSE_NS) {
		edge = edge_find(key, g);
		if (edge)
			edge->opened_alone++;
		return;
	}
	edge = edge_get(key, g);
	if (!edge)
		return;
	edge->opened_after++;
	edge->delay_log2 += log2_q8(delay);
	if (delay < edge->delay_min_ns)
		edge->delay_min_ns = delay;
	edge_parties(edge, g, b_cookie);
}

/* The group dials B. */
static __always_inline void inside_opened(const struct tracked *b, __u64 now)
{
	struct edge_key key;
	__u64 id;
	struct group *g = current_group(&id);

	if (!g)
		return;
	edge_key_of(&key, id, g, b);
	edge_opened(&key, g, b->cookie, now);
}

/*
 * Bytes from A that a write to B now can have come from. A tool may acknowledge on A before it writes to B, so what was
 * answered last stands in when nothing else waits.
 */
static __always_inline __u64 waiting_cause(struct group *g, __u64 now)
{
	__u64 cause = g->waiting_in ? g->waiting_in : g->answered_in;

	g->waiting_in = 0;
	g->answered_in = 0;
	return now - g->a_spoke_ns <= CAUSE_NS ? cause : 0;
}

static __always_inline void inside_sent(const struct tracked *b, __u64 bytes, __u64 now)
{
	struct edge_key key;
	struct edge *edge;
	struct turn *turn;
	__u64 id, cause;
	struct group *g = current_group(&id);

	if (!g)
		return;
	cause = waiting_cause(g, now);
	edge_key_of(&key, id, g, b);
	edge = cause ? edge_get(&key, g) : edge_find(&key, g);
	if (!edge)
		return;
	turn = &edge->forward_turn;
	if (edge->backward_turn.last_ns > turn->last_ns || now - turn->last_ns > TURN_PAUSE_NS)
		turn_finish(turn, &edge->forward);
	/* Nothing came in on A since: B is written for a reason of its own, unless it is the rest of the same turn. */
	if (!cause && !turn->came_in)
		return;
	turn->came_in += cause;
	turn->went_out += bytes;
	turn->last_ns = now;
	edge->forward_in += cause;
	edge->forward_out += bytes;
	edge_parties(edge, g, b->cookie);
}

static __always_inline void inside_received(const struct tracked *b, __u64 bytes, __u64 now)
{
	__u64 id;
	struct group *g = current_group(&id);

	if (!g)
		return;
	if (now - g->waiting_back_ns > CAUSE_NS)
		g->waiting_back = 0;
	g->waiting_back += bytes;
	g->waiting_back_ns = now;
	edge_key_of(&g->back, id, g, b);
}

/* A answered by itself what was said on it: key exchange, a channel confirmed, a heartbeat. */
static __always_inline void outside_answered(struct group *g)
{
	if (!g->waiting_in)
		return;
	g->answered_in = g->waiting_in;
	g->waiting_in = 0;
}

static __always_inline void outside_sent(const struct tracked *a, __u64 bytes, __u64 now)
{
	struct edge *edge;
	struct turn *turn;
	bool owing, paused;
	__u64 id, cause;
	struct group *g = current_group(&id);

	if (!g)
		return;
	cause = now - g->waiting_back_ns <= CAUSE_NS ? g->waiting_back : 0;
	g->waiting_back = 0;
	edge = g->waiting_back_ns ? edge_find(&g->back, g) : NULL;
	if (!edge) {
		outside_answered(g);
		return;
	}
	turn = &edge->backward_turn;
	paused = now - turn->last_ns > TURN_PAUSE_NS;
	/* Another thread may have taken the cause of this send for its own: as long as less went out than came in. */
	owing = turn->came_in > turn->went_out && !paused;
	if (!cause) {
		/* The rest of a turn: a header and a payload in two sends. What A said since begins another. */
		if (!owing && (!turn->came_in || g->a_spoke_ns > turn->last_ns || paused)) {
			outside_answered(g);
			return;
		}
	} else if (!owing && (edge->forward_turn.last_ns > turn->last_ns || paused)) {
		turn_finish(turn, &edge->backward);
	}
	turn->came_in += cause;
	turn->went_out += bytes;
	turn->last_ns = now;
	edge->backward_in += cause;
	edge->backward_out += bytes;
	edge->last_ns = now;
}

#endif
