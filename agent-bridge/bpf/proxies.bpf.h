/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A connection to a proxy inside that asks for a place outside is a connection to the outside. By the first bytes that this
 * host says: HTTP CONNECT (RFC 9110 9.3.6) and SOCKS 5 (RFC 1928). Nothing of them is kept but that it was so.
 */
#ifndef BACKFLOW_PROXIES_H
#define BACKFLOW_PROXIES_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include "records.h"
#include "state.bpf.h"
#include "sockets.bpf.h"

#define CONNECT_WORD 8
/* The longest IPv4 address with the colon behind it. */
#define HOST_BYTES 16
/* The shortest request: "CONNECT 1.1.1.1:1 HTTP/1.1" and two line ends. */
#define CONNECT_SHORTEST 30
#define SOCKS_VERSION 5
#define SOCKS_CONNECT 1
#define SOCKS_V4 1
#define SOCKS_NAME 3
#define SOCKS_V6 4
#define SOCKS_SHORTEST 10
/* Version of the sub-negotiation by name and password (RFC 1929). */
#define SOCKS_PASSWORD 1

static __always_inline bool is_outside4(__be32 address)
{
	__u8 mapped[16];

	v4_mapped(mapped, address);
	return scope_of(mapped) == SCOPE_OUTSIDE;
}

/*
 * A host as text, up to its port. Names of one label are of the own network, others are taken for outside. `zero` is one that
 * the verifier does not know: with constants it would follow each spelling on its own.
 */
static __always_inline bool is_outside_host(const char *host, __u32 zero)
{
	__u32 address = zero, part = zero, dots = zero, letters = zero, ended = zero;
	int i;

	/* An IPv6 address: unique local, link-local and loopback ones are inside. */
	if (host[0] == '[')
		return !(host[1] == 'f' && (host[2] == 'c' || host[2] == 'd' || host[2] == 'e')) && host[1] != ':';
	for (i = 0; i < HOST_BYTES; i++) {
		char c = host[i];

		if (c == ':')
			ended = 1;
		if (ended)
			continue;
		if (c == '.') {
			address = address << 8 | part;
			part = zero;
			dots++;
		} else if (c >= '0' && c <= '9') {
			part = (part * 10 + c - '0') & 0xff;
		} else {
			letters = 1;
		}
	}
	return ended && !letters && dots == 3 ? is_outside4(bpf_htonl(address << 8 | part)) : dots > 0;
}

static __always_inline bool asks_by_http(struct __sk_buff *skb, __u32 at, __u32 length, __u32 zero)
{
	static const char word[CONNECT_WORD] = { 'C', 'O', 'N', 'N', 'E', 'C', 'T', ' ' };
	char first[CONNECT_WORD], host[HOST_BYTES];
	int i;

	if (length < CONNECT_SHORTEST || bpf_skb_load_bytes(skb, at, first, sizeof(first)))
		return false;
	for (i = 0; i < CONNECT_WORD; i++)
		if (first[i] != word[i])
			return false;
	return !bpf_skb_load_bytes(skb, at + CONNECT_WORD, host, sizeof(host)) && is_outside_host(host, zero);
}

static __always_inline bool asks_by_socks(struct __sk_buff *skb, __u32 at, __u32 length)
{
	struct {
		__u8 version, command, reserved, kind;
		__be32 address;
	} request;

	if (length < SOCKS_SHORTEST || bpf_skb_load_bytes(skb, at, &request, sizeof(request)))
		return false;
	if (request.version != SOCKS_VERSION || request.command != SOCKS_CONNECT || request.reserved)
		return false;
	if (request.kind == SOCKS_V4)
		return is_outside4(request.address);
	/* fc00::/7, fe80::/10 and ::1 are inside. */
	if (request.kind == SOCKS_V6) {
		__u8 first = bpf_ntohl(request.address) >> 24;

		return first && first < 0xfc;
	}
	return request.kind == SOCKS_NAME;
}

/* The client's first words in SOCKS: how many ways to prove itself it has, and which. */
static __always_inline bool greets_by_socks(struct __sk_buff *skb, __u32 at, __u32 length)
{
	__u8 greeting[3];

	return length >= sizeof(greeting) && !bpf_skb_load_bytes(skb, at, greeting, sizeof(greeting)) &&
	       greeting[0] == SOCKS_VERSION && length == 2U + greeting[1];
}

static __always_inline bool is_password(struct __sk_buff *skb, __u32 at)
{
	__u8 version;

	return !bpf_skb_load_bytes(skb, at, &version, 1) && version == SOCKS_PASSWORD;
}

/* Looks at what this host says on a connection to inside, until it is known what it says first. */
static __always_inline void proxy_look(struct tracked *t, struct __sk_buff *skb, __u32 at, __u32 length)
{
	bool asks;

	if (t->proxy == PROXY_STAGE_BEGIN && greets_by_socks(skb, at, length)) {
		t->proxy = PROXY_STAGE_GREETED;
		return;
	}
	if (t->proxy == PROXY_STAGE_GREETED && is_password(skb, at))
		return;
	asks = t->proxy == PROXY_STAGE_GREETED ? asks_by_socks(skb, at, length) : asks_by_http(skb, at, length, t->zero);
	t->proxy = PROXY_STAGE_DONE;
	if (!asks)
		return;
	t->route = ROUTE_PROXY;
	t->scope = scope_by_route(network_of(t->remote), t->route);
	emit_connection(t, REASON_IDENTIFIED, t->reported_sent, t->reported_received);
}

#endif
