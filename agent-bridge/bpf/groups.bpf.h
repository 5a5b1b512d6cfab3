/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which processes act as one. */
#ifndef BACKFLOW_GROUPS_H
#define BACKFLOW_GROUPS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "state.bpf.h"
#include "maps.bpf.h"

/*
 * A process's own group, unless `group_of` says otherwise. own_group() in src/inspect/inspector.rs computes the same;
 * test/project/agreement.test.ts compares.
 */
static __always_inline __u64 own_group(__u32 pid, __u64 start_ns)
{
	return ((start_ns * 0x9e3779b97f4a7c15ULL) & 0xffffffff00000000ULL) | pid;
}

static __always_inline __u64 current_group_id(struct task_struct *task)
{
	__u32 tgid = task->tgid;
	__u64 *joined = bpf_map_lookup_elem(&group_of, &tgid);

	return joined ? *joined : own_group(tgid, task->group_leader->start_boottime);
}

/* The group of `current` if it holds an outside connection on which the far side has spoken, else NULL. */
static __always_inline struct group *current_group(__u64 *id)
{
	struct group *g;

	*id = current_group_id(bpf_get_current_task_btf());
	g = bpf_map_lookup_elem(&groups, id);
	return g && g->a_spoke_ns ? g : NULL;
}

/* A child acts with its parent as long as the parent's group holds an outside connection. */
static __always_inline void group_inherit(struct task_struct *parent, struct task_struct *child)
{
	__u64 id = current_group_id(parent);
	__u32 tgid = child->tgid;

	if (bpf_map_lookup_elem(&groups, &id))
		bpf_map_update_elem(&group_of, &tgid, &id, BPF_ANY);
}

/*
 * A container runtime or a service supervisor with an outside connection of its own forks everything that runs on the
 * host: what has moved to another cgroup by the time it executes its program acts for itself.
 */
static __always_inline void group_leave_if_moved(struct task_struct *task)
{
	__u32 tgid = task->tgid;
	__u64 *joined = bpf_map_lookup_elem(&group_of, &tgid);
	struct group *group;

	if (!joined)
		return;
	group = bpf_map_lookup_elem(&groups, joined);
	if (group && group->cgroups != (__u64)task->cgroups)
		bpf_map_delete_elem(&group_of, &tgid);
}

#endif
