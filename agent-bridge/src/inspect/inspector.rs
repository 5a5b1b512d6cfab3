//! When to look at descriptors, and what is new since the last look. Looks are rationed: one walk visits every descriptor
//! of the host (about 4 ms for a thousand processes).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;

use crate::host::clock::{boot_ns, Clock};
use crate::host::process::{key_of, Key, Processes};
use crate::inspect::relations::{find, Kind, Relation};
use crate::kernel::load::Kernel;
use crate::kernel::maps::Maps;
use crate::kernel::records::{read, ConnectionRecord, DescriptorRecord, INITIATOR_LOCAL, REASON_CLOSED, SCOPE_OUTSIDE};
use crate::wire;

/// Looks at a new outside connection: soon (a shell is there at once), then as its owner settles, then now and then.
const LOOKS_NS: [u64; 4] = [100_000_000, 600_000_000, 2_000_000_000, 8_000_000_000];
const LOOK_AGAIN_NS: u64 = 30_000_000_000;
const LEAST_GAP_NS: u64 = 200_000_000;
const COUNTERS_NS: u64 = 250_000_000;

#[derive(Clone, Copy, Debug)]
pub struct Seen {
    relation: Relation,
    pub process: Key,
    pub child: Option<Key>,
    read: u64,
    written: u64,
    gone: bool,
}

#[derive(Default)]
pub struct Inspector {
    /// Cookie to owner of each live outbound outside connection.
    outside: HashMap<u64, Key>,
    relations: BTreeSet<Relation>,
    counters: HashMap<Key, (u64, u64)>,
    wanted: Vec<u64>,
    last_look_ns: u64,
    next_counters_ns: u64,
    joined: HashSet<(Key, Key)>,
}

impl Inspector {
    pub fn on_connection(&mut self, r: &ConnectionRecord) {
        if r.reason == REASON_CLOSED || r.initiator != INITIATOR_LOCAL || r.scope != SCOPE_OUTSIDE {
            return;
        }
        let owner = key_of(&r.owner);
        if self.outside.insert(r.cookie, owner) != Some(owner) {
            let now = boot_ns();
            self.wanted.extend(LOOKS_NS.iter().map(|delay| now + delay));
        }
    }

    pub fn on_closed(&mut self, cookie: u64) {
        self.outside.remove(&cookie);
    }

    /// A program executed below an owner may be the shell that is looked for.
    pub fn on_exec(&mut self, key: Key, processes: &Processes) {
        if self.outside.values().any(|owner| processes.is_descendant(key, *owner)) {
            let now = boot_ns();
            self.wanted.extend([now + LOOKS_NS[0], now + LOOKS_NS[1]]);
        }
    }

    pub fn on_exit(&mut self, key: Key) {
        self.counters.remove(&key);
        self.joined.retain(|(a, b)| *a != key && *b != key);
    }

    /// Looks when it is time, and returns what is new, changed or gone.
    pub fn tick(&mut self, now: u64, kernel: &Kernel, maps: &Maps) -> Vec<Seen> {
        let mut seen = Vec::new();
        if self.is_time(now) {
            self.last_look_ns = now;
            self.wanted.retain(|at| *at > now);
            match kernel.walk_files() {
                Ok(bytes) => seen = self.look(&bytes, maps),
                Err(error) => eprintln!("backflow-collector: {error:#}"),
            }
        }
        if now >= self.next_counters_ns {
            self.next_counters_ns = now + COUNTERS_NS;
            seen.extend(self.count());
        }
        seen
    }

    fn is_time(&self, now: u64) -> bool {
        if self.outside.is_empty() && self.relations.is_empty() || now < self.last_look_ns + LEAST_GAP_NS {
            return false;
        }
        self.wanted.iter().any(|at| *at <= now) || now >= self.last_look_ns + LOOK_AGAIN_NS
    }

    fn look(&mut self, bytes: &[u8], maps: &Maps) -> Vec<Seen> {
        let records: Vec<DescriptorRecord> = bytes.chunks_exact(size_of::<DescriptorRecord>()).filter_map(read).collect();
        let cookies: HashSet<u64> = self.outside.keys().copied().collect();
        let owners: HashSet<Key> = self.outside.values().copied().collect();
        let found = find(&records, &cookies, &owners);
        let exact: HashMap<Key, u64> = records.iter().map(|r| (key_of(&r.process), r.process.start_ns)).collect();
        let terminals = found.relations.iter().filter(|r| r.kind == Kind::Pty).filter_map(|r| Some((r.process, r.child?)));
        let pairs = found.pairs.iter().map(|(a, b)| if owners.contains(a) { (*a, *b) } else { (*b, *a) });
        for (owner, partner) in pairs.chain(terminals) {
            if let Some(start) = exact.get(&owner).filter(|_| self.joined.insert((owner, partner))) {
                if let Err(error) = maps.join(partner.0, own_group(owner.0, *start)) {
                    eprintln!("backflow-collector: cannot join processes {} and {}: {error:#}", owner.0, partner.0);
                }
            }
        }
        let gone: Vec<Relation> = self.relations.difference(&found.relations).copied().collect();
        let new: Vec<Relation> = found.relations.difference(&self.relations).copied().collect();
        self.relations = found.relations;
        new.iter().map(|r| self.observe(*r, false)).chain(gone.iter().map(|r| self.observe(*r, true))).collect::<Vec<_>>()
    }

    /// Children on ptys and pipes whose counters moved.
    fn count(&mut self) -> Vec<Seen> {
        let watched: Vec<Relation> = self.relations.iter().filter(|r| matches!(r.kind, Kind::Pty | Kind::Pipe)).copied().collect();
        watched
            .into_iter()
            .filter_map(|relation| {
                let before = relation.child.and_then(|child| self.counters.get(&child).copied());
                let seen = self.observe(relation, false);
                self.counters.insert(relation.child?, (seen.read, seen.written));
                (before != Some((seen.read, seen.written))).then_some(seen)
            })
            .collect()
    }

    fn observe(&self, relation: Relation, gone: bool) -> Seen {
        let (read, written) = relation.child.and_then(|child| characters(child.0)).unwrap_or_default();
        Seen { relation, process: relation.process, child: relation.child, read, written, gone }
    }
}

impl Seen {
    pub fn to_wire(self, processes: &mut Processes, clock: Clock) -> wire::Attachment {
        wire::Attachment {
            kind: self.relation.kind as i32,
            process: processes.number(self.process),
            child: self.child.map_or(0, |child| processes.number(child)),
            cookie: self.relation.cookie,
            stdio_mask: self.relation.stdio_mask,
            observed_us: clock.now_us(),
            child_read: self.read,
            child_written: self.written,
            gone: self.gone,
        }
    }
}

/// rchar and wchar of proc_pid_io(5): what was read and written by system calls, terminals and pipes included. Of the main
/// thread alone: the numbers of the whole process hold those of children that were waited for.
fn characters(pid: u32) -> Option<(u64, u64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/io")).ok()?;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    Some((field("rchar:")?, field("wchar:")?))
}

/// The same number as own_group() in bpf/groups.bpf.h gives; the lab's split relays fail when they differ.
fn own_group(pid: u32, start_ns: u64) -> u64 {
    (start_ns.wrapping_mul(0x9e37_79b9_7f4a_7c15) & 0xffff_ffff_0000_0000) | u64::from(pid)
}
