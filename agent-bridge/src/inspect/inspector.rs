//! What is new, changed or gone since the last look at all descriptors, and which processes act as one because of it.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::host::clock::{boot_ns, Clock};
use crate::host::identity::{key_of, ProcessKey};
use crate::host::proc_fs::characters;
use crate::host::process::Processes;
use crate::inspect::relations::{find, Relation};
use crate::inspect::schedule::Schedule;
use crate::kernel::maps::Maps;
use crate::kernel::records::{ConnectionRecord, DescriptorRecord, INITIATOR_LOCAL, REASON_CLOSED, SCOPE_OUTSIDE};
use crate::kernel::walk::Walks;
use crate::wire::attachment::Kind;
use crate::{log, wire};

const COUNTERS_NS: u64 = 250_000_000;

#[derive(Clone, Copy, Debug)]
pub struct AttachmentUpdate {
    relation: Relation,
    pub process: ProcessKey,
    pub child: Option<ProcessKey>,
    read: u64,
    written: u64,
    gone: bool,
}

#[derive(Default)]
pub struct Inspector {
    /// Cookie to owner of each live outbound outside connection.
    outside: HashMap<u64, ProcessKey>,
    /// How many of them each owner has.
    owners: HashMap<ProcessKey, u32>,
    relations: BTreeSet<Relation>,
    counters: HashMap<ProcessKey, (u64, u64)>,
    schedule: Schedule,
    next_counters_ns: u64,
    /// (owner, partner) to the group that the partner was joined to.
    joined: HashMap<(ProcessKey, ProcessKey), u64>,
}

impl Inspector {
    pub fn on_connection(&mut self, r: &ConnectionRecord) {
        if r.reason == REASON_CLOSED || r.initiator != INITIATOR_LOCAL || r.scope != SCOPE_OUTSIDE {
            return;
        }
        let owner = key_of(&r.owner);
        let before = self.outside.insert(r.cookie, owner);
        if before == Some(owner) {
            return;
        }
        if let Some(before) = before {
            self.disown(before);
        }
        let count = self.owners.entry(owner).or_default();
        *count += 1;
        if *count == 1 {
            self.schedule.on_owner(boot_ns());
        }
    }

    pub fn on_closed(&mut self, cookie: u64) {
        if let Some(owner) = self.outside.remove(&cookie) {
            self.disown(owner);
        }
    }

    fn disown(&mut self, owner: ProcessKey) {
        if let Some(count) = self.owners.get_mut(&owner) {
            *count -= 1;
            if *count == 0 {
                self.owners.remove(&owner);
            }
        }
    }

    /// A program executed below an owner may be the shell that is looked for.
    pub fn on_exec(&mut self, key: ProcessKey, processes: &Processes) {
        if !self.owners.is_empty() && processes.lineage(key).any(|ancestor| self.owners.contains_key(&ancestor)) {
            self.schedule.on_exec(boot_ns());
        }
    }

    /// A partner that outlives the owner acts for itself again: a launcher must not carry the group to what it starts next.
    pub fn on_exit(&mut self, key: ProcessKey, maps: &Maps) {
        self.counters.remove(&key);
        self.joined.retain(|(owner, partner), group| {
            if *owner == key {
                maps.leave(partner.0, *group);
            }
            *owner != key && *partner != key
        });
    }

    /// Looks when it is time, and returns what is new, changed or gone.
    pub fn tick(&mut self, now: u64, walks: &Walks, maps: &Maps) -> Vec<AttachmentUpdate> {
        let mut updates = Vec::new();
        let anything = !self.outside.is_empty() || !self.relations.is_empty();
        if anything && self.schedule.is_time(now) {
            let mut records = Vec::new();
            match walks.files(|r| records.push(r)) {
                Ok(()) => updates = self.look(&records, maps),
                Err(error) => log::warn(format_args!("{error:#}")),
            }
            self.schedule.record_look(now, boot_ns().saturating_sub(now));
        }
        if now >= self.next_counters_ns {
            self.next_counters_ns = now + COUNTERS_NS;
            updates.extend(self.changed_counters());
        }
        updates
    }

