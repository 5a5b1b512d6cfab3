/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Turn-taking on one socket: who speaks first after a silence, and how soon the other side answers. */
#ifndef BACKFLOW_EXCHANGES_H
#define BACKFLOW_EXCHANGES_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "records.h"
#include "state.bpf.h"
#include "log2.bpf.h"

/*
 * A silence of this length ends an exchange, but for the reply that the leading side waits for: longer than an application's think
 * time. A server that checks a key takes over a tenth of a second.
 */
#define SILENCE_NS (200ULL * 1000 * 1000)
/* A later reply is no answer. */
#define ANSWER_NS (1000ULL * 1000 * 1000)

static __always_inline void exchange_finish(struct tracked *t)
{
	struct exchange_turn *turn = &t->turn;

	if (turn->leader != SIDE_REMOTE || !turn->answered)
		return;
	if (turn->lead_count == 1 && turn->answer_count == 1)
		t->exchanges.strict_alternations++;
	if (turn->previous_answer_bytes == turn->answer_bytes)
		t->exchanges.same_size_answers++;
	t->exchanges.answer_bytes += turn->answer_bytes;
	turn->previous_answer_bytes = turn->answer_bytes;
}

static __always_inline void exchange_begin(struct tracked *t, __u8 side)
{
	struct exchange_turn *turn = &t->turn;

	exchange_finish(t);
	turn->leader = side;
	turn->answered = 0;
	turn->lead_count = 0;
	turn->answer_count = 0;
	turn->answer_bytes = 0;
	if (side == SIDE_REMOTE)
		t->exchanges.remote_led++;
	else
		t->exchanges.local_led++;
}

static __always_inline void exchange_answered(struct tracked *t, __u8 side, __u64 delay)
{
	t->turn.answered = 1;
	if (side == SIDE_LOCAL) {
		t->exchanges.remote_led_answered++;
		t->exchanges.local_reply_log2 += log2_q8(delay);
	} else {
		t->exchanges.local_led_answered++;
		t->exchanges.remote_reply_log2 += log2_q8(delay);
	}
}

/*
 * `side` spoke `bytes` at `now`. True when this host answers for the first time what the
 * remote side began: that is news, and not left to the next walk.
 */
static __always_inline bool exchange_spoke(struct tracked *t, __u8 side, __u64 bytes, __u64 now)
{
	struct exchange_turn *turn = &t->turn;
	bool silent = now - turn->last_ns > SILENCE_NS;
	__u32 answered = t->exchanges.remote_led_answered;
	bool replies = turn->leader && side != turn->leader && turn->owing && now - turn->lead_last_ns <= ANSWER_NS;

	if (replies && !turn->answered)
		exchange_answered(t, side, now - turn->lead_last_ns);
	else if (!replies && (silent || !turn->leader))
		exchange_begin(t, side);
	if (side == turn->leader) {
		turn->lead_last_ns = now;
		turn->lead_count++;
		turn->owing = 1;
	} else {
		turn->answer_count++;
		turn->owing = 0;
		turn->answer_bytes += bytes;
	}
	turn->last_ns = now;
	return !answered && t->exchanges.remote_led_answered;
}

#endif
