// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Hooks only: read, filter, count, emit. What they count is in the headers, one idea each; listing.bpf.h, dialling.bpf.h,
 * unix.bpf.h, unix_services.bpf.h and unfollowed.bpf.h have programs of their own.
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "identity.bpf.h"
#include "sockets.bpf.h"
#include "exchanges.bpf.h"
#include "groups.bpf.h"
#include "coupling.bpf.h"
#include "joins.bpf.h"
#include "executions.bpf.h"
#include "mptcp.bpf.h"
#include "joints.bpf.h"
#include "unix.bpf.h"
#include "unix_services.bpf.h"
#include "tunnels.bpf.h"
#include "datagrams.bpf.h"
#include "icmp.bpf.h"
#include "unfollowed.bpf.h"
#include "dialling.bpf.h"
#include "traffic.bpf.h"
#include "ssh.bpf.h"
#include "lineage.bpf.h"
#include "walk.bpf.h"
#include "tables.bpf.h"
#include "listing.bpf.h"

/* The kernel's licence check; the dual licence is in the SPDX lines. */
char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline void became_listener(struct sock *sk)
{
	struct tracked *t = state_of(sk);

	if (!t)
		return;
	track(sk, t, INITIATOR_UNKNOWN);
	t->flags = TRACKED_LISTENER;
	note_listener(t);
}

static __always_inline void started_connecting(struct sock *sk)
{
	struct tracked *t = state_of(sk);

	if (!t)
		return;
	track(sk, t, INITIATOR_LOCAL);
	if (t->scope == SCOPE_INSIDE)
		dials_inside(t, t->opened_ns);
}

static __always_inline void became_established(struct sock *sk, int old_state)
{
	/* There is none yet where the listener that accepted is not tracked. */
	struct tracked *t = state_of(sk);
	struct tcp_sock *tcp;

	if (!t)
		return;
	if (old_state == TCP_SYN_SENT) {
		read_tuple(sk, t);
	} else {
		track(sk, t, INITIATOR_REMOTE);
		tunnel_accepted(sk, t);
	}
	t->flags |= TRACKED_ESTABLISHED;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (tcp)
		t->copied_seq = tcp->copied_seq;
	emit_connection(t, REASON_OPENED, 0, 0);
}

/* close(2) or shutdown(2) here, before the other side has ended its half. */
static __always_inline void ended_here(struct sock *sk)
{
	struct tracked *t = bpf_sk_storage_get(&sockets, sk, NULL, 0);

	if (t && is_dialled_inside(t))
		inside_closed(t, bpf_ktime_get_boot_ns());
}

