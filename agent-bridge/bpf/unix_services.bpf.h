/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* B that is a unix socket with a name (an agent, a database, the container engine): keyed by a hash of the peer's path. */
#ifndef BACKFLOW_UNIX_SERVICES_H
#define BACKFLOW_UNIX_SERVICES_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "groups.bpf.h"
#include "sockets.bpf.h"
#include "outsides.bpf.h"
#include "coupling.bpf.h"
#include "joints.bpf.h"
#include "unix.bpf.h"

/* This end of a unix socket to a service. */
struct unix_end {
	struct tracked b; /* what the coupling rules use of it: protocol 0 until the name of the other end is known */
	struct unix_name name;
	__u32 is_dialled; /* an opening that is not counted yet */
	__u64 group;      /* of `b.owner`, who used it last */
	struct opening openings[OUTSIDES];
};

/* Made for processes that serve outside alone, freed with the socket. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct unix_end);
} unix_ends SEC(".maps");

static __always_inline void unix_name_end(struct unix_end *end, const struct unix_name *name)
{
	__u64 hash = unix_hash(name);

	__builtin_memcpy(&end->name, name, sizeof(*name));
	__builtin_memcpy(end->b.remote, &hash, sizeof(hash));
	end->b.protocol = PROTOCOL_UNIX;
}

/* The end that `current` uses, NULL where there is no service at the other. A stream leads to one for as long as it stands. */
static __always_inline struct unix_end *unix_end_of(struct sock *sk)
{
	struct unix_end *end = bpf_sk_storage_get(&unix_ends, sk, NULL, 0);
	struct unix_name name;

	if (end && end->b.protocol && sk->sk_type != SOCK_DGRAM)
		return end;
	if (!unix_peer_name(sk, &name))
		return NULL;
	if (!end)
		end = bpf_sk_storage_get(&unix_ends, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (end)
		unix_name_end(end, &name);
	else
		count_lost(LOST_MAP_SOCKET);
	return end;
}

/*
 * The group dials a service. The caller may have another name for it than the service (a link, a relative path), and the
 * service may not be there: what there is to count is counted with the first bytes.
 */
static __always_inline void unix_dials(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *socket = ctx->sk;
	__u64 id, now = bpf_ktime_get_boot_ns();
	struct unix_end *end;
	struct group *g;
	bool joined;
	int i;

	if (!socket || socket->type == SOCK_DGRAM)
		return;
	g = current_group(&id);
	if (!g)
		return;
	end = bpf_sk_storage_get(&unix_ends, socket, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!end) {
		count_lost(LOST_MAP_SOCKET);
		return;
	}
	end->b.opened_ns = now;
	end->b.flags = now - g->a_spoke_ns <= CAUSE_NS ? TRACKED_DIALLED_AFTER : 0;
	end->is_dialled = 1;
	joined = is_joined(id);
	for (i = 0; i < OUTSIDES; i++) {
		opening_of(&end->openings[i], g, now, i);
		end->openings[i].joined = joined;
	}
}

static __always_inline void unix_opened(struct unix_end *end)
{
	__u64 id;
	struct group *g = current_group(&id);
	int i;

	if (!end->is_dialled || !g)
		return;
	end->is_dialled = 0;
	for (i = 0; i < OUTSIDES; i++)
		opened_after(g, &end->b, &end->openings[i], id, i);
}

/* The path of the service, which the key of an edge has a hash of. */
static __always_inline void unix_note_path(const struct unix_end *end)
{
	struct edge_key key;
	struct edge *edge;
	__u64 id;
	struct group *g = current_group(&id);
	bool joined = g && is_joined(id);
	int i;

	for (i = 0; g && i < OUTSIDES; i++) {
		if (!g->outsides[i].spoke_ns)
			continue;
		edge_key_of(&key, id, &g->outsides[i], &end->b, joined);
		edge = bpf_map_lookup_elem(&edges, &key);
		if (edge && !edge->b_path[0] && !edge->b_path[1])
			__builtin_memcpy(edge->b_path, end->name.path, UNIX_PATH_BYTES);
	}
}

/* Taken by the verifier by themselves: see traffic.bpf.h. */
__noinline int sent_to_service(struct unix_end *end, __u64 bytes, __u64 now)
{
	if (end) {
		unix_opened(end);
		inside_sent(&end->b, bytes, now);
		unix_note_path(end);
	}
	return 0;
}

__noinline int received_from_service(struct unix_end *end, __u64 bytes, __u64 now)
{
	if (end) {
		unix_opened(end);
		inside_received(&end->b, bytes, now);
	}
	return 0;
}

/* Bytes pass on a unix socket of `current`. */
static __always_inline void unix_spoke(struct sock *sk, __u32 side, __u64 bytes)
{
	__u64 id, now = bpf_ktime_get_boot_ns();
	struct group *g = current_group(&id);
	struct unix_end *end;

	if (!g)
		return;
	end = unix_end_of(sk);
	if (!end) {
		if (unix_accepted(sk))
			unix_accepted_spoke(sk, side, id, g, now);
		return;
	}
	if (is_unix_joint(sk, id))
		return;
	end->group = id;
	note_owner(&end->b);
	if (side == SIDE_LOCAL)
		sent_to_service(end, bytes, now);
	else
		received_from_service(end, bytes, now);
}

/* Whether the group's process still runs that used this end: what the end of a process closes says nothing. */
static __always_inline bool unix_user_runs(const struct unix_end *end, const struct group *g)
{
	__u32 pid = end->b.owner.pid;
	struct member *member;

	if (own_group(pid, end->b.owner.start_ns) == end->group)
		return !g->ended_ns;
	member = bpf_map_lookup_elem(&group_of, &pid);
	return member && member->group == end->group;
}

/*
 * `current` reads the end of what came in on a unix socket. Nothing is run where one is closed: that a group has closed its end
 * shows where the service reads that. A service that was the first to close leaves nothing to wait for.
 */
__noinline int service_closed(struct unix_end *end, __u64 now)
{
	struct group *g;
	__u64 id;
	int i;

	if (!end || !closing_tells(&end->b))
		return 0;
	id = end->group;
	g = bpf_map_lookup_elem(&groups, &id);
	if (!g || !unix_user_runs(end, g))
		return 0;
	for (i = 0; i < OUTSIDES; i++)
		closed_after(g, &end->b, id, now, i);
	end->b.sent_ns = 0;
	return 0;
}

static __always_inline void unix_ended(struct sock *sk)
{
	struct unix_end *end = bpf_sk_storage_get(&unix_ends, sk, NULL, 0);
	struct unix_sock *own;
	struct sock *peer;

	if (end) {
		end->b.sent_ns = 0;
		return;
	}
	own = sk->sk_type == SOCK_DGRAM ? NULL : bpf_skc_to_unix_sock(sk);
	peer = own ? own->peer : NULL;
	end = peer ? bpf_sk_storage_get(&unix_ends, peer, NULL, 0) : NULL;
	if (end)
		service_closed(end, bpf_ktime_get_boot_ns());
}

SEC("cgroup/connect_unix")
int on_connect_unix(struct bpf_sock_addr *ctx)
{
	unix_dials(ctx);
	return 1;
}

#endif
