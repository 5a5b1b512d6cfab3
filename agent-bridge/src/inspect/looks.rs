//! One look at descriptors: at all that can matter, or near some owners; and what it finds.

use std::collections::{BTreeSet, HashMap, HashSet};

use anyhow::Result;

use crate::host::clock::thread_ns;
use crate::host::identity::{key_of, ProcessKey};
use crate::host::proc_fs::{cgroup_text, Stat};
use crate::inspect::closure::{self, channel_ids, collect};
use crate::inspect::outside::Outside;
use crate::inspect::relations::{find, Pair, Relation};
use crate::inspect::schedule::Look;
use crate::kernel::records::{DescriptorRecord, DESCRIPTOR_SHARED};
use crate::kernel::tables::{Bounds, Passes, Tally};
use crate::wire::attachment::Kind;

/// Processor time of one look, after which it only counts, in nanoseconds; twice that ends it. With the longest rest between
/// full looks (schedule.rs) this is the twentieth part of a processor.
const FULL_NS: u64 = 250_000_000;
const NEAR_NS: u64 = 50_000_000;
/// Records of one look, 40 bytes each.
const MAX_RECORDS: usize = 65_536;
/// Pairs of one look that are joined if they are of one workload.
const MAX_CANDIDATES: usize = 1024;
/// Owners with one table: each has the relations of all. More share them with nobody.
const MAX_SHARERS: usize = 16;

/// A partner that acts as one with an owner.
#[derive(Clone, Copy, Debug)]
pub struct Join {
    pub owner: ProcessKey,
    /// In nanoseconds, where the key has clock ticks.
    pub owner_start_ns: u64,
    pub partner: ProcessKey,
    pub partner_start_ns: u64,
}

pub struct Found {
    pub relations: BTreeSet<Relation>,
    pub joins: Vec<Join>,
    pub saw_everything: bool,
    pub tally: Tally,
}

pub fn look(look: &Look, outside: &Outside, passes: &mut Passes) -> Result<Found> {
    let began = thread_ns();
    let budget = if *look == Look::Full { FULL_NS } else { NEAR_NS };
    let is_over = move || thread_ns() > began + budget;
    let is_long_over = move || thread_ns() > began + 2 * budget;
    let bounds = Bounds { max_records: MAX_RECORDS, is_over: &is_over, is_long_over: &is_long_over };
    passes.begin(outside.cookies())?;
    let owners: HashSet<ProcessKey> = outside.owners().collect();
    let records = match look {
        Look::Full => collect(&owners, &mut Bounded { passes, bounds })?,
        Look::Near(near) => near_records(near, &owners, outside, passes, &bounds)?,
    };
    let tally = passes.tally();
    let cookies: HashSet<u64> = outside.cookies().collect();
    let links = find(&records, &cookies, &owners);
    let start: HashMap<ProcessKey, u64> = records.iter().map(|r| (key_of(&r.process), r.process.start_ns)).collect();
    let terminals = links.relations.iter().filter(|r| r.kind == Kind::Pty).filter_map(|r| Some((r.process, r.child?)));
    let candidates = of_one_workload(&links.candidates, &records);
    let pairs = links.pairs.iter().copied().chain(candidates);
    let join =
        |(owner, partner)| Some(Join { owner, owner_start_ns: *start.get(&owner)?, partner, partner_start_ns: *start.get(&partner)? });
    let joins = pairs.chain(terminals).filter_map(join).collect();
    let relations = with_sharers(links.relations, &sharers(&records, &owners));
    Ok(Found { relations, joins, saw_everything: *look == Look::Full && tally.is_complete, tally })
}

/// The processes near some owners, and who else holds the pipes that they seem to speak over: many holders are no channel.
fn near_records(
    near: &BTreeSet<ProcessKey>,
    owners: &HashSet<ProcessKey>,
    outside: &Outside,
    passes: &mut Passes,
    bounds: &Bounds<'_>,
) -> Result<Vec<DescriptorRecord>> {
    let mut records = Vec::new();
    let roots: Vec<u32> = near.iter().map(|(pid, _)| *pid).collect();
    let parents: Vec<u32> = roots.iter().filter_map(|pid| Some(Stat::read(*pid)?.parent)).filter(|pid| *pid > 1).collect();
    passes.near(&roots, &parents, bounds, &mut records)?;
    let cookies: HashSet<u64> = outside.cookies().collect();
    let links = find(&records, &cookies, owners);
    if !links.pairs.is_empty()
        || !links.candidates.is_empty()
        || links.relations.iter().any(|relation| matches!(relation.kind, Kind::Pipe | Kind::PipeBetween))
    {
        let reported: BTreeSet<ProcessKey> = records.iter().map(|r| key_of(&r.process)).collect();
        passes.matching(channel_ids(&records, &reported, owners).into_iter(), bounds, &mut records)?;
    }
    Ok(records)
}

