/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Programs that a group executes, held against what was said on its connections to the outside: how soon after A spoke they
 * begin, how often A had spoken so recently anyway, whether what came in is as long as their words, or as many keys, and whether
 * what they wrote is as long as what left on A then. Of the programs that follow one turn of A only the first counts, so that a
 * pipeline or a build is one event.
 */
#ifndef BACKFLOW_EXECUTIONS_H
#define BACKFLOW_EXECUTIONS_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "records.h"
#include "state.bpf.h"
#include "maps.bpf.h"
#include "identity.bpf.h"
#include "groups.bpf.h"
#include "outsides.bpf.h"
#include "coupling.bpf.h"
#include "log2.bpf.h"

/* Remote ends of one group that are told apart; the one that has been silent longest makes room. */
#define MAX_SPEAKERS 4
/* A program that begins later than this after the one before is an event of its own. */
#define APART_NS (100ULL * 1000 * 1000)
/* Longer names of a program are not looked behind for "-c". */
#define NAME_BYTES 64

enum speaker_flags { SPEAKER_EXECUTED = 1, SPEAKER_LATE = 2 };

/* One remote end outside, whatever sockets lead there: who polls opens a new one each time. */
struct speaker {
	__u8 remote[16];
	__u32 port;
	__u32 flags; /* of its present turn */
	__u64 cookie;
	struct process_id process;
	__u64 spoke_ns;
	__u64 sent_ns;
	__u64 turn_bytes;
	/* Since the last program: messages of one size, as keys are that are sent as they are typed. */
	__u64 message_bytes; /* of the message under way */
	__u64 key_bytes;     /* of one; 0: there was none yet */
	__u32 keys;
	__u32 is_mixed; /* not all were of that size */
	struct executions seen;
};

struct speakers {
	struct speaker speakers[MAX_SPEAKERS];
	__u64 executed_ns;
};

/* By group. Written by the hooks alone; the group that has been used least makes room, and is counted anew if it comes back. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct speakers);
} speakers_of SEC(".maps");

static __always_inline bool is_speaker(const struct speaker *speaker, const struct tracked *a)
{
	const __u64 *ours = (const __u64 *)speaker->remote, *theirs = (const __u64 *)a->remote;

	return speaker->port == a->remote_port && ours[0] == theirs[0] && ours[1] == theirs[1] && speaker->spoke_ns;
}

static __always_inline struct speaker *speaker_find(struct speakers *all, const struct tracked *a)
{
	for (int i = 0; i < MAX_SPEAKERS; i++)
		if (is_speaker(&all->speakers[i], a))
			return &all->speakers[i];
	return NULL;
}

static __always_inline struct speaker *speaker_make(struct speakers *all, const struct tracked *a)
{
	static const struct speaker nobody;
	struct speaker *oldest = &all->speakers[0];

	for (int i = 1; i < MAX_SPEAKERS; i++)
		if (all->speakers[i].spoke_ns < oldest->spoke_ns)
			oldest = &all->speakers[i];
	*oldest = nobody;
	__builtin_memcpy(oldest->remote, a->remote, 16);
	oldest->port = a->remote_port;
	return oldest;
}

/* Where each class of delays begins, in ns. */
static const __u64 delay_from[DELAY_CLASSES + 1] = { 0, 4000000, 16000000, 64000000, 256000000, ~0ULL };

/* A has been silent for `age`: so much of that time was spent in each class. */
static __always_inline void expose(__u64 *exposed, __u64 age)
{
	for (int i = 0; i < DELAY_CLASSES; i++)
		if (age > delay_from[i])
			exposed[i] += (age < delay_from[i + 1] ? age : delay_from[i + 1]) - delay_from[i];
}

static __always_inline void speaker_key(struct edge_key *key, __u64 id, const struct speaker *speaker)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->kind = EDGE_EXEC;
	key->group = id;
	__builtin_memcpy(key->a_remote, speaker->remote, 16);
	key->a_port = speaker->port;
}

static __always_inline struct edge *speaker_edge(__u64 id, const struct speaker *speaker)
{
	struct edge_key key;

	speaker_key(&key, id, speaker);
	return bpf_map_lookup_elem(&edges, &key);
}

