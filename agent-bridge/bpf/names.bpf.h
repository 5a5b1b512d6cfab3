/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What a process says in the names that it asks for. Who looks names up hears from outside only what he asked for, and does at
 * once what he asked for it: that is no A. But a resolver passes each name on to whoever answers for its domain: long names, one
 * after the other, are a connection through it, wherever the resolver is. By the form of the question (RFC 1035 4.1), on any
 * port. Whether anybody works through that connection is not decided here.
 */
#ifndef BACKFLOW_NAMES_H
#define BACKFLOW_NAMES_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "sockets.bpf.h"
#include "groups.bpf.h"

#define UDP_HEADER 8
#define DNS_HEADER 12
/* Header, name and what options a question may have. Longer packets are not looked at. */
#define QUESTION_LONGEST 512
#define DNS_QUESTION_REST 4 /* type and class behind the name */
#define DNS_CLASS_IN 1
/* Set in an answer alone, and the kind of query, which is 0. */
#define DNS_ANSWER 0x8000U
#define DNS_KIND 0x7800U
#define LABEL_LONGEST 63
#define NAME_LONGEST 255
#define NAME_LABELS 40
/*
 * Of a name in its wire form: hosts, services and hashes in lists of the ill-reputed stay below or little above (the longest
 * that is ordinary, an IPv6 address in ip6.arpa, has 74), what is carried in names fills them.
 */
#define NAME_ORDINARY 64
/* Bytes beyond that, of all questions of a process to one resolver, from which on they are taken for a connection. */
#define NAMES_CARRY 128
/* After a silence of this length they are counted anew. */
#define NAMES_SILENCE_NS (600ULL * 1000 * 1000 * 1000)

struct naming_key {
	__u64 group;
	__u8 resolver[16];
};
struct naming {
	__u64 bytes;
	__u64 last_ns;
};

/* Written by the hooks alone; whoever has asked least lately makes room: LRU. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct naming_key);
	__type(value, struct naming);
} namings SEC(".maps");

/* Where the UDP payload begins; 0 where it is no UDP over IPv4 or IPv6 without extension headers. */
static __always_inline __u32 udp_payload(struct __sk_buff *skb)
{
	__u8 version;

	if (bpf_skb_load_bytes(skb, 0, &version, 1))
		return 0;
	if (version >> 4 == 4)
		return (version & 0xf) * 4 + UDP_HEADER;
	return version >> 4 == 6 ? 40 + UDP_HEADER : 0;
}

/* Length of the one name that a packet asks for, or answers for; 0 where it is none such. */
static __always_inline __u32 name_of(struct __sk_buff *skb, __u32 dns, __u16 answer)
{
	struct {
		__be16 id, flags, questions, answers, authorities, more;
	} header;
	struct {
		__be16 type, class;
	} rest;
	__u32 at = dns + DNS_HEADER;
	__u8 label;
	int i;

	if (bpf_skb_load_bytes(skb, dns, &header, sizeof(header)))
		return 0;
	if ((bpf_ntohs(header.flags) & (DNS_ANSWER | DNS_KIND)) != answer || header.questions != bpf_htons(1))
		return 0;
	if (!answer && (header.answers || header.authorities))
		return 0;
	for (i = 0; i < NAME_LABELS; i++) {
		if (bpf_skb_load_bytes(skb, at, &label, 1) || label > LABEL_LONGEST)
			return 0;
		at += 1 + label;
		if (!label)
			break;
	}
	if (label || at - dns - DNS_HEADER > NAME_LONGEST || bpf_skb_load_bytes(skb, at, &rest, sizeof(rest)))
		return 0;
	return rest.class == bpf_htons(DNS_CLASS_IN) ? at - dns - DNS_HEADER : 0;
}

/*
 * A packet leaves within the send. That it is a question waits in the state of the socket, which the first packet of a
 * connected socket leaves without cookie.
 */
