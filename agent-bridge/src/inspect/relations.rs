//! Relations between processes read off their descriptors. Pure: records in, relations out.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::host::identity::{key_of, ProcessKey};
use crate::inspect::channels::Channels;
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

/// An owner, and a process that hears from it and answers it.
pub type Pair = (ProcessKey, ProcessKey);

pub struct ProcessLinks {
    pub relations: BTreeSet<Relation>,
    /// By two channels that were handed to both.
    pub pairs: BTreeSet<Pair>,
    /// By what any process may open, or in a ring with others: they act as one only if they are of one workload.
    pub candidates: BTreeSet<Pair>,
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
    let channels = Channels::new(records, owners);
    relations.extend(piped_children(records, &channels, owners));
    let of_owners = |partners: &dyn Fn(ProcessKey) -> BTreeSet<ProcessKey>| -> BTreeSet<Pair> {
        let pairs = owners.iter().flat_map(|owner| partners(*owner).into_iter().map(|partner| (*owner, partner)));
        // Of two owners one joins the other, and not each its own group by way of the other's.
        pairs.filter(|(owner, partner)| !owners.contains(partner) || owner < partner).collect()
    };
    let pairs = of_owners(&|owner| channels.two_way(owner));
    let candidates = of_owners(&|owner| channels.rings(owner)).difference(&pairs).copied().collect();
    ProcessLinks { relations, pairs, candidates }
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
        for child in channels.hearers(*owner).chain(round_trips.iter().copied()).filter(|child| child != owner) {
            let Some(stdio_mask) = masks.get(&child).copied() else { continue };
            let kind = if round_trips.contains(&child) {
                Kind::Pipe
            } else if !owners.contains(&child) && channels.hearers(child).any(|end| owners.contains(&end)) {
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
