//! Which networks count as inside and which as outside, in the map that the kernel programs look addresses up in.

use std::collections::HashSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use anyhow::Result;
use libbpf_rs::{ErrorKind, MapCore, MapFlags, MapHandle};

use crate::kernel::load::Kernel;
use crate::kernel::records::{bytes_of, NetworkKey, NETWORK_CONFIGURED, NETWORK_SHARED, SCOPE_INSIDE, SCOPE_OUTSIDE};
use crate::wire;

const OUTSIDE: u32 = SCOPE_OUTSIDE as u32;
const INSIDE: u32 = SCOPE_INSIDE as u32;

/// An address, and how many bits of its 128 the network has.
type Prefix = ([u8; 16], u32);

pub struct Networks {
    map: MapHandle,
    prover_netns: MapHandle,
    /// Those that the analyzer named.
    configured: HashSet<Prefix>,
}

impl Networks {
    /// Begins with the networks that count as inside without configuration.
    pub fn new(kernel: &Kernel) -> Result<Self> {
        let networks = Self { map: kernel.map("networks")?, prover_netns: kernel.map("prover_netns")?, configured: HashSet::new() };
        networks.set_defaults()?;
        Ok(networks)
    }

    /// Whether the map can be written.
    pub fn can_write(&self) -> Result<()> {
        self.unset(([0; 16], 128))?;
        self.set(([0; 16], 128), INSIDE)
    }

    /// Puts `networks` in the place of those that the analyzer named before.
    pub fn configure(&mut self, networks: &[wire::Network]) -> Result<()> {
        for prefix in std::mem::take(&mut self.configured) {
            self.unset(prefix)?;
        }
        // One of them may have stood in the place of a default.
        self.set_defaults()?;
        for network in networks {
            let Ok(address) = <[u8; 16]>::try_from(network.address.as_slice()) else { continue };
            let prefix = (address, network.prefix.min(128));
            self.set(prefix, if network.outside { OUTSIDE } else { INSIDE } | NETWORK_CONFIGURED)?;
            self.configured.insert(prefix);
        }
        Ok(())
    }

    /// Whether the kernel programs count an address as outside.
    pub fn is_outside(&self, address: Ipv4Addr) -> bool {
        let key = NetworkKey { prefixlen: 128, address: address.to_ipv6_mapped().octets() };
        let bits = self.map.lookup(bytes_of(&key), MapFlags::ANY).ok().flatten().and_then(|bits| bits.try_into().ok());
        bits.is_none_or(|bits| u32::from_ne_bytes(bits) & OUTSIDE != 0)
    }

    /// Names the namespace in which addresses count for what they are, whatever devices they are on: the outside of a relay
    /// that proves is on the loopback device of its own.
    pub fn exempt(&self, netns: u32) -> Result<()> {
        Ok(self.prover_netns.update(&0u32.to_ne_bytes(), &netns.to_ne_bytes(), MapFlags::ANY)?)
    }

    fn set_defaults(&self) -> Result<()> {
        inside_by_default().into_iter().try_for_each(|prefix| self.set(prefix, INSIDE))?;
        shared_by_default().into_iter().try_for_each(|prefix| self.set(prefix, OUTSIDE | NETWORK_SHARED))
    }

    fn set(&self, (address, prefixlen): Prefix, bits: u32) -> Result<()> {
        Ok(self.map.update(bytes_of(&NetworkKey { prefixlen, address }), &bits.to_ne_bytes(), MapFlags::ANY)?)
    }

    fn unset(&self, (address, prefixlen): Prefix) -> Result<()> {
        match self.map.delete(bytes_of(&NetworkKey { prefixlen, address })) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

/// Networks that count as inside without configuration, in the 128-bit form. The analyzer has the same list;
/// test/project/agreement.test.ts compares them.
fn inside_by_default() -> Vec<Prefix> {
    vec![
        v4("0.0.0.0", 32),
        v4("10.0.0.0", 8),
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

/// Addresses that providers and overlay networks hand out to whom they like (RFC 6598): judged like outside.
fn shared_by_default() -> Vec<Prefix> {
    vec![v4("100.64.0.0", 10)]
}

fn v4(text: &str, bits: u32) -> Prefix {
    (text.parse::<Ipv4Addr>().map(|a| a.to_ipv6_mapped().octets()).unwrap_or_default(), bits + 96)
}

fn v6(text: &str, bits: u32) -> Prefix {
    (text.parse::<Ipv6Addr>().map(|a| a.octets()).unwrap_or_default(), bits)
}
