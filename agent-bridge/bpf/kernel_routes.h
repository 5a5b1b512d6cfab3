/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Types of the kernel that routes and their devices have, as in kernel.h. */
#ifndef BACKFLOW_KERNEL_ROUTES_H
#define BACKFLOW_KERNEL_ROUTES_H

#include "kernel.h"

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
