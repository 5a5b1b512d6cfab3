//! What leaves the host and is not followed, told once for each user of it and whenever there was more of it.

use std::collections::HashMap;

use anyhow::Result;

use crate::host::clock::Clock;
use crate::host::identity::{key_of, ProcessKey};
use crate::host::process::Processes;
use crate::kernel::load::Kernel;
use crate::kernel::records::{DeviceRecord, UnfollowedKey};
use crate::kernel::unfollowed::UnfollowedMaps;
use crate::log;
use crate::pipeline::batch::BatchBuilder;

/// Uses that are kept; what comes when they are full is not told until the oldest has been silent for `SILENT_NS`.
const MAX_USES: usize = 256;
const SILENT_NS: u64 = 600_000_000_000;
/// Between two looks at devices, and between two tellings of one use.
const LOOK_NS: u64 = 5_000_000_000;

/// One use, as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    pub what: String,
    /// None for what the kernel does by itself.
    pub process: Option<ProcessKey>,
    pub bytes: u64,
    pub last_ns: u64,
}

#[derive(Default)]
struct Uses {
    /// With the time of the last telling, 0 for none.
    known: HashMap<(String, Option<ProcessKey>), (Use, u64)>,
}

pub struct Unfollowed {
    maps: UnfollowedMaps,
    uses: Uses,
    looked_ns: u64,
}

impl Unfollowed {
    pub fn new(kernel: &mut Kernel) -> Result<Self> {
        Ok(Self { maps: UnfollowedMaps::new(kernel)?, uses: Uses::default(), looked_ns: 0 })
    }

    /// Adds what is new since the last time.
    pub fn tell(&mut self, builder: &mut BatchBuilder, processes: &mut Processes, clock: Clock, now: u64) {
        for (key, noted) in self.maps.take_sockets() {
            let process = processes.nearest_running(key_of(&noted.process));
            self.uses.add(Use { what: socket_text(&key), process: Some(process), bytes: noted.bytes, last_ns: noted.last_ns }, now);
        }
        if now >= self.looked_ns + LOOK_NS {
            self.looked_ns = now;
            let uses = &mut self.uses;
            let outcome = self.maps.devices(|r| uses.add(Use { what: device_text(&r), process: None, bytes: 0, last_ns: now }, now));
            if let Err(error) = outcome {
                log::warn(format_args!("failed to look at network devices, retrying: {error:#}"));
            }
        }
        for used in self.uses.take(now) {
            builder.unfollowed(&used.what, used.process, used.bytes, used.last_ns, processes, clock);
        }
    }

    /// Has the next telling name everything again, for a fresh analyzer.
    pub fn tell_all(&mut self) {
        self.uses.known.values_mut().for_each(|(_, last)| *last = 0);
    }
}

impl Uses {
    fn add(&mut self, used: Use, now: u64) {
        let key = (used.what.clone(), used.process);
        if let Some((known, _)) = self.known.get_mut(&key) {
            known.bytes += used.bytes;
            known.last_ns = used.last_ns;
            return;
        }
        if self.known.len() >= MAX_USES {
            self.known.retain(|_, (known, _)| known.last_ns + SILENT_NS > now);
        }
        if self.known.len() < MAX_USES {
            match used.process {
                Some((pid, _)) => log::warn(format_args!("not followed: {} of process {pid}", used.what)),
                None => log::warn(format_args!("not followed: {}", used.what)),
            }
            self.known.insert(key, (used, 0));
        }
    }

    /// Those that were never told, and those with more since.
    fn take(&mut self, now: u64) -> Vec<Use> {
        let mut taken = Vec::new();
        for (used, reported_ns) in self.known.values_mut() {
            if *reported_ns == 0 || (used.bytes > 0 && used.last_ns > *reported_ns && now >= *reported_ns + LOOK_NS) {
                *reported_ns = now;
                taken.push(used.clone());
            }
        }
        taken
    }
}

fn socket_text(key: &UnfollowedKey) -> String {
    const SOCK_RAW: u16 = 3;
    match (key.family, key.kind, key.protocol) {
        (2 | 10, SOCK_RAW, protocol) => format!("raw sockets of IP protocol {protocol}"),
        (2 | 10, _, protocol) => format!("sockets of IP protocol {protocol}"),
        (17, ..) => "packet sockets".into(),
        (40, ..) => "vsock".into(),
        (43, ..) => "SMC sockets".into(),
        (family, ..) => format!("sockets of address family {family}"),
    }
}

fn device_text(r: &DeviceRecord) -> String {
    format!("the {} device {} in network namespace {}", text(&r.device_kind), text(&r.name), r.netns)
}

/// Up to the first NUL; a device may be called anything but what would end its name.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    let text = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default());
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(what: &str, bytes: u64, last_ns: u64) -> Use {
        Use { what: what.into(), process: Some((7, 1)), bytes, last_ns }
    }

    #[test]
    fn tells_a_use_at_once_and_then_every_five_seconds_with_the_total() {
        let mut uses = Uses::default();
        uses.add(used("vsock", 10, 100), 100);
        assert_eq!(uses.take(100), [used("vsock", 10, 100)]);
        uses.add(used("vsock", 5, 200), 200);
        assert_eq!(uses.take(200), []);
        assert_eq!(uses.take(100 + LOOK_NS), [used("vsock", 15, 200)]);
        assert_eq!(uses.take(200 + 2 * LOOK_NS), []);
    }

    #[test]
    fn keeps_a_bound_and_makes_room_of_what_was_silent_long() {
        let mut uses = Uses::default();
        for number in 0..300u64 {
            uses.add(used(&number.to_string(), 1, 100), 100);
        }
        assert_eq!(uses.known.len(), MAX_USES);
        uses.add(used("late", 1, 200 + SILENT_NS), 200 + SILENT_NS);
        assert_eq!(uses.known.len(), 1);
    }

    #[test]
    fn names_sockets_and_devices() {
        let key = |family, kind, protocol| UnfollowedKey { family, kind, protocol, reserved: 0, pid: 1 };
        assert_eq!(socket_text(&key(2, 3, 47)), "raw sockets of IP protocol 47");
        assert_eq!(socket_text(&key(10, 1, 132)), "sockets of IP protocol 132");
        assert_eq!(socket_text(&key(17, 3, 0)), "packet sockets");
        let mut r = DeviceRecord { netns: 5, ifindex: 2, device_kind: [0; 16], name: [0; 16] };
        r.device_kind[..5].copy_from_slice(b"vxlan");
        r.name[..4].copy_from_slice(b"a\x1b[m");
        assert_eq!(device_text(&r), "the vxlan device a\u{fffd}[m in network namespace 5");
    }
}
