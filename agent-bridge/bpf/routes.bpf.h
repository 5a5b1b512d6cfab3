/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Where the kernel sends what is meant for a remote end, and what that says of the end: read off the route that a socket holds.
 * The route is the one that its packets take, in whatever network namespace and table, and is there before the first of
 * them: a copy of addresses and routes in user space would need rights in every namespace and be behind each change.
 */
#ifndef BACKFLOW_ROUTES_H
#define BACKFLOW_ROUTES_H

#include "kernel.h"
#include "kernel_routes.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"

/* include/uapi/linux/if.h, route.h, ipv6_route.h and rtnetlink.h */
#define IFF_LOOPBACK 0x8
#define RTCF_LOCAL 0x80000000U
#define RTF_LOCAL 0x80000000U
#define RTF_GATEWAY 0x2U
/* include/uapi/linux/if_arp.h: types of devices that put packets into others. */
#define ARPHRD_PPP 512
#define ARPHRD_TUNNEL 768
#define ARPHRD_TUNNEL6 769
#define ARPHRD_SIT 776
#define ARPHRD_IPGRE 778
#define ARPHRD_IP6GRE 823
#define ARPHRD_NONE 0xfffe /* tun, wireguard, xfrm */
/* Addresses of one device that are looked at. */
#define DEVICE_ADDRESSES 16
/* Nobody's own link has more addresses than this; one that has two is a line to a single peer. */
#define LINK4_WIDEST 8
#define LINK4_NARROWEST 30
#define LINK6_WIDEST 32
#define LINK6_NARROWEST 126

/* Seven characters as the word that they make in memory; the eighth byte is 0. BPF programs have no memcmp. */
#define EIGHT(a, b, c, d, e, f, g) \
	((union { char text[8]; __u64 word; }){ .text = { a, b, c, d, e, f, g } }.word)

static __always_inline bool is_v4_mapped(const __u8 *address)
{
	const __u32 *words = (const __u32 *)address;

	return !words[0] && !words[1] && words[2] == bpf_htonl(0xffff);
}

/*
 * A device that carries packets within others. Not tap: it looks like Ethernet because virtual machines and containers
 * without root (slirp4netns, pasta) hang on it, whose networks are as inside as those of the host.
 */
static __always_inline bool is_tunnel(struct net_device *dev)
{
	__u16 type = BPF_CORE_READ(dev, type);
	union {
		char text[8];
		__u64 word;
	} kind = {};
	const char *name;

	if (type == ARPHRD_NONE || type == ARPHRD_PPP || type == ARPHRD_TUNNEL || type == ARPHRD_TUNNEL6 || type == ARPHRD_SIT ||
	    type == ARPHRD_IPGRE || type == ARPHRD_IP6GRE)
		return true;
	name = BPF_CORE_READ(dev, rtnl_link_ops, kind);
	if (!name || bpf_probe_read_kernel_str(kind.text, sizeof(kind.text), name) < 0)
		return false;
	return kind.word == EIGHT('v', 'x', 'l', 'a', 'n', 0, 0) || kind.word == EIGHT('g', 'e', 'n', 'e', 'v', 'e', 0) ||
	       kind.word == EIGHT('g', 'r', 'e', 't', 'a', 'p', 0) || kind.word == EIGHT('i', 'p', '6', 'g', 'r', 'e', 't');
}

/* IPv4 keeps no prefix with a route, but each device knows the networks of its addresses. */
static __always_inline bool is_on_link4(struct net_device *dev, __be32 remote)
{
	struct in_ifaddr *own = BPF_CORE_READ(dev, ip_ptr, ifa_list);
	int i;

	for (i = 0; i < DEVICE_ADDRESSES && own; i++) {
		__u8 prefix = BPF_CORE_READ(own, ifa_prefixlen);

		if (prefix >= LINK4_WIDEST && prefix <= LINK4_NARROWEST &&
		    !((remote ^ BPF_CORE_READ(own, ifa_address)) & BPF_CORE_READ(own, ifa_mask)))
			return true;
		own = BPF_CORE_READ(own, ifa_next);
	}
	return false;
}

static __always_inline __u8 route4(struct rtable *rt, struct net_device *dev, const __u8 *remote)
{
	__be32 address;

	if (BPF_CORE_READ(rt, rt_flags) & RTCF_LOCAL)
		return ROUTE_LOCAL;
	if (is_tunnel(dev))
		return ROUTE_TUNNEL;
	__builtin_memcpy(&address, remote + 12, 4);
	return !BPF_CORE_READ(rt, rt_uses_gateway) && is_on_link4(dev, address) ? ROUTE_ON_LINK : ROUTE_BEYOND;
}

static __always_inline __u8 route6(struct rt6_info *rt, struct net_device *dev)
{
	__u32 flags = BPF_CORE_READ(rt, rt6i_flags);
	int prefix;

	if (flags & RTF_LOCAL)
		return ROUTE_LOCAL;
	if (is_tunnel(dev))
		return ROUTE_TUNNEL;
	prefix = BPF_CORE_READ(rt, from, fib6_dst.plen);
	return !(flags & RTF_GATEWAY) && prefix >= LINK6_WIDEST && prefix <= LINK6_NARROWEST ? ROUTE_ON_LINK : ROUTE_BEYOND;
}

/* How packets of the socket reach `remote`. ROUTE_UNKNOWN before the socket has a route, and where it has none of its own. */
static __always_inline __u8 route_of(struct sock *sk, const __u8 *remote)
{
	struct dst_entry *dst = BPF_CORE_READ(sk, sk_dst_cache);
	struct net_device *dev;

	if (!dst)
		return ROUTE_UNKNOWN;
	dev = BPF_CORE_READ(dst, dev);
	if (!dev)
		return ROUTE_UNKNOWN;
	if (BPF_CORE_READ(dev, flags) & IFF_LOOPBACK)
		return ROUTE_LOCAL;
	return is_v4_mapped(remote) ? route4((struct rtable *)dst, dev, remote) : route6((struct rt6_info *)dst, dev);
}

#endif
