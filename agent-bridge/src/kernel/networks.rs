//! Which networks count as inside and which as outside, in the map that the kernel programs look addresses up in.

use std::collections::HashSet;
use std::net::{Ipv4Addr, Ipv6Addr};

use anyhow::Result;
use libbpf_rs::{ErrorKind, MapCore, MapFlags, MapHandle};

use crate::kernel::load::Kernel;
use crate::kernel::records::{bytes_of, NetworkKey, SCOPE_INSIDE, SCOPE_OUTSIDE};
use crate::wire;

/// An address, and how many bits of its 128 the network has.
type Prefix = ([u8; 16], u32);

pub struct Networks {
    map: MapHandle,
    /// Those that the analyzer named.
    configured: HashSet<Prefix>,
}

impl Networks {
    /// Begins with the networks that count as inside without configuration.
    pub fn new(kernel: &Kernel) -> Result<Self> {
        let networks = Self { map: kernel.map("networks")?, configured: HashSet::new() };
        networks.set_defaults()?;
        Ok(networks)
    }

    /// Whether the map can be written.
    pub fn can_write(&self) -> Result<()> {
        self.unset(([0; 16], 128))?;
        self.set(([0; 16], 128), SCOPE_INSIDE)
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
            self.set(prefix, if network.outside { SCOPE_OUTSIDE } else { SCOPE_INSIDE })?;
            self.configured.insert(prefix);
        }
        Ok(())
    }

    /// Whether the kernel programs count an address as outside.
    pub fn is_outside(&self, address: Ipv4Addr) -> bool {
        let key = NetworkKey { prefixlen: 128, address: address.to_ipv6_mapped().octets() };
        let scope = self.map.lookup(bytes_of(&key), MapFlags::ANY).ok().flatten();
        scope.is_none_or(|scope| scope.first() == Some(&SCOPE_OUTSIDE))
    }

    fn set_defaults(&self) -> Result<()> {
        inside_by_default().into_iter().try_for_each(|prefix| self.set(prefix, SCOPE_INSIDE))
    }

    fn set(&self, (address, prefixlen): Prefix, scope: u8) -> Result<()> {
        Ok(self.map.update(bytes_of(&NetworkKey { prefixlen, address }), &u32::from(scope).to_ne_bytes(), MapFlags::ANY)?)
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
    let v4 = |text: &str, bits: u32| (text.parse::<Ipv4Addr>().map(|a| a.to_ipv6_mapped().octets()).unwrap_or_default(), bits + 96);
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
