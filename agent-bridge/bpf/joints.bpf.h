/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Two halves of a relay: one holds A and listens on this host, the other calls it by loopback TCP or by a unix socket, and does
 * what it is told there. A caller who is led (the listener speaks right after somebody outside spoke, and he answers) acts with
 * the group that leads him; a client, who asks and is answered, does not.
 */
#ifndef BACKFLOW_JOINTS_H
#define BACKFLOW_JOINTS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "identity.bpf.h"
#include "groups.bpf.h"

/* Both ends of a connection within this host, as the caller has them. */
struct caller_key {
	__u8 address[16]; /* of the listener */
	__u32 netns;
	__u16 caller_port;
	__u16 port;
};
struct caller {
	struct process_id process;
	__u64 group; /* that he was joined to over this connection */
};

/* Who called an address of this host. Written by whoever dials; what is over goes when there is no room: LRU. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct caller_key);
	__type(value, struct caller);
} callers SEC(".maps");

/* Who leads on an accepted connection: pushes that were answered, and questions that were. Those of processes with an A only. */
struct joint {
	__u64 last_ns;
	__u64 caller_ns; /* the caller spoke last */
	__u32 leader; /* enum side, SIDE_NONE once it was answered */
	__u32 pushes;
	__u32 queries;
	__u32 unanswered; /* the caller spoke again without an answer, as with a heartbeat */
};
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct joint);
} joints SEC(".maps");

/*
 * By own group of the caller: he was told something that he had not asked for. If he dials inside now, he does so for whoever
 * told him, before he has shown it by his answers.
 */
struct push {
	struct caller_key key;
	__u32 reserved;
	__u64 group;
	__u64 at_ns;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct push);
} pushes SEC(".maps");

static __always_inline void caller_key_of(struct caller_key *key, const __u8 *address, __u32 netns, __u16 caller_port, __u16 port)
{
	__builtin_memcpy(key->address, address, 16);
	key->netns = netns;
	key->caller_port = caller_port;
	key->port = port;
}

static __always_inline void note_caller(struct sock *sk, const struct tracked *t)
{
	struct caller caller = { .process = t->owner };
	struct caller_key key;

	caller_key_of(&key, t->remote, t->netns, sk->__sk_common.skc_num, t->remote_port);
	bpf_map_update_elem(&callers, &key, &caller, BPF_ANY);
}

/* The connection leads from one member of a group to another: what passes there is no B. */
static __always_inline bool is_joint(const struct tracked *t)
{
	__u32 tgid = current_tgid();
	struct member *member;
	struct caller *caller;
	struct caller_key key;

	if (t->route != ROUTE_LOCAL)
		return false;
	member = bpf_map_lookup_elem(&group_of, &tgid);
	if (!member)
		return false;
	caller_key_of(&key, t->remote, t->netns, t->local_port, t->remote_port);
	caller = bpf_map_lookup_elem(&callers, &key);
	return caller && caller->group == member->group;
}

/* After so long whoever speaks begins something. */
#define JOINT_SILENCE_NS (100ULL * 1000 * 1000)
/* Later than this nothing is an answer. */
#define JOINT_ANSWER_NS (5ULL * 1000 * 1000 * 1000)

/* What the listener says this long after the caller spoke was not asked for. */
#define JOINT_UNPROMPTED_NS (500ULL * 1000 * 1000)
/* Words of a caller to which nobody answers, and of each answered one so many, until none of his is taken for a question. */
#define JOINT_CHATTER 2

/* The caller speaks by himself, and not to be answered. */
static __always_inline bool joint_chatters(const struct joint *j)
{
	return j->unanswered >= JOINT_CHATTER && j->unanswered > JOINT_CHATTER * j->queries;
}

/* Whether what the listener says now was heard outside, and not asked for by the caller. */
static __always_inline bool joint_tells(const struct joint *j, const struct group *g, __u64 now)
{
	return now - g->a_spoke_ns <= JOINT_SILENCE_NS && (joint_chatters(j) || now - j->caller_ns > JOINT_UNPROMPTED_NS);
}

