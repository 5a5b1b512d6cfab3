/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Records that cross from the kernel to user space, by the ring buffer, by iterators and as map values.
 * Every struct is free of padding, since reserved ring memory is not zeroed; src/kernel/records.rs mirrors the layout, and
 * its tests compare. Times are nanoseconds of the boot clock. Addresses are 16 bytes, v4-mapped.
 */
#ifndef BACKFLOW_RECORDS_H
#define BACKFLOW_RECORDS_H

#include "kernel.h"

#define ARGV_BYTES 1024
#define PATH_BYTES 256
#define COMM_BYTES 16
#define UNIX_PATH_BYTES 108
#define DEVICE_NAME_BYTES 16

enum record_kind {
	RECORD_CONNECTION = 1,
	RECORD_EXEC = 2,
	RECORD_EXIT = 3,
	RECORD_FORK = 4,
	RECORD_DESCRIPTOR = 5,
};

enum reason { REASON_OPENED = 0, REASON_MOVED = 1, REASON_CLOSED = 2, REASON_IDENTIFIED = 3 };
enum initiator { INITIATOR_UNKNOWN = 0, INITIATOR_LOCAL = 1, INITIATOR_REMOTE = 2 };
enum scope { SCOPE_UNKNOWN = 0, SCOPE_OUTSIDE = 1, SCOPE_INSIDE = 2 };
/* What is known of the network of an address: a scope, and whether the configuration named it, which no route changes. */
enum network_bits { NETWORK_SCOPE = 3, NETWORK_CONFIGURED = 4, NETWORK_SHARED = 8 /* RFC 6598, 100.64.0.0/10 */ };
/* How the packets of a connection that this host opened reach its remote end. */
enum route {
	ROUTE_UNKNOWN = 0,
	ROUTE_BEYOND = 1,  /* by a gateway, or a device without a network of its own */
	ROUTE_LOCAL = 2,   /* an address of this host */
	ROUTE_ON_LINK = 3, /* a neighbour in the network of an ordinary device */
	ROUTE_TUNNEL = 4,  /* through a device that carries packets within others */
	ROUTE_ONWARD = 5,  /* as 4, or to a shared address: dialled for one outside who spoke just before, and so inside */
	ROUTE_PROXY = 6,   /* through a proxy inside, that was asked for a place outside */
};
enum ssh_bits {
	SSH_LOCAL_IDENT = 1,
	SSH_REMOTE_IDENT = 2,
	SSH_LOCAL_CLIENT = 4,
	SSH_REMOTE_CLIENT = 8,
};
/* Bits 5 to 7 are an enum route. */
enum connection_flags { CONNECTION_OLDER = 1, CONNECTION_ESTABLISHED = 2, CONNECTION_MPTCP = 4, CONNECTION_UDPLITE = 8, CONNECTION_ROUTE = 32 };
enum edge_kind { EDGE_TCP = 1, EDGE_UDP = 2, EDGE_UNIX = 3, EDGE_EXEC = 4, EDGE_MANY = 5 };

/* Turn-taking on one socket. An exchange starts when a side speaks after 200 ms of silence. */
struct exchanges {
	__u32 remote_led;
	__u32 remote_led_answered;
	__u32 local_led;
	__u32 local_led_answered;
	__u64 local_reply_log2; /* sum of log2(ns) * 256 */
	__u64 remote_reply_log2;
	__u32 same_size_answers;
	__u32 strict_alternations;
	__u64 answer_bytes;
};
_Static_assert(sizeof(struct exchanges) == 48, "exchanges");

struct process_id {
	__u64 start_ns; /* task start_boottime */
	__u32 pid;      /* tgid, root pid namespace */
	__u32 uid;
};
_Static_assert(sizeof(struct process_id) == 16, "process_id");

struct connection_record {
	__u16 kind;
	__u8 reason;
	__u8 protocol;
	__u32 netns;
	__u64 cookie;
	__u64 opened_ns;
	__u64 observed_ns;
	struct process_id owner;
	__u8 local[16];
	__u8 remote[16];
	__u16 local_port; /* host byte order */
	__u16 remote_port;
	__u8 initiator;
	__u8 scope;
	__u8 ssh;
	__u8 flags;
	__u64 bytes_sent;
	__u64 bytes_received;
	struct exchanges exchanges;
};
_Static_assert(sizeof(struct connection_record) == 152, "connection_record");

