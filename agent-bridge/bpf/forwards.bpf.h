/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the kernel passes on from a tun or tap device to other machines: a packet that is not for this host has its route
 * looked up, and the lookup tells where it came in. One entry for each device and one for each pair of ends, and nothing
 * leaves at the rate of packets. Who speaks first on a pair is who dials: what machines here ask for through the device, and
 * what is answered, makes no entry of a device.
 */
#ifndef BACKFLOW_FORWARDS_H
#define BACKFLOW_FORWARDS_H

#include "kernel.h"
#include "kernel_routes.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "identity.bpf.h"
#include "sockets.bpf.h"
#include "tunnels.bpf.h"

/* include/uapi/linux/rtnetlink.h: the way to an address of this host has no further scope. */
#define RT_SCOPE_NOWHERE 255
#define RTN_LOCAL 2
/* After a silence of this length it is open again who speaks first. */
#define PAIR_SILENCE_NS (300ULL * 1000 * 1000 * 1000)

struct forward_pair {
	struct tunnel_key device;
	__u8 outside[16]; /* the end behind the device */
	__u8 inside[16];
};
struct forward_state {
	__u64 last_ns;
	__u32 led;      /* the outside end spoke first */
	__u32 answered;
};

/* Devices that a process with an outside connection holds. Written by user space, which alone sees who holds them. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct tunnel_key);
	__type(value, __u32);
} forward_devices SEC(".maps");

/* Written by the hooks alone; the pair that has been silent for longest makes room. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct forward_pair);
	__type(value, struct forward_state);
} forward_pairs SEC(".maps");

/* Written by the hooks, read by user space, as `tunnel_uses`. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct tunnel_key);
	__type(value, struct tunnel_forward);
} tunnel_forwards SEC(".maps");

static __always_inline struct forward_state *forward_state_of(const struct forward_pair *pair, bool comes_in, __u64 now)
{
	struct forward_state first = { .last_ns = now, .led = comes_in };
	struct forward_state *state = bpf_map_lookup_elem(&forward_pairs, pair);

	if (state && now - state->last_ns > PAIR_SILENCE_NS)
		*state = first;
	if (state)
		return state;
	bpf_map_update_elem(&forward_pairs, pair, &first, BPF_NOEXIST);
	return bpf_map_lookup_elem(&forward_pairs, pair);
}

static __always_inline struct tunnel_forward *tunnel_forward_of(const struct tunnel_key *key, __u64 now)
{
	static const struct tunnel_forward nothing;
	struct tunnel_forward *f = bpf_map_lookup_elem(&tunnel_forwards, key);

	if (f)
		return f;
	bpf_map_update_elem(&tunnel_forwards, key, &nothing, BPF_NOEXIST);
	f = bpf_map_lookup_elem(&tunnel_forwards, key);
	if (f)
		f->first_ns = now;
	return f;
}

/* Runs in the context of whoever wrote the packet to the device. */
static __always_inline void came_in(struct tunnel_forward *f, const struct forward_pair *pair, struct forward_state *state,
				    __u64 now)
{
	/* answered: 0 as long as the pair is new, 1 once it is counted, 2 once something came back. */
	if (!state->answered) {
		state->answered = 1;
		__sync_fetch_and_add(&f->opened, 1);
		if (writer_was_spoken_to(now))
			__sync_fetch_and_add(&f->opened_after, 1);
		process_of(bpf_get_current_task_btf(), &f->writer);
		__builtin_memcpy(f->outside, pair->outside, 16);
		__builtin_memcpy(f->inside, pair->inside, 16);
	}
	__sync_fetch_and_add(&f->packets_in, 1);
}

static __always_inline void went_back(struct tunnel_forward *f, struct forward_state *state, struct net_device *dev)
{
	if (state->answered == 1) {
		state->answered = 2;
		__sync_fetch_and_add(&f->answered, 1);
		BPF_CORE_READ_STR_INTO(&f->name, dev, name);
	}
	__sync_fetch_and_add(&f->packets_out, 1);
}

