/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * SSH on any port, from the first payload bytes of each direction, in whatever pieces they come. An identification line starts
 * with "SSH-" and ends with LF within 255 bytes (RFC 4253 4.2); then come packets {u32 length, u8 padding, u8 type} in the clear
 * until the keys are exchanged (RFC 4253 6). Only an SSH client sends types 30 (ECDH or DH init, RFC 5656 4, RFC 4253 8) and 34
 * (group exchange request, RFC 4419 3). Nothing of the payload is kept but these four bits, and a header that is not whole yet.
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

/* "SSH-", the first character in the lowest byte. */
#define IDENT_BEGIN 0x2d485353
#define IDENT_BEGIN_BYTES 4

/*
 * Looks at a piece of the identification line that begins at byte `at` of the segment. True once the line has begun as one; the
 * stage says whether it is whole, or none.
 */
static __always_inline bool ident_piece(struct __sk_buff *skb, const struct segment *s, __u32 at, struct ssh_stream *stream)
{
	char piece[IDENT_BYTES + 1] = {};
	__u64 n = s->length - at, room = IDENT_BYTES - stream->line;
	__u32 before = stream->line;
	int i;

	if (n > room)
		n = room;
	/* The verifier needs to see the bounds on the register that the read uses. */
	barrier_var(n);
	if (!n || n > IDENT_BYTES || bpf_skb_load_bytes(skb, s->payload + at, piece, n)) {
		stream->stage = SSH_STAGE_DONE;
		return false;
	}
	for (i = 0; i < IDENT_BEGIN_BYTES && i < n; i++) {
		if (before + i < IDENT_BEGIN_BYTES && piece[i] != (char)(IDENT_BEGIN >> (8 * (before + i)))) {
			stream->stage = SSH_STAGE_DONE;
			return false;
		}
	}
	for (i = 0; i < IDENT_BYTES; i++)
		if (piece[i] == '\n')
			break;
	if (i < n) {
		n = i + 1;
		stream->stage = SSH_STAGE_PACKETS;
	} else if (n == room) {
		stream->stage = SSH_STAGE_DONE;
	}
	stream->line = before + n;
	stream->next_seq += n;
	return stream->line >= IDENT_BEGIN_BYTES;
}

/* Takes what the segment has of a packet's header from byte `at` on. Taken by the verifier by itself. */
__noinline int header_piece(struct __sk_buff *skb, struct ssh_stream *stream, __u32 payload, __u32 length, __u32 at)
{
	int i;

	if (!stream)
		return 0;
	for (i = 0; i < SSH_HEADER_BYTES && at < length && stream->held < SSH_HEADER_BYTES; i++) {
		__u8 byte;

		if (bpf_skb_load_bytes(skb, payload + at, &byte, 1)) {
			stream->stage = SSH_STAGE_DONE;
			return 0;
		}
		stream->header[stream->held & 7] = byte;
		stream->held++;
		stream->next_seq++;
		at++;
	}
	return 0;
}

/* Follows packets whose headers lie in this segment. True once the side is known to be the client. */
static __always_inline bool follow_packets(struct __sk_buff *skb, const struct segment *s, struct ssh_stream *stream)
{
	int i;

	for (i = 0; i < 3; i++) {
		__u32 at = stream->next_seq - s->seq;
		__be32 length;
		__u8 type;

		if (at >= s->length)
			return false;
		header_piece(skb, stream, s->payload, s->length, at);
		if (stream->stage == SSH_STAGE_DONE || stream->held < SSH_HEADER_BYTES)
			return false;
		stream->held = 0;
		type = stream->header[5];
		if (type >= MSG_KEX_INIT && type <= MSG_GEX_REQUEST) {
			stream->stage = SSH_STAGE_DONE;
			return type == MSG_KEX_INIT || type == MSG_GEX_REQUEST;
		}
		if (++stream->packets > PACKETS_FOLLOWED) {
			stream->stage = SSH_STAGE_DONE;
			return false;
		}
		__builtin_memcpy(&length, stream->header, sizeof(length));
		/* Of what the length counts, the padding's and the type are read. */
		stream->next_seq += bpf_ntohl(length) - (SSH_HEADER_BYTES - 4);
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
		__u32 at;

		if (!stream->line)
			stream->next_seq = s.seq;
		at = stream->next_seq - s.seq;
		/* What came before, or what comes too early: the next byte comes yet. */
		if (at >= s.length)
			return 0;
		if (ident_piece(skb, &s, at, stream))
			bits = ident_bit;
		if (stream->stage != SSH_STAGE_PACKETS)
			return bits;
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
