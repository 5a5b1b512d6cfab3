/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Records of processes: what was executed, by whom, from whom it descends. */
#ifndef BACKFLOW_LINEAGE_H
#define BACKFLOW_LINEAGE_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "records.h"
#include "maps.bpf.h"
#include "identity.bpf.h"
#include "overloads.bpf.h"

/* Scratch for one exec record: too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct exec_record);
} exec_scratch SEC(".maps");

static __always_inline void emit_exec(struct task_struct *task, struct linux_binprm *bprm)
{
	__u32 zero = 0;
	struct exec_record *r = bpf_map_lookup_elem(&exec_scratch, &zero);
	__u64 start, bytes;

	if (!r)
		return;
	process_of(task->real_parent, &r->parent);
	if (!has_room_for_processes()) {
		record_lost(LOST_RING_EXEC, &r->parent, sizeof(*r));
		return;
	}
	r->kind = RECORD_EXEC;
	r->reserved = 0;
	r->at_ns = bpf_ktime_get_boot_ns();
	r->has_tty = task->signal->tty != NULL;
	process_of(task, &r->process);
	BPF_CORE_READ_STR_INTO(&r->comm, task, comm);
	if (bpf_probe_read_kernel_str(r->path, sizeof(r->path), bprm->filename) < 0)
		r->path[0] = 0;
	start = task->mm->arg_start;
	bytes = task->mm->arg_end - start;
	r->argv_truncated = bytes > ARGV_BYTES;
	if (bytes > ARGV_BYTES)
		bytes = ARGV_BYTES;
	if (bpf_probe_read_user(r->argv, bytes, (void *)start)) {
		count_lost(LOST_EXEC_ARGV);
		bytes = 0;
	}
	r->argv_bytes = bytes;
	if (bpf_ringbuf_output(&ring, r, sizeof(*r) - ARGV_BYTES + (bytes & (2 * ARGV_BYTES - 1)), BPF_RB_NO_WAKEUP))
		record_lost(LOST_RING_EXEC, &r->parent, sizeof(*r));
}

static __always_inline void emit_fork(struct task_struct *parent, struct task_struct *child)
{
	struct fork_record *r = has_room_for_processes() ? bpf_ringbuf_reserve(&ring, sizeof(*r), 0) : NULL;
	struct process_id maker;

	if (!r) {
		process_of(parent, &maker);
		record_lost(LOST_RING_EXEC, &maker, sizeof(*r));
		return;
	}
	__builtin_memset(r, 0, sizeof(*r));
	r->kind = RECORD_FORK;
	r->at_ns = bpf_ktime_get_boot_ns();
	process_of(child, &r->process);
	process_of(parent, &r->parent);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
}

static __always_inline void emit_exit(struct task_struct *task)
{
	struct exit_record *r = has_room_for_processes() ? bpf_ringbuf_reserve(&ring, sizeof(*r), 0) : NULL;
	struct process_id maker;

	if (!r) {
		process_of(task->real_parent, &maker);
		record_lost(LOST_RING_EXIT, &maker, sizeof(*r));
		return;
	}
	__builtin_memset(r, 0, sizeof(*r));
	r->kind = RECORD_EXIT;
	r->at_ns = bpf_ktime_get_boot_ns();
	process_of(task, &r->process);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
}

#endif
