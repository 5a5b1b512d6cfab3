// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Every struct and enum that user space knows, in one variable, so that the type information of this object describes them:
 * what is only written to the ring leaves none in the object of the programs. Never loaded; the tests of
 * src/kernel/records.rs and maps.rs compare.
 */
#include "records.h"
#include "maps.bpf.h"

struct {
	struct process_id process_id;
	struct exchanges exchanges;
	struct connection_record connection_record;
	struct exec_record exec_record;
	struct fork_record fork_record;
	struct exit_record exit_record;
	struct descriptor_record descriptor_record;
	struct walk_state walk_state;
	struct edge_key edge_key;
	struct moments moments;
	struct turn turn;
	struct order order;
	struct executions executions;
	struct edge edge;
	struct edge_record edge_record;
	struct tunnel_key tunnel_key;
	struct tunnel_use tunnel_use;
	struct tunnel_forward tunnel_forward;
	struct edge_age edge_age;
	struct group_age group_age;
	struct member member;
	struct member_record member_record;
	struct share share;
	struct edge_walk edge_walk;
	struct overload_key overload_key;
	struct overload overload;
	struct network_key network_key;
	struct unfollowed_key unfollowed_key;
	struct unfollowed unfollowed;
	struct device_kind device_kind;
	struct device_record device_record;
	enum record_kind record_kind;
	enum reason reason;
	enum initiator initiator;
	enum scope scope;
	enum network_bits network_bits;
	enum route route;
	enum ssh_bits ssh_bits;
	enum connection_flags connection_flags;
	enum edge_kind edge_kind;
	enum descriptor_kind descriptor_kind;
	enum walk_mode walk_mode;
	enum joined_by joined_by;
	enum near_flags near_flags;
	enum lost_kind lost_kind;
	enum overload_kind overload_kind;
	enum bound bound;
} layout;
