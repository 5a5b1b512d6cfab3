//! Names of the host: who it is over reboots, which boot this is, what people call it.

use std::fs::read_to_string;

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
        let line = |path: &str| read_to_string(path).map(|t| t.trim().to_owned()).unwrap_or_default();
        let name = name.unwrap_or_else(|| line("/proc/sys/kernel/hostname"));
        let machine = line("/etc/machine-id");
        Self {
            id: if machine.is_empty() { name.clone() } else { machine },
            name,
            boot_id: line("/proc/sys/kernel/random/boot_id"),
            kernel: line("/proc/sys/kernel/osrelease"),
        }
    }
}
