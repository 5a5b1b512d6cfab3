//! Coupling edges and uses of tunnel devices into batches, room for more of them in the kernel, and who wanted more than there is.

use anyhow::Result;

use crate::host::clock::{boot_ns, Clock};
use crate::host::identity::key_of;
use crate::host::proc_fs;
use crate::host::process::Processes;
use crate::inspect::attachments::AttachmentUpdate;
use crate::inspect::inspector::Inspector;
use crate::kernel::coupling::Coupling;
use crate::kernel::lists::Lists;
use crate::kernel::load::Kernel;
use crate::kernel::maps::Joins;
use crate::kernel::tunnels::Tunnels;
use crate::log;
use crate::pipeline::batch::BatchBuilder;
use crate::pipeline::overloads::Overloads;

/// Coupling edges of one message: about 0.5 MB.
const EDGE_PART: usize = 2048;

pub struct Couplings {
    coupling: Coupling,
    joins: Joins,
    tunnels: Tunnels,
    overloads: Overloads,
}

impl Couplings {
    pub fn new(kernel: &Kernel) -> Result<Self> {
        Ok(Self {
            coupling: Coupling::new(kernel)?,
            joins: Joins::new(kernel)?,
            tunnels: Tunnels::new(kernel)?,
            overloads: Overloads::default(),
        })
    }

    /// Edges that the kernel held and that were not read.
    pub fn missed(&self) -> u64 {
        self.coupling.missed
    }

    /// Has the next reading take every edge and every device.
    pub fn read_all(&mut self) {
        self.coupling.read_all();
        self.tunnels.read_all();
    }

    /// A process with an outside connection holds these: what they pass on to other machines is of interest.
    pub fn watch_devices(&self, attachments: &[AttachmentUpdate]) {
        for device in attachments.iter().filter_map(AttachmentUpdate::tun_device) {
            if let Err(error) = self.tunnels.watch(device) {
                log::warn(format_args!("failed to watch a tunnel device, what it passes on is not seen: {error:#}"));
            }
        }
    }

    /// Adds the edges and devices that changed since the last reading began. Parts that are full, and the one that is not.
    pub fn collect(
        &mut self,
        mut builder: BatchBuilder,
        lists: &Lists,
        processes: &mut Processes,
        inspector: &mut Inspector,
        clock: Clock,
    ) -> (Vec<BatchBuilder>, BatchBuilder) {
        let (uses, forwards) = self.tunnels.changed(boot_ns());
        for (key, used) in uses {
            inspector.on_tunnel(key_of(&used.writer));
            builder.tunnel_use(key, &used, processes, clock);
        }
        for (key, forward) in forwards {
            builder.tunnel_forward(key, &forward, processes, clock);
        }
        let mut full = Vec::new();
        let joins = &self.joins;
        let outcome = self.coupling.changed_edges(lists, boot_ns(), |key, edge| {
            if builder.records() >= EDGE_PART {
                full.push(std::mem::take(&mut builder));
            }
            builder.edge(key, edge, joins.joined_by(key, &edge.b_process), processes, clock);
        });
        if let Err(error) = outcome {
            log::warn(format_args!("failed to read coupling edges, retrying: {error:#}"));
        }
        (full, builder)
    }

    /// Deletes what is over in the kernel's maps, and makes room where an identity has taken much of its share.
    pub fn prune(&mut self, lists: &Lists, now: u64) {
        if let Err(error) = self.coupling.prune(lists, now) {
            log::warn(format_args!("failed to delete coupling edges that are over, retrying: {error:#}"));
        }
    }

    /// Adds who was over a bound since the last time.
    pub fn tell_overloads(&mut self, builder: &mut BatchBuilder, processes: &mut Processes, clock: Clock) {
        for (key, noted) in self.coupling.take_overloads() {
            let process = processes.nearest_running(key_of(&noted.process));
            self.overloads.add(key.kind, process, &noted);
        }
        for total in self.overloads.take() {
            builder.overload(&total, processes, clock);
        }
    }

    /// Deletes what processes and identities that are gone have left in the kernel's maps.
    pub fn sweep(&mut self, lists: &Lists) {
        if let Err(error) = self.coupling.sweep(lists, proc_fs::is_running) {
            log::warn(format_args!("failed to delete groups of processes that ended, retrying: {error:#}"));
        }
    }
}
