/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Who waited for whom. A relay has nothing of its own to say inside: B is written after A spoke and closed after A spoke,
 * what B answers leaves on A piece by piece, and what was opened for A is not written before A speaks again where the far
 * side waits for the opening. A client that works on B for itself asks at once, goes on by itself and passes on the result.
 */
#ifndef BACKFLOW_ORDER_H
#define BACKFLOW_ORDER_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "records.h"
#include "state.bpf.h"
#include "log2.bpf.h"

/*
 * How much sooner after A spoke something happened than the time between A's messages, in 256ths of a bit: what has nothing
 * to do with A comes to 1.44 bits on average, however much A chats.
 */
static __always_inline __u64 order_lead(const struct outside *a, __u64 now)
{
	__u64 delay = log2_q8(now - a->spoke_ns), gap = log2_q8(a->gap_ns);

	return gap > delay ? gap - delay : 0;
}

/* B is written, before that is noted on it. */
static __always_inline void order_written(struct order *order, const struct outside *a, const struct tracked *b, __u64 now)
{
	bool spoke;

	if (!b->received_ns && !b->sent_ns) {
		if (!(b->flags & TRACKED_DIALLED_AFTER))
			return;
		spoke = a->spoke_ns > b->opened_ns;
		order->waited += spoke;
		order->straight += !spoke;
	} else if (b->received_ns > b->sent_ns) {
		spoke = a->spoke_ns > b->received_ns;
		order->prompted += spoke;
		order->own += !spoke;
		order->kept += a->sent_ns < b->received_ns;
	} else {
		return;
	}
	if (spoke)
		order->lead_log2 += order_lead(a, now);
}

/* B speaks, before that is noted on it: in the middle of an answer, the first part of which has left on A already. */
static __always_inline bool order_streams(const struct outside *a, const struct tracked *b)
{
	return b->received_ns > b->sent_ns && a->sent_ns > b->received_ns && a->spoke_ns < b->received_ns;
}

/* This host closes B. */
static __always_inline void order_closed(struct order *order, const struct outside *a, const struct tracked *b, __u64 now)
{
	bool spoke = a->spoke_ns > b->received_ns && a->spoke_ns > b->sent_ns;

	order->closed_after += spoke;
	order->closed_alone += !spoke;
	if (spoke)
		order->lead_log2 += order_lead(a, now);
}

#endif
