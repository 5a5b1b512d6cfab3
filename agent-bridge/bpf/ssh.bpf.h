/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * SSH on any port, from the first payload bytes of each direction. An identification line starts with "SSH-" and ends
 * with LF within 255 bytes (RFC 4253 4.2); then come packets {u32 length, u8 padding, u8 type} in the clear until the keys
 * are exchanged (RFC 4253 6). Only an SSH client sends types 30 (ECDH or DH init, RFC 5656 4, RFC 4253 8) and 34 (group
 * exchange request, RFC 4419 3). Nothing of the payload is kept but these four bits.
 */
#ifndef BACKFLOW_SSH_H
#define BACKFLOW_SSH_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "sockets.bpf.h"
#include "proxies.bpf.h"

#define IDENT_BYTES 255
#define MSG_KEX_INIT 30
#define MSG_KEX_REPLY 31
#define MSG_GEX_INIT 32
#define MSG_GEX_REPLY 33
#define MSG_GEX_REQUEST 34
/* Key exchange, ignore and debug messages before the init; a client that sends more is not worth following. */
#define PACKETS_FOLLOWED 6

struct segment {
	__u32 payload; /* offset in the packet */
	__u32 length;
	__u32 seq;
};

/* Finds the TCP payload. False where it is no TCP over IPv4 or IPv6 without extension headers. */
static __always_inline bool tcp_segment(struct __sk_buff *skb, struct segment *s)
{
	__u8 version, offset;
	__u32 ip;
	__be32 seq;

	if (bpf_skb_load_bytes(skb, 0, &version, 1))
		return false;
	if (version >> 4 == 4)
		ip = (version & 0xf) * 4;
	else if (version >> 4 == 6)
		ip = 40;
	else
		return false;
	if (bpf_skb_load_bytes(skb, ip + 4, &seq, 4) || bpf_skb_load_bytes(skb, ip + 12, &offset, 1))
		return false;
	s->payload = ip + (offset >> 4) * 4;
	s->seq = bpf_ntohl(seq);
	s->length = skb->len > s->payload ? skb->len - s->payload : 0;
	return s->length > 0;
}

/* Length of the identification line with its LF, 0 when the payload does not start with one. */
static __always_inline __u32 ident_line(struct __sk_buff *skb, const struct segment *s)
{
	char line[IDENT_BYTES + 1] = {};
	__u64 n = s->length;
	int i;

	if (n > IDENT_BYTES)
		n = IDENT_BYTES;
	/* The verifier needs to see the bounds on the register that the read uses. */
	barrier_var(n);
	if (n < 4 || n > IDENT_BYTES)
		return 0;
	if (bpf_skb_load_bytes(skb, s->payload, line, n))
		return 0;
	if (line[0] != 'S' || line[1] != 'S' || line[2] != 'H' || line[3] != '-')
		return 0;
	for (i = 4; i < IDENT_BYTES; i++)
		if (line[i] == '\n')
			return i + 1;
	return n;
}

/* Follows packets whose headers lie in this segment. True once the side is known to be the client. */
static __always_inline bool follow_packets(struct __sk_buff *skb, const struct segment *s, struct ssh_stream *stream)
{
	int i;

	for (i = 0; i < 3; i++) {
		__u32 at = stream->next_seq - s->seq;
		struct {
			__be32 length;
			__u8 padding;
			__u8 type;
		} __attribute__((packed)) header;

		if (at >= s->length)
			return false;
		if (bpf_skb_load_bytes(skb, s->payload + at, &header, sizeof(header))) {
			stream->stage = SSH_STAGE_DONE;
			return false;
		}
		if (header.type >= MSG_KEX_INIT && header.type <= MSG_GEX_REQUEST) {
			stream->stage = SSH_STAGE_DONE;
			return header.type == MSG_KEX_INIT || header.type == MSG_GEX_REQUEST;
		}
		if (++stream->packets > PACKETS_FOLLOWED) {
			stream->stage = SSH_STAGE_DONE;
			return false;
		}
		stream->next_seq += 4 + bpf_ntohl(header.length);
	}
	return false;
}

/* Looks at one packet of one direction. Returns the bits that it adds. */
static __always_inline __u8 ssh_look(struct __sk_buff *skb, struct ssh_stream *stream, __u8 ident_bit, __u8 client_bit)
{
	struct segment s;
	__u8 bits = 0;

	if (stream->stage == SSH_STAGE_DONE || !tcp_segment(skb, &s))
		return 0;
	if (stream->stage == SSH_STAGE_IDENT) {
		__u32 line = ident_line(skb, &s);

		if (!line) {
			stream->stage = SSH_STAGE_DONE;
			return 0;
		}
		stream->stage = SSH_STAGE_PACKETS;
		stream->next_seq = s.seq + line;
		bits = ident_bit;
	}
	if (follow_packets(skb, &s, stream))
		bits |= client_bit;
	return bits;
}

static __always_inline int ssh_packet(struct __sk_buff *skb, bool outgoing)
{
	struct bpf_sock *sk = skb->sk;
	struct tracked *t;
	struct segment s;
	__u8 bits;

	if (!sk)
		return 1;
	sk = bpf_sk_fullsock(sk);
	if (!sk)
		return 1;
	t = bpf_sk_storage_get(&sockets, sk, NULL, 0);
	if (!t || t->protocol != IPPROTO_TCP || t->flags & TRACKED_LISTENER)
		return 1;
	if (outgoing && t->proxy != PROXY_STAGE_DONE && is_dialled_inside(t) && tcp_segment(skb, &s))
		proxy_look(t, skb, s.payload, s.length);
	if (outgoing)
		bits = ssh_look(skb, &t->ssh_local, SSH_LOCAL_IDENT, SSH_LOCAL_CLIENT);
	else
		bits = ssh_look(skb, &t->ssh_remote, SSH_REMOTE_IDENT, SSH_REMOTE_CLIENT);
	if (bits & ~t->ssh) {
		t->ssh |= bits;
		emit_connection(t, REASON_IDENTIFIED, t->reported_sent, t->reported_received);
	}
	return 1;
}

#endif
