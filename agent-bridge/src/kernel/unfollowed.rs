//! What leaves the host and is not followed: sockets of other kinds, and tunnel devices (bpf/unfollowed.bpf.h).

use anyhow::Result;
use libbpf_rs::{Link, MapCore, MapFlags, MapHandle};

use crate::kernel::load::Kernel;
use crate::kernel::records::{read, DeviceRecord, Unfollowed, UnfollowedKey, MAX_UNFOLLOWED};
use crate::kernel::walk::read_walk;

/// Kinds of devices that carry packets inside others, as rtnetlink names them. A tun device is a process's: it is an
/// attachment of that process.
const TUNNEL_KINDS: [&str; 22] = [
    "vxlan",
    "geneve",
    "gre",
    "gretap",
    "erspan",
    "ip6gre",
    "ip6gretap",
    "ip6erspan",
    "ipip",
    "sit",
    "ip6tnl",
    "vti",
    "vti6",
    "xfrm",
    "wireguard",
    "amneziawg",
    "bareudp",
    "gtp",
    "amt",
    "ppp",
    "ovpn",
    "l2tpeth",
];

pub struct UnfollowedMaps {
    sockets: MapHandle,
    /// None where the kernel has no iter/task.
    devices: Option<Link>,
}

impl UnfollowedMaps {
    pub fn new(kernel: &mut Kernel) -> Result<Self> {
        let kinds = kernel.map("tunnel_kinds")?;
        for kind in TUNNEL_KINDS {
            let mut key = [0; 16];
            key.iter_mut().zip(kind.bytes()).for_each(|(to, from)| *to = from);
            kinds.update(&key, &1u32.to_ne_bytes(), MapFlags::ANY)?;
        }
        Ok(Self { sockets: kernel.map("unfollowed")?, devices: kernel.devices.take() })
    }

    /// Who used such a socket since the last call.
    pub fn take_sockets(&self) -> Vec<(UnfollowedKey, Unfollowed)> {
        let keys: Vec<Vec<u8>> = self.sockets.keys().take(MAX_UNFOLLOWED).collect();
        let take = |key: Vec<u8>| {
            let value = self.sockets.lookup(&key, MapFlags::ANY).ok()??;
            // What is counted between the two is not told.
            self.sockets.delete(&key).ok()?;
            Some((read(&key)?, read(&value)?))
        };
        keys.into_iter().filter_map(take).collect()
    }

    /// The tunnel devices of every network namespace that a process is in.
    pub fn devices(&self, mut each: impl FnMut(DeviceRecord)) -> Result<()> {
        self.devices.as_ref().map_or(Ok(()), |link| read_walk(link, &mut each))
    }
}
