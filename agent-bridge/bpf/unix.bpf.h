/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Names of unix sockets: who listens at the other end of one, or is written to. */
#ifndef BACKFLOW_UNIX_H
#define BACKFLOW_UNIX_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "groups.bpf.h"

/* Offset of sun_path in struct sockaddr_un: the length of an address counts it. */
#define SUN_PATH 2

struct unix_name {
	char path[UNIX_PATH_BYTES];
};

/* What a datagram socket that is not connected wrote to last, for those that can be answered and whose process serves outside. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct unix_name);
} unix_written SEC(".maps");

extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym __weak;

/* The path in an address of `length` bytes, its family included. False where there is none. */
static __always_inline bool unix_name_read(struct unix_name *name, const struct sockaddr_un *address, __u64 length)
{
	length = (__u32)length - SUN_PATH;
	if (!length)
		return false;
	/* The verifier needs to see the bound on the register that the read uses. */
	barrier_var(length);
	if (length > UNIX_PATH_BYTES)
		return false;
	__builtin_memset(name, 0, sizeof(*name));
	return !bpf_probe_read_kernel(name->path, length, address->sun_path);
}

/*
 * Whether `own` called and `peer` is what a listener accepted. An accepted socket shares the address of its listener, which
 * then has more than one holder; a caller has an address of its own, or none.
 */
static __always_inline bool unix_called(struct unix_sock *own, const struct unix_address *address)
{
	const struct unix_address *mine = BPF_CORE_READ(own, addr);

	return !mine || BPF_CORE_READ(address, refcnt.refs.counter) > BPF_CORE_READ(mine, refcnt.refs.counter);
}

/* A socket with the name of its listener, and somebody at the other end. */
static __always_inline bool unix_accepted(struct sock *sk)
{
	struct unix_sock *own = (struct unix_sock *)sk;

	return sk->sk_type != SOCK_DGRAM && BPF_CORE_READ(own, addr) && BPF_CORE_READ(own, peer);
}

/* Path of the end that `sk` writes to. False for pairs without a name and for the accepting side. */
static __always_inline bool unix_peer_name(struct sock *sk, struct unix_name *name)
{
	struct unix_sock *own = (struct unix_sock *)sk, *peer = (struct unix_sock *)BPF_CORE_READ(own, peer);
	bool is_datagram = sk->sk_type == SOCK_DGRAM;
	struct unix_address *address;
	struct unix_name *written;

	if (!peer) {
		written = is_datagram ? bpf_sk_storage_get(&unix_written, sk, NULL, 0) : NULL;
		return written && !bpf_probe_read_kernel(name, sizeof(*name), written);
	}
	address = BPF_CORE_READ(peer, addr);
	if (!address)
		return false;
	/* One that nobody can answer is a sink: logs, and what a service says of itself to its supervisor. */
	if (is_datagram ? !BPF_CORE_READ(own, addr) : !unix_called(own, address))
		return false;
	return unix_name_read(name, &address->name[0], BPF_CORE_READ(address, len));
}

/* A datagram is about to leave to a name that is given with it. */
static __always_inline void unix_addressed(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *socket = ctx->sk;
	struct bpf_sock_addr_kern *kernel;
	struct unix_name *written;
	__u64 id;

	if (!socket || !bpf_ksym_exists(bpf_cast_to_kern_ctx) || !current_group(&id))
		return;
	kernel = bpf_cast_to_kern_ctx(ctx);
	if (!BPF_CORE_READ((struct unix_sock *)kernel->sk, addr))
		return;
	written = bpf_sk_storage_get(&unix_written, socket, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!written)
		count_lost(LOST_MAP_SOCKET);
	else
		unix_name_read(written, (const struct sockaddr_un *)kernel->uaddr, kernel->uaddrlen);
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

SEC("cgroup/sendmsg_unix")
int on_sendmsg_unix(struct bpf_sock_addr *ctx)
{
	unix_addressed(ctx);
	return 1;
}

#endif
