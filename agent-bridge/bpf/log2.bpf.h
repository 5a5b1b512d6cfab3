/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Logarithm in integers: sums of it give geometric means of delays. */
#ifndef BACKFLOW_LOG2_H
#define BACKFLOW_LOG2_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>

/* log2(v) * 256, the fraction linear between powers of two (error below 0.09). 0 for 0. */
static __always_inline __u64 log2_q8(__u64 v)
{
	__u64 whole = 0, rest = v;

	if (!v)
		return 0;
	if (rest >> 32) { whole += 32; rest >>= 32; }
	if (rest >> 16) { whole += 16; rest >>= 16; }
	if (rest >> 8) { whole += 8; rest >>= 8; }
	if (rest >> 4) { whole += 4; rest >>= 4; }
	if (rest >> 2) { whole += 2; rest >>= 2; }
	if (rest >> 1) whole += 1;
	rest = whole >= 8 ? v >> (whole - 8) : v << (8 - whole);
	return (whole << 8) + (rest & 0xff);
}

#endif
