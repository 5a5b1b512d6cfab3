/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which processes were started as one thing, and which of their groups hold connections to the outside. */
#ifndef BACKFLOW_WORKLOADS_H
#define BACKFLOW_WORKLOADS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"

/* Tasks of a cgroup up to which it is one workload: a service or a container, and not a host or a desktop. */
#define SMALL_CGROUP 128
/* A session, or for who leads one of its own the parent's children. */
static __always_inline bool workload_of_current(struct workload_key *key)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pid *session;

	__builtin_memset(key, 0, sizeof(*key));
	key->uid = task->cred->uid.val;
	key->netns = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	if (BPF_CORE_READ(task, cgroups, nr_tasks) <= SMALL_CGROUP) {
		key->of = (__u64)task->cgroups;
		return true;
	}
	session = BPF_CORE_READ(task, signal, pids[PIDTYPE_SID]);
	if (BPF_CORE_READ(session, numbers[0].nr) != task->tgid) {
		key->of = (__u64)session;
		return session != NULL;
	}
	key->of = (__u64)task->real_parent;
	return task->real_parent->tgid > 1;
}

/* `current` has made a group. */
static __always_inline void workload_add(__u64 group)
{
	static const struct workload nothing;
	struct workload_key key;
	struct workload *w;
	__u64 i;

	if (!workload_of_current(&key))
		return;
	w = bpf_map_lookup_elem(&workloads, &key);
	if (!w) {
		bpf_map_update_elem(&workloads, &key, &nothing, BPF_NOEXIST);
		w = bpf_map_lookup_elem(&workloads, &key);
	}
	if (!w)
		return;
	i = __sync_fetch_and_add(&w->made, 1) & (WORKLOAD_GROUPS - 1);
	w->groups[i] = group;
}

#endif