/* The turn under way is over. The first one of its direction is kept apart. */
static __always_inline void counted_turn(struct turn *turn, struct moments *m, __u32 *first)
{
	if (!m->n) {
		first[0] = turn->came_in < TURN_CAP ? turn->came_in : TURN_CAP;
		first[1] = turn->went_out < TURN_CAP ? turn->went_out : TURN_CAP;
	}
	turn_finish(turn, m);
}

/* The message under way is over: one key, or several that came together. */
static __always_inline void key_finish(struct speaker *speaker)
{
	__u64 bytes = speaker->message_bytes, one = speaker->key_bytes;

	speaker->message_bytes = 0;
	if (!bytes)
		return;
	if (!one || one % bytes == 0) {
		speaker->keys = (one ? speaker->keys * (one / bytes) : 0) + 1;
		speaker->key_bytes = bytes;
	} else if (bytes % one == 0) {
		speaker->keys += bytes / one;
	} else {
		speaker->is_mixed = 1;
	}
}

/* A program has begun whose words and the byte that ends them are `words` long: as many keys make its line, or more or less. */
static __always_inline void keys_counted(struct speaker *speaker, __u64 words)
{
	key_finish(speaker);
	if (speaker->keys > 1 && !speaker->is_mixed) {
		if (speaker->keys == words) {
			speaker->seen.typed += 1;
			speaker->seen.typed_log2 += log2_q8(words);
		} else {
			speaker->seen.untyped += 1;
		}
	}
	speaker->keys = 0;
	speaker->key_bytes = 0;
	speaker->is_mixed = 0;
}

/* The far side of A said `bytes`, which `current` has read. */
static __always_inline void speaker_received(const struct tracked *a, __u64 bytes, __u64 now)
{
	static const struct speakers none;
	__u64 id = current_group_id(bpf_get_current_task_btf());
	struct speakers *all = bpf_map_lookup_elem(&speakers_of, &id);
	struct speaker *speaker;
	struct edge *edge;

	if (!all) {
		bpf_map_update_elem(&speakers_of, &id, &none, BPF_NOEXIST);
		all = bpf_map_lookup_elem(&speakers_of, &id);
		if (!all)
			return;
	}
	speaker = speaker_find(all, a);
	if (!speaker)
		speaker = speaker_make(all, a);
	else
		expose(speaker->seen.exposed_ns, now - speaker->spoke_ns);
	if (speaker->sent_ns >= speaker->spoke_ns || now - speaker->spoke_ns > MESSAGE_NS)
		key_finish(speaker);
	speaker->message_bytes += bytes;
	if (speaker->sent_ns >= speaker->spoke_ns || now - speaker->spoke_ns > TURN_PAUSE_NS) {
		edge = speaker->flags & SPEAKER_EXECUTED ? speaker_edge(id, speaker) : NULL;
		if (edge)
			counted_turn(&edge->backward_turn, &edge->backward, speaker->seen.first_backward);
		speaker->turn_bytes = 0;
		speaker->flags = 0;
	}
	speaker->turn_bytes += bytes;
	speaker->spoke_ns = now;
	speaker->cookie = a->cookie;
	speaker->process = a->owner;
}

static __always_inline void speaker_sent(const struct tracked *a, __u64 bytes, __u64 now)
{
	__u64 id = current_group_id(bpf_get_current_task_btf());
	struct speakers *all = bpf_map_lookup_elem(&speakers_of, &id);
	struct speaker *speaker = all ? speaker_find(all, a) : NULL;
	struct edge *edge;

	if (!speaker)
		return;
	speaker->sent_ns = now;
	if (!(speaker->flags & SPEAKER_EXECUTED))
		return;
	edge = speaker_edge(id, speaker);
	if (!edge)
		return;
	edge->backward_turn.went_out += bytes;
	edge->backward_out += bytes;
	edge->last_ns = now;
}

/* A program of the group has ended: what it wrote by itself, not what its children did. */
static __always_inline void speaker_exited(struct task_struct *task)
{
	__u64 id = current_group_id(task);
	struct speakers *all = bpf_map_lookup_elem(&speakers_of, &id);
	struct edge *edge;
	__u64 written;

	if (!all || !bpf_core_field_exists(task->ioac.wchar))
		return;
	written = task->ioac.wchar;
	for (int i = 0; i < MAX_SPEAKERS; i++) {
		if (!(all->speakers[i].flags & SPEAKER_EXECUTED))
			continue;
		edge = speaker_edge(id, &all->speakers[i]);
		if (!edge)
			continue;
		edge->backward_turn.came_in += written;
		edge->backward_in += written;
	}
}