/* Sent without the unused end of argv: `argv_bytes` tells how much there is. */
struct exec_record {
	__u16 kind;
	__u16 argv_bytes;
	__u8 argv_truncated;
	__u8 has_tty;
	__u16 reserved;
	struct process_id process;
	struct process_id parent;
	__u64 at_ns;
	char comm[COMM_BYTES];
	char path[PATH_BYTES]; /* as passed to execve */
	char argv[ARGV_BYTES]; /* NUL-separated; only argv_bytes are sent */
};
_Static_assert(sizeof(struct exec_record) == 64 + PATH_BYTES + ARGV_BYTES, "exec_record");

struct fork_record {
	__u16 kind;
	__u16 reserved[3];
	struct process_id process;
	struct process_id parent;
	__u64 at_ns;
};
_Static_assert(sizeof(struct fork_record) == 48, "fork_record");

struct exit_record {
	__u16 kind;
	__u16 reserved[3];
	struct process_id process;
	__u64 at_ns;
};
_Static_assert(sizeof(struct exit_record) == 32, "exit_record");

enum descriptor_kind {
	DESCRIPTOR_SOCKET = 1,      /* ours = cookie, peer = 0 */
	DESCRIPTOR_PIPE_READ = 2,   /* ours = opaque id of a pipe or queue, peer = 1 if it has a name; both records for one opened both ways */
	DESCRIPTOR_PIPE_WRITE = 3,
	DESCRIPTOR_UNIX_PAIR = 4,   /* ours, peer = opaque ids of the two sockets; neither has a name */
	DESCRIPTOR_PTY_MASTER = 5,  /* ours = opaque id of the slave side, the same for both ends of one pty */
	DESCRIPTOR_PTY_SLAVE = 6,
	DESCRIPTOR_TUN = 7,         /* ours = network namespace << 32 | index of the device, 0 when not attached */
	DESCRIPTOR_SHARED = 8,      /* no descriptor: ours = opaque id of a table that several processes share */
	DESCRIPTOR_UNIX_ACCEPTED = 9, /* ours, peer as of a pair: the end that was dialled by its name */
	DESCRIPTOR_UNIX_DIALLED = 10,
	DESCRIPTOR_UNIX_DATAGRAM = 11, /* connected, and at least one end has a name */
};

/* One open descriptor, from a walk over descriptor tables. */
struct descriptor_record {
	__u16 kind;
	__u16 descriptor; /* enum descriptor_kind */
	__u32 fd;
	struct process_id process;
	__u64 ours;
	__u64 peer;
};
_Static_assert(sizeof(struct descriptor_record) == 40, "descriptor_record");

enum walk_mode {
	WALK_NEAR = 1,  /* tell what the processes in `near` hold, and those below or beside them */
	WALK_TELL = 2,  /* tell what the processes in `reported` hold whose value is `tell` */
	WALK_MATCH = 3, /* tell who else holds what is in `channels` */
	WALK_COUNT = 4, /* only count, as the end of a walk that has used up its time */
};
enum near_flags { NEAR_BELOW = 1, NEAR_CHILDREN = 2 };

/* What a pass over descriptor tables is to do, where it stands, and what it met. */
struct walk_state {
	__u32 mode;
	__u32 pass;       /* never the same twice */
	__u32 first_pass; /* of the look that this pass belongs to */
	__u32 tell;
	__u64 table;      /* the table that is under way, 0 for none */
	__u32 next_fd;
	__u32 reported;   /* records of this table so far */
	__u64 steps;      /* since the last return to user space */
	__u64 visited;    /* descriptors */
	__u64 left_out;
	__u64 largest;    /* descriptors left out of one table, and who holds it */
	struct process_id largest_process;
	__u64 table_left_out;
	__u32 from_pid;   /* tables of processes before it are not matched: the look before has done them */
	__u32 pid;        /* whose table is under way, or was last */
};
_Static_assert(sizeof(struct walk_state) == 96, "walk_state");

