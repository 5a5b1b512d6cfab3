/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Passes over the descriptor tables of all tasks. Only what can matter leaves the kernel: user space says whose descriptors
 * to tell, and of which pipes, socket pairs, terminals and connections to tell every holder. A table that several processes
 * share is visited once in a pass. A call handles a part of a table and asks to be called again, by which the read of the
 * iterator returns: so user space bounds a pass in time.
 */
#ifndef BACKFLOW_TABLES_H
#define BACKFLOW_TABLES_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "records.h"
#include "identity.bpf.h"
#include "descriptors.bpf.h"

/* Steps of one call, about a millisecond, and of one read. A step is a descriptor, or 64 that are not open. */
#define STEPS_PER_CALL 8192
#define STEPS_PER_READ 65536
/* Records of one table in one pass; the rest is counted as left out. */
#define MAX_TOLD 4096
/* How far up parents are looked for in `near`. */
#define MAX_PARENTS 8
#define WORD_BITS 64

/* The pass under way. Written by user space before it, kept by the program during it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk_state);
} walk SEC(".maps");

/* Records of the pass, read by user space after each read of the iterator. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} walk_ring SEC(".maps");

/* Process (tgid) to the pass in which all its descriptors are told; the highest number stands for the first of each look. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, __u32);
} reported SEC(".maps");

/* Process (tgid) to enum near_flags. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 512);
	__type(key, __u32);
	__type(value, __u32);
} near SEC(".maps");

/* Tables that several tasks share, by their opaque id. One that is forgotten is visited again. */
struct table_visit {
	__u32 pass;
	__u32 reported_in; /* first_pass of the look that has told all of it */
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct table_visit);
} visited_tables SEC(".maps");

struct visit {
	struct descriptor_record r;
	__u64 fds;
	__u64 bitmap;
	__u64 word;    /* of the bitmap, from descriptor `word_at` on */
	__u32 word_at;
	__u32 fd;
	__u32 max_fds;
	__u32 reported;
	__u64 visited;
	__u64 left_out;
	bool all;      /* tell whatever can matter, not only what is in `channels` */
	bool is_done;
	bool count_only;
};

static __always_inline __u32 lowest_bit(__u64 word)
{
	__u32 at = 0;

	if (!(word & 0xffffffff)) {
		at += 32;
		word >>= 32;
	}
	if (!(word & 0xffff)) {
		at += 16;
		word >>= 16;
	}
	if (!(word & 0xff)) {
		at += 8;
		word >>= 8;
	}
	if (!(word & 0xf)) {
		at += 4;
		word >>= 4;
	}
	if (!(word & 3)) {
		at += 2;
		word >>= 2;
	}
	return at + !(word & 1);
}

/* False when the ring has no room. */
static __always_inline bool tell(struct visit *v)
{
	if (bpf_ringbuf_output(&walk_ring, &v->r, sizeof(v->r), BPF_RB_NO_WAKEUP))
		return false;
	v->reported++;
	return true;
}

/* A file may be closed meanwhile: then what is read here is another one's, or nothing, and the next look puts it right. */
static __always_inline bool visit_descriptor(struct visit *v)
{
	struct file *file;
	struct inode *inode;
	__u32 mode, kind;

	v->r.descriptor = 0;
	v->r.fd = v->fd;
	v->r.ours = 0;
	v->r.peer = 0;
	if (bpf_probe_read_kernel(&file, sizeof(file), (void *)(v->fds + v->fd * sizeof(file))) || !file)
		return true;
	inode = BPF_CORE_READ(file, f_inode);
	kind = BPF_CORE_READ(inode, i_mode) & S_IFMT;
	if (is_pipe(inode, kind, &v->r)) {
		if (!v->all && !bpf_map_lookup_elem(&channels, &v->r.ours))
			return true;
		mode = BPF_CORE_READ(file, f_mode);
		v->r.descriptor = DESCRIPTOR_PIPE_READ;
		if (mode & FMODE_READ && !tell(v))
			return false;
		v->r.descriptor = DESCRIPTOR_PIPE_WRITE;
		return !(mode & FMODE_WRITE) || tell(v);
	}
	if (kind == S_IFSOCK)
		describe_socket(file, &v->r);
	else if (kind == S_IFCHR)
		describe_device(file, inode, &v->r);
	if (!v->r.descriptor || (!v->all && !bpf_map_lookup_elem(&channels, &v->r.ours)))
		return true;
	return tell(v);
}

static int visit_step(__u32 index, struct visit *v)
{
	__u32 base = v->fd & ~(WORD_BITS - 1);
	__u64 left;

	if (v->fd >= v->max_fds) {
		v->is_done = true;
		return 1;
	}
	if (v->word_at != base) {
		if (bpf_probe_read_kernel(&v->word, sizeof(v->word), (void *)(v->bitmap + base / 8)))
			v->word = 0;
		v->word_at = base;
	}
	left = v->word >> (v->fd & (WORD_BITS - 1));
	if (!left) {
		v->fd = base + WORD_BITS;
		return 0;
	}
	if (v->count_only || v->reported >= MAX_TOLD) {
		v->left_out += __builtin_popcountll(left);
		v->fd = base + WORD_BITS;
		return 0;
	}
	v->fd += lowest_bit(left);
	if (!visit_descriptor(v))
		return 1;
	v->fd++;
	v->visited++;
	return 0;
}

