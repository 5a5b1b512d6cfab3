/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a group opened to places outside, when each of them spoke, and whether that may be why something happens inside now. */
#ifndef BACKFLOW_OUTSIDES_H
#define BACKFLOW_OUTSIDES_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "groups.bpf.h"

/* B was opened after A spoke if this soon: relays with a second of delay exist, people's pauses are longer. */
#define AFTER_NS (2000ULL * 1000 * 1000)
/* What A said stays a possible cause for this long: some relays delay by ten seconds. */
#define CAUSE_NS (15000ULL * 1000 * 1000)
/* Of several A, those beside the last one that spoke may be the cause of something new inside for this long. */
#define NEAR_NS (20ULL * 1000 * 1000)
/* After a lull of this length on A, what it said before was for the process itself (TLS session tickets, greetings). */
#define LULL_NS (500ULL * 1000 * 1000)
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
static __always_inline struct outside *outside_make(struct group *g, const struct tracked *a)
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
		o = outside_make(g, a);
	if (now - o->spoke_ns > LULL_NS)
		o->waiting_in = 0;
	if (now - o->spoke_ns > MESSAGE_NS)
		o->gap_ns = now - o->spoke_ns < CAUSE_NS ? now - o->spoke_ns : CAUSE_NS;
	o->waiting_in += bytes;
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

#endif
