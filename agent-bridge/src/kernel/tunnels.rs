//! The maps of tun and tap devices through which connections to services of this host, and packets for other machines, came in.

use anyhow::{Context, Result};
use libbpf_rs::{MapCore, MapFlags, MapHandle};

use crate::kernel::load::Kernel;
use crate::kernel::records::{bytes_of, read, Record, TunnelForward, TunnelKey, TunnelUse};

/// A hook writes the time first and the rest then; one that was interrupted in between is not missed within this.
const UNDER_WAY_NS: u64 = 10_000_000;
/// As many as the map holds, should keys come and go while it is walked.
const MAX_USES: usize = 4096;

/// What changed, by device.
type Changed<T> = Vec<(TunnelKey, T)>;

pub struct Tunnels {
    uses: MapHandle,
    forwards: MapHandle,
    forward_devices: MapHandle,
    /// Everything that changed before this was read.
    read_ns: u64,
}

impl Tunnels {
    pub fn new(kernel: &Kernel) -> Result<Self> {
        let map = |name| kernel.map(name).context("cannot read what came in through tunnel devices");
        Ok(Self { uses: map("tunnel_uses")?, forwards: map("tunnel_forwards")?, forward_devices: map("forward_devices")?, read_ns: 0 })
    }

    /// Has the next reading hand out every device.
    pub fn read_all(&mut self) {
        self.read_ns = 0;
    }

    /// Has the kernel count what is passed on from a device: network namespace << 32 | interface index.
    pub fn watch(&self, device: u64) -> Result<()> {
        let [netns, index] = [device >> 32, device & u64::from(u32::MAX)].map(|half| u32::try_from(half).unwrap_or_default());
        Ok(self.forward_devices.update(bytes_of(&TunnelKey { netns, device: index }), &1u32.to_ne_bytes(), MapFlags::ANY)?)
    }

    /// Devices that were used since the last reading began, which was that of `now_ns`: for services, and for other machines.
    pub fn changed(&mut self, now_ns: u64) -> (Changed<TunnelUse>, Changed<TunnelForward>) {
        let since = self.read_ns;
        self.read_ns = now_ns.saturating_sub(UNDER_WAY_NS);
        (
            changed(&self.uses, |used: &TunnelUse| used.last_ns > since),
            changed(&self.forwards, |forward: &TunnelForward| forward.last_ns > since),
        )
    }
}

fn changed<T: Record>(map: &MapHandle, is_new: impl Fn(&T) -> bool) -> Changed<T> {
    let entry = |key: Vec<u8>| Some((read(&key)?, read::<T>(&map.lookup(&key, MapFlags::ANY).ok()??)?));
    map.keys().take(MAX_USES).filter_map(entry).filter(|(_, value)| is_new(value)).collect()
}
