use std::collections::BTreeMap;

use super::*;
use crate::inspect::relations::{find, ProcessLinks};
use crate::kernel::records::{
    ProcessId, DESCRIPTOR_PTY_SLAVE, DESCRIPTOR_SOCKET, DESCRIPTOR_TUN, DESCRIPTOR_UNIX_DIALLED, RECORD_DESCRIPTOR,
};
use crate::wire::attachment::Kind;

/// A host as the kernel programs see it, without shared tables.
struct Host {
    descriptors: Vec<DescriptorRecord>,
    outside: HashSet<u64>,
    reported: BTreeSet<ProcessKey>,
    channels: BTreeSet<u64>,
}

impl Passes for Host {
    fn tell(&mut self, processes: &BTreeSet<ProcessKey>, into: &mut Vec<DescriptorRecord>) -> Result<()> {
        self.reported.extend(processes);
        into.extend(self.descriptors.iter().filter(|r| processes.contains(&key_of(&r.process))));
        Ok(())
    }

    fn matching(&mut self, ids: &BTreeSet<u64>, into: &mut Vec<DescriptorRecord>) -> Result<()> {
        self.channels.extend(ids);
        let Self { descriptors, outside, reported, channels } = self;
        let is_at_stdio = |r: &DescriptorRecord| r.descriptor == DESCRIPTOR_SOCKET && r.fd <= 2 && outside.contains(&r.ours);
        let is_channel = |r: &DescriptorRecord| r.descriptor != DESCRIPTOR_SOCKET && channels.contains(&r.ours);
        into.extend(descriptors.iter().filter(|r| !reported.contains(&key_of(&r.process)) && (is_at_stdio(r) || is_channel(r))));
        Ok(())
    }
}

/// A generator of numbers with a fixed seed (Knuth's MMIX constants), so that a failing table can be made again.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

const COOKIES: u64 = 3;
const PIPES: u64 = 100;
const SOCKETS: u64 = 200;
const TERMINALS: u64 = 300;
const NAMED: u64 = 400;

/// Few identities for few processes, so that chains and crowds of holders come about.
fn random_descriptor(numbers: &mut Numbers, processes: u64) -> DescriptorRecord {
    let pid = u32::try_from(1 + numbers.below(processes)).unwrap_or(1);
    let process = ProcessId { start_ns: 0, pid, uid: 0 };
    let pair = SOCKETS + numbers.below(12);
    let named = NAMED + numbers.below(8);
    let has_name = numbers.below(2);
    let (descriptor, ours, peer) = match numbers.below(15) {
        0 => (DESCRIPTOR_SOCKET, 1 + numbers.below(COOKIES + 2), 0),
        1 | 2 => (DESCRIPTOR_UNIX_PAIR, pair, pair ^ 1),
        3 => (DESCRIPTOR_PTY_MASTER, TERMINALS + numbers.below(3), 0),
        4 => (DESCRIPTOR_PTY_SLAVE, TERMINALS + numbers.below(3), 0),
        5 => (DESCRIPTOR_TUN, 0, 0),
        6..=8 => (DESCRIPTOR_PIPE_READ, PIPES + 2 * numbers.below(7) + has_name, has_name),
        9 => (DESCRIPTOR_UNIX_DATAGRAM, named, named ^ 1),
        10 => (DESCRIPTOR_UNIX_ACCEPTED, named & !1, named | 1),
        11 => (DESCRIPTOR_UNIX_DIALLED, named | 1, named & !1),
        _ => (DESCRIPTOR_PIPE_WRITE, PIPES + 2 * numbers.below(7) + has_name, has_name),
    };
    let fd = u32::try_from(numbers.below(6)).unwrap_or(0);
    DescriptorRecord { kind: RECORD_DESCRIPTOR, descriptor, fd, process, ours, peer }
}

#[test]
fn collects_what_gives_the_relations_of_all_descriptors() {
    let mut found_kinds: BTreeMap<i32, usize> = BTreeMap::new();
    let (mut pairs, mut candidates) = (0, 0);
    for seed in 0..5000 {
        let mut numbers = Numbers(seed);
        let processes = 3 + numbers.below(12);
        let count = 5 + numbers.below(60);
        let descriptors: Vec<_> = (0..count).map(|_| random_descriptor(&mut numbers, processes)).collect();
        let outside: HashSet<u64> = (1..=COOKIES).collect();
        let owners: HashSet<ProcessKey> = (0..1 + numbers.below(2)).map(|pid| (u32::try_from(pid + 1).unwrap_or(1), 0)).collect();
        let all = find(&descriptors, &outside, &owners);
        let mut host = Host { descriptors, outside: outside.clone(), reported: BTreeSet::new(), channels: BTreeSet::new() };
        let collected = collect(&owners, &mut host).unwrap_or_default();
        let some = find(&collected, &outside, &owners);
        let links = |found: &ProcessLinks| (found.relations.clone(), found.pairs.clone(), found.candidates.clone());
        assert_eq!(links(&some), links(&all), "seed {seed}");
        all.relations.iter().for_each(|r| *found_kinds.entry(r.kind.into()).or_default() += 1);
        pairs += all.pairs.len();
        candidates += all.candidates.len();
    }
    // The tables are not too poor to tell. One between two owners takes two of them and a direct pipe to each.
    let between = found_kinds.remove(&Kind::PipeBetween.into());
    assert!(between.is_some_and(|count| count > 20), "{between:?}");
    assert!(
        found_kinds.len() == 4 && found_kinds.values().all(|count| *count > 500) && pairs > 500 && candidates > 500,
        "{found_kinds:?}, {pairs}, {candidates}"
    );
}

#[test]
fn asks_for_holders_of_outside_connections_where_owners_hold_nothing() {
    let process = ProcessId { start_ns: 0, pid: 7, uid: 0 };
    let at_stdin = DescriptorRecord { kind: RECORD_DESCRIPTOR, descriptor: DESCRIPTOR_SOCKET, fd: 0, process, ours: 1, peer: 0 };
    let mut host = Host { descriptors: vec![at_stdin], outside: HashSet::from([1]), reported: BTreeSet::new(), channels: BTreeSet::new() };
    assert_eq!(collect(&HashSet::new(), &mut host).unwrap_or_default().len(), 1);
}