static __always_inline void became_closed(struct sock *sk, int old_state)
{
	struct tracked *t = bpf_sk_storage_get(&sockets, sk, NULL, 0);

	if (!t || t->flags & TRACKED_LISTENER)
		return;
	if (old_state == TCP_SYN_SENT) {
		/* Refused or timed out: an attempt is worth as much as a connection to who looks for persistence. */
		t->flags |= TRACKED_CLOSED;
		emit_connection(t, REASON_CLOSED, 0, 0);
		return;
	}
	/* A reset by SO_LINGER 0 clears the counters before the socket is destroyed. */
	read_totals(sk, t, &t->reported_sent, &t->reported_received);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, struct sock *sk, int old_state, int new_state)
{
	struct sock *mptcp;

	if (new_state == TCP_FIN_WAIT1) {
		ended_here(sk);
		return 0;
	}
	if (sk->sk_protocol == IPPROTO_MPTCP)
		mptcp_state(sk, old_state, new_state);
	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (new_state == TCP_LISTEN) {
		became_listener(sk);
		return 0;
	}
	mptcp = mptcp_of(sk);
	if (mptcp) {
		subflow_state(sk, mptcp, old_state, new_state);
	} else if (new_state == TCP_SYN_SENT) {
		started_connecting(sk);
	} else if (new_state == TCP_ESTABLISHED && old_state != TCP_ESTABLISHED) {
		became_established(sk, old_state);
	} else if (new_state == TCP_CLOSE) {
		became_closed(sk, old_state);
	}
	return 0;
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(on_destroy, struct sock *sk)
{
	struct tracked *t = bpf_sk_storage_get(&sockets, sk, NULL, 0);
	__u64 sent, received;

	if (!t || t->flags & (TRACKED_LISTENER | TRACKED_CLOSED | TRACKED_SUBFLOW) || !t->cookie)
		return 0;
	read_totals(sk, t, &sent, &received);
	exchange_finish(t);
	resolve_initiator(t);
	t->flags |= TRACKED_CLOSED;
	emit_connection(t, REASON_CLOSED, sent > t->reported_sent ? sent : t->reported_sent,
			received > t->reported_received ? received : t->reported_received);
	return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(on_send, struct sock *sk, int length, int flags)
{
	struct tracked *t;
	__u64 now, sent, received;

	if (length <= 0)
		return 0;
	if (sk->sk_protocol == IPPROTO_TCP) {
		t = bpf_sk_storage_get(&sockets, sk, NULL, 0);
	} else if (sk->__sk_common.skc_family == AF_UNIX) {
		unix_spoke(sk, SIDE_LOCAL, length);
		return 0;
	} else {
		t = counted_state(sk, INITIATOR_LOCAL);
		if (t)
			t->datagram_sent += length;
	}
	if (!t)
		note_unfollowed(sk, length);
	if (!t || t->flags & TRACKED_LISTENER)
		return 0;
	note_owner(t);
	tunnel_moved(t, 0, length);
	now = bpf_ktime_get_boot_ns();
	if (is_outside_connection(t)) {
		if (exchange_spoke(t, SIDE_LOCAL, length, now)) {
			read_totals(sk, t, &sent, &received);
			emit_connection(t, REASON_MOVED, sent, received);
		}
		sent_outside(t, length, now);
	} else if (is_dialled_inside(t)) {
		sent_inside(t, length, now);
	} else if (t->initiator == INITIATOR_REMOTE) {
		accepted_spoke(sk, t, SIDE_LOCAL, now);
	}
	return 0;
}

/* Runs in process context on every receive, splice(2) included, which sock_recv_length does not see. */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(on_receive, struct sock *sk)
{
	struct tracked *t = bpf_sk_storage_get(&sockets, sk, NULL, 0);
	struct tcp_sock *tcp;
	__u32 bytes;

	if (!t || t->flags & TRACKED_LISTENER)
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	if (!tcp)
		return 0;
	bytes = tcp->copied_seq - t->copied_seq;
	if (!bytes)
		return 0;
	t->copied_seq = tcp->copied_seq;
	received(sk, t, bytes);
	return 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(on_receive_length, struct sock *sk, int length, int flags)
{
	struct tracked *t;

	/* Of TCP on_receive() knows more. What was only looked at will be received yet. */
	if (length < 0 || sk->sk_protocol == IPPROTO_TCP || flags & MSG_PEEK)
		return 0;
	if (sk->__sk_common.skc_family == AF_UNIX) {
		if (length)
			unix_spoke(sk, SIDE_REMOTE, length);
		else
			unix_ended(sk);
		return 0;
	}
	if (!length)
		return 0;
	t = counted_state(sk, INITIATOR_REMOTE);
	if (!t)
		note_unfollowed(sk, length);
	if (!t || t->flags & TRACKED_LISTENER)
		return 0;
	t->datagram_received += length;
	received(sk, t, length);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	group_leave_if_moved(task);
	group_executed(bpf_ktime_get_boot_ns());
	emit_exec(task, bprm);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	if (child->pid != child->tgid)
		return 0;
	group_inherit(parent, child);
	emit_fork(parent, child);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	if (task->signal->live.counter)
		return 0;
	speaker_exited(task);
	group_exited(task, bpf_ktime_get_boot_ns());
	emit_exit(task);
	return 0;
}

SEC("cgroup_skb/ingress")
int on_ingress(struct __sk_buff *skb)
{
	return ssh_packet(skb, false);
}

SEC("cgroup_skb/egress")
int on_egress(struct __sk_buff *skb)
{
	icmp_leaves(skb);
	return ssh_packet(skb, true);
}

SEC("cgroup/sendmsg4")
int on_sendmsg4(struct bpf_sock_addr *ctx)
{
	datagram_address_v4(ctx, INITIATOR_LOCAL);
	return 1;
}

SEC("cgroup/sendmsg6")
int on_sendmsg6(struct bpf_sock_addr *ctx)
{
	datagram_address_v6(ctx, INITIATOR_LOCAL);
	return 1;
}

SEC("cgroup/recvmsg4")
int on_recvmsg4(struct bpf_sock_addr *ctx)
{
	datagram_address_v4(ctx, INITIATOR_REMOTE);
	return 1;
}

SEC("cgroup/recvmsg6")
int on_recvmsg6(struct bpf_sock_addr *ctx)
{
	datagram_address_v6(ctx, INITIATOR_REMOTE);
	return 1;
}

SEC("cgroup/sock_release")
int on_release(struct bpf_sock *sk)
{
	return is_icmp(sk->protocol) ? icmp_closed(sk) : datagram_closed(sk);
}

SEC("iter/task_file")
int walk_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;

	if (task && file && task->pid == task->tgid)
		visit_file(task, file);
	return 0;
}

SEC("iter/task")
int walk_tables(struct bpf_iter__task *ctx)
{
	return ctx->task ? visit_task(ctx->task) : 0;
}
