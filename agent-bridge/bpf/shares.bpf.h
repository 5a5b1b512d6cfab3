/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Who takes how much of the maps, and who wanted more. An identity is a user; for tasks in user namespaces of their own the
 * user who made the outermost one, since within it anybody can be everybody; for root the cgroup, so that containers that
 * run as root have shares of their own.
 */
#ifndef BACKFLOW_SHARES_H
#define BACKFLOW_SHARES_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"

/* No cgroup has an id with this bit: kernfs counts them up from 1. */
#define IDENTITY_USER (1ULL << 63)
/* include/linux/user_namespace.h: no namespace is nested deeper (level > 32 is refused). */
#define USER_NAMESPACES 33
/* Room beyond the bound for the edges that take what is beyond it, one for each A. */
#define GROUP_POOLED 64
#define SHARE_POOLED 256

static __always_inline __u64 identity_of_current(void)
{
	const struct cred *cred = bpf_get_current_task_btf()->cred;
	struct user_namespace *ns = cred->user_ns;
	__u32 uid = cred->uid.val;
	int i;

	for (i = 0; i < USER_NAMESPACES && ns->level > 1; i++)
		ns = ns->parent;
	if (ns->level)
		uid = ns->owner.val;
	return uid ? IDENTITY_USER | uid : bpf_get_current_cgroup_id();
}

/* NULL when there are too many identities: theirs are bounded by the maps alone. */
static __always_inline struct share *share_get(__u64 identity)
{
	static const struct share nothing;
	struct share *share = bpf_map_lookup_elem(&shares, &identity);

	if (share)
		return share;
	bpf_map_update_elem(&shares, &identity, &nothing, BPF_NOEXIST);
	return bpf_map_lookup_elem(&shares, &identity);
}

/* Difference of two running totals with two writers: a share that was deleted in between makes it negative. */
static __always_inline bool is_below(__u64 made, __u64 deleted, __s64 bound)
{
	return (__s64)(made - deleted) < bound;
}

static __always_inline bool share_has_groups(__u64 identity)
{
	struct share *made = share_get(identity), *deleted = bpf_map_lookup_elem(&share_pruned, &identity);

	return !made || is_below(made->groups, deleted ? deleted->groups : 0, SHARE_GROUPS);
}

static __always_inline bool share_has_members(__u64 identity)
{
	struct share *made = share_get(identity), *deleted = bpf_map_lookup_elem(&share_pruned, &identity);

	return !made || is_below(made->members, deleted ? deleted->members : 0, SHARE_MEMBERS);
}

static __always_inline void share_took_group(__u64 identity)
{
	struct share *share = share_get(identity);

	if (share)
		__sync_fetch_and_add(&share->groups, 1);
}

static __always_inline void share_took_member(__u64 identity, __s64 count)
{
	struct share *share = share_get(identity);

	if (share)
		__sync_fetch_and_add(&share->members, count);
}

/* The bound that one more edge of the group would be beyond, or 0. `extra` is room that only some may take. */
static __always_inline __u64 bound_of_edges(__u64 group, const struct group *g, bool pooled)
{
	__u64 identity = g->share, *pruned = bpf_map_lookup_elem(&group_pruned, &group);
	struct share *made, *deleted;

	if (!is_below(g->edges, pruned ? *pruned : 0, GROUP_EDGES + (pooled ? GROUP_POOLED : 0)))
		return GROUP_EDGES;
	made = share_get(identity);
	deleted = bpf_map_lookup_elem(&share_pruned, &identity);
	if (made && !is_below(made->edges, deleted ? deleted->edges : 0, SHARE_EDGES + (pooled ? SHARE_POOLED : 0)))
		return SHARE_EDGES;
	return 0;
}

static __always_inline void share_took_edge(struct group *g)
{
	__u32 zero = 0;
	__u64 *made = bpf_map_lookup_elem(&edges_made, &zero);
	struct share *share = share_get(g->share);

	__sync_fetch_and_add(&g->edges, 1);
	if (share)
		__sync_fetch_and_add(&share->edges, 1);
	if (made)
		__sync_fetch_and_add(made, 1);
}

#endif
