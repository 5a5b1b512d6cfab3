/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The maps that more than one header or user space goes by: who writes each, who reads it, and what bounds it. A map that one
 * header alone knows stands there (callers and joints, speakers_of, tunnel_uses, unfollowed, the walk over descriptors).
 */
#ifndef BACKFLOW_MAPS_H
#define BACKFLOW_MAPS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "records.h"
#include "state.bpf.h"

/* Ring of records. Written by the hooks without wake-ups, drained on a timer. User space may set another size. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 * 1024 * 1024);
} ring SEC(".maps");

/* Running totals of what was lost, by enum lost_kind. Never zeroed, so that a reader can take differences. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LOST_KINDS);
	__type(key, __u32);
	__type(value, __u64);
} lost SEC(".maps");

/* One state per socket, freed with the socket. Cloned from a listener to what it accepts. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct tracked);
} sockets SEC(".maps");

/* Made for UDP sockets with several remotes only, freed with the socket. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct remotes);
} remotes SEC(".maps");

/* Listening (network namespace, port): tells the direction of sockets older than the collector. */
struct listening_key {
	__u32 netns;
	__u32 port;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct listening_key);
	__type(value, __u32);
} listening SEC(".maps");

/* Networks and their enum network_bits, v4-mapped. Written by user space; no entry means outside. */
struct network_key {
	__u32 prefixlen;
	__u8 address[16];
};
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__type(key, struct network_key);
	__type(value, __u32);
} networks SEC(".maps");

/* The network namespace of the prover, whose outside is its own loopback. Written by user space. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} prover_netns SEC(".maps");

/* Process (tgid) to the group that it acts in, where that is not its own. Written by fork and by user space,
 * deleted by both, by exec in another cgroup and by exit. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_MEMBERS);
	__type(key, __u32);
	__type(value, struct member);
} group_of SEC(".maps");

/* Own group of a process to why it acts in another's (enum joined_by). Written by the hooks and by user space. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MAX_MEMBERS);
	__type(key, __u64);
	__type(value, __u32);
} join_reasons SEC(".maps");

/* Written by the hooks alone; what is over is pushed out. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct workload_key);
	__type(value, struct workload);
} workloads SEC(".maps");

/* The same. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct dials_key);
	__type(value, struct dials);
} dials SEC(".maps");

/* State of each group that has received on an outbound connection to the outside. User space deletes what is over. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_GROUPS);
	__type(key, __u64);
	__type(value, struct group);
} groups SEC(".maps");

/* Coupling edges. Made by the hooks, read by a walk, deleted by user space alone, and never while a walk is under way. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_EDGES);
	__type(key, struct edge_key);
	__type(value, struct edge);
} edges SEC(".maps");

/* Written by user space before it reads the edges, but for the count of what the walk visited. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct edge_walk);
} edge_walk SEC(".maps");

/* Edges that were ever made. Written by the hooks; what user space read and deleted has to come to the same. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} edges_made SEC(".maps");

/* What each identity has made. Written by the hooks; user space deletes the shares that are empty. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_SHARES);
	__type(key, __u64);
	__type(value, struct share);
} shares SEC(".maps");

/* How much of it user space has deleted since. Written by user space alone: two writers of one number would race. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_SHARES);
	__type(key, __u64);
	__type(value, struct share);
} share_pruned SEC(".maps");

/* The same for the edges of each group. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_GROUPS);
	__type(key, __u64);
	__type(value, __u64);
} group_pruned SEC(".maps");

/* Who was over a bound. Written by the hooks, emptied by user space once a second; beyond its bound nobody is noted. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_OVERLOADS);
	__type(key, struct overload_key);
	__type(value, struct overload);
} overloads SEC(".maps");

/*
 * Written by user space before a walk over sockets: 1 has it report every socket, 0 only those that moved since the last
 * walk. A map and not a variable: user space could write all variables of the object at once only.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} walk_all SEC(".maps");

static __always_inline void count_lost(__u32 kind)
{
	__u64 *total = bpf_map_lookup_elem(&lost, &kind);

	if (total)
		*total += 1;
}

#endif
