/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which processes act as one. */
#ifndef BACKFLOW_GROUPS_H
#define BACKFLOW_GROUPS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "state.bpf.h"
#include "maps.bpf.h"
#include "identity.bpf.h"
#include "overloads.bpf.h"
#include "shares.bpf.h"
#include "workloads.bpf.h"

/*
 * A process's own group, unless `group_of` says otherwise. own_group() in src/kernel/records.rs computes the same;
 * test/project/agreement.test.ts compares.
 */
static __always_inline __u64 own_group(__u32 pid, __u64 start_ns)
{
	return ((start_ns * 0x9e3779b97f4a7c15ULL) & 0xffffffff00000000ULL) | pid;
}

static __always_inline __u64 current_group_id(struct task_struct *task)
{
	__u32 tgid = task->tgid;
	struct member *joined = bpf_map_lookup_elem(&group_of, &tgid);

	return joined ? joined->group : own_group(tgid, task->group_leader->start_boottime);
}

/* Whether `current` came to this group by a join, itself or who started it: what it does is kept apart from what the group does. */
static __always_inline bool is_joined(__u64 group)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 own = own_group(task->tgid, task->group_leader->start_boottime);
	__u32 *by = own == group ? NULL : bpf_map_lookup_elem(&join_reasons, &own);

	return by && *by != JOINED_BY_LINEAGE;
}

/* The group of `current` if it holds an outside connection on which the far side has spoken, else NULL. */
static __always_inline struct group *current_group(__u64 *id)
{
	struct group *g;

	*id = current_group_id(bpf_get_current_task_btf());
	g = bpf_map_lookup_elem(&groups, id);
	return g && g->a_spoke_ns ? g : NULL;
}

/* A group for `current`. NULL, told and counted once for each socket, when there is no room. */
static __always_inline struct group *group_make(__u64 id, struct tracked *a)
{
	struct task_struct *task = bpf_get_current_task_btf();
	static const struct group nothing;
	__u64 share = identity_of_current();
	struct process_id process;
	struct group *g;
	int failed;

	if (share_has_groups(share)) {
		failed = bpf_map_update_elem(&groups, &id, &nothing, BPF_NOEXIST);
		g = failed && failed != -EEXIST ? NULL : bpf_map_lookup_elem(&groups, &id);
		if (g && !failed) {
			g->cgroups = (__u64)task->cgroups;
			g->share = share;
			share_took_group(share);
			workload_add(id);
		}
		if (g)
			return g;
	}
	if (a->flags & TRACKED_UNGROUPED)
		return NULL;
	a->flags |= TRACKED_UNGROUPED;
	count_lost(LOST_MAP_GROUP);
	process_of(task, &process);
	note_overload(OVERLOAD_GROUPS, share, &process, SHARE_GROUPS);
	return NULL;
}

static __always_inline void group_leave(__u32 tgid)
{
	struct member *joined = bpf_map_lookup_elem(&group_of, &tgid);
	__u64 share;

	if (!joined)
		return;
	share = joined->share;
	if (!bpf_map_delete_elem(&group_of, &tgid) && share)
		share_took_member(share, -1);
}

/* What joined a process to the group of another joins its child to it. One that acts for itself has what once joined it. */
static __always_inline void joined_by_inherit(struct task_struct *parent, struct task_struct *child, __u64 group)
{
	__u64 own = own_group(parent->tgid, parent->group_leader->start_boottime);
	__u32 *by = bpf_map_lookup_elem(&join_reasons, &own), copy;

	if (!by || own == group)
		return;
	copy = *by;
	own = own_group(child->tgid, child->group_leader->start_boottime);
	bpf_map_update_elem(&join_reasons, &own, &copy, BPF_ANY);
}

/* A child acts with its parent as long as the parent's group holds an outside connection. */
static __always_inline void group_inherit(struct task_struct *parent, struct task_struct *child)
{
	struct member joined = { .group = current_group_id(parent) };
	__u32 tgid = child->tgid;
	struct group *g = bpf_map_lookup_elem(&groups, &joined.group);
	struct process_id process;

	if (!g)
		return;
	joined.share = g->share;
	/* Whoever had this number before may have been joined after its end. */
	group_leave(tgid);
	if (share_has_members(joined.share) && !bpf_map_update_elem(&group_of, &tgid, &joined, BPF_NOEXIST)) {
		share_took_member(joined.share, 1);
		joined_by_inherit(parent, child, joined.group);
		return;
	}
	count_lost(LOST_MAP_GROUP);
	process_of(parent, &process);
	note_overload(OVERLOAD_GROUPS, joined.share, &process, SHARE_MEMBERS);
}

/* A process is over. What others did in the group that is named after it stays until user space has read it. */
static __always_inline void group_exited(struct task_struct *task, __u64 now)
{
	__u64 id = own_group(task->tgid, task->group_leader->start_boottime);
	struct group *g = bpf_map_lookup_elem(&groups, &id);

	if (g)
		g->ended_ns = now;
	group_leave(task->tgid);
}

/*
 * A container runtime or a service supervisor with an outside connection of its own forks everything that runs on the
 * host: what has moved to another cgroup by the time it executes its program acts for itself.
 */
static __always_inline void group_leave_if_moved(struct task_struct *task)
{
	__u32 tgid = task->tgid;
	struct member *joined = bpf_map_lookup_elem(&group_of, &tgid);
	__u64 id;
	struct group *group;

	if (!joined)
		return;
	id = joined->group;
	group = bpf_map_lookup_elem(&groups, &id);
	if (group && group->cgroups != (__u64)task->cgroups)
		group_leave(tgid);
}

#endif