/* Key and value of the map of tun and tap devices through which connections to services of this host came in. */
struct tunnel_key {
	__u32 netns;
	__u32 device; /* interface index */
};
_Static_assert(sizeof(struct tunnel_key) == 8, "tunnel_key");

struct tunnel_use {
	struct process_id service; /* owner of the last one that was accepted or moved */
	struct process_id writer;  /* who wrote the packet to the device by which the last one was accepted */
	__u64 cookie;              /* of the last one that was accepted, as the ends below */
	__u64 first_ns;
	__u64 last_ns;
	__u64 bytes_in; /* payload of all of them */
	__u64 bytes_out;
	__u32 accepted;
	__u32 accepted_after; /* those before which the writer had just been spoken to from outside */
	__u8 local[16];
	__u8 remote[16];
	__u16 local_port;
	__u16 remote_port;
	__u32 reserved;
	char name[DEVICE_NAME_BYTES];
};
_Static_assert(sizeof(struct tunnel_use) == 136, "tunnel_use");

/* By the same key: what the kernel passed on from such a device to other machines, and back. */
struct tunnel_forward {
	struct process_id writer; /* who wrote the last packet of it to the device */
	__u64 first_ns;
	__u64 last_ns;
	__u64 packets_in; /* of pairs of ends of which the one behind the device spoke first */
	__u64 packets_out;
	__u32 opened;      /* such pairs */
	__u32 opened_after; /* those before which the writer had just been spoken to from outside */
	__u32 answered;
	__u32 reserved;
	__u8 outside[16]; /* the last such pair */
	__u8 inside[16];
	char name[DEVICE_NAME_BYTES]; /* once something was answered */
};
_Static_assert(sizeof(struct tunnel_forward) == 112, "tunnel_forward");

enum overload_kind { OVERLOAD_EDGES = 1, OVERLOAD_GROUPS = 2, OVERLOAD_RECORDS = 4 };

struct overload_key {
	__u64 subject; /* group, identity, or the maker's own group */
	__u32 kind;
	__u32 reserved;
};
_Static_assert(sizeof(struct overload_key) == 16, "overload_key");

struct overload {
	struct process_id process;
	__u64 count;
	__u64 limit;
	__u64 first_ns;
	__u64 last_ns;
};
_Static_assert(sizeof(struct overload) == 48, "overload");

/* Who used a socket of a kind that is not followed. */
struct unfollowed_key {
	__u16 family;
	__u16 kind; /* enum sock_type */
	__u16 protocol;
	__u16 reserved;
	__u32 pid;
};
_Static_assert(sizeof(struct unfollowed_key) == 12, "unfollowed_key");

struct unfollowed {
	struct process_id process;
	__u64 bytes;
	__u64 last_ns;
};
_Static_assert(sizeof(struct unfollowed) == 32, "unfollowed");

struct device_kind {
	char name[16];
};
_Static_assert(sizeof(struct device_kind) == 16, "device_kind");

/* A tunnel device, from a walk over network namespaces. */
struct device_record {
	__u32 netns;
	__u32 ifindex;
	struct device_kind device_kind;
	char name[16];
};
_Static_assert(sizeof(struct device_record) == 40, "device_record");

/* Bounds of what is kept, in entries. Of each kind an identity has a quarter, so that none can push out others. */
enum bound {
	MAX_EDGES = 16384,
	SHARE_EDGES = MAX_EDGES / 4,
	GROUP_EDGES = 1024, /* a server that scrapes a thousand targets is an ordinary one */
	MAX_GROUPS = 8192,
	SHARE_GROUPS = MAX_GROUPS / 4,
	MAX_MEMBERS = 16384,
	SHARE_MEMBERS = MAX_MEMBERS / 4,
	MAX_SHARES = 1024,
	MAX_OVERLOADS = 1024,
	MAX_UNFOLLOWED = 256,
};

enum lost_kind {
	LOST_RING_CONNECTION,
	LOST_RING_EXEC,
	LOST_RING_EXIT,
	LOST_MAP_SOCKET,
	LOST_MAP_EDGE,
	LOST_MAP_GROUP,
	LOST_WALK_DESCRIPTOR,
	LOST_EXEC_ARGV,
	LOST_KINDS,
};

#include "coupling_records.h"

#endif
