//! What names a host over reboots, one boot of it, and a process within a boot.

use std::fs::read_to_string;

use crate::host::proc_fs::NS_PER_TICK;
use crate::kernel::records::ProcessId;

/// Pid and start time in nanoseconds since boot, the latter rounded down to a clock tick.
pub type ProcessKey = (u32, u64);

/// /proc knows start times in ticks only, the kernel programs in nanoseconds: the key is what both agree on.
pub fn key_of(id: &ProcessId) -> ProcessKey {
    (id.pid, id.start_ns / NS_PER_TICK * NS_PER_TICK)
}

#[derive(Clone, Debug)]
pub struct Host {
    pub id: String,
    pub name: String,
    pub boot_id: String,
    pub kernel: String,
}

impl Host {
    /// `name` is what the configuration says, if anything. A host without a machine id is known by its name.
    pub fn read(name: Option<String>) -> Self {
        let content = |path: &str| read_to_string(path).map(|t| t.trim().to_owned()).unwrap_or_default();
        let name = name.unwrap_or_else(|| content("/proc/sys/kernel/hostname"));
        let machine = content("/etc/machine-id");
        Self {
            id: if machine.is_empty() { name.clone() } else { machine },
            name,
            boot_id: content("/proc/sys/kernel/random/boot_id"),
            kernel: content("/proc/sys/kernel/osrelease"),
        }
    }
}
