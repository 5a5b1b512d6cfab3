//! Which descriptors the relations of some owners can depend on, asked for in passes. Pure but for the passes.

use std::collections::{BTreeSet, HashSet};

use anyhow::Result;

use crate::host::identity::{key_of, ProcessKey};
use crate::inspect::channels::{Channels, MAX_STEPS};
use crate::kernel::records::{
    DescriptorRecord, DESCRIPTOR_PIPE_READ, DESCRIPTOR_PIPE_WRITE, DESCRIPTOR_PTY_MASTER, DESCRIPTOR_PTY_SLAVE, DESCRIPTOR_UNIX_ACCEPTED,
    DESCRIPTOR_UNIX_DATAGRAM, DESCRIPTOR_UNIX_PAIR,
};

pub trait Passes {
    /// All that processes hold.
    fn tell(&mut self, processes: &BTreeSet<ProcessKey>, into: &mut Vec<DescriptorRecord>) -> Result<()>;
    /// What the others hold of `ids`, and of outside connections at stdio.
    fn matching(&mut self, ids: &BTreeSet<u64>, into: &mut Vec<DescriptorRecord>) -> Result<()>;
}

/// Records that give the same relations as those of all descriptors of the host.
pub fn collect(owners: &HashSet<ProcessKey>, passes: &mut impl Passes) -> Result<Vec<DescriptorRecord>> {
    let mut records = Vec::new();
    let mut reported: BTreeSet<ProcessKey> = owners.iter().copied().collect();
    passes.tell(&reported, &mut records)?;
    let mut requested = BTreeSet::new();
    for step in 0..MAX_STEPS {
        let ids: BTreeSet<u64> = channel_ids(&records, &reported, owners).difference(&requested).copied().collect();
        // Who has an outside connection at stdio need hold nothing of an owner.
        if step == 0 || !ids.is_empty() {
            passes.matching(&ids, &mut records)?;
            requested.extend(ids);
        }
        let reached: BTreeSet<ProcessKey> = Channels::new(&records, owners).neighbours(&reported).difference(&reported).copied().collect();
        if reached.is_empty() {
            break;
        }
        passes.tell(&reached, &mut records)?;
        reported.extend(reached);
    }
    Ok(records)
}

/// Both ends of what processes hold, and of owners the terminals and what others have dialled.
pub fn channel_ids(records: &[DescriptorRecord], reported: &BTreeSet<ProcessKey>, owners: &HashSet<ProcessKey>) -> BTreeSet<u64> {
    let mut ids = BTreeSet::new();
    for r in records {
        let key = key_of(&r.process);
        match r.descriptor {
            DESCRIPTOR_PIPE_READ | DESCRIPTOR_PIPE_WRITE if reported.contains(&key) => drop(ids.insert(r.ours)),
            DESCRIPTOR_UNIX_PAIR if reported.contains(&key) => ids.extend([r.ours, r.peer]),
            DESCRIPTOR_UNIX_ACCEPTED if owners.contains(&key) => drop(ids.insert(r.peer)),
            DESCRIPTOR_UNIX_DATAGRAM if owners.contains(&key) => ids.extend([r.ours, r.peer]),
            DESCRIPTOR_PTY_MASTER if owners.contains(&key) => drop(ids.insert(r.ours)),
            // Of a slave that is not stdio: a shell runs on most terminals, and an owner may be one.
            DESCRIPTOR_PTY_SLAVE if owners.contains(&key) && r.fd > 2 => drop(ids.insert(r.ours)),
            _ => {}
        }
    }
    ids
}

#[cfg(test)]
mod tests;
