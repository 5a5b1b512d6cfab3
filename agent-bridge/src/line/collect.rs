//! The drain thread: ring and walks into drafts, drafts into the buffer. It allocates and decodes, but nothing in it may
//! panic or wait for the network.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use libbpf_rs::RingBufferBuilder;

use crate::export::buffer::Buffer;
use crate::host::clock::{boot_ns, Clock};
use crate::host::process::{key_of, Processes};
use crate::inspect::inspector::Inspector;
use crate::kernel::load::Kernel;
use crate::kernel::maps::Maps;
use crate::kernel::records::{read, ConnectionRecord, ExecHead, ExitRecord, ForkRecord, REASON_CLOSED, REASON_MOVED};
use crate::kernel::records::{RECORD_CONNECTION, RECORD_EXEC, RECORD_EXIT, RECORD_FORK};
use crate::line::batch::Draft;
use crate::wire;

/// How often things are done, in nanoseconds of the boot clock.
#[derive(Clone, Copy, Debug)]
pub struct Rhythm {
    pub drain_ns: u64,
    pub edges_ns: u64,
    pub interim_ns: u64,
    /// A batch that is not empty is closed after this time.
    pub batch_ns: u64,
}

/// An empty batch is sent when nothing happened for so long: event time moves on by it.
const HEARTBEAT_NS: u64 = 1_000_000_000;
const CLOCK_NS: u64 = 60_000_000_000;
/// Bounds a message: a thousand records are about 60 kB.
const MAX_RECORDS: usize = 1000;

pub struct Collector {
    kernel: Kernel,
    maps: Maps,
    processes: Processes,
    inspector: Inspector,
    clock: Clock,
    buffer: Arc<Buffer>,
    lifecycle: Draft,
    interim: Draft,
    rejected: u64,
    edges_seen_ns: u64,
    due: Due,
    rhythm: Rhythm,
    networks: HashSet<([u8; 16], u32)>,
}

#[derive(Default)]
struct Due {
    edges: u64,
    interim: u64,
    batch: u64,
    heartbeat: u64,
    clock: u64,
}

impl Collector {
    pub fn new(kernel: Kernel, buffer: Arc<Buffer>, rhythm: Rhythm) -> Result<Self> {
        let maps = Maps::new(&kernel)?;
        let clock = Clock::measure();
        Ok(Self {
            kernel,
            maps,
            processes: Processes::default(),
            inspector: Inspector::default(),
            clock,
            buffer,
            lifecycle: Draft::default(),
            interim: Draft::default(),
            rejected: 0,
            edges_seen_ns: 0,
            due: Due::default(),
            rhythm,
            networks: HashSet::new(),
        })
    }

    /// Runs until `stop`, then drains once more.
    pub fn run(mut self, stop: &AtomicBool) -> Result<()> {
        let ring = self.kernel.map("ring")?;
        let records = std::cell::RefCell::new(Vec::<Vec<u8>>::new());
        let mut builder = RingBufferBuilder::new();
        builder
            .add(&ring, |bytes| {
                records.borrow_mut().push(bytes.to_vec());
                0
            })
            .context("cannot read the ring buffer")?;
        let reader = builder.build().context("cannot read the ring buffer")?;
        loop {
            let stopping = stop.load(Ordering::Relaxed);
            reader.consume().context("the ring buffer broke")?;
            for bytes in records.take() {
                self.record(&bytes);
            }
            self.tick(boot_ns(), stopping);
            if stopping {
                self.buffer.finish();
                return Ok(());
            }
            std::thread::sleep(Duration::from_nanos(self.rhythm.drain_ns));
        }
    }

    fn record(&mut self, bytes: &[u8]) {
        let kind = bytes.get(..2).and_then(|b| b.try_into().ok()).map_or(0, u16::from_ne_bytes);
        let known = match kind {
            RECORD_CONNECTION => read::<ConnectionRecord>(bytes).map(|r| self.connection(&r)),
            RECORD_EXEC => read::<ExecHead>(bytes).map(|head| {
                let argv = bytes.get(size_of::<ExecHead>()..size_of::<ExecHead>() + usize::from(head.argv_bytes)).unwrap_or_default();
                self.processes.on_exec(&head, argv, self.clock);
                self.inspector.on_exec(key_of(&head.process), &self.processes);
            }),
            RECORD_FORK => read::<ForkRecord>(bytes).map(|r| self.processes.on_fork(&r, self.clock)),
            RECORD_EXIT => read::<ExitRecord>(bytes).map(|r| {
                self.processes.on_exit(&r);
                self.inspector.on_exit(key_of(&r.process));
            }),
            _ => None,
        };
        if known.is_none() {
            self.rejected += 1;
        }
    }