/* Counts a turn on an accepted connection. True when the caller has shown that he is led. */
static __always_inline bool joint_spoke(struct joint *j, __u32 side, const struct group *g, __u64 now)
{
	__u64 since = now - j->last_ns;
	bool begins = since > JOINT_SILENCE_NS, is_from_outside = now - g->a_spoke_ns <= JOINT_SILENCE_NS;
	bool chatter = side == SIDE_LOCAL && joint_chatters(j);
	bool answers = j->leader && side != j->leader && since <= JOINT_ANSWER_NS && !chatter;

	if (side == SIDE_REMOTE && j->leader == SIDE_REMOTE && begins)
		j->unanswered++;
	j->last_ns = now;
	if (side == SIDE_REMOTE)
		j->caller_ns = now;
	if (answers) {
		if (side == SIDE_REMOTE)
			j->pushes++;
		else
			j->queries++;
		j->leader = SIDE_NONE;
		return side == SIDE_REMOTE && j->pushes > 2 * j->queries;
	}
	/* What the listener says for itself leads nobody. */
	if (begins || (chatter && is_from_outside))
		j->leader = side == SIDE_REMOTE || is_from_outside ? side : SIDE_NONE;
	return false;
}

/* The caller joins the group, unless he is its own or has an A of his own. */
static __always_inline bool joint_make(const struct process_id *caller, __u64 id, struct group *g)
{
	struct member joined = { .group = id, .share = g->share };
	__u64 own = own_group(caller->pid, caller->start_ns);
	__u32 pid = caller->pid, by = JOINED_BY_DESCRIPTOR;

	if (!pid || own == id || bpf_map_lookup_elem(&groups, &own) || bpf_map_lookup_elem(&group_of, &pid))
		return false;
	if (!share_has_members(joined.share) || bpf_map_update_elem(&group_of, &pid, &joined, BPF_NOEXIST)) {
		count_lost(LOST_MAP_GROUP);
		return false;
	}
	share_took_member(joined.share, 1);
	bpf_map_update_elem(&join_reasons, &own, &by, BPF_ANY);
	return true;
}

/*
 * Whoever calls an address of his own host gets the same one for his end, unless he picks another: what most servers send is
 * done with here.
 */
static __always_inline bool is_within_host(const struct tracked *t)
{
	const __u64 *local = (const __u64 *)t->local, *remote = (const __u64 *)t->remote;

	return local[0] == remote[0] && local[1] == remote[1];
}

static __always_inline void note_push(const struct process_id *caller, const struct caller_key *key, __u64 id, __u64 now)
{
	__u64 own = own_group(caller->pid, caller->start_ns);
	struct push t = { .key = *key, .group = id, .at_ns = now };

	bpf_map_update_elem(&pushes, &own, &t, BPF_ANY);
}

/* Something passed on a TCP connection that this host accepted. */
static __always_inline void accepted_spoke(struct sock *sk, const struct tracked *t, __u32 side, __u64 now)
{
	struct caller_key key;
	struct caller *caller;
	struct joint *j;
	struct group *g;
	__u64 id;

	if (t->protocol != IPPROTO_TCP || !is_within_host(t))
		return;
	g = current_group(&id);
	if (!g)
		return;
	caller_key_of(&key, t->local, t->netns, t->remote_port, t->local_port);
	caller = bpf_map_lookup_elem(&callers, &key);
	if (!caller || caller->group)
		return;
	j = bpf_sk_storage_get(&joints, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!j)
		return;
	if (side == SIDE_LOCAL && joint_tells(j, g, now))
		note_push(&caller->process, &key, id, now);
	if (joint_spoke(j, side, g, now) && joint_make(&caller->process, id, g))
		caller->group = id;
}

/* The process at the other end of a unix socket: who connected to an accepted one, who listens at one that was connected. */
static __always_inline bool unix_partner(struct sock *sk, struct process_id *partner)
{
	struct pid *pid = BPF_CORE_READ(sk, sk_peer_pid);
	struct hlist_node *node = pid ? BPF_CORE_READ(pid, tasks[PIDTYPE_TGID].first) : NULL;
	struct task_struct *task;

	if (!node)
		return false;
	task = (void *)node - bpf_core_field_offset(struct task_struct, pid_links) - PIDTYPE_TGID * sizeof(struct hlist_node);
	partner->pid = BPF_CORE_READ(task, tgid);
	partner->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	return partner->pid;
}

/* The same as is_joint() for a unix socket that `current` connected. */
static __always_inline bool is_unix_joint(struct sock *sk, __u64 group)
{
	struct process_id partner = {};
	struct member *member;
	__u32 pid;

	if (!unix_partner(sk, &partner))
		return false;
	pid = partner.pid;
	member = bpf_map_lookup_elem(&group_of, &pid);
	return group == (member ? member->group : own_group(pid, partner.start_ns));
}

/* Something passed on a unix socket that `current` accepted. */
static __always_inline void unix_accepted_spoke(struct sock *sk, __u32 side, __u64 id, struct group *g, __u64 now)
{
	struct process_id partner = {};
	struct joint *j = bpf_sk_storage_get(&joints, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);

	if (j && joint_spoke(j, side, g, now) && unix_partner(sk, &partner))
		joint_make(&partner, id, g);
}

#endif
