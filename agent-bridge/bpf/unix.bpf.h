/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* B that is a unix socket with a name (an agent, a database, the container engine): keyed by a hash of the peer's path. */
#ifndef BACKFLOW_UNIX_H
#define BACKFLOW_UNIX_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "groups.bpf.h"
#include "coupling.bpf.h"

/* Offset of sun_path in struct sockaddr_un: the length of an address counts it. */
#define SUN_PATH 2

struct unix_name {
	char path[UNIX_PATH_BYTES];
};

/* Path of the end that `sk` connected to. False for pairs without a name and for the accepting side. */
static __always_inline bool unix_peer_name(struct sock *sk, struct unix_name *name)
{
	struct unix_sock *own = (struct unix_sock *)sk, *peer;
	struct unix_address *address;
	__u64 length;

	if (BPF_CORE_READ(own, addr))
		return false;
	peer = (struct unix_sock *)BPF_CORE_READ(own, peer);
	if (!peer)
		return false;
	address = BPF_CORE_READ(peer, addr);
	if (!address)
		return false;
	length = (__u32)BPF_CORE_READ(address, len) - SUN_PATH;
	if (!length)
		return false;
	/* The verifier needs to see the bound on the register that the read uses. */
	barrier_var(length);
	if (length > UNIX_PATH_BYTES)
		return false;
	__builtin_memset(name, 0, sizeof(*name));
	return !bpf_probe_read_kernel(name->path, length, &address->name[0].sun_path);
}

/* FNV-1a, 64 bits, over whole words. */
static __always_inline __u64 unix_hash(const struct unix_name *name)
{
	__u64 hash = 0xcbf29ce484222325ULL;
	int i;

	for (i = 0; i < UNIX_PATH_BYTES / 4; i++) {
		hash ^= ((const __u32 *)name->path)[i];
		hash *= 0x100000001b3ULL;
	}
	return hash;
}

/* A stand-in for the tracked state of an inet socket, enough for the coupling rules. */
static __always_inline void unix_as_tracked(const struct unix_name *name, struct tracked *b)
{
	__u64 hash = unix_hash(name);

	__builtin_memset(b, 0, sizeof(*b));
	__builtin_memcpy(b->remote, &hash, sizeof(hash));
	b->protocol = PROTOCOL_UNIX;
}

static __always_inline void unix_sent(struct sock *sk, __u64 bytes)
{
	struct unix_name name;
	struct edge_key key;
	struct tracked b;
	struct edge *edge;
	__u64 id;
	struct group *g = current_group(&id);
	int i;

	if (!g || !unix_peer_name(sk, &name))
		return;
	unix_as_tracked(&name, &b);
	inside_sent(&b, bytes, bpf_ktime_get_boot_ns());
	for (i = 0; i < OUTSIDES; i++) {
		if (!g->outsides[i].spoke_ns)
			continue;
		edge_key_of(&key, id, &g->outsides[i], &b);
		edge = bpf_map_lookup_elem(&edges, &key);
		if (edge && !edge->b_path[0] && !edge->b_path[1])
			__builtin_memcpy(edge->b_path, name.path, UNIX_PATH_BYTES);
	}
}

static __always_inline void unix_received(struct sock *sk, __u64 bytes)
{
	struct unix_name name;
	struct tracked b;
	__u64 id;
	struct group *g = current_group(&id);

	if (!g || !unix_peer_name(sk, &name))
		return;
	unix_as_tracked(&name, &b);
	inside_received(&b, bytes, bpf_ktime_get_boot_ns());
}

#endif
