/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Two processes that act as one over something that no descriptor shows: shared memory, a queue, files in a folder. One holds
 * the outside connection, the other dials inside when the far side has spoken, and seldom otherwise. Only processes of one
 * workload are held against each other, and the verdict is told that nothing but the workload joins them.
 */
#ifndef BACKFLOW_JOINS_H
#define BACKFLOW_JOINS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "groups.bpf.h"
#include "coupling.bpf.h"
#include "identity.bpf.h"
#include "joints.bpf.h"
#include "shares.bpf.h"
#include "workloads.bpf.h"

/* A dial this long after the far side spoke, or sooner, may be what it asked for: queues are polled, people pause for longer. */
#define FOLLOWED_NS (2000ULL * 1000 * 1000)
/* Of so many dials one at least must follow what was said outside: who dials on a timer is not joined. */
#define ALONE_RATIO 4
/* Writes to a connection that stands are looked at so often. */
#define WRITES_NS (100ULL * 1000 * 1000)

/* The group of the workload to which the far side spoke last. */
static __always_inline struct group *workload_latest(const struct workload *w, __u64 *id)
{
	struct group *latest = NULL;
	int i;

	for (i = 0; i < WORKLOAD_GROUPS; i++) {
		__u64 at = w->groups[i];
		struct group *g = at ? bpf_map_lookup_elem(&groups, &at) : NULL;

		/* Its process is over, and nobody that it has started has heard from the far side since. */
		if (!g || g->ended_ns > g->a_spoke_ns)
			continue;
		/* Programs dial once they know the address: that follows what a resolver here heard, and is not led by it. */
		if (g->a_spoke_ns && !outside_latest(g)->is_resolver && (!latest || g->a_spoke_ns > latest->a_spoke_ns)) {
			latest = g;
			*id = at;
		}
	}
	return latest;
}

/* Whether what `current` dials now, or writes to, follows what is said outside often enough. */
static __always_inline bool dials_follow(const struct workload_key *workload, const struct tracked *b, bool follows)
{
	static const struct dials nothing;
	struct dials_key key = { .workload = *workload, .port = b->remote_port };
	struct dials *d;

	__builtin_memcpy(key.remote, b->remote, 16);
	d = bpf_map_lookup_elem(&dials, &key);
	if (!d) {
		bpf_map_update_elem(&dials, &key, &nothing, BPF_NOEXIST);
		d = bpf_map_lookup_elem(&dials, &key);
	}
	if (!d)
		return false;
	if (follows)
		d->after++;
	else
		d->alone++;
	return d->after && d->after * ALONE_RATIO >= d->alone;
}

static __always_inline void workload_join(const struct workload_key *key, const struct workload *w, const struct tracked *b,
					  __u64 own, __u64 now)
{
	struct member member = {};
	struct group *g = workload_latest(w, &member.group);
	__u32 tgid = current_tgid(), by = JOINED_BY_WORKLOAD;

	if (!g || !dials_follow(key, b, now - g->a_spoke_ns <= FOLLOWED_NS))
		return;
	member.share = g->share;
	if (!share_has_members(member.share) || bpf_map_update_elem(&group_of, &tgid, &member, BPF_NOEXIST))
		return;
	share_took_member(member.share, 1);
	bpf_map_update_elem(&join_reasons, &own, &by, BPF_ANY);
}

/*
 * The same by what a process with an A told `current`, whose own group is `own`, over a connection within this host. 0 where it
 * has told nothing yet. By itself for the verifier, as what follows.
 */
__noinline int push_join(struct workload_key *key, struct tracked *b, __u64 own, __u64 now)
{
	struct push *t = bpf_map_lookup_elem(&pushes, &own);
	struct process_id process;
	struct caller *caller;
	struct group *g;
	bool follows;
	__u64 id;

	if (!t || !key || !b)
		return 0;
	id = t->group;
	g = bpf_map_lookup_elem(&groups, &id);
	if (!g)
		return 0;
	/* What he answers there is judged by who leads. */
	if (b->local_port == t->key.caller_port && b->remote_port == t->key.port)
		return 1;
	follows = now - t->at_ns <= FOLLOWED_NS;
	if (!dials_follow(key, b, follows) || !follows)
		return 1;
	process_of(bpf_get_current_task_btf(), &process);
	caller = bpf_map_lookup_elem(&callers, &t->key);
	if (caller && joint_make(&process, id, g))
		caller->group = id;
	return 1;
}

/*
 * `current` dials B, or writes to it. If it acts for itself and holds nothing outside, it may act for one that does. Taken by the
 * verifier by itself: inline, its callers have more ways through them than are followed.
 */
__noinline int workload_uses(struct tracked *b, __u64 now)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 own = own_group(task->tgid, task->group_leader->start_boottime);
	struct workload_key key;
	struct workload *w;
	__u32 tgid = task->tgid;
	struct member *member = bpf_map_lookup_elem(&group_of, &tgid);

	if (member) {
		__u64 id = member->group;

		if (bpf_map_lookup_elem(&groups, &id))
			return 0;
		group_leave(tgid);
	}
	if (bpf_map_lookup_elem(&groups, &own) || !workload_of_current(&key))
		return 0;
	if (!b || push_join(&key, b, own, now))
		return 0;
	w = bpf_map_lookup_elem(&workloads, &key);
	if (w)
		workload_join(&key, w, b, own, now);
	return 0;
}

/* `current` dials B; by itself for the same reason. */
__noinline int dials_inside(struct tracked *b, __u64 now)
{
	if (b) {
		workload_uses(b, now);
		inside_opened(b, now);
	}
	return 0;
}

/* As often as a connection that stands is looked at. */
static __always_inline void workload_writes(struct tracked *b, __u64 now)
{
	if (now - b->workload_ns < WRITES_NS)
		return;
	b->workload_ns = now;
	workload_uses(b, now);
}

#endif
