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
#include "outsides.bpf.h"
#include "edges.bpf.h"
#include "order.bpf.h"
#include "log2.bpf.h"

/* Bytes that a group writes to B. */
struct passage {
	__u64 group;
	__u64 bytes;
	__u64 now;
	__u64 joined; /* is_joined() of who writes */
};

/* A pause of this length within one direction ends a turn even when the other direction was silent. */
#define TURN_PAUSE_NS (50ULL * 1000 * 1000)
/* include/linux/sched.h */
#define PF_EXITING 0x00000004

/*
 * What happens on B is held against each A by a function of its own, which the verifier takes once, and not for each A and each
 * way on which B may be reached: `i` is the number of the A. Inline, there are more such ways than it follows.
 */
__noinline int opening_of(struct opening *opening, struct group *g, __u64 now, __u32 i)
{
	struct outside *o;

	if (!opening || !g || i >= OUTSIDES)
		return 0;
	o = &g->outsides[i];
	opening->delay_ns = o->spoke_ns ? now - o->spoke_ns : 0;
	opening->lead_log2 = order_lead(o, now);
	opening->may_cause = outside_may_cause(g, o, i, now);
	return 0;
}

__noinline int opened_after(struct group *g, struct tracked *b, struct opening *opening, __u64 group_id, __u32 i)
{
	struct edge_key key;
	struct outside *o;
	struct edge *edge;

	if (!g || !b || !opening || i >= OUTSIDES)
		return 0;
	o = &g->outsides[i];
	if (!o->spoke_ns || !opening->delay_ns)
		return 0;
	edge_key_of(&key, group_id, o, b, opening->joined);
	if (!opening->may_cause) {
		edge = edge_find(&key, g);
		if (edge)
			edge->opened_alone++;
		return 0;
	}
	edge = edge_get(&key, g, &o->process);
	if (!edge)
		return 0;
	edge->order.lead_log2 += opening->lead_log2;
	if (opening->delay_ns > AFTER_NS) {
		edge->order.opened_late++;
	} else {
		edge->opened_after++;
		edge->delay_log2 += log2_q8(opening->delay_ns);
		if (opening->delay_ns < edge->delay_min_ns)
			edge->delay_min_ns = opening->delay_ns;
	}
	edge_parties(edge, o, b->cookie);
	return 0;
}

/* The group dials B. */
static __always_inline void inside_opened(struct tracked *b, __u64 now)
{
	struct opening opening = {};
	__u64 id;
	struct group *g = current_group(&id);
	int i;

	if (!g)
		return;
	if (now - g->a_spoke_ns <= CAUSE_NS)
		b->flags |= TRACKED_DIALLED_AFTER;
	opening.joined = is_joined(id);
	for (i = 0; i < OUTSIDES; i++) {
		opening_of(&opening, g, now, i);
		opened_after(g, b, &opening, id, i);
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

__noinline int sent_after(struct group *g, struct tracked *b, struct passage *passage, __u32 i)
{
	struct edge_key key;
	struct outside *o;
	struct edge *edge;
	__u64 cause, now;

	if (!g || !b || !passage || i >= OUTSIDES)
		return 0;
	o = &g->outsides[i];
	if (!o->spoke_ns)
		return 0;
	now = passage->now;
	edge_key_of(&key, passage->group, o, b, passage->joined);
	cause = waiting_cause(o, now);
	edge = cause && outside_may_cause(g, o, i, now) ? edge_get(&key, g, &o->process) : edge_find(&key, g);
	if (edge)
		edge_written(edge, o, b, passage->bytes, cause, now);
	return 0;
}

static __always_inline void inside_sent(struct tracked *b, __u64 bytes, __u64 now)
{
	struct passage passage = { .bytes = bytes, .now = now };
	struct group *g = current_group(&passage.group);
	int i;

	if (!g)
		return;
	passage.joined = is_joined(passage.group);
	for (i = 0; i < OUTSIDES; i++)
		sent_after(g, b, &passage, i);
	b->sent_ns = now;
}

static __always_inline void inside_received(struct tracked *b, __u64 bytes, __u64 now)
{
	struct edge_key key;
	struct edge *edge;
	__u64 id;
	struct group *g = current_group(&id);
	bool stale, joined;
	int i;

	if (!g)
		return;
	stale = now - g->waiting_back_ns > CAUSE_NS;
	joined = is_joined(id);
	for (i = 0; i < OUTSIDES; i++) {
		struct outside *o = &g->outsides[i];

		if (!o->spoke_ns)
			continue;
		o->waiting_back = stale ? bytes : o->waiting_back + bytes;
		if (!order_streams(o, b))
			continue;
		edge_key_of(&key, id, o, b, joined);
		edge = edge_find(&key, g);
		if (edge)
			edge->order.streamed++;
	}
	g->waiting_back_ns = now;
	b->received_ns = now;
	__builtin_memcpy(g->back_remote, b->remote, 16);
	g->back_port = b->remote_port;
	g->back_protocol = b->protocol;
	g->back_joined = joined;
}

__noinline int closed_after(struct group *g, struct tracked *b, __u64 group_id, __u64 now, __u32 i)
{
	struct edge_key key;
	struct outside *o;
	struct edge *edge;

	if (!g || !b || i >= OUTSIDES)
		return 0;
	o = &g->outsides[i];
	if (!o->spoke_ns)
		return 0;
	edge_key_of(&key, group_id, o, b, is_joined(group_id));
	edge = edge_find(&key, g);
	if (!edge)
		return 0;
	order_closed(&edge->order, o, b, now);
	edge->last_ns = now;
	return 0;
}

/*
 * What the end of a process closes says nothing, and as little what was open before A spoke: a program that is told to stop, or
 * whose far side is gone, closes what it has.
 */
static __always_inline bool closing_tells(const struct tracked *b)
{
	return b->sent_ns && b->flags & TRACKED_DIALLED_AFTER;
}

/* This host ends B. */
static __always_inline void inside_closed(struct tracked *b, __u64 now)
{
	__u64 id;
	struct group *g = current_group(&id);
	int i;

	if (!g || !closing_tells(b) || bpf_get_current_task_btf()->flags & PF_EXITING)
		return;
	for (i = 0; i < OUTSIDES; i++)
		closed_after(g, b, id, now, i);
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
