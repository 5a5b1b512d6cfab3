//! Relations that were told and are not gone, and how much their children have read and written.

use std::collections::{BTreeSet, HashMap};

use crate::host::clock::Clock;
use crate::host::identity::ProcessKey;
use crate::host::proc_fs::characters;
use crate::host::process::Processes;
use crate::inspect::relations::Relation;
use crate::wire;
use crate::wire::attachment::Kind;

/// Relations at one time; more are not told.
const MAX_RELATIONS: usize = 16_384;

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
pub struct Attachments {
    relations: BTreeSet<Relation>,
    counters: HashMap<ProcessKey, (u64, u64)>,
}

impl Attachments {
    pub fn is_empty(&self) -> bool {
        self.relations.is_empty()
    }

    /// What a look has found. Only one that saw everything says that a relation is gone.
    pub fn apply(&mut self, found: BTreeSet<Relation>, saw_everything: bool) -> Vec<AttachmentUpdate> {
        let mut updates = Vec::new();
        if saw_everything {
            updates.extend(self.relations.difference(&found).map(|relation| observe(*relation, true)));
            self.relations.retain(|relation| found.contains(relation));
            let children: BTreeSet<ProcessKey> = self.relations.iter().filter_map(|relation| relation.child).collect();
            self.counters.retain(|child, _| children.contains(child));
        }
        for relation in found {
            if self.relations.len() >= MAX_RELATIONS || !self.relations.insert(relation) {
                continue;
            }
            let first = observe(relation, false);
            if let Some(child) = relation.child {
                self.counters.insert(child, (first.read, first.written));
            }
            updates.push(first);
        }
        updates
    }

    /// Children on ptys and pipes whose counters moved.
    pub fn changed_counters(&mut self) -> Vec<AttachmentUpdate> {
        let watched = self.relations.iter().filter(|r| matches!(r.kind, Kind::Pty | Kind::Pipe | Kind::PipeBetween));
        let counters = &mut self.counters;
        watched
            .filter_map(|relation| {
                let update = observe(*relation, false);
                let now = (update.read, update.written);
                (counters.insert(relation.child?, now) != Some(now)).then_some(update)
            })
            .collect()
    }

    /// Everything that was seen and is not gone.
    pub fn all(&self) -> Vec<AttachmentUpdate> {
        self.relations.iter().map(|relation| observe(*relation, false)).collect()
    }
}

fn observe(relation: Relation, gone: bool) -> AttachmentUpdate {
    let (read, written) = relation.child.and_then(|child| characters(child.0)).unwrap_or_default();
    AttachmentUpdate { relation, process: relation.process, child: relation.child, read, written, gone }
}

impl AttachmentUpdate {
    /// The device of a tun or tap that is held, as DESCRIPTOR_TUN has it.
    pub fn tun_device(&self) -> Option<u64> {
        (self.relation.kind == Kind::Tun && self.relation.cookie != 0 && !self.gone).then_some(self.relation.cookie)
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn relation(cookie: u64) -> Relation {
        Relation { kind: Kind::StdioSocket, process: (1, 0), child: None, cookie, stdio_mask: 3 }
    }

    fn reported(updates: &[AttachmentUpdate]) -> Vec<(u64, bool)> {
        updates.iter().map(|update| (update.relation.cookie, update.gone)).collect()
    }

    #[test]
    fn tells_what_is_new_and_what_is_gone_once() {
        let mut attachments = Attachments::default();
        assert_eq!(reported(&attachments.apply(BTreeSet::from([relation(1), relation(2)]), true)), [(1, false), (2, false)]);
        assert_eq!(reported(&attachments.apply(BTreeSet::from([relation(2), relation(3)]), true)), [(1, true), (3, false)]);
        assert_eq!(reported(&attachments.apply(BTreeSet::from([relation(2), relation(3)]), true)), []);
    }

    #[test]
    fn keeps_what_a_look_at_a_part_has_not_seen() {
        let mut attachments = Attachments::default();
        attachments.apply(BTreeSet::from([relation(1)]), true);
        assert_eq!(reported(&attachments.apply(BTreeSet::from([relation(2)]), false)), [(2, false)]);
        assert_eq!(attachments.all().len(), 2);
    }
}
