//! The maps of coupling: edges read whole, what is over deleted, who was over a bound.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result};
use libbpf_rs::{MapCore, MapFlags, MapHandle};

use crate::kernel::lists::Lists;
use crate::kernel::load::Kernel;
use crate::kernel::pruning::{choose, Ages};
use crate::kernel::records::{bytes_of, read, Edge, EdgeKey, EdgeWalk};
use crate::kernel::records::{Overload, OverloadKey, Share, MAX_OVERLOADS};

/// A hook takes the time first and writes the edge then; one that was interrupted in between is not missed within this.
const UNDER_WAY_NS: u64 = 10_000_000;

pub struct Coupling {
    edges: MapHandle,
    walk: MapHandle,
    made: MapHandle,
    groups: MapHandle,
    group_of: MapHandle,
    group_pruned: MapHandle,
    shares: MapHandle,
    share_pruned: MapHandle,
    overloads: MapHandle,
    /// Everything that changed before this was read.
    read_ns: u64,
    deleted: u64,
    /// Edges that the map held and a walk did not visit.
    pub missed: u64,
    /// Shares that were empty at the last look, as they were.
    empty: HashMap<u64, Share>,
}

impl Coupling {
    pub fn new(kernel: &Kernel) -> Result<Self> {
        Ok(Self {
            edges: kernel.map("edges")?,
            walk: kernel.map("edge_walk")?,
            made: kernel.map("edges_made")?,
            groups: kernel.map("groups")?,
            group_of: kernel.map("group_of")?,
            group_pruned: kernel.map("group_pruned")?,
            shares: kernel.map("shares")?,
            share_pruned: kernel.map("share_pruned")?,
            overloads: kernel.map("overloads")?,
            read_ns: 0,
            deleted: 0,
            missed: 0,
            empty: HashMap::new(),
        })
    }

    /// Has the next reading hand out every edge.
    pub fn read_all(&mut self) {
        self.read_ns = 0;
    }

    /// Hands out the edges that changed since the last reading began, which was that of `now_ns`.
    pub fn changed_edges(&mut self, lists: &Lists, now_ns: u64, mut each: impl FnMut(&EdgeKey, &Edge)) -> Result<()> {
        let zero = 0u32.to_ne_bytes();
        // What is made during the walk may be visited or not: it changed after the beginning of it, and comes next time.
        let held = self.made.lookup(&zero, MapFlags::ANY)?.and_then(|bytes| read_count(&bytes)).unwrap_or(0).saturating_sub(self.deleted);
        let walk = EdgeWalk { since_ns: self.read_ns, visited: 0 };
        self.walk.update(&zero, bytes_of(&walk), MapFlags::ANY).context("cannot set which edges a walk reports")?;
        lists.edges(|record| each(&record.key, &record.edge))?;
        let visited = self.walk.lookup(&zero, MapFlags::ANY)?.and_then(|bytes| read::<EdgeWalk>(&bytes)).map_or(0, |walk| walk.visited);
        self.missed += held.saturating_sub(visited);
        self.read_ns = now_ns.saturating_sub(UNDER_WAY_NS);
        Ok(())
    }

    /// Deletes what is over, and makes room where an identity has taken more than half of its share.
    pub fn prune(&mut self, lists: &Lists, now_ns: u64) -> Result<()> {
        let mut ages = Ages::default();
        lists.groups(|age| ages.groups.push(age))?;
        lists.members(|record| ages.joined.extend([record.member.group]))?;
        // After the groups: an edge is made after its group.
        lists.edge_ages(|age| ages.edges.push(age))?;
        let known: HashSet<u64> = ages.groups.iter().map(|age| age.group).collect();
        let choice = choose(&ages, now_ns, self.read_ns);
        let mut shares: HashMap<u64, Share> = HashMap::new();
        let mut groups: HashMap<u64, u64> = HashMap::new();
        for (key, share) in &choice.edges {
            if self.edges.delete(bytes_of(key)).is_ok() {
                self.deleted += 1;
                shares.entry(*share).or_default().edges += 1;
                *groups.entry(key.group).or_default() += 1;
            }
        }
        for (group, count) in groups.into_iter().filter(|(group, _)| known.contains(group)) {
            let before = self.group_pruned.lookup(&group.to_ne_bytes(), MapFlags::ANY)?.and_then(|bytes| read_count(&bytes)).unwrap_or(0);
            self.group_pruned.update(&group.to_ne_bytes(), &(before + count).to_ne_bytes(), MapFlags::ANY)?;
        }
        for (group, share) in &choice.groups {
            if self.groups.delete(&group.to_ne_bytes()).is_ok() {
                shares.entry(*share).or_default().groups += 1;
            }
            // There is none where no edge of it was deleted.
            let _ = self.group_pruned.delete(&group.to_ne_bytes());
        }
        for (share, deleted) in shares {
            add_share(&self.share_pruned, share, deleted);
        }
        Ok(())
    }

    /// Removes processes that were joined to a group when they had ended already, and the shares of identities that hold
    /// nothing.
    pub fn sweep(&mut self, lists: &Lists, is_running: impl Fn(u32) -> bool) -> Result<()> {
        let mut over = Vec::new();
        lists.members(|record| {
            let pid = u32::try_from(record.pid).unwrap_or(0);
            if !is_running(pid) {
                over.push((pid, record.member.share));
            }
        })?;
        for (pid, share) in over {
            if self.group_of.delete(&pid.to_ne_bytes()).is_ok() && share != 0 {
                add_share(&self.share_pruned, share, Share { members: 1, ..Share::default() });
            }
        }
        let mut empty = HashMap::new();
        for key in self.shares.keys() {
            let (made, deleted) = (share_at(&self.shares, &key), share_at(&self.share_pruned, &key));
            let Some(identity) = read_count(&key).filter(|_| made.unwrap_or_default() == deleted.unwrap_or_default()) else { continue };
            empty.insert(identity, made.unwrap_or_default());
        }
        for (identity, made) in &empty {
            // One that made something meanwhile, and had it deleted, is in use.
            if self.empty.get(identity) == Some(made) {
                self.shares.delete(&identity.to_ne_bytes())?;
                // There is none where nothing was deleted.
                let _ = self.share_pruned.delete(&identity.to_ne_bytes());
            }
        }
        self.empty = empty;
        Ok(())
    }

    /// Who was over a bound since the last call.
    pub fn take_overloads(&self) -> Vec<(OverloadKey, Overload)> {
        let keys: Vec<Vec<u8>> = self.overloads.keys().take(MAX_OVERLOADS).collect();
        let take = |key: Vec<u8>| {
            let value = self.overloads.lookup(&key, MapFlags::ANY).ok()??;
            // What is counted between the two is not told.
            self.overloads.delete(&key).ok()?;
            Some((read(&key)?, read(&value)?))
        };
        keys.into_iter().filter_map(take).collect()
    }
}

fn read_count(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(..8)?.try_into().ok()?))
}

fn share_at(map: &MapHandle, identity: &[u8]) -> Option<Share> {
    read(&map.lookup(identity, MapFlags::ANY).ok()??)
}

/// Adds to what was deleted of a share. When the map is full the share seems fuller than it is, which errs to the safe side.
pub(super) fn add_share(map: &MapHandle, identity: u64, deleted: Share) {
    let key = identity.to_ne_bytes();
    let before = share_at(map, &key).unwrap_or_default();
    let sum =
        Share { edges: before.edges + deleted.edges, groups: before.groups + deleted.groups, members: before.members + deleted.members };
    let _ = map.update(&key, bytes_of(&sum), MapFlags::ANY);
}
