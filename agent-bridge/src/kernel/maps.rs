//! Typed access to the maps of losses and of who acts in whose group.

use anyhow::Result;
use libbpf_rs::{MapCore, MapFlags, MapHandle};

use crate::kernel::coupling::add_share;
use crate::kernel::load::Kernel;
use crate::kernel::records::{bytes_of, own_group, read, EdgeKey, Member, ProcessId, Share, JOINED_BY_DESCRIPTOR, JOINED_BY_LINEAGE};
use crate::wire;

/// Where the contract counts each kind of loss, in the order of `enum lost_kind` in bpf/records.h.
const LOST: &[fn(&mut wire::Lost) -> &mut u64] = &[
    |lost| &mut lost.ring_connection,
    |lost| &mut lost.ring_exec,
    |lost| &mut lost.ring_exit,
    |lost| &mut lost.map_socket,
    |lost| &mut lost.map_edge,
    |lost| &mut lost.map_group,
    |lost| &mut lost.walk_descriptor,
    |lost| &mut lost.exec_argv,
];

pub struct Maps {
    lost: MapHandle,
    group_of: MapHandle,
    reasons: MapHandle,
    share_pruned: MapHandle,
}

impl Maps {
    pub fn new(kernel: &Kernel) -> Result<Self> {
        Ok(Self {
            lost: kernel.map("lost")?,
            group_of: kernel.map("group_of")?,
            reasons: kernel.map("join_reasons")?,
            share_pruned: kernel.map("share_pruned")?,
        })
    }

    /// Whether maps can be read.
    pub fn can_read(&self) -> Result<()> {
        self.lost.lookup_percpu(&0u32.to_ne_bytes(), MapFlags::ANY)?;
        Ok(())
    }

    /// What the kernel programs have lost since they were loaded, over all processors; the collector's own losses are 0.
    pub fn lost(&self) -> wire::Lost {
        let mut lost = wire::Lost::default();
        for (kind, field) in (0u32..).zip(LOST) {
            let per_cpu = self.lost.lookup_percpu(&kind.to_ne_bytes(), MapFlags::ANY).ok().flatten().unwrap_or_default();
            *field(&mut lost) = per_cpu.iter().filter_map(|v| v.get(..8)?.try_into().ok().map(u64::from_ne_bytes)).sum();
        }
        lost
    }

    /// The group that a process was joined to, where it does not act for itself.
    pub fn group_of(&self, pid: u32) -> Option<u64> {
        Some(self.member(pid)?.group)
    }

    fn member(&self, pid: u32) -> Option<Member> {
        read(&self.group_of.lookup(&pid.to_ne_bytes(), MapFlags::ANY).ok()??)
    }

    /// Why the process with this own group acts in another's: enum joined_by of bpf/records.h.
    pub fn join_reason(&self, own: u64) -> u32 {
        join_reason(&self.reasons, own)
    }

    /// Undoes a join, unless the process has been joined to another group since.
    pub fn leave(&self, pid: u32, group: u64) {
        if let Some(member) = self.member(pid).filter(|member| member.group == group) {
            self.remove(pid, member.share);
        }
    }

    /// Joins a process, `own` by its own group, because of descriptors.
    pub fn join(&self, pid: u32, own: u64, group: u64) -> Result<()> {
        let member = self.member(pid);
        // Whom its fork has brought there is there by itself: what it has done so far goes on.
        if member.as_ref().is_some_and(|member| member.group == group) && self.join_reason(own) == JOINED_BY_LINEAGE {
            return Ok(());
        }
        // One whom its fork had joined before goes on counting for the same identity.
        let share = member.map_or(0, |member| member.share);
        self.reasons.update(&own.to_ne_bytes(), &JOINED_BY_DESCRIPTOR.to_ne_bytes(), MapFlags::ANY)?;
        Ok(self.group_of.update(&pid.to_ne_bytes(), bytes_of(&Member { group, share }), MapFlags::ANY)?)
    }

    /// Removes the entry of a process that counts for `share`. Gone already when it has ended: the kernel side removes what
    /// exits.
    fn remove(&self, pid: u32, share: u64) {
        if self.group_of.delete(&pid.to_ne_bytes()).is_ok() && share != 0 {
            add_share(&self.share_pruned, share, Share { members: 1, ..Share::default() });
        }
    }
}

/// Why processes act in the groups of others, of those too that have ended since.
pub struct Joins {
    reasons: MapHandle,
}

impl Joins {
    pub fn new(kernel: &Kernel) -> Result<Self> {
        Ok(Self { reasons: kernel.map("join_reasons")? })
    }

    /// Why the process that uses B acts in the group, as enum joined_by of bpf/records.h.
    pub fn joined_by(&self, key: &EdgeKey, user: &ProcessId) -> u32 {
        if key.joined == 0 {
            return JOINED_BY_LINEAGE;
        }
        match join_reason(&self.reasons, own_group(user.pid, user.start_ns)) {
            // Pushed out of the map since.
            JOINED_BY_LINEAGE => JOINED_BY_DESCRIPTOR,
            by => by,
        }
    }
}

fn join_reason(reasons: &MapHandle, own: u64) -> u32 {
    let by = reasons.lookup(&own.to_ne_bytes(), MapFlags::ANY).ok().flatten();
    by.and_then(|bytes| Some(u32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?))).unwrap_or(JOINED_BY_LINEAGE)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use libbpf_rs::btf::types::Enum;
    use libbpf_rs::btf::Btf;

    use super::*;

    /// `LOST_MAP_EDGE`, the fifth, is counted as `map_edge`.
    #[test]
    fn counts_each_kind_of_loss_under_its_name() {
        let layout = Btf::from_path(concat!(env!("OUT_DIR"), "/layout.bpf.o")).unwrap();
        let kinds = layout.type_by_name::<Enum<'_>>("lost_kind").unwrap();
        let names: Vec<String> = kinds.iter().map(|kind| kind.name.unwrap().to_string_lossy().to_lowercase()).collect();
        let (last, names) = names.split_last().unwrap();
        assert_eq!((last.as_str(), names.len()), ("lost_kinds", LOST.len()));
        for (name, field) in names.iter().zip(LOST) {
            let mut lost = wire::Lost::default();
            *field(&mut lost) = 1;
            let counted = format!("{}: 1", name.strip_prefix("lost_").unwrap());
            assert!(format!("{lost:?}").contains(&counted), "{lost:?} for {name}");
        }
    }
}