static __always_inline void names_leave(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	__u32 dns, name;
	struct tracked *t;

	if (!sk)
		return;
	sk = bpf_sk_fullsock(sk);
	if (!sk || sk->protocol != IPPROTO_UDP)
		return;
	dns = udp_payload(skb);
	if (!dns || skb->len > dns + QUESTION_LONGEST)
		return;
	name = name_of(skb, dns, 0);
	if (!name)
		return;
	t = bpf_sk_storage_get(&sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (t)
		t->question = 1 + (name > NAME_ORDINARY ? name - NAME_ORDINARY : 0);
}

/* An answer arrives, and repeats its question. */
static __always_inline void names_arrive(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct tracked *t;
	__u32 dns, name;

	if (!sk)
		return;
	sk = bpf_sk_fullsock(sk);
	if (!sk || sk->protocol != IPPROTO_UDP)
		return;
	t = bpf_sk_storage_get(&sockets, sk, NULL, 0);
	if (!t || !(t->flags & TRACKED_RESOLVER))
		return;
	dns = udp_payload(skb);
	name = dns ? name_of(skb, dns, DNS_ANSWER) : 0;
	if (name)
		t->echoed += DNS_HEADER + name + DNS_QUESTION_REST;
}

/* Whether the names that `current` asks this resolver for carry something, `bytes` more of them now. */
static __always_inline bool names_carry(const struct tracked *t, __u32 bytes, __u64 now)
{
	static const struct naming nothing;
	struct naming_key key = { .group = current_group_id(bpf_get_current_task_btf()) };
	struct naming *naming;

	__builtin_memcpy(key.resolver, t->remote, 16);
	naming = bpf_map_lookup_elem(&namings, &key);
	if (!naming) {
		if (!bytes)
			return false;
		bpf_map_update_elem(&namings, &key, &nothing, BPF_NOEXIST);
		naming = bpf_map_lookup_elem(&namings, &key);
		if (!naming)
			return false;
	}
	if (naming->last_ns && now - naming->last_ns > NAMES_SILENCE_NS)
		naming->bytes = 0;
	naming->bytes += bytes;
	naming->last_ns = now;
	return naming->bytes >= NAMES_CARRY;
}

/* A question went to `t`. Taken by the verifier by itself: its caller has more ways through it than are followed. */
__noinline int names_sent(struct tracked *t, __u32 bytes, __u64 now)
{
	if (!t)
		return 0;
	t->flags |= TRACKED_RESOLVER;
	if (!names_carry(t, bytes, now))
		return 0;
	t->flags |= TRACKED_CARRIES;
	if (t->scope != SCOPE_INSIDE)
		return 0;
	t->route = ROUTE_PROXY;
	t->scope = scope_by_route(network_of(t->remote), t->route);
	if (t->scope == SCOPE_OUTSIDE)
		emit_connection(t, REASON_IDENTIFIED, t->datagram_sent, t->datagram_received);
	return 0;
}

/*
 * `length` bytes went to `t`: what of them was said. In a question that is what its name has beyond an ordinary one, so that a
 * poll says nothing.
 */
static __always_inline __u64 names_carried_out(struct sock *sk, struct tracked *t, __u64 length, __u64 now)
{
	struct tracked *first;
	__u32 bytes;

	if (t->protocol != IPPROTO_UDP || t->initiator != INITIATOR_LOCAL)
		return length;
	first = bpf_sk_storage_get(&sockets, sk, NULL, 0);
	if (!first || !first->question)
		return length;
	bytes = first->question - 1;
	first->question = 0;
	names_sent(t, bytes, now);
	return bytes;
}

/* `length` bytes came from `t`: what of them is not the process's own question. */
static __always_inline __u64 names_carried_in(struct tracked *t, __u64 length)
{
	__u64 own = t->echoed < length ? t->echoed : length;

	t->echoed -= own;
	return length - own;
}

#endif