/* Length of the words of the program that `task` begins, each with the byte that ends it; of a shell's "-c" the text alone. */
static __always_inline __u64 words_length(struct task_struct *task)
{
	__u64 start = task->mm->arg_start, length = task->mm->arg_end - start;
	char name[NAME_BYTES], flag[3];
	long name_length = bpf_probe_read_user_str(name, sizeof(name), (void *)start);

	if (name_length <= 0 || name_length >= NAME_BYTES || length <= (__u64)name_length)
		return length;
	if (bpf_probe_read_user(flag, sizeof(flag), (void *)(start + name_length)) || flag[0] != '-' || flag[1] != 'c' || flag[2])
		return length;
	length -= name_length + sizeof(flag);
	start += name_length + sizeof(flag);
	/* system(3) of newer libraries puts "--" before the text. */
	if (length > sizeof(flag) && !bpf_probe_read_user(flag, sizeof(flag), (void *)start) && flag[0] == '-' && flag[1] == '-' && !flag[2])
		length -= sizeof(flag);
	return length;
}

/* Taken by the verifier by itself, once for all speakers. */
__noinline int count_execution(struct group *g, struct speaker *speaker, __u64 id, __u64 words, __u64 now)
{
	struct executions *seen;
	struct edge_key key;
	struct edge *edge;
	__u32 class = 0;
	__u64 age;

	if (!g || !speaker)
		return 0;
	age = now - speaker->spoke_ns;
	for (int i = 1; i < DELAY_CLASSES; i++)
		if (age >= delay_from[i])
			class = i;
	if (class < DELAY_CLASSES)
		speaker->seen.started[class] += 1;
	if (!(speaker->flags & SPEAKER_EXECUTED))
		keys_counted(speaker, words);
	speaker_key(&key, id, speaker);
	edge = age <= AFTER_NS ? edge_get(&key, g, &speaker->process) : edge_find(&key, g);
	/* There is a pooled one where the group has very many. */
	if (!edge || key.kind != EDGE_EXEC)
		return 0;
	if (age > AFTER_NS) {
		edge->opened_alone++;
	} else {
		edge->opened_after++;
		edge->delay_log2 += log2_q8(age);
		if (age < edge->delay_min_ns)
			edge->delay_min_ns = age;
		if (!(speaker->flags & SPEAKER_EXECUTED)) {
			edge->forward_turn.came_in = speaker->turn_bytes;
			edge->forward_turn.went_out = words;
			edge->forward_in += speaker->turn_bytes;
			edge->forward_out += words;
			counted_turn(&edge->forward_turn, &edge->forward, speaker->seen.first_forward);
			edge->backward_turn.came_in = 0;
			edge->backward_turn.went_out = 0;
		}
	}
	seen = (struct executions *)edge->b_path;
	*seen = speaker->seen;
	expose(seen->exposed_ns, age);
	edge->a_process = speaker->process;
	edge->a_cookie = speaker->cookie;
	process_of(bpf_get_current_task_btf(), &edge->b_process);
	edge->last_ns = now;
	return 0;
}

/* `current` has begun a program: what a shell does when the far side types a command. */
static __always_inline void group_executed(__u64 now)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 id = current_group_id(task), words = 0;
	struct speakers *all = bpf_map_lookup_elem(&speakers_of, &id);
	struct group *g = all ? bpf_map_lookup_elem(&groups, &id) : NULL;
	struct speaker *speaker;
	bool apart;

	if (!g)
		return;
	apart = now - all->executed_ns > APART_NS;
	all->executed_ns = now;
	for (int i = 0; i < MAX_SPEAKERS; i++) {
		speaker = &all->speakers[i];
		if (!speaker->spoke_ns)
			continue;
		if (speaker->flags & SPEAKER_EXECUTED) {
			/* What begins much later in the same turn begins for another reason: once a turn that counts, too. */
			if (!apart || speaker->flags & SPEAKER_LATE || now - speaker->spoke_ns < delay_from[DELAY_CLASSES - 1])
				continue;
		}
		if (!words)
			words = words_length(task);
		count_execution(g, speaker, id, words, now);
		speaker->flags |= speaker->flags & SPEAKER_EXECUTED ? SPEAKER_LATE : SPEAKER_EXECUTED;
	}
}

#endif
