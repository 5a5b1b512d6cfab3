//! Who can write to whom over pipes, queues, unix sockets and terminals. Pure: records in, graph out.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::host::identity::{key_of, ProcessKey};
use crate::kernel::records::{
    DescriptorRecord, DESCRIPTOR_PIPE_READ, DESCRIPTOR_PIPE_WRITE, DESCRIPTOR_PTY_MASTER, DESCRIPTOR_PTY_SLAVE, DESCRIPTOR_UNIX_ACCEPTED,
    DESCRIPTOR_UNIX_DATAGRAM, DESCRIPTOR_UNIX_DIALLED, DESCRIPTOR_UNIX_PAIR,
};

/// A shell behind a pipeline (`nc < fifo | sh > fifo`, with a `cat` between) is so many steps from the connection's owner.
pub const MAX_STEPS: usize = 3;
/// More holders than this of one end and the pipe is an inheritance (a log, a job server), not a channel between two.
const MAX_HOLDERS: usize = 3;
/// What has a name is opened on purpose, by a bystander too; this bounds the work.
const MAX_OPENERS: usize = 64;
/// Processes of a ring, its first included: each is so many steps or fewer from the first, or before it.
const MAX_RING: usize = MAX_STEPS + 1;
/// Steps of one search for rings through one process.
const MAX_SEARCH: usize = 4096;

type Graph = HashMap<ProcessKey, BTreeSet<ProcessKey>>;

#[derive(Default)]
struct Ends {
    readers: BTreeSet<ProcessKey>,
    writers: BTreeSet<ProcessKey>,
    is_named: bool,
}

#[derive(Default)]
pub struct Channels {
    /// By channels that two or three hold: they were handed from one process to the other, or opened by them alone.
    next: Graph,
    previous: Graph,
    /// By these, and by what any process of the host may have opened.
    any_next: Graph,
    any_previous: Graph,
}

impl Channels {
    /// Of sockets with a name and of terminals only those that one of `owners` holds.
    pub fn new(records: &[DescriptorRecord], owners: &HashSet<ProcessKey>) -> Self {
        let mut channels = Self::default();
        pipes(records).values().for_each(|ends| channels.connect(&ends.writers, &ends.readers, ends.is_named));
        channels.pairs(records);
        for (a, b) in named_sockets(records, owners).chain(raw_terminals(records, owners)) {
            channels.insert(a, b, true);
            channels.insert(b, a, true);
        }
        channels
    }

    /// `is_open`: any process of the host may hold it.
    fn insert(&mut self, from: ProcessKey, to: ProcessKey, is_open: bool) {
        if from == to {
            return;
        }
        self.any_next.entry(from).or_default().insert(to);
        self.any_previous.entry(to).or_default().insert(from);
        if !is_open {
            self.next.entry(from).or_default().insert(to);
            self.previous.entry(to).or_default().insert(from);
        }
    }

    fn connect(&mut self, writers: &BTreeSet<ProcessKey>, readers: &BTreeSet<ProcessKey>, is_named: bool) {
        let holders = writers.len().max(readers.len());
        if holders > if is_named { MAX_OPENERS } else { MAX_HOLDERS } {
            return;
        }
        for writer in writers {
            readers.iter().for_each(|reader| self.insert(*writer, *reader, holders > MAX_HOLDERS));
        }
    }

    fn pairs(&mut self, records: &[DescriptorRecord]) {
        let mut readers: HashMap<u64, BTreeSet<ProcessKey>> = HashMap::new();
        let mut writers: HashMap<u64, BTreeSet<ProcessKey>> = HashMap::new();
        let mut peers: HashMap<u64, u64> = HashMap::new();
        let pairs = || records.iter().filter(|r| r.descriptor == DESCRIPTOR_UNIX_PAIR);
        let at_stdio: HashSet<(ProcessKey, u64)> = pairs().filter(|r| r.fd <= 2).map(|r| (key_of(&r.process), r.ours)).collect();
        for r in pairs() {
            let key = key_of(&r.process);
            // A program reads its stdin and writes its stdout, even where both ways are open: launchers hand out socket
            // pairs for one-way logs. Copies of stdio elsewhere (dbclient makes them) say nothing more.
            let elsewhere = r.fd > 2 && !at_stdio.contains(&(key, r.ours));
            if r.fd == 0 || elsewhere {
                readers.entry(r.ours).or_default().insert(key);
            }
            if r.fd == 1 || r.fd == 2 || elsewhere {
                writers.entry(r.ours).or_default().insert(key);
            }
            peers.insert(r.ours, r.peer);
        }
        for (end, from) in &writers {
            if let Some(to) = peers.get(end).and_then(|peer| readers.get(peer)) {
                self.connect(from, to, false);
            }
        }
    }

