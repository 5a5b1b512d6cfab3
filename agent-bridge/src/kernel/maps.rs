//! Typed access to the maps that user space reads or writes.

use std::net::Ipv6Addr;

use anyhow::Result;
use libbpf_rs::{ErrorKind, MapCore, MapFlags, MapHandle};

use crate::kernel::load::Kernel;
use crate::kernel::records::{bytes_of, read, Edge, EdgeKey, NetworkKey, SCOPE_INSIDE};
use crate::wire;

/// Where the contract counts each kind of loss, in the order of `enum lost_kind` in bpf/records.h.
const LOST: [fn(&mut wire::Lost) -> &mut u64; 5] = [
    |lost| &mut lost.ring_connection,
    |lost| &mut lost.ring_exec,
    |lost| &mut lost.ring_exit,
    |lost| &mut lost.map_socket,
    |lost| &mut lost.map_edge,
];

pub struct Maps {
    lost: MapHandle,
    edges: MapHandle,
    networks: MapHandle,
    group_of: MapHandle,
}

impl Maps {
    pub fn new(kernel: &Kernel) -> Result<Self> {
        Ok(Self {
            lost: kernel.map("lost")?,
            edges: kernel.map("edges")?,
            networks: kernel.map("networks")?,
            group_of: kernel.map("group_of")?,
        })
    }

    /// Whether maps can be read and written.
    pub fn can_use(&self) -> Result<()> {
        self.lost.lookup_percpu(&0u32.to_ne_bytes(), MapFlags::ANY)?;
        self.unset_network([0; 16], 128)?;
        self.set_network([0; 16], 128, SCOPE_INSIDE)
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

    /// Edges that changed after `since_ns`.
    pub fn edges_since(&self, since_ns: u64) -> Vec<(EdgeKey, Edge)> {
        let Ok(batch) = self.edges.lookup_batch(1024, MapFlags::ANY, MapFlags::ANY) else { return Vec::new() };
        batch
            .filter_map(|(key, value)| Some((read::<EdgeKey>(&key)?, read::<Edge>(&value)?)))
            .filter(|(_, edge)| edge.last_ns > since_ns)
            .collect()
    }

    /// `scope` is SCOPE_OUTSIDE or SCOPE_INSIDE; `prefix` counts bits of the 128-bit form.
    pub fn set_network(&self, address: [u8; 16], prefix: u32, scope: u8) -> Result<()> {
        let key = NetworkKey { prefixlen: prefix, address };
        Ok(self.networks.update(bytes_of(&key), &u32::from(scope).to_ne_bytes(), MapFlags::ANY)?)
    }

    pub fn unset_network(&self, address: [u8; 16], prefix: u32) -> Result<()> {
        match self.networks.delete(bytes_of(&NetworkKey { prefixlen: prefix, address })) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The group that a process was joined to, where it does not act for itself.
    pub fn group_of(&self, pid: u32) -> Option<u64> {
        let value = self.group_of.lookup(&pid.to_ne_bytes(), MapFlags::ANY).ok()??;
        Some(u64::from_ne_bytes(value.try_into().ok()?))
    }

    /// Undoes a join, unless the process has been joined to another group since.
    pub fn leave(&self, pid: u32, group: u64) {
        if self.group_of(pid) == Some(group) {
            // Gone already when the process has ended: the kernel side removes what exits.
            let _ = self.group_of.delete(&pid.to_ne_bytes());
        }
    }

    pub fn join(&self, pid: u32, group: u64) -> Result<()> {
        Ok(self.group_of.update(&pid.to_ne_bytes(), &group.to_ne_bytes(), MapFlags::ANY)?)
    }
}

/// Networks that count as inside without configuration, in the 128-bit form. The analyzer has the same list;
/// test/project/agreement.test.ts compares them.
pub fn inside_by_default() -> Vec<([u8; 16], u32)> {
    let v4 =
        |text: &str, bits: u32| (text.parse::<std::net::Ipv4Addr>().map(|a| a.to_ipv6_mapped().octets()).unwrap_or_default(), bits + 96);
    let v6 = |text: &str, bits: u32| (text.parse::<Ipv6Addr>().map(|a| a.octets()).unwrap_or_default(), bits);
    vec![
        v4("0.0.0.0", 32),
        v4("10.0.0.0", 8),
        v4("100.64.0.0", 10),
        v4("127.0.0.0", 8),
        v4("169.254.0.0", 16),
        v4("172.16.0.0", 12),
        v4("192.168.0.0", 16),
        v4("224.0.0.0", 4),
        v6("::", 128),
        v6("::1", 128),
        v6("fc00::", 7),
        v6("fe80::", 10),
        v6("ff00::", 8),
    ]
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
