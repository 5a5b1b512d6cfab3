/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Who is running: (tgid, start time) names a process within one boot. */
#ifndef BACKFLOW_IDENTITY_H
#define BACKFLOW_IDENTITY_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "records.h"

static __always_inline void process_of(struct task_struct *task, struct process_id *id)
{
	id->pid = task->tgid;
	id->start_ns = task->group_leader->start_boottime;
	id->uid = task->cred->uid.val;
}

static __always_inline __u32 current_tgid(void)
{
	return bpf_get_current_pid_tgid() >> 32;
}

#endif