    /// Everything that was seen and is not gone.
    pub fn all(&self) -> Vec<AttachmentUpdate> {
        self.relations.iter().map(|relation| self.observe(*relation, false)).collect()
    }

    fn look(&mut self, records: &[DescriptorRecord], maps: &Maps) -> Vec<AttachmentUpdate> {
        let cookies: HashSet<u64> = self.outside.keys().copied().collect();
        let owners: HashSet<ProcessKey> = self.owners.keys().copied().collect();
        let found = find(records, &cookies, &owners);
        let exact: HashMap<ProcessKey, u64> = records.iter().map(|r| (key_of(&r.process), r.process.start_ns)).collect();
        let terminals = found.relations.iter().filter(|r| r.kind == Kind::Pty).filter_map(|r| Some((r.process, r.child?)));
        let pairs = found.pairs.iter().map(|(a, b)| if owners.contains(a) { (*a, *b) } else { (*b, *a) });
        for (owner, partner) in pairs.chain(terminals) {
            if let Some(start) = exact.get(&owner).filter(|_| !self.joined.contains_key(&(owner, partner))) {
                let group = maps.group_of(owner.0).unwrap_or_else(|| own_group(owner.0, *start));
                self.joined.insert((owner, partner), group);
                if let Err(error) = maps.join(partner.0, group) {
                    log::warn(format_args!("cannot join processes {} and {}: {error:#}", owner.0, partner.0));
                }
            }
        }
        let before = std::mem::replace(&mut self.relations, found.relations);
        let new: Vec<Relation> = self.relations.difference(&before).copied().collect();
        let mut updates: Vec<AttachmentUpdate> = before.difference(&self.relations).map(|r| self.observe(*r, true)).collect();
        for relation in new {
            let first = self.observe(relation, false);
            if let Some(child) = relation.child {
                self.counters.insert(child, (first.read, first.written));
            }
            updates.push(first);
        }
        updates
    }

    /// Children on ptys and pipes whose counters moved.
    fn changed_counters(&mut self) -> Vec<AttachmentUpdate> {
        let watched: Vec<Relation> = self.relations.iter().filter(|r| matches!(r.kind, Kind::Pty | Kind::Pipe)).copied().collect();
        watched
            .into_iter()
            .filter_map(|relation| {
                let before = relation.child.and_then(|child| self.counters.get(&child).copied());
                let update = self.observe(relation, false);
                self.counters.insert(relation.child?, (update.read, update.written));
                (before != Some((update.read, update.written))).then_some(update)
            })
            .collect()
    }

    fn observe(&self, relation: Relation, gone: bool) -> AttachmentUpdate {
        let (read, written) = relation.child.and_then(|child| characters(child.0)).unwrap_or_default();
        AttachmentUpdate { relation, process: relation.process, child: relation.child, read, written, gone }
    }
}

impl AttachmentUpdate {
    pub fn to_wire(self, processes: &mut Processes, clock: Clock) -> wire::Attachment {
        wire::Attachment {
            kind: self.relation.kind.into(),
            process: processes.number(self.process, clock),
            child: self.child.map_or(0, |child| processes.number(child, clock)),
            cookie: self.relation.cookie,
            stdio_mask: self.relation.stdio_mask,
            observed_us: clock.now_us(),
            child_read: self.read,
            child_written: self.written,
            gone: self.gone,
        }
    }
}

/// The same number as own_group() in bpf/groups.bpf.h gives; the lab's split relays fail when they differ.
fn own_group(pid: u32, start_ns: u64) -> u64 {
    (start_ns.wrapping_mul(0x9e37_79b9_7f4a_7c15) & 0xffff_ffff_0000_0000) | u64::from(pid)
}