    /// Who hears what `from` says, over one channel that was handed to both.
    pub fn hearers(&self, from: ProcessKey) -> impl Iterator<Item = ProcessKey> + '_ {
        self.next.get(&from).into_iter().flatten().copied()
    }

    /// Processes with a channel in each direction to `from` that were handed to both.
    pub fn two_way(&self, from: ProcessKey) -> BTreeSet<ProcessKey> {
        let both = || Some(self.next.get(&from)?.intersection(self.previous.get(&from)?).copied().collect());
        both().unwrap_or_default()
    }

    /// Who is reached by what `from` says, and whose words reach `from`: both at once for a round trip.
    pub fn round_trips(&self, from: ProcessKey) -> HashSet<ProcessKey> {
        let back = distances(from, &self.previous);
        distances(from, &self.next).into_keys().filter(|key| back.contains_key(key)).collect()
    }

    /// Processes that stand with `from` in a ring of channels. A ring passes each process once: a supervisor that
    /// talks with each of its services joins none of them to another.
    pub fn rings(&self, from: ProcessKey) -> BTreeSet<ProcessKey> {
        let back = distances(from, &self.any_previous);
        let mut found = BTreeSet::new();
        let mut left = MAX_SEARCH;
        self.extend_ring(&mut vec![from], &back, &mut left, &mut found);
        found
    }

    fn extend_ring(
        &self,
        path: &mut Vec<ProcessKey>,
        back: &HashMap<ProcessKey, usize>,
        left: &mut usize,
        found: &mut BTreeSet<ProcessKey>,
    ) {
        let (Some(first), Some(last)) = (path.first().copied(), path.last()) else { return };
        for next in self.any_next.get(last).into_iter().flatten() {
            if *left == 0 {
                return;
            }
            *left -= 1;
            if *next == first {
                found.extend(path.iter().skip(1));
            } else if !path.contains(next) && back.get(next).is_some_and(|steps| path.len() + steps <= MAX_RING) {
                path.push(*next);
                self.extend_ring(path, back, left, found);
                path.pop();
            }
        }
    }

    /// Processes that one of `from` says something to, or hears from, over one channel.
    pub fn neighbours(&self, from: &BTreeSet<ProcessKey>) -> BTreeSet<ProcessKey> {
        from.iter().flat_map(|key| [self.any_next.get(key), self.any_previous.get(key)]).flatten().flatten().copied().collect()
    }
}

/// What is reached in MAX_STEPS, and in how many.
fn distances(from: ProcessKey, next: &Graph) -> HashMap<ProcessKey, usize> {
    let mut reached = HashMap::from([(from, 0)]);
    let mut newest = vec![from];
    for step in 1..=MAX_STEPS {
        let further: BTreeSet<ProcessKey> =
            newest.iter().filter_map(|key| next.get(key)).flatten().filter(|key| !reached.contains_key(*key)).copied().collect();
        reached.extend(further.iter().map(|key| (*key, step)));
        newest = further.into_iter().collect();
    }
    reached
}

fn pipes(records: &[DescriptorRecord]) -> HashMap<u64, Ends> {
    let mut pipes: HashMap<u64, Ends> = HashMap::new();
    for r in records.iter().filter(|r| matches!(r.descriptor, DESCRIPTOR_PIPE_READ | DESCRIPTOR_PIPE_WRITE)) {
        let ends = pipes.entry(r.ours).or_default();
        ends.is_named |= r.peer != 0;
        let holders = if r.descriptor == DESCRIPTOR_PIPE_READ { &mut ends.readers } else { &mut ends.writers };
        holders.insert(key_of(&r.process));
    }
    pipes
}

/// Both ends of sockets with a name. Who dials a service that holds an outside connection hears from outside through it; the
/// service that an owner dials is an endpoint inside, and no part of the owner.
fn named_sockets<'a>(
    records: &'a [DescriptorRecord],
    owners: &'a HashSet<ProcessKey>,
) -> impl Iterator<Item = (ProcessKey, ProcessKey)> + 'a {
    let mut holders: HashMap<u64, BTreeSet<ProcessKey>> = HashMap::new();
    let is_far_end = |r: &&DescriptorRecord| matches!(r.descriptor, DESCRIPTOR_UNIX_DIALLED | DESCRIPTOR_UNIX_DATAGRAM);
    for r in records.iter().filter(is_far_end) {
        holders.entry(r.ours).or_default().insert(key_of(&r.process));
    }
    let is_near_end = |r: &&DescriptorRecord| {
        matches!(r.descriptor, DESCRIPTOR_UNIX_ACCEPTED | DESCRIPTOR_UNIX_DATAGRAM) && owners.contains(&key_of(&r.process))
    };
    records.iter().filter(is_near_end).flat_map(move |r| {
        let far = holders.get(&r.peer).filter(|far| far.len() <= MAX_HOLDERS).cloned().unwrap_or_default();
        far.into_iter().map(|holder| (key_of(&r.process), holder))
    })
}

/// Master and slave of a terminal that is nobody's stdio: nothing runs on it, two programs speak over it.
fn raw_terminals<'a>(
    records: &'a [DescriptorRecord],
    owners: &'a HashSet<ProcessKey>,
) -> impl Iterator<Item = (ProcessKey, ProcessKey)> + 'a {
    let mut masters: HashMap<u64, BTreeSet<ProcessKey>> = HashMap::new();
    let mut run_on: HashSet<u64> = HashSet::new();
    for r in records {
        match r.descriptor {
            DESCRIPTOR_PTY_MASTER => drop(masters.entry(r.ours).or_default().insert(key_of(&r.process))),
            DESCRIPTOR_PTY_SLAVE if r.fd <= 2 => drop(run_on.insert(r.ours)),
            _ => {}
        }
    }
    let slaves = records.iter().filter(move |r| r.descriptor == DESCRIPTOR_PTY_SLAVE && !run_on.contains(&r.ours));
    slaves.flat_map(move |r| {
        let holders = masters.get(&r.ours).filter(|holders| holders.len() <= MAX_HOLDERS).cloned().unwrap_or_default();
        let slave = key_of(&r.process);
        holders.into_iter().map(move |holder| (holder, slave)).filter(|(a, b)| owners.contains(a) || owners.contains(b))
    })
}

#[cfg(test)]
mod tests;
