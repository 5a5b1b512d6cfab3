/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Types of the kernel that routes and their devices have, as in kernel.h. */
#ifndef BACKFLOW_KERNEL_ROUTES_H
#define BACKFLOW_KERNEL_ROUTES_H

#include "kernel.h"

/* include/uapi/linux/bpf.h: context accesses are not relocated. */
struct bpf_sock_ops {
	__u32 op;
	__u32 args[4];
	__u32 family;
	__u32 remote_ip4;
	__u32 local_ip4;
	__u32 remote_ip6[4];
	__u32 local_ip6[4];
	__u32 remote_port;
	__u32 local_port;
	__u32 is_fullsock;
	__u32 snd_cwnd;
	__u32 srtt_us;
	__u32 bpf_sock_ops_cb_flags;
	__u32 state;
	__u32 rtt_min;
	__u32 snd_ssthresh;
	__u32 rcv_nxt;
	__u32 snd_nxt;
	__u32 snd_una;
	__u32 mss_cache;
	__u32 ecn_flags;
	__u32 rate_delivered;
	__u32 rate_interval_us;
	__u32 packets_out;
	__u32 retrans_out;
	__u32 total_retrans;
	__u32 segs_in;
	__u32 data_segs_in;
	__u32 segs_out;
	__u32 data_segs_out;
	__u32 lost_out;
	__u32 sacked_out;
	__u32 sk_txhash;
	__u64 bytes_received;
	__u64 bytes_acked;
	struct bpf_sock *sk;
};
enum { BPF_SOCK_OPS_TCP_CONNECT_CB = 3 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in_ifaddr {
	struct in_ifaddr *ifa_next;
	__be32 ifa_address;
	__be32 ifa_mask;
	__u8 ifa_prefixlen;
};
struct in_device {
	struct in_ifaddr *ifa_list;
};
struct rtable {
	unsigned int rt_flags;
	__u8 rt_uses_gateway;
};
struct rt6key {
	int plen;
};
struct fib6_info {
	struct rt6key fib6_dst;
};
struct rt6_info {
	struct fib6_info *from;
	__u32 rt6i_flags;
};
struct flowi_common {
	int flowic_iif;
};
struct flowi4 {
	struct flowi_common __fl_common;
	__be32 saddr;
	__be32 daddr;
};
struct flowi6 {
	struct flowi_common __fl_common;
	struct in6_addr saddr;
	struct in6_addr daddr;
};
struct fib_nh_common {
	struct net_device *nhc_dev;
	unsigned char nhc_scope;
};
struct fib6_nh {
	struct fib_nh_common nh_common;
};
struct fib6_result {
	struct fib6_nh *nh;
	__u8 fib6_type;
};

#pragma clang attribute pop

#endif
