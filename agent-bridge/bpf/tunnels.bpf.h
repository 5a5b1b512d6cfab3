/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What reaches services of this host through a tun or tap device. Whoever holds the other end of the device lets it in:
 * user space knows who that is. One entry for each device, however many connections, so that none is made at their rate.
 */
#ifndef BACKFLOW_TUNNELS_H
#define BACKFLOW_TUNNELS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "identity.bpf.h"
#include "groups.bpf.h"

/* The loopback device has this index in every network namespace (net/core/net_namespace.c). */
#define LOOPBACK_IFINDEX 1
/*
 * A packet is written to the device as soon as it came in from outside: a process that takes longer than this queues, and
 * what it holds then is judged by its bytes.
 */
#define SPOKE_BEFORE_NS (100ULL * 1000 * 1000)

/* Written by the hooks, read by user space. The longest silent makes room, and begins anew with its next connection. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct tunnel_key);
	__type(value, struct tunnel_use);
} tunnel_uses SEC(".maps");

static __always_inline bool is_tun(struct net_device *device)
{
	char kind[4] = {};

	/* drivers/net/tun.c: both tun and tap; a wireguard or vxlan device has no process behind it. */
	bpf_probe_read_kernel_str(kind, sizeof(kind), BPF_CORE_READ(device, rtnl_link_ops, kind));
	return kind[0] == 't' && kind[1] == 'u' && kind[2] == 'n' && !kind[3];
}

/* The device by which the last packet of the handshake came in. It stands in the accepted socket as the default for multicast. */
static __always_inline __u32 arrival_device(struct sock *sk)
{
	struct inet_sock *inet = (struct inet_sock *)sk;
	__u32 device = 0;

	/* IPv6 alone: over IPv4 a socket of either family has it in inet_sock. */
	if (sk->__sk_common.skc_family == AF_INET6 && bpf_core_field_exists(inet->pinet6))
		device = BPF_CORE_READ(inet, pinet6, mcast_oif);
	return device ?: BPF_CORE_READ(inet, mc_index);
}

/* Whether `current`, which wrote the packet to the device, has just been spoken to from outside. */
static __always_inline bool writer_was_spoken_to(__u64 now)
{
	__u64 id;
	struct group *g = current_group(&id);

	return g && now - g->a_spoke_ns <= SPOKE_BEFORE_NS;
}

static __always_inline struct tunnel_use *tunnel_use_of(const struct tunnel_key *key, const char *name)
{
	static const struct tunnel_use nothing;
	struct tunnel_use *use = bpf_map_lookup_elem(&tunnel_uses, key);

	if (use)
		return use;
	bpf_map_update_elem(&tunnel_uses, key, &nothing, BPF_NOEXIST);
	use = bpf_map_lookup_elem(&tunnel_uses, key);
	if (use) {
		use->first_ns = bpf_ktime_get_boot_ns();
		__builtin_memcpy(use->name, name, sizeof(use->name));
	}
	return use;
}

/* A listener of this host accepted. Runs in the context of whoever wrote the packet to the device. */
static __always_inline void tunnel_accepted(struct sock *sk, struct tracked *t)
{
	struct tunnel_key key = { .netns = t->netns, .device = arrival_device(sk) };
	char name[DEVICE_NAME_BYTES] = {};
	struct net_device *out;
	struct tunnel_use *use;

	if (key.device <= LOOPBACK_IFINDEX)
		return;
	/* The answers leave by the same device, or nothing is known of what it is. */
	out = BPF_CORE_READ(sk, sk_dst_cache, dev);
	if (!out || BPF_CORE_READ(out, ifindex) != key.device || !is_tun(out))
		return;
	bpf_probe_read_kernel_str(name, sizeof(name), out->name);
	use = tunnel_use_of(&key, name);
	if (!use) {
		count_lost(LOST_MAP_EDGE);
		return;
	}
	t->device = key.device;
	use->last_ns = bpf_ktime_get_boot_ns();
	__sync_fetch_and_add(&use->accepted, 1);
	if (writer_was_spoken_to(use->last_ns))
		__sync_fetch_and_add(&use->accepted_after, 1);
	process_of(bpf_get_current_task_btf(), &use->writer);
	use->service = t->owner;
	use->cookie = t->cookie;
	use->local_port = t->local_port;
	use->remote_port = t->remote_port;
	__builtin_memcpy(use->local, t->local, 16);
	__builtin_memcpy(use->remote, t->remote, 16);
}

/* A socket that was accepted so has moved bytes. */
static __always_inline void tunnel_moved(const struct tracked *t, __u64 in, __u64 out)
{
	struct tunnel_key key = { .netns = t->netns, .device = t->device };
	struct tunnel_use *use;

	if (!t->device)
		return;
	use = bpf_map_lookup_elem(&tunnel_uses, &key);
	if (!use)
		return;
	__sync_fetch_and_add(&use->bytes_in, in);
	__sync_fetch_and_add(&use->bytes_out, out);
	use->service = t->owner;
	use->last_ns = bpf_ktime_get_boot_ns();
}

#endif