/// The candidates whose processes run for the same user and in the same cgroup. A pipe or a socket that has a name is also how
/// services of a host speak with each other, and those act each for itself.
fn of_one_workload(candidates: &BTreeSet<Pair>, records: &[DescriptorRecord]) -> Vec<Pair> {
    let users: HashMap<ProcessKey, u32> = records.iter().map(|r| (key_of(&r.process), r.process.uid)).collect();
    let mut cgroups: HashMap<u32, String> = HashMap::new();
    let mut cgroup = |pid: u32| cgroups.entry(pid).or_insert_with(|| cgroup_text(pid)).clone();
    let is_one = |(owner, partner): &&Pair| users.get(owner) == users.get(partner) && cgroup(owner.0) == cgroup(partner.0);
    candidates.iter().take(MAX_CANDIDATES).filter(is_one).copied().collect()
}

struct Bounded<'a, 'b> {
    passes: &'a mut Passes,
    bounds: Bounds<'b>,
}

impl closure::Passes for Bounded<'_, '_> {
    fn tell(&mut self, processes: &BTreeSet<ProcessKey>, into: &mut Vec<DescriptorRecord>) -> Result<()> {
        self.passes.tell(processes.iter().map(|(pid, _)| *pid), &self.bounds, into)
    }

    fn matching(&mut self, ids: &BTreeSet<u64>, into: &mut Vec<DescriptorRecord>) -> Result<()> {
        self.passes.matching(ids.iter().copied(), &self.bounds, into)
    }
}

/// A table that several processes share is told once, for the first of them: here are the owners among the others.
fn sharers(records: &[DescriptorRecord], owners: &HashSet<ProcessKey>) -> HashMap<ProcessKey, Vec<ProcessKey>> {
    let mut first: HashMap<u64, ProcessKey> = HashMap::new();
    let mut sharers: HashMap<ProcessKey, Vec<ProcessKey>> = HashMap::new();
    for r in records.iter().filter(|r| r.descriptor == DESCRIPTOR_SHARED) {
        let key = key_of(&r.process);
        let teller = *first.entry(r.ours).or_insert(key);
        if teller != key && owners.contains(&key) {
            let others = sharers.entry(teller).or_default();
            if others.len() < MAX_SHARERS && !others.contains(&key) {
                others.push(key);
            }
        }
    }
    sharers
}

fn with_sharers(relations: BTreeSet<Relation>, sharers: &HashMap<ProcessKey, Vec<ProcessKey>>) -> BTreeSet<Relation> {
    let copies: Vec<Relation> = relations
        .iter()
        .flat_map(|relation| {
            sharers.get(&relation.process).into_iter().flatten().map(|process| Relation { process: *process, ..*relation })
        })
        .collect();
    relations.into_iter().chain(copies).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::records::{ProcessId, RECORD_DESCRIPTOR};

    #[test]
    fn gives_each_owner_what_hangs_on_the_table_that_it_shares() {
        let shared = |pid| DescriptorRecord {
            kind: RECORD_DESCRIPTOR,
            descriptor: DESCRIPTOR_SHARED,
            fd: 0,
            process: ProcessId { start_ns: 0, pid, uid: 0 },
            ours: 7,
            peer: 0,
        };
        let owners = HashSet::from([(1, 0), (3, 0)]);
        let sharers = sharers(&[shared(1), shared(2), shared(3), shared(3)], &owners);
        let relation = |pid| Relation { kind: Kind::Pty, process: (pid, 0), child: Some((9, 0)), cookie: 0, stdio_mask: 3 };
        assert_eq!(with_sharers(BTreeSet::from([relation(1)]), &sharers), BTreeSet::from([relation(1), relation(3)]));
    }
}
