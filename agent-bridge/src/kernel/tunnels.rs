//! The map of tun and tap devices through which connections to services of this host came in.

use anyhow::{Context, Result};
use libbpf_rs::{MapCore, MapFlags, MapHandle};

use crate::kernel::load::Kernel;
use crate::kernel::records::{read, TunnelKey, TunnelUse};

/// A hook writes the time first and the rest then; one that was interrupted in between is not missed within this.
const UNDER_WAY_NS: u64 = 10_000_000;
/// As many as the map holds, should keys come and go while it is walked.
const MAX_USES: usize = 4096;

pub struct Tunnels {
    uses: MapHandle,
    /// Everything that changed before this was read.
    read_ns: u64,
}

impl Tunnels {
    pub fn new(kernel: &Kernel) -> Result<Self> {
        Ok(Self { uses: kernel.map("tunnel_uses").context("cannot read what came in through tunnel devices")?, read_ns: 0 })
    }

    /// Has the next reading hand out every device.
    pub fn read_all(&mut self) {
        self.read_ns = 0;
    }

    /// Devices that were used since the last reading began, which was that of `now_ns`.
    pub fn changed(&mut self, now_ns: u64) -> Vec<(TunnelKey, TunnelUse)> {
        let since = self.read_ns;
        self.read_ns = now_ns.saturating_sub(UNDER_WAY_NS);
        let entry = |key: Vec<u8>| Some((read(&key)?, read::<TunnelUse>(&self.uses.lookup(&key, MapFlags::ANY).ok()??)?));
        self.uses.keys().take(MAX_USES).filter_map(entry).filter(|(_, used)| used.last_ns > since).collect()
    }
}
