/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What crosses to user space of coupling: edges, and what user space makes room by. A part of records.h. */
#ifndef BACKFLOW_COUPLING_RECORDS_H
#define BACKFLOW_COUPLING_RECORDS_H

#include "records.h"

/* Key and value of the coupling map. */
struct edge_key {
	__u64 group;
	__u8 a_remote[16];
	__u8 b_remote[16]; /* unix: 8 bytes hash of the path, 8 zero */
	__u16 a_port;
	__u16 b_port;
	__u16 kind;
	__u16 joined; /* B is used by who was joined to the group, and not by its own process or what that has started */
};
_Static_assert(sizeof(struct edge_key) == 48, "edge_key");

struct moments {
	__u64 n, x, y, xx, yy, xy;
};
_Static_assert(sizeof(struct moments) == 48, "moments");

struct turn {
	__u64 came_in;
	__u64 went_out;
	__u64 last_ns;
};
_Static_assert(sizeof(struct turn) == 24, "turn");

/* Who waited for whom, counted in turns; order.bpf.h says what of it a relay does. */
struct order {
	__u32 opened_late; /* B was opened more than 2 s after A spoke, and may be opened because of that */
	__u32 waited;      /* the first write to a B that was dialled: A had spoken again */
	__u32 straight;    /* it had not */
	__u32 prompted;    /* B had spoken and was written again: A had spoken since */
	__u32 own;         /* it had not */
	__u32 passed;      /* B had spoken, and A was sent */
	__u32 kept;        /* B was written again, and A had not been sent since B spoke */
	__u32 streamed;    /* B went on when the first part of its answer had left on A */
	__u32 closed_after; /* this host closed B, and A had the last word */
	__u32 closed_alone;
	__u64 lead_log2; /* 256 log2 of the time between A's messages over the time since the last: opened, waited, prompted, closed */
};
_Static_assert(sizeof(struct order) == 48, "order");
/*
 * Programs that began after A spoke, by how long after: under 4, 16, 64, 256 ms, and later; and the time for which A had been
 * silent that long. Stands in the place of b_path in edges of EDGE_EXEC.
 */
#define DELAY_CLASSES 5
struct executions {
	__u64 exposed_ns[DELAY_CLASSES];
	/* The first turn in the moments of each direction: where a shell is started, its start is the first program. */
	__u32 first_forward[2];
	__u32 first_backward[2];
	__u32 started[DELAY_CLASSES];
	/* Programs before which A had sent messages of one size: as many as their words are long, 256 log2 of that, or not so many. */
	__u32 typed;
	__u32 typed_log2;
	__u32 untyped;
};
_Static_assert(sizeof(struct executions) == 88, "executions");

struct edge {
	struct process_id a_process;
	struct process_id b_process;
	__u64 a_cookie;
	__u64 b_cookie;
	__u32 opened_after;
	__u32 opened_alone;
	__u64 delay_min_ns;
	__u64 delay_log2;
	__u64 forward_in, forward_out, backward_in, backward_out;
	struct moments forward;
	struct moments backward;
	struct turn forward_turn;  /* the one that is under way */
	struct turn backward_turn;
	__u64 first_ns;
	__u64 last_ns;
	__u64 share; /* the identity whose share of the map it takes */
	struct order order;
	char b_path[UNIX_PATH_BYTES + 4];
};
_Static_assert(sizeof(struct edge) == 432, "edge");
_Static_assert(__builtin_offsetof(struct edge, b_path) % 8 == 0, "executions in an edge");
_Static_assert(sizeof(struct executions) <= UNIX_PATH_BYTES, "executions in an edge");

/* Key and value of the coupling map as the walk over it writes them. */
struct edge_record {
	struct edge_key key;
	struct edge edge;
};
_Static_assert(sizeof(struct edge_record) == 480, "edge_record");

/* What user space chooses by when it makes room: one for each edge, group and process in a group of others. */
struct edge_age {
	struct edge_key key;
	__u64 share;
	__u64 first_ns;
	__u64 last_ns;
	__u64 both_ways; /* bytes went in and came back */
};
_Static_assert(sizeof(struct edge_age) == 80, "edge_age");

struct group_age {
	__u64 group;
	__u64 share;
	__u64 last_ns;
	__u64 ended_ns; /* when the process that it is named after ended; 0 as long as it runs */
};
_Static_assert(sizeof(struct group_age) == 32, "group_age");

/* Why a process acts in the group of another: JoinedBy of the contract. */
enum joined_by { JOINED_BY_LINEAGE = 0, JOINED_BY_DESCRIPTOR = 1, JOINED_BY_WORKLOAD = 2 };

/* Value of the map of processes that act in the group of others. A share of 0: joined by user space, and not counted. */
struct member {
	__u64 group;
	__u64 share;
};
_Static_assert(sizeof(struct member) == 16, "member");

struct member_record {
	__u64 pid;
	struct member member;
};
_Static_assert(sizeof(struct member_record) == 24, "member_record");

/* What an identity holds; and, in a map that user space alone writes, how much of it was deleted there. */
struct share {
	__u64 edges;
	__u64 groups;
	__u64 members;
};
_Static_assert(sizeof(struct share) == 24, "share");

/* What a walk over edges reports, and what it found. */
struct edge_walk {
	__u64 since_ns; /* only edges that changed after this */
	__u64 visited;
};
_Static_assert(sizeof(struct edge_walk) == 16, "edge_walk");

#endif
