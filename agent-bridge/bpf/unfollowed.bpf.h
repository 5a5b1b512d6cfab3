/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What leaves the host beside TCP, UDP and unix sockets: raw and packet sockets (but for ICMP), vsock and other families, by
 * process, and tunnel devices of the kernel, by network namespace. None of it is followed; that it is there is a fact of the host.
 */
#ifndef BACKFLOW_UNFOLLOWED_H
#define BACKFLOW_UNFOLLOWED_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "records.h"
#include "maps.bpf.h"
#include "identity.bpf.h"
#include "icmp.bpf.h"

#define SOCK_RAW 3
#define AF_PACKET 17
#define AF_RDS 21
#define AF_TIPC 30
#define AF_VSOCK 40
#define AF_SMC 43
#define AF_XDP 44
#define IPPROTO_DCCP 33
#define IPPROTO_SCTP 132
/* Devices of one network namespace that are looked at; the kernel lists them in the order in which they were made. */
#define MAX_DEVICES 512

/* Written by the hooks, emptied by user space once a second; beyond its bound nobody is noted until then. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_UNFOLLOWED);
	__type(key, struct unfollowed_key);
	__type(value, struct unfollowed);
} unfollowed SEC(".maps");

/* Kinds of devices that are tunnels, as rtnetlink names them. Written by user space. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, struct device_kind);
	__type(value, __u32);
} tunnel_kinds SEC(".maps");

/* Network namespaces and the walk that has looked at them last. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u64);
} namespaces_seen SEC(".maps");

static __always_inline bool is_unfollowed(__u16 family, __u16 type, __u16 protocol)
{
	if (family == AF_INET || family == AF_INET6)
		return !is_icmp(protocol) && (type == SOCK_RAW || protocol == IPPROTO_SCTP || protocol == IPPROTO_DCCP);
	return family == AF_PACKET || family == AF_VSOCK || family == AF_SMC || family == AF_TIPC || family == AF_RDS ||
	       family == AF_XDP;
}

/* `current` sent or received on a socket that has no state. */
static __always_inline void note_unfollowed(struct sock *sk, __u64 bytes)
{
	struct unfollowed_key key = {
		.family = sk->__sk_common.skc_family,
		.kind = sk->sk_type,
		.protocol = sk->sk_protocol,
		.pid = current_tgid(),
	};
	struct unfollowed first = {}, *noted;

	if (!is_unfollowed(key.family, key.kind, key.protocol))
		return;
	noted = bpf_map_lookup_elem(&unfollowed, &key);
	if (!noted) {
		process_of(bpf_get_current_task_btf(), &first.process);
		bpf_map_update_elem(&unfollowed, &key, &first, BPF_NOEXIST);
		noted = bpf_map_lookup_elem(&unfollowed, &key);
		if (!noted)
			return;
	}
	__sync_fetch_and_add(&noted->bytes, bytes);
	noted->last_ns = bpf_ktime_get_boot_ns();
}

/* True the first time in a walk. */
static __always_inline bool is_first_look(__u32 netns, __u64 walk)
{
	__u64 *seen = bpf_map_lookup_elem(&namespaces_seen, &netns);

	if (seen && *seen == walk)
		return false;
	bpf_map_update_elem(&namespaces_seen, &netns, &walk, BPF_ANY);
	return true;
}

/* The list may change meanwhile: every read is one that may fail, and the next walk looks again. */
static __always_inline void visit_devices(struct seq_file *seq, struct net *net, __u32 netns)
{
	struct list_head *end = (struct list_head *)((char *)net + bpf_core_field_offset(struct net, dev_base_head));
	struct list_head *at = BPF_CORE_READ(net, dev_base_head.next);
	struct device_record r;
	struct net_device *device;
	const char *kind;
	int i;

	for (i = 0; i < MAX_DEVICES && at && at != end; i++) {
		device = (struct net_device *)((char *)at - bpf_core_field_offset(struct net_device, dev_list));
		kind = BPF_CORE_READ(device, rtnl_link_ops, kind);
		__builtin_memset(&r, 0, sizeof(r));
		if (kind && bpf_probe_read_kernel_str(r.device_kind.name, sizeof(r.device_kind.name), kind) > 0 &&
		    bpf_map_lookup_elem(&tunnel_kinds, &r.device_kind)) {
			r.netns = netns;
			r.ifindex = BPF_CORE_READ(device, ifindex);
			BPF_CORE_READ_STR_INTO(&r.name, device, name);
			bpf_seq_write(seq, &r, sizeof(r));
		}
		at = BPF_CORE_READ(at, next);
	}
}

SEC("iter/task")
int walk_devices(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct net *net;
	__u32 netns;

	if (!task || task->pid != task->tgid)
		return 0;
	net = BPF_CORE_READ(task, nsproxy, net_ns);
	if (!net)
		return 0;
	netns = BPF_CORE_READ(net, ns.inum);
	if (is_first_look(netns, ctx->meta->session_id))
		visit_devices(ctx->meta->seq, net, netns);
	return 0;
}

#endif
