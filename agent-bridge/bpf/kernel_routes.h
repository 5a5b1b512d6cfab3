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

#pragma clang attribute pop

#endif
