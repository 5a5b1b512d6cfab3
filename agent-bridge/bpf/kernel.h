/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The few kernel types and fields that the programs read. CO-RE relocates each access to where the running kernel has the
 * field, so the order and the sizes here mean nothing, but the names do.
 */
#ifndef BACKFLOW_KERNEL_H
#define BACKFLOW_KERNEL_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;
typedef _Bool bool;
enum { false = 0, true = 1 };

#define NULL ((void *)0)
#ifndef barrier_var
#define barrier_var(var) asm volatile("" : "+r"(var))
#endif
#define AF_UNIX 1
#define AF_INET 2
#define SOCK_DGRAM 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_UDPLITE 136
#define IPPROTO_MPTCP 262
#define MSG_PEEK 2

/* include/uapi/linux/bpf.h */
enum {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_LPM_TRIE = 11,
	BPF_MAP_TYPE_SK_STORAGE = 24,
	BPF_MAP_TYPE_RINGBUF = 27,
};
enum { BPF_ANY = 0, BPF_NOEXIST = 1 };
enum { BPF_F_NO_PREALLOC = 1, BPF_F_CLONE = 1 << 9 };
enum { BPF_SK_STORAGE_GET_F_CREATE = 1 };
enum { BPF_RB_NO_WAKEUP = 1 };
enum { BPF_RB_AVAIL_DATA = 0, BPF_RB_RING_SIZE = 1 };
#define EEXIST 17

/* include/net/tcp_states.h */
enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT,
	TCP_SYN_RECV,
	TCP_FIN_WAIT1,
	TCP_FIN_WAIT2,
	TCP_TIME_WAIT,
	TCP_CLOSE,
	TCP_CLOSE_WAIT,
	TCP_LAST_ACK,
	TCP_LISTEN,
	TCP_CLOSING,
	TCP_NEW_SYN_RECV,
};

#include "kernel_contexts.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	__u32 inum;
};
struct list_head {
	struct list_head *next;
};
struct net {
	struct ns_common ns;
	struct list_head dev_base_head;
};
struct nsproxy {
	struct net *net_ns;
};
typedef struct {
	struct net *net;
} possible_net_t;
struct in6_addr {
	union {
		__u8 u6_addr8[16];
	} in6_u;
};
struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	__u16 skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	unsigned long skc_flags;
	struct {
		__s64 counter;
	} skc_cookie;
};
struct upid {
	int nr;
};
struct rtnl_link_ops {
	const char *kind;
};
struct net_device {
	int ifindex;
	unsigned int flags;
	unsigned short type;
	char name[16];
	struct in_device *ip_ptr;
	struct list_head dev_list;
	const struct rtnl_link_ops *rtnl_link_ops;
	possible_net_t nd_net;
};
struct dst_entry {
	struct net_device *dev;
};
struct sock {
	struct sock_common __sk_common;
	struct dst_entry *sk_dst_cache;
	__u16 sk_protocol;
	__u16 sk_type;
	struct socket *sk_socket;
	struct pid *sk_peer_pid;
};
struct ipv6_pinfo {
	int mcast_oif;
};
struct inet_sock {
	struct ipv6_pinfo *pinet6;
	int mc_index;
};
/* drivers/net/tun.c */
struct tun_struct {
	struct net_device *dev;
};
struct tun_file {
	struct tun_struct *tun;
};
struct tcp_sock {
	__u64 bytes_received;
	__u64 bytes_sent;
	__u64 bytes_retrans;
	__u32 copied_seq;
	bool is_mptcp;
};
struct inet_connection_sock {
	void *icsk_ulp_data;
};
struct mptcp_subflow_context {
	struct sock *conn;
};
struct mptcp_sock {
	__u64 bytes_sent;
	__u64 bytes_received;
	struct sock *first;
};
struct socket {
	struct sock *sk;
};
struct sockaddr_un {
	__u16 sun_family;
	char sun_path[108];
};
typedef struct {
	int counter;
} atomic_t;
typedef struct {
	atomic_t refs;
} refcount_t;
struct unix_address {
	refcount_t refcnt;
	int len;
	struct sockaddr_un name[];
};
struct unix_sock {
	struct sock *peer;
	struct unix_address *addr;
};
struct bpf_sock_addr_kern {
	struct sock *sk;
	struct sockaddr_un *uaddr;
	__u32 uaddrlen;
};
enum sock_flags { SOCK_DEAD, SOCK_DONE };

/* include/linux/pid_types.h */
enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID, PIDTYPE_MAX };
struct signal_struct {
	struct pid *pids[PIDTYPE_MAX];
	atomic_t live;
	int nr_threads;
	struct tty_struct *tty;
};
struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
};
typedef struct {
	__u32 val;
} kuid_t;
struct user_namespace {
	struct user_namespace *parent;
	int level;
	kuid_t owner;
};
struct cred {
	kuid_t uid;
	struct user_namespace *user_ns;
};
struct css_set {
	int nr_tasks;
};
struct file;
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
	unsigned long *open_fds;
};
struct files_struct {
	atomic_t count;
	struct fdtable *fdt;
};
struct task_io_accounting {
	__u64 wchar;
};
struct hlist_node {
	struct hlist_node *next, **pprev;
};
struct hlist_head {
	struct hlist_node *first;
};
struct pid {
	struct hlist_head tasks[PIDTYPE_MAX];
	struct upid numbers[1];
};
struct task_struct {
	struct hlist_node pid_links[PIDTYPE_MAX];
	unsigned int flags;
	int pid;
	int tgid;
	__u64 start_boottime;
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct signal_struct *signal;
	struct mm_struct *mm;
	const struct cred *cred;
	struct css_set *cgroups;
	struct nsproxy *nsproxy;
	struct files_struct *files;
	struct task_io_accounting ioac;
	char comm[16];
};
struct linux_binprm {
	const char *filename;
};

struct super_block {
	unsigned long s_magic;
};
struct inode {
	__u16 i_mode;
	struct super_block *i_sb;
	__u32 i_rdev;
	unsigned long i_ino;
};
struct file {
	unsigned int f_mode;
	struct inode *f_inode;
	void *private_data;
};
struct tty_struct {
	struct tty_struct *link;
};
struct tty_file_private {
	struct tty_struct *tty;
};

#pragma clang attribute pop

#endif