enum want { WANT_NOTHING, WANT_MATCHES, WANT_SOME, WANT_ALL };

/* All of a process of `near` and of those below it; of its siblings, which a shell joins by their stdio, the first ones. */
static __always_inline enum want want_near(struct task_struct *task)
{
	struct task_struct *above = task->group_leader;
	__u32 i, pid, *flags;

	for (i = 0; i < MAX_PARENTS; i++) {
		pid = above->tgid;
		if (pid <= 1)
			return WANT_NOTHING;
		flags = bpf_map_lookup_elem(&near, &pid);
		if (flags && *flags & NEAR_BELOW)
			return WANT_ALL;
		if (flags && i == 1)
			return WANT_SOME;
		above = above->real_parent;
	}
	return WANT_NOTHING;
}

static __always_inline enum want what_to_tell(struct walk_state *w, struct task_struct *task, __u32 max_fds)
{
	__u32 tgid = task->tgid, *pass;

	if (w->mode == WALK_NEAR)
		return want_near(task);
	if (w->mode == WALK_COUNT)
		return tgid < w->from_pid ? WANT_NOTHING : WANT_MATCHES;
	pass = bpf_map_lookup_elem(&reported, &tgid);
	if (w->mode == WALK_TELL)
		return pass && *pass == w->tell ? WANT_ALL : WANT_NOTHING;
	if (tgid < w->from_pid)
		return WANT_NOTHING;
	/* Of a table that was too large to be told the rest may match. */
	return w->tell && pass && *pass >= w->first_pass && max_fds <= MAX_TOLD ? WANT_NOTHING : WANT_MATCHES;
}

/* Whether a table that others share has been visited in this pass, or told in this look. */
static __always_inline bool was_visited(struct walk_state *w, __u64 table, __u32 max_fds)
{
	struct table_visit *before = bpf_map_lookup_elem(&visited_tables, &table), now = { .pass = w->pass };

	if (before && before->pass == w->pass)
		return true;
	if (before && w->mode == WALK_MATCH && before->reported_in == w->first_pass && max_fds <= MAX_TOLD)
		return true;
	if (w->mode == WALK_TELL)
		now.reported_in = w->first_pass;
	else if (before)
		now.reported_in = before->reported_in;
	bpf_map_update_elem(&visited_tables, &table, &now, BPF_ANY);
	return false;
}

static __always_inline void begin_table(struct walk_state *w, __u64 table, __u32 pid)
{
	w->table = table;
	w->pid = pid;
	w->next_fd = 0;
	w->reported = 0;
	w->table_left_out = 0;
}

static __always_inline void end_table(struct walk_state *w, const struct process_id *process)
{
	if (w->table_left_out > w->largest) {
		w->largest = w->table_left_out;
		w->largest_process = *process;
	}
	w->table = 0;
}

/* 1 asks for another call with the same task, in the next read. */
static __always_inline int visit_task(struct task_struct *task)
{
	struct files_struct *files = task->files;
	struct walk_state *w;
	struct fdtable *table;
	struct visit v = { .r.kind = RECORD_DESCRIPTOR, .word_at = 1 };
	__u32 zero = 0;
	enum want want;
	long steps;
	int users;

	/* A thread has its process's table, unless it has left it. */
	if (!files || (task->pid != task->tgid && files == task->group_leader->files))
		return 0;
	w = bpf_map_lookup_elem(&walk, &zero);
	if (!w)
		return 0;
	if (w->steps >= STEPS_PER_READ) {
		w->steps = 0;
		return 1;
	}
	w->steps++;
	table = files->fdt;
	v.max_fds = table->max_fds;
	users = files->count.counter;
	want = what_to_tell(w, task, v.max_fds);
	/* Of a sibling that shares its table with other processes each of them would count as a holder. */
	if (want == WANT_NOTHING || (want == WANT_SOME && users > task->signal->nr_threads))
		return 0;
	process_of(task, &v.r.process);
	if (w->table != (__u64)files) {
		if (users > 1 && want == WANT_ALL) {
			v.r.descriptor = DESCRIPTOR_SHARED;
			v.r.ours = (__u64)files;
			if (!tell(&v))
				return 1;
		}
		if (users > 1 && was_visited(w, (__u64)files, v.max_fds))
			return 0;
		begin_table(w, (__u64)files, task->tgid);
	}
	v.all = want >= WANT_SOME;
	if (want == WANT_SOME)
		v.max_fds = WORD_BITS;
	v.count_only = w->mode == WALK_COUNT;
	v.fds = (__u64)table->fd;
	v.bitmap = (__u64)table->open_fds;
	v.fd = w->next_fd;
	v.reported = w->reported;
	steps = bpf_loop(STEPS_PER_CALL, visit_step, &v, 0);
	if (steps > 0)
		w->steps += steps;
	w->next_fd = v.fd;
	w->reported = v.reported;
	w->visited += v.visited;
	w->left_out += v.left_out;
	w->table_left_out += v.left_out;
	if (!v.is_done)
		return 1;
	end_table(w, &v.r.process);
	return 0;
}

#endif
