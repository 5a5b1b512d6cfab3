//! Typed access to the maps that user space reads or writes.

use std::net::Ipv6Addr;

use anyhow::Result;
use libbpf_rs::{ErrorKind, MapCore, MapFlags, MapHandle};

use crate::kernel::load::Kernel;
use crate::kernel::records::{bytes_of, read, Edge, EdgeKey, NetworkKey, SCOPE_INSIDE};

/// Indices of `enum lost_kind`.
#[derive(Clone, Copy, Default, Debug)]
pub struct Lost {
    pub ring_connection: u64,
    pub ring_exec: u64,
    pub ring_exit: u64,
    pub map_socket: u64,
    pub map_edge: u64,
}

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

    /// Totals over all processors since the programs were loaded.
    pub fn lost(&self) -> Lost {
        let total = |kind: u32| -> u64 {
            let per_cpu = self.lost.lookup_percpu(&kind.to_ne_bytes(), MapFlags::ANY).ok().flatten().unwrap_or_default();
            per_cpu.iter().filter_map(|v| v.get(..8)?.try_into().ok().map(u64::from_ne_bytes)).sum()
        };
        Lost { ring_connection: total(0), ring_exec: total(1), ring_exit: total(2), map_socket: total(3), map_edge: total(4) }
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
        let key = NetworkKey { prefix, address };
        Ok(self.networks.update(bytes_of(&key), &u32::from(scope).to_ne_bytes(), MapFlags::ANY)?)
    }

    pub fn unset_network(&self, address: [u8; 16], prefix: u32) -> Result<()> {
        match self.networks.delete(bytes_of(&NetworkKey { prefix, address })) {
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
