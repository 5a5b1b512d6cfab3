//! Relations between processes read off their descriptors. Pure: records in, relations out.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::host::identity::{key_of, ProcessKey};
use crate::kernel::records::{
    DescriptorRecord, DESCRIPTOR_PIPE_READ, DESCRIPTOR_PIPE_WRITE, DESCRIPTOR_PTY_MASTER, DESCRIPTOR_PTY_SLAVE, DESCRIPTOR_SOCKET,
    DESCRIPTOR_TUN, DESCRIPTOR_UNIX_PAIR,
};
use crate::wire::attachment::Kind;

/// One attachment: `child` is the process on the far side of the pty or the pipes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Relation {
    pub kind: Kind,
    pub process: ProcessKey,
    pub child: Option<ProcessKey>,
    pub cookie: u64,
    pub stdio_mask: u32,
}

/// Two processes with a channel in each direction between them.
pub type Pair = (ProcessKey, ProcessKey);

pub struct ProcessLinks {
    pub relations: BTreeSet<Relation>,
    pub pairs: BTreeSet<Pair>,
}

/// `outside` are cookies of outbound outside connections, `owners` the processes that own them.
pub fn find(records: &[DescriptorRecord], outside: &HashSet<u64>, owners: &HashSet<ProcessKey>) -> ProcessLinks {
    let mut relations = stdio_sockets(records, outside);
    relations.extend(terminals(records, owners));
    relations.extend(records.iter().filter(|r| r.descriptor == DESCRIPTOR_TUN && owners.contains(&key_of(&r.process))).map(|r| Relation {
        kind: Kind::Tun,
        process: key_of(&r.process),
        child: None,
        cookie: r.ours,
        stdio_mask: 0,
    }));
    let channels = channels(records);
    relations.extend(piped_children(records, &channels, owners));
    let pairs = channels.two_way().filter(|(a, b)| owners.contains(a) || owners.contains(b)).collect();
    ProcessLinks { relations, pairs }
}

fn stdio_sockets(records: &[DescriptorRecord], outside: &HashSet<u64>) -> BTreeSet<Relation> {
    let mut masks: BTreeMap<(ProcessKey, u64), u32> = BTreeMap::new();
    for r in records.iter().filter(|r| r.descriptor == DESCRIPTOR_SOCKET && r.fd <= 2 && outside.contains(&r.ours)) {
        *masks.entry((key_of(&r.process), r.ours)).or_default() |= 1 << r.fd;
    }
    masks
        .into_iter()
        .map(|((process, cookie), stdio_mask)| Relation { kind: Kind::StdioSocket, process, child: None, cookie, stdio_mask })
        .collect()
}

/// The owner holds the master; the slave is another process's stdio. A client that itself runs on the slave side (ssh in
/// a terminal emulator, a program under `expect`) is no child of its own master.
fn terminals(records: &[DescriptorRecord], owners: &HashSet<ProcessKey>) -> BTreeSet<Relation> {
    let masters: HashMap<u64, ProcessKey> = records
        .iter()
        .filter(|r| r.descriptor == DESCRIPTOR_PTY_MASTER && owners.contains(&key_of(&r.process)))
        .map(|r| (r.ours, key_of(&r.process)))
        .collect();
    let mut masks: BTreeMap<(ProcessKey, ProcessKey), u32> = BTreeMap::new();
    for r in records.iter().filter(|r| r.descriptor == DESCRIPTOR_PTY_SLAVE && r.fd <= 2) {
        let child = key_of(&r.process);
        if let Some(holder) = masters.get(&r.ours).filter(|holder| **holder != child && !owners.contains(&child)) {
            *masks.entry((*holder, child)).or_default() |= 1 << r.fd;
        }
    }
    masks
        .into_iter()
        .map(|((process, child), stdio_mask)| Relation { kind: Kind::Pty, process, child: Some(child), cookie: 0, stdio_mask })
        .collect()
}

/// Who can write to whom, by pipes and by unnamed socket pairs.
struct Channels {
    from_to: HashSet<(ProcessKey, ProcessKey)>,
    next: HashMap<ProcessKey, Vec<ProcessKey>>,
    previous: HashMap<ProcessKey, Vec<ProcessKey>>,
}

/// A shell behind a pipeline (`nc < fifo | sh > fifo`, with a `cat` between) is so many steps from the connection's owner.
pub const MAX_STEPS: usize = 3;

impl Channels {
    fn two_way(&self) -> impl Iterator<Item = Pair> + '_ {
        self.from_to.iter().copied().filter(|(a, b)| a < b && self.from_to.contains(&(*b, *a)))
    }

    /// Who is reached by what `from` says, and whose words reach `from`: both at once for a round trip.
    fn round_trips(&self, from: ProcessKey) -> HashSet<ProcessKey> {
        let back = reachable(from, &self.previous);
        reachable(from, &self.next).intersection(&back).copied().collect()
    }
}