    fn connection(&mut self, r: &ConnectionRecord) {
        let draft = if r.reason == REASON_MOVED { &mut self.interim } else { &mut self.lifecycle };
        draft.connection(r, &mut self.processes, self.clock);
        self.inspector.on_connection(r);
        if r.reason == REASON_CLOSED {
            self.inspector.on_closed(r.cookie);
        }
    }

    fn tick(&mut self, now: u64, stopping: bool) {
        self.obey();
        if now >= self.due.clock {
            self.clock = Clock::measure();
            self.processes.expire(now);
            self.due.clock = now + CLOCK_NS;
        }
        self.inspect(now);
        if now >= self.due.edges || stopping {
            self.edges();
            self.due.edges = now + self.rhythm.edges_ns;
        }
        if now >= self.due.interim || stopping {
            self.walk(false);
            self.due.interim = now + self.rhythm.interim_ns;
        }
        self.close_batches(now, stopping);
    }

    /// What the analyzer asked for: networks, and everything that a fresh one needs.
    fn obey(&mut self) {
        if let Some(networks) = self.buffer.take_networks() {
            for network in networks {
                let Ok(address) = <[u8; 16]>::try_from(network.address.as_slice()) else { continue };
                let scope = if network.outside { 1 } else { 2 };
                if self.maps.set_network(address, network.prefix.min(128), scope).is_ok() {
                    self.networks.insert((address, network.prefix));
                }
            }
        }
        if self.buffer.wants_dictionary() {
            self.flush_drafts();
            self.buffer.set_dictionary(self.processes.sent());
            self.snapshot();
        }
    }

    fn snapshot(&mut self) {
        if let Err(error) = self.kernel.walk_files() {
            eprintln!("backflow-collector: {error:#}");
        }
        let mut draft = Draft::default();
        for r in self.walked(true) {
            draft.connection(&r, &mut self.processes, self.clock);
            self.inspector.on_connection(&r);
        }
        let lost = self.lost();
        let (batch, weight) = draft.finish(self.clock.now_us(), &mut self.processes, lost);
        self.buffer.push(batch, weight, true);
    }

    fn walk(&mut self, all: bool) {
        for r in self.walked(all) {
            self.interim.connection(&r, &mut self.processes, self.clock);
            self.inspector.on_connection(&r);
        }
    }

    fn walked(&mut self, all: bool) -> Vec<ConnectionRecord> {
        match self.kernel.walk_sockets(all) {
            Ok(bytes) => bytes.chunks_exact(size_of::<ConnectionRecord>()).filter_map(read).collect(),
            Err(error) => {
                eprintln!("backflow-collector: {error:#}");
                Vec::new()
            }
        }
    }

    fn edges(&mut self) {
        let mut newest = self.edges_seen_ns;
        for (key, edge) in self.maps.edges_since(self.edges_seen_ns) {
            newest = newest.max(edge.last_ns);
            self.interim.edge(&key, &edge, &mut self.processes, self.clock);
        }
        self.edges_seen_ns = newest;
    }

    fn inspect(&mut self, now: u64) {
        let found = self.inspector.tick(now, &self.kernel, &self.maps);
        for seen in found {
            let keys: Vec<_> = [Some(seen.process), seen.child].into_iter().flatten().collect();
            let attachment = seen.to_wire(&mut self.processes, self.clock);
            self.lifecycle.attachment(attachment, &keys);
        }
    }

    fn close_batches(&mut self, now: u64, stopping: bool) {
        let full = self.lifecycle.records() >= MAX_RECORDS || self.interim.records() >= MAX_RECORDS;
        let any = self.lifecycle.records() + self.interim.records() > 0;
        if full || (any && now >= self.due.batch) || now >= self.due.heartbeat || stopping {
            self.flush_drafts();
            self.due.batch = now + self.rhythm.batch_ns;
            self.due.heartbeat = now + HEARTBEAT_NS;
        }
    }

    /// Life-cycle records and interim ones go in batches of their own, so that shedding can choose. The interim batch is
    /// sent even when empty: it is the heartbeat.
    fn flush_drafts(&mut self) {
        if self.lifecycle.records() > 0 {
            let draft = std::mem::take(&mut self.lifecycle);
            self.push(draft);
        }
        let draft = std::mem::take(&mut self.interim);
        self.push(draft);
    }

    fn push(&mut self, draft: Draft) {
        let lost = self.lost();
        let (batch, weight) = draft.finish(self.clock.now_us(), &mut self.processes, lost);
        self.buffer.push(batch, weight, false);
    }

    fn lost(&self) -> wire::Lost {
        let kernel = self.maps.lost();
        let shed = self.buffer.shed();
        wire::Lost {
            ring_connection: kernel.ring_connection,
            ring_exec: kernel.ring_exec,
            ring_exit: kernel.ring_exit,
            map_socket: kernel.map_socket,
            map_edge: kernel.map_edge,
            shed_interim: shed.interim,
            shed_final: shed.lifecycle,
            rejected: self.rejected + self.processes.refused,
        }
    }
}
