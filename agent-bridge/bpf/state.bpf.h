/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* State that stays in the kernel: per socket and per group. */
#ifndef BACKFLOW_STATE_H
#define BACKFLOW_STATE_H

#include "kernel.h"
#include "records.h"

/* No IP protocol has this number (IANA: reserved). */
#define PROTOCOL_UNIX 255

enum side { SIDE_NONE = 0, SIDE_LOCAL = 1, SIDE_REMOTE = 2 };

/* The exchange under way on a socket; finished ones are in struct exchanges. */
struct exchange_turn {
	__u64 last_ns;      /* either side spoke */
	__u64 lead_last_ns; /* the leading side spoke */
	__u8 leader;
	__u8 answered;
	__u16 lead_count;
	__u16 answer_count;
	__u8 owing; /* the leading side spoke last */
	__u8 reserved;
	__u64 answer_bytes;
	__u64 previous_answer_bytes;
};

enum ssh_stage { SSH_STAGE_IDENT = 0, SSH_STAGE_PACKETS = 1, SSH_STAGE_DONE = 2 };

/* Whether it is known what this host said first, to a proxy or to whom else. */
enum proxy_stage { PROXY_STAGE_BEGIN = 0, PROXY_STAGE_GREETED = 1, PROXY_STAGE_DONE = 2 };

/* Bytes at the beginning of an SSH packet that say what it is: its length, its padding, its type. */
#define SSH_HEADER_BYTES 6

/* Where the parser of one direction stands in the TCP stream: what it looks at may come in any pieces. */
struct ssh_stream {
	__u32 next_seq; /* TCP sequence number of the byte that it looks at next */
	__u8 stage;
	__u8 packets;
	__u8 line; /* bytes of the identification line so far */
	__u8 held; /* bytes of the header so far */
	__u8 header[8];
};

enum tracked_flags {
	TRACKED_LISTENER = 1,
	TRACKED_OLDER = 2,
	TRACKED_ESTABLISHED = 4,
	TRACKED_CLOSED = 8,  /* the closing record was sent */
	TRACKED_TOUCHED = 16, /* the present owner was seen using it */
	TRACKED_DIRTY = 32,
	TRACKED_UNGROUPED = 64, /* counted as lost: there was no room for its group */
	TRACKED_MPTCP = 1 << 16,
	TRACKED_SUBFLOW = 1 << 17, /* the first subflow of an MPTCP socket, whose cookie it has: no connection of its own */
	TRACKED_UDPLITE = 1 << 18,
	/* UDP: remotes that had spoken first were forgotten, so that one without state may have done so too. */
	TRACKED_STRANGERS_OUTSIDE = 1 << 19,
	TRACKED_STRANGERS_INSIDE = 1 << 20,
	TRACKED_RESOLVER = 1 << 21, /* UDP: it was asked for names */
	TRACKED_CARRIES = 1 << 22,  /* and the names carry something */
	TRACKED_DIALLED_AFTER = 128, /* B: opened when something outside had spoken not long before */
};

/* State of one socket. */
struct tracked {
	__u64 cookie;
	__u64 opened_ns;
	struct process_id owner;
	__u8 local[16];
	__u8 remote[16];
	__u16 local_port;
	__u16 remote_port;
	__u32 netns;
	__u8 protocol;
	__u8 initiator;
	__u8 scope;
	__u8 ssh;
	__u32 flags;
	__u32 copied_seq; /* where the last receive ended */
	__u32 device; /* tun or tap by which it was accepted, 0 for any other */
	/* UDP, by number of the remote (datagrams.bpf.h): whom the send or receive under way is with, and the usual one. */
	__u8 sending;
	__u8 receiving;
	__u8 usual;
	__u8 route;    /* enum route */
	__u8 proxy;    /* enum proxy_stage */
	__u8 reserved;
	__u16 zero;    /* always */
	__u64 reported_sent;
	__u64 reported_received;
	__u64 datagram_sent; /* UDP has no counters of its own */
	__u64 datagram_received;
	__u64 datagram_ns;
	__u64 sent_ns;     /* B: the last write and the last receive */
	__u64 received_ns;
	__u64 workload_ns; /* B: when it was last looked at whether a workload joins who writes to it */
	__u32 echoed; /* UDP, of the first remote: bytes of answers on the way to the process that only repeat its questions */
	__u32 question; /* UDP, of the first remote: 1 and the bytes by which the name that was just asked for is long, or 0 */
	struct exchange_turn turn;
	struct exchanges exchanges;
	struct ssh_stream ssh_local;
	struct ssh_stream ssh_remote;
};

#define MORE_REMOTES 7

/* What a UDP socket speaks with besides its first remote. */
struct remotes {
	__u64 made; /* ever */
	struct tracked of[MORE_REMOTES];
};

/* Processes of one user and network that were started as one thing: the tasks of a small cgroup, a session, one parent's. */
struct workload_key {
	__u64 of;
	__u32 uid;
	__u32 netns;
};

/* Groups of a workload that hold connections to the outside; the others are those that were made first. */
#define WORKLOAD_GROUPS 8
struct workload {
	__u64 groups[WORKLOAD_GROUPS];
	__u64 made;
};

/* How often processes of a workload that hold nothing outside dialled one place soon after A of the workload spoke, and not. */
struct dials_key {
	struct workload_key workload;
	__u8 remote[16];
	__u64 port;
};
struct dials {
	__u32 after;
	__u32 alone;
};

/* Places outside of which a group remembers what they said: the others are those that have been silent for longest. */
#define OUTSIDES 6

/*
 * "A": what a group opened to one place outside, however many connections that takes. Bytes received on A wait in
 * `waiting_in` until something is written to B, "what the group opens or writes inside", and bytes received on B in
 * `waiting_back` until something is written to A: so each turn is counted whole, however many reads and writes it took.
 */
struct outside {
	__u8 remote[16];
	__u16 port;
	__u16 index; /* of this slot */
	__u16 is_resolver; /* it answers questions for names */
	__u16 reserved;
	__u64 spoke_ns; /* 0: the slot is free */
	__u64 sent_ns;
	__u64 gap_ns; /* between its last two messages */
	__u64 cookie; /* the last socket that spoke */
	struct process_id process;
	__u64 waiting_in;
	__u64 answered_in; /* what waited when A spoke for itself */
	__u64 waiting_back;
};

/* How B was opened, as seen from one A. */
struct opening {
	__u64 delay_ns; /* since A had spoken; 0: there was no such A */
	__u32 lead_log2;
	__u16 may_cause;
	__u16 joined; /* is_joined() of who opens */
};

/* Processes that act as one. */
struct group {
	__u64 cgroups; /* css_set of the process that made the group: who leaves its cgroup leaves the group */
	__u64 a_spoke_ns; /* any A */
	__u64 latest;     /* index of the A that spoke last */
	struct outside outsides[OUTSIDES];
	__u64 waiting_back_ns;
	__u8 back_remote[16]; /* the B that spoke last */
	__u16 back_port;
	__u8 back_protocol;
	__u8 back_joined; /* joined of its edge's key */
	__u8 reserved[4];
	__u64 share;   /* identity that it counts for */
	__u64 edges;   /* ever made */
	__u64 crowded; /* it has an edge for what was beyond its bound */
	__u64 ended_ns;
};

#endif