/// Processes that one of `from` says something to, or hears from, over one channel.
pub fn channel_neighbours(records: &[DescriptorRecord], from: &BTreeSet<ProcessKey>) -> BTreeSet<ProcessKey> {
    let channels = channels(records);
    from.iter().flat_map(|key| [channels.next.get(key), channels.previous.get(key)]).flatten().flatten().copied().collect()
}

fn neighbours(pairs: impl Iterator<Item = (ProcessKey, ProcessKey)>) -> HashMap<ProcessKey, Vec<ProcessKey>> {
    let mut out: HashMap<ProcessKey, Vec<ProcessKey>> = HashMap::new();
    for (a, b) in pairs {
        out.entry(a).or_default().push(b);
    }
    out
}

fn reachable(from: ProcessKey, next: &HashMap<ProcessKey, Vec<ProcessKey>>) -> HashSet<ProcessKey> {
    let mut reachable = HashSet::from([from]);
    let mut newest = vec![from];
    for _ in 0..MAX_STEPS {
        newest = newest.iter().filter_map(|key| next.get(key)).flatten().copied().filter(|key| reachable.insert(*key)).collect();
    }
    reachable
}

/// More holders than this of one end and the pipe is an inheritance (a log, a job server), not a channel between two.
const MAX_HOLDERS: usize = 3;

fn channels(records: &[DescriptorRecord]) -> Channels {
    let mut readers: HashMap<u64, BTreeSet<ProcessKey>> = HashMap::new();
    let mut writers: HashMap<u64, BTreeSet<ProcessKey>> = HashMap::new();
    let mut peers: HashMap<u64, u64> = HashMap::new();
    let is_pair_at_stdio = |r: &&DescriptorRecord| r.descriptor == DESCRIPTOR_UNIX_PAIR && r.fd <= 2;
    let at_stdio: HashSet<(ProcessKey, u64)> = records.iter().filter(is_pair_at_stdio).map(|r| (key_of(&r.process), r.ours)).collect();
    for r in records {
        let key = key_of(&r.process);
        match r.descriptor {
            DESCRIPTOR_PIPE_READ => drop(readers.entry(r.ours).or_default().insert(key)),
            DESCRIPTOR_PIPE_WRITE => drop(writers.entry(r.ours).or_default().insert(key)),
            DESCRIPTOR_UNIX_PAIR => {
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
            _ => {}
        }
    }
    let mut from_to = HashSet::new();
    for (end, from) in &writers {
        if let Some(to) = readers.get(peers.get(end).unwrap_or(end)) {
            connect(from, to, &mut from_to);
        }
    }
    let next = neighbours(from_to.iter().copied());
    let previous = neighbours(from_to.iter().map(|(a, b)| (*b, *a)));
    Channels { from_to, next, previous }
}

fn connect(from: &BTreeSet<ProcessKey>, to: &BTreeSet<ProcessKey>, into: &mut HashSet<(ProcessKey, ProcessKey)>) {
    if from.len() > MAX_HOLDERS || to.len() > MAX_HOLDERS {
        return;
    }
    for a in from {
        for b in to {
            if a != b {
                into.insert((*a, *b));
            }
        }
    }
}

/// Children whose stdin and stdout lead to an owner, or to two: commands come by one and answers leave by the other.
fn piped_children(records: &[DescriptorRecord], channels: &Channels, owners: &HashSet<ProcessKey>) -> BTreeSet<Relation> {
    let mut masks: BTreeMap<ProcessKey, u32> = BTreeMap::new();
    for r in
        records.iter().filter(|r| r.fd <= 2 && matches!(r.descriptor, DESCRIPTOR_PIPE_READ | DESCRIPTOR_PIPE_WRITE | DESCRIPTOR_UNIX_PAIR))
    {
        *masks.entry(key_of(&r.process)).or_default() |= 1 << r.fd;
    }
    masks.retain(|_, mask| *mask & 3 == 3);
    let mut found = BTreeSet::new();
    for owner in owners {
        let round_trips = channels.round_trips(*owner);
        let next = channels.next.get(owner).into_iter().flatten().copied();
        for child in next.chain(round_trips.iter().copied()).filter(|child| child != owner) {
            let Some(stdio_mask) = masks.get(&child).copied() else { continue };
            let kind = if round_trips.contains(&child) {
                Kind::Pipe
            } else if !owners.contains(&child) && channels.next.get(&child).is_some_and(|ends| ends.iter().any(|end| owners.contains(end)))
            {
                Kind::PipeBetween
            } else {
                continue;
            };
            found.insert(Relation { kind, process: *owner, child: Some(child), cookie: 0, stdio_mask });
        }
    }
    found
}

#[cfg(test)]
mod tests;
