/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Coupling: does what is received on an outbound connection A come out on an endpoint B inside, and B's answer on A?
 * Forward and backward turns are kept apart, so that a slow service, a bulk answer and window updates in the middle of it
 * do not tear the pairs. What happens on B is held against each A that may have caused it, so that an A that chats does not
 * take the place of the one that works. Counters are updated without locks: threads of one group may lose a few bytes of a
 * turn to a race.
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
#include "edges.bpf.h"
#include "order.bpf.h"
#include "log2.bpf.h"

/* B was opened after A spoke if this soon: relays with a second of delay exist, people's pauses are longer. */
#define AFTER_NS (2000ULL * 1000 * 1000)
/* What A said stays a possible cause for this long: some relays delay by ten seconds. */
#define CAUSE_NS (15000ULL * 1000 * 1000)
/* Of several A, those beside the last one that spoke may be the cause of something new inside for this long. */
#define NEAR_NS (20ULL * 1000 * 1000)
/* After a lull of this length on A, what it said before was for the process itself (TLS session tickets, greetings). */
#define LULL_NS (500ULL * 1000 * 1000)
/* A pause of this length within one direction ends a turn even when the other direction was silent. */
#define TURN_PAUSE_NS (50ULL * 1000 * 1000)
/* include/linux/sched.h */
#define PF_EXITING 0x00000004
/* What arrives on A in pieces this near to each other is one message. */
#define MESSAGE_NS (1000ULL * 1000)

static __always_inline bool leads_to(const struct outside *o, const struct tracked *a)
{
	const __u64 *at = (const __u64 *)o->remote, *to = (const __u64 *)a->remote;

	return o->spoke_ns && o->port == a->remote_port && at[0] == to[0] && at[1] == to[1];
}

/* The group's A to the place where `a` leads, or NULL. */
static __always_inline struct outside *outside_find(struct group *g, const struct tracked *a)
{
	int i;

	for (i = 0; i < OUTSIDES; i++) {
		if (leads_to(&g->outsides[i], a))
			return &g->outsides[i];
	}
	return NULL;
}

/* Takes the place of the A that has been silent for longest. */
static __always_inline struct outside *outside_make(struct group *g, const struct tracked *a, __u64 now)
{
	struct outside *o = &g->outsides[0];
	__u64 oldest_ns = o->spoke_ns;
	__u16 index = 0;
	int i;

	for (i = 1; i < OUTSIDES; i++) {
		if (g->outsides[i].spoke_ns < oldest_ns) {
			o = &g->outsides[i];
			oldest_ns = o->spoke_ns;
			index = i;
		}
	}
	__builtin_memset(o, 0, sizeof(*o));
	o->index = index;
	__builtin_memcpy(o->remote, a->remote, 16);
	o->port = a->remote_port;
	return o;
}

/* A begins or ends a turn: what the far side said so far on A waits for a write to B. */
static __always_inline void outside_received(struct tracked *a, __u64 bytes, __u64 now)
{
	__u64 id = current_group_id(bpf_get_current_task_btf());
	struct group *g = bpf_map_lookup_elem(&groups, &id);
	struct outside *o;

	if (!g)
		g = group_make(id, a);
	if (!g)
		return;
	o = outside_find(g, a);
	if (!o)
		o = outside_make(g, a, now);
	if (now - o->spoke_ns > LULL_NS)
		o->waiting_in = 0;
	if (now - o->spoke_ns > MESSAGE_NS)
		o->gap_ns = now - o->spoke_ns < CAUSE_NS ? now - o->spoke_ns : CAUSE_NS;
	o->waiting_in += bytes;
	o->is_resolver = !!(a->flags & TRACKED_RESOLVER);
	o->spoke_ns = now;
	o->cookie = a->cookie;
	o->process = a->owner;
	g->a_spoke_ns = now;
	g->latest = o->index;
}

/* The A that spoke last. */
static __always_inline struct outside *outside_latest(struct group *g)
{
	__u64 i = g->latest;

	return &g->outsides[i < OUTSIDES ? i : 0];
}

/* May what `o` said be why something new happens inside now? */
static __always_inline bool outside_may_cause(const struct group *g, const struct outside *o, int i, __u64 now)
{
	__u64 age = now - o->spoke_ns;

	return o->spoke_ns && (age <= NEAR_NS || (i == g->latest && age <= CAUSE_NS));
}

/* B was opened: after A spoke, or by itself. */
static __always_inline void edge_opened(struct edge_key *key, struct group *g, const struct outside *o, bool may_cause,
					__u64 b_cookie, __u64 now)
{
	__u64 delay = now - o->spoke_ns;
	struct edge *edge;

	if (!may_cause) {
		edge = edge_find(key, g);
		if (edge)
			edge->opened_alone++;
		return;
	}
	edge = edge_get(key, g, &o->process);
	if (!edge)
		return;
	edge->order.lead_log2 += order_lead(o, now);
	if (delay > AFTER_NS) {
		edge->order.opened_late++;
	} else {
		edge->opened_after++;
		edge->delay_log2 += log2_q8(delay);
		if (delay < edge->delay_min_ns)
			edge->delay_min_ns = delay;
	}
	edge_parties(edge, o, b_cookie);
}

/* The group dials B. */
static __always_inline void inside_opened(struct tracked *b, __u64 now)
{
	struct edge_key key;
	__u64 id;
	struct group *g = current_group(&id);
	int i;

	if (!g)
		return;
	if (now - g->a_spoke_ns <= CAUSE_NS)
		b->flags |= TRACKED_DIALLED_AFTER;
	for (i = 0; i < OUTSIDES; i++) {
		struct outside *o = &g->outsides[i];

		if (!o->spoke_ns)
			continue;
		edge_key_of(&key, id, o, b);
		edge_opened(&key, g, o, outside_may_cause(g, o, i, now), b->cookie, now);
	}
}

