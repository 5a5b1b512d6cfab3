/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Who was over a bound: what they did beyond it is not told one by one, so that it has to be told that there was more. */
#ifndef BACKFLOW_OVERLOADS_H
#define BACKFLOW_OVERLOADS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "records.h"
#include "maps.bpf.h"

static __always_inline void note_overload(__u32 kind, __u64 subject, const struct process_id *process, __u64 limit)
{
	struct overload_key key = { .subject = subject, .kind = kind };
	struct overload *noted = bpf_map_lookup_elem(&overloads, &key);
	__u64 now = bpf_ktime_get_boot_ns();

	if (!noted) {
		struct overload first = { .process = *process, .limit = limit, .first_ns = now };

		bpf_map_update_elem(&overloads, &key, &first, BPF_NOEXIST);
		noted = bpf_map_lookup_elem(&overloads, &key);
		if (!noted)
			return;
	}
	__sync_fetch_and_add(&noted->count, 1);
	noted->last_ns = now;
}

/*
 * A record found no room in the ring, whose bytes are the bound: as many records of this size. Noted is who made it; of the
 * record of a process, who started that.
 */
static __always_inline void record_lost(__u32 kind, const struct process_id *maker, __u64 bytes)
{
	count_lost(kind);
	note_overload(OVERLOAD_RECORDS, maker->start_ns ^ ((__u64)maker->pid << 40), maker,
		      bpf_ringbuf_query(&ring, BPF_RB_RING_SIZE) / bytes);
}

/*
 * Records of processes leave a quarter of the ring to those of connections: what is not told of a process can be read from
 * /proc as long as it runs, and a connection that nobody told of is not there.
 */
static __always_inline bool has_room_for_processes(void)
{
	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) < bpf_ringbuf_query(&ring, BPF_RB_RING_SIZE) / 4 * 3;
}

#endif