/* A packet of the pair goes on by `device`, a struct net_device. By itself for the verifier, which knows no such argument. */
__noinline int forwarded(struct forward_pair *pair, __u64 device, bool comes_in)
{
	__u64 now = bpf_ktime_get_boot_ns();
	struct forward_state *state;
	struct tunnel_forward *f;

	if (!pair)
		return 0;
	state = forward_state_of(pair, comes_in, now);
	if (!state)
		return 0;
	state->last_ns = now;
	if (!state->led)
		return 0;
	f = tunnel_forward_of(&pair->device, now);
	if (!f) {
		count_lost(LOST_MAP_EDGE);
		return 0;
	}
	f->last_ns = now;
	if (comes_in)
		came_in(f, pair, state, now);
	else
		went_back(f, state, (struct net_device *)device);
	return 0;
}

/* Which of the two devices is a tun: SIDE_REMOTE if the packet came in by it, SIDE_LOCAL if it leaves by it. */
static __always_inline __u32 forward_side(struct forward_pair *pair, __u32 iif, struct net_device *dev)
{
	struct tunnel_key out = { .netns = BPF_CORE_READ(dev, nd_net.net, ns.inum), .device = BPF_CORE_READ(dev, ifindex) };
	struct tunnel_key in = { .netns = out.netns, .device = iif };
	bool comes_in = bpf_map_lookup_elem(&forward_devices, &in), leaves = bpf_map_lookup_elem(&forward_devices, &out);

	pair->device = comes_in ? in : out;
	return comes_in == leaves ? SIDE_NONE : comes_in ? SIDE_REMOTE : SIDE_LOCAL;
}

SEC("tp_btf/fib_table_lookup")
int BPF_PROG(on_route4, __u32 table, const struct flowi4 *flow, const struct fib_nh_common *hop, int err)
{
	int iif = BPF_CORE_READ(flow, __fl_common.flowic_iif);
	struct forward_pair pair = {};
	struct net_device *dev;
	__u32 side;

	if (iif <= LOOPBACK_IFINDEX || err || !hop || BPF_CORE_READ(hop, nhc_scope) == RT_SCOPE_NOWHERE)
		return 0;
	dev = BPF_CORE_READ(hop, nhc_dev);
	side = dev ? forward_side(&pair, iif, dev) : SIDE_NONE;
	if (side == SIDE_NONE)
		return 0;
	v4_mapped(side == SIDE_REMOTE ? pair.outside : pair.inside, BPF_CORE_READ(flow, saddr));
	v4_mapped(side == SIDE_REMOTE ? pair.inside : pair.outside, BPF_CORE_READ(flow, daddr));
	return forwarded(&pair, (__u64)dev, side == SIDE_REMOTE);
}

SEC("tp_btf/fib6_table_lookup")
int BPF_PROG(on_route6, const struct net *net, const struct fib6_result *route, void *table, const struct flowi6 *flow)
{
	int iif = BPF_CORE_READ(flow, __fl_common.flowic_iif);
	struct forward_pair pair = {};
	struct net_device *dev;
	__u32 side;

	if (iif <= LOOPBACK_IFINDEX || BPF_CORE_READ(route, fib6_type) == RTN_LOCAL)
		return 0;
	dev = BPF_CORE_READ(route, nh, nh_common.nhc_dev);
	side = dev ? forward_side(&pair, iif, dev) : SIDE_NONE;
	if (side == SIDE_NONE)
		return 0;
	bpf_probe_read_kernel(side == SIDE_REMOTE ? pair.outside : pair.inside, 16, &flow->saddr);
	bpf_probe_read_kernel(side == SIDE_REMOTE ? pair.inside : pair.outside, 16, &flow->daddr);
	return forwarded(&pair, (__u64)dev, side == SIDE_REMOTE);
}

#endif