/*
 * Bytes from A that a write to B now can have come from. A tool may acknowledge on A before it writes to B, so what was
 * answered last stands in when nothing else waits.
 */
static __always_inline __u64 waiting_cause(struct outside *o, __u64 now)
{
	__u64 cause = o->waiting_in ? o->waiting_in : o->answered_in;

	o->waiting_in = 0;
	o->answered_in = 0;
	return now - o->spoke_ns <= CAUSE_NS ? cause : 0;
}

/* Bytes go to B, `cause` of them from A. */
static __always_inline void edge_written(struct edge *edge, const struct outside *o, const struct tracked *b, __u64 bytes,
					 __u64 cause, __u64 now)
{
	struct turn *turn = &edge->forward_turn;

	order_written(&edge->order, o, b, now);
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
	edge_parties(edge, o, b->cookie);
}

static __always_inline void inside_sent(struct tracked *b, __u64 bytes, __u64 now)
{
	struct edge_key key;
	struct edge *edge;
	__u64 id, cause;
	struct group *g = current_group(&id);
	int i;

	if (!g)
		return;
	for (i = 0; i < OUTSIDES; i++) {
		struct outside *o = &g->outsides[i];

		if (!o->spoke_ns)
			continue;
		edge_key_of(&key, id, o, b);
		cause = waiting_cause(o, now);
		edge = cause && outside_may_cause(g, o, i, now) ? edge_get(&key, g, &o->process) : edge_find(&key, g);
		if (edge)
			edge_written(edge, o, b, bytes, cause, now);
	}
	b->sent_ns = now;
}

static __always_inline void inside_received(struct tracked *b, __u64 bytes, __u64 now)
{
	struct edge_key key;
	struct edge *edge;
	__u64 id;
	struct group *g = current_group(&id);
	bool stale;
	int i;

	if (!g)
		return;
	stale = now - g->waiting_back_ns > CAUSE_NS;
	for (i = 0; i < OUTSIDES; i++) {
		struct outside *o = &g->outsides[i];

		if (!o->spoke_ns)
			continue;
		o->waiting_back = stale ? bytes : o->waiting_back + bytes;
		if (!order_streams(o, b))
			continue;
		edge_key_of(&key, id, o, b);
		edge = edge_find(&key, g);
		if (edge)
			edge->order.streamed++;
	}
	g->waiting_back_ns = now;
	b->received_ns = now;
	__builtin_memcpy(g->back_remote, b->remote, 16);
	g->back_port = b->remote_port;
	g->back_protocol = b->protocol;
}

/* This host ends B. */
static __always_inline void inside_closed(const struct tracked *b, __u64 now)
{
	struct edge_key key;
	struct edge *edge;
	__u64 id;
	struct group *g = current_group(&id);
	int i;

	/* What the end of a process closes says nothing. */
	if (!g || !b->sent_ns || bpf_get_current_task_btf()->flags & PF_EXITING)
		return;
	for (i = 0; i < OUTSIDES; i++) {
		struct outside *o = &g->outsides[i];

		if (!o->spoke_ns)
			continue;
		edge_key_of(&key, id, o, b);
		edge = edge_find(&key, g);
		if (!edge)
			continue;
		order_closed(&edge->order, o, b, now);
		edge->last_ns = now;
	}
}

/* A answered by itself what was said on it: key exchange, a channel confirmed, a heartbeat. */
static __always_inline void outside_answered(struct outside *o)
{
	if (!o->waiting_in)
		return;
	o->answered_in = o->waiting_in;
	o->waiting_in = 0;
}

/* Bytes leave on A, `cause` of them from B. False when they have nothing to do with B. */
static __always_inline bool edge_answered(struct edge *edge, const struct outside *o, __u64 bytes, __u64 cause, __u64 now)
{
	struct turn *turn = &edge->backward_turn;
	bool paused = now - turn->last_ns > TURN_PAUSE_NS;
	/* Another thread may have taken the cause of this send for its own: as long as less went out than came in. */
	bool owing = turn->came_in > turn->went_out && !paused;

	if (!cause) {
		/* The rest of a turn: a header and a payload in two sends. What A said since begins another. */
		if (!owing && (!turn->came_in || o->spoke_ns > turn->last_ns || paused))
			return false;
	} else if (!owing && (edge->forward_turn.last_ns > turn->last_ns || paused)) {
		turn_finish(turn, &edge->backward);
	}
	turn->came_in += cause;
	turn->went_out += bytes;
	turn->last_ns = now;
	edge->backward_in += cause;
	edge->backward_out += bytes;
	edge->last_ns = now;
	return true;
}

static __always_inline void outside_sent(const struct tracked *a, __u64 bytes, __u64 now)
{
	struct edge *edge = NULL;
	struct edge_key key;
	struct outside *o;
	__u64 id, cause;
	struct group *g = current_group(&id);

	if (!g)
		return;
	o = outside_find(g, a);
	if (!o)
		return;
	cause = now - g->waiting_back_ns <= CAUSE_NS ? o->waiting_back : 0;
	o->waiting_back = 0;
	if (g->waiting_back_ns) {
		edge_key_back(&key, id, o, g);
		edge = edge_find(&key, g);
	}
	/* The first word on A since B spoke. */
	if (edge && cause && o->sent_ns < g->waiting_back_ns)
		edge->order.passed++;
	if (!edge || !edge_answered(edge, o, bytes, cause, now))
		outside_answered(o);
	o->sent_ns = now;
}

#endif
