//! The drain thread: ring and walks into batches, batches into the buffer. It allocates and decodes, but nothing in it may
//! panic or wait for the network.

use std::cell::RefCell;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use libbpf_rs::RingBufferBuilder;

use crate::export::buffer::{Buffer, Part};
use crate::host::clock::{boot_ns, Clock};
use crate::host::identity::key_of;
use crate::host::process::Processes;
use crate::host::slow_reads::SlowReads;
use crate::inspect::attachments::AttachmentUpdate;
use crate::inspect::inspector::Inspector;
use crate::inspect::walker::Walker;
use crate::kernel::load::Kernel;
use crate::kernel::maps::Maps;
use crate::kernel::networks::Networks;
use crate::kernel::records::{read, ConnectionRecord, ExecHead, ExitRecord, ForkRecord, REASON_CLOSED};
use crate::kernel::records::{RECORD_CONNECTION, RECORD_EXEC, RECORD_EXIT, RECORD_FORK};
use crate::pipeline::batch::{BatchBuilder, MAX_RECORDS, WALK_PART};
use crate::pipeline::couplings::Couplings;
use crate::pipeline::deferral::Deferral;
use crate::pipeline::intervals::{Deadlines, Intervals, CLOCK_NS, EXPIRE_NS, HEARTBEAT_NS, PRUNE_NS};
use crate::pipeline::proofs::Proofs;
use crate::pipeline::record_buffer::RecordBuffer;
use crate::pipeline::unfollowed::Unfollowed;
use crate::prove::prover::Prover;
use crate::{log, wire};

pub struct Collector {
    kernel: Kernel,
    maps: Maps,
    processes: Processes,
    inspector: Inspector,
    clock: Clock,
    buffer: Arc<Buffer>,
    lifecycle: BatchBuilder,
    deferral: Deferral,
    rejected: u64,
    couplings: Couplings,
    deadlines: Deadlines,
    intervals: Intervals,
    networks: Networks,
    proofs: Proofs,
    unfollowed: Unfollowed,
}

impl Collector {
    pub fn new(mut kernel: Kernel, prover: io::Result<Prover>, buffer: Arc<Buffer>, intervals: Intervals) -> Result<Self> {
        let maps = Maps::new(&kernel)?;
        let couplings = Couplings::new(&kernel)?;
        let clock = Clock::measure();
        Ok(Self {
            networks: Networks::new(&kernel)?,
            unfollowed: Unfollowed::new(&mut kernel)?,
            kernel,
            maps,
            processes: Processes::default(),
            inspector: Inspector::default(),
            clock,
            buffer,
            lifecycle: BatchBuilder::default(),
            deferral: Deferral::default(),
            rejected: 0,
            couplings,
            deadlines: Deadlines::default(),
            intervals,
            proofs: Proofs::new(prover),
        })
    }

    /// Whether walks and maps can be used with the capabilities that are left.
    pub fn can_read(&self) -> Result<()> {
        self.kernel.walks.can_start()?;
        self.maps.can_read()?;
        self.networks.can_write()
    }

    /// Runs until `stop`, then drains once more.
    pub fn run(mut self, stop: &AtomicBool) -> Result<()> {
        let ring = self.kernel.map("ring")?;
        let ring_records = RefCell::new(RecordBuffer::default());
        let mut ring_buffer = RingBufferBuilder::new();
        ring_buffer
            .add(&ring, |bytes| {
                ring_records.borrow_mut().push(bytes);
                0
            })
            .context("cannot read the ring buffer")?;
        let reader = ring_buffer.build().context("cannot read the ring buffer")?;
        // Not before capabilities are given up.
        let slow_reads = SlowReads::start()?;
        self.inspector.connect(Walker::start(self.kernel.tables.take(), self.kernel.older.take())?);
        loop {
            let stopping = stop.load(Ordering::Relaxed);
            reader.consume().context("reading the ring buffer failed")?;
            let mut records = ring_records.take();
            records.each(|bytes| self.record(bytes));
            records.clear();
            ring_records.replace(records);
            self.read_slowly(&slow_reads);
            self.tick(boot_ns(), stopping);
            if stopping {
                self.buffer.finish(self.processes.dictionary());
                return Ok(());
            }
            std::thread::sleep(Duration::from_nanos(self.intervals.drain_ns));
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
                self.inspector.on_exit(key_of(&r.process), &self.maps);
            }),
            _ => None,
        };
        if known.is_none() {
            self.rejected += 1;
        }
        if self.lifecycle.records() >= MAX_RECORDS {
            self.flush();
        }
        if self.deferral.records.records() >= MAX_RECORDS {
            self.flush_deferred();
        }
    }

    fn connection(&mut self, r: &ConnectionRecord) {
        let builder = if self.deferral.defers(r) { &mut self.deferral.records } else { &mut self.lifecycle };
        builder.connection(r, &mut self.processes, self.clock);
        self.inspector.on_connection(r);
        self.proofs.on_connection(r);
        if r.reason == REASON_CLOSED {
            self.inspector.on_closed(r.cookie);
        }
    }

    fn tick(&mut self, now: u64, stopping: bool) {
        if now >= self.deadlines.clock {
            self.clock = Clock::measure();
            self.deadlines.clock = now + CLOCK_NS;
        }
        if now >= self.deadlines.expire {
            self.processes.expire(now);
            self.couplings.sweep(&self.kernel.lists);
            self.deadlines.expire = now + EXPIRE_NS;
        }
        self.apply(now);
        self.prove(now);
        self.inspect();
        if now >= self.deadlines.edges || stopping {
            self.edges();
            self.deadlines.edges = now + self.intervals.edges_ns;
        }
        if now >= self.deadlines.prune || stopping {
            self.couplings.prune(&self.kernel.lists, now);
            self.couplings.tell_overloads(&mut self.lifecycle, &mut self.processes, self.clock);
            self.unfollowed.tell(&mut self.lifecycle, &mut self.processes, self.clock, now);
            self.deadlines.prune = now + PRUNE_NS;
        }
        if now >= self.deadlines.interim || stopping {
            self.walk();
            self.deadlines.interim = now + self.intervals.interim_ns;
        }
        if self.deferral.has_handed_over() && self.buffer.has_sent_deferred() {
            self.deferral.on_drained();
        }
        let anything = !self.lifecycle.is_empty() || !self.deferral.records.is_empty();
        if anything && (now >= self.deadlines.batch || stopping) {
            self.flush_deferred();
            self.flush();
            self.deadlines.batch = now + self.intervals.batch_ns;
        }
        if now >= self.deadlines.heartbeat {
            self.push(BatchBuilder::default(), Part::Batch, false);
        }
    }

    /// What the analyzer has requested: networks, and everything that a fresh one needs.
    fn apply(&mut self, now: u64) {
        if let Some(networks) = self.buffer.take_networks() {
            if let Err(error) = self.networks.configure(&networks) {
                log::warn(format_args!("failed to update which networks are inside: {error:#}"));
            }
        }
        if let Some(nonce) = self.buffer.take_proof_request() {
            self.proofs.request(&nonce, &self.networks, now);
        }
        if self.buffer.take_dictionary_request() {
            // First of all sockets that are older than the collector, by the walk thread.
            self.inspector.ask_for_all();
        }
    }

    /// What there is to say of a proof leaves before anything that the relay does: whoever reads it knows what is to come.
    fn prove(&mut self, now: u64) {
        if let Some(report) = self.proofs.tick(now) {
            self.lifecycle.proof(&report, &mut self.processes, self.clock);
            self.flush();
            self.proofs.reported();
        }
    }

    /// Everything that lives. The last part carries what hangs on connections: attachments and edges.
    fn snapshot(&mut self, attachments: Vec<AttachmentUpdate>) {
        self.flush();
        self.buffer.set_dictionary(self.processes.dictionary());
        let mut builder = self.collect_sockets(Part::Snapshot);
        for update in attachments {
            builder.attachment(update, &mut self.processes, self.clock);
        }
        for report in self.proofs.recent() {
            builder.proof(report, &mut self.processes, self.clock);
        }
        self.couplings.read_all();
        self.unfollowed.tell_all();
        let builder = self.collect_edges(builder, Part::Snapshot);
        self.push(builder, Part::Snapshot, false);
    }

    /// What was drained before is sent first and the walk at once: a record of a live connection that came behind its
    /// closing record would open it again.
    fn walk(&mut self) {
        self.flush();
        let builder = self.collect_sockets(Part::Batch);
        if !builder.is_empty() {
            self.push(builder, Part::Batch, false);
        }
    }

    /// Walks over all sockets for a snapshot, else over those that moved. Full parts are pushed, the rest is returned.
    fn collect_sockets(&mut self, part: Part) -> BatchBuilder {
        let Self { kernel, processes, inspector, clock, .. } = self;
        let mut full = Vec::new();
        let mut builder = BatchBuilder::default();
        let outcome = kernel.walks.sockets(part == Part::Snapshot, |r| {
            if builder.records() >= WALK_PART {
                full.push(std::mem::take(&mut builder));
            }
            builder.connection(&r, processes, *clock);
            inspector.on_connection(&r);
        });
        if let Err(error) = outcome {
            log::warn(format_args!("{error:#}"));
        }
        for filled in full {
            self.push(filled, part, part == Part::Snapshot);
        }
        builder
    }

    fn edges(&mut self) {
        let builder = self.collect_edges(BatchBuilder::default(), Part::Batch);
        if !builder.is_empty() {
            self.flush();
            self.push(builder, Part::Batch, false);
        }
    }

    /// Adds the edges that changed since the last time. Full parts are pushed, the rest is returned.
    fn collect_edges(&mut self, builder: BatchBuilder, part: Part) -> BatchBuilder {
        let (full, builder) = self.couplings.collect(builder, &self.kernel.lists, &mut self.processes, &mut self.inspector, self.clock);
        if part == Part::Batch && !full.is_empty() {
            self.flush();
        }
        for filled in full {
            self.push(filled, part, part == Part::Snapshot);
        }
        builder
    }

    fn read_slowly(&mut self, reads: &SlowReads) {
        for request in self.processes.take_to_read() {
            reads.request(request);
        }
        for key in reads.take_results().into_iter().filter_map(|found| self.processes.on_found(found)) {
            self.lifecycle.process(key);
        }
    }

    fn inspect(&mut self) {
        for report in self.inspector.exchange(&self.maps) {
            if let Some(attachments) = report.all {
                self.couplings.watch_devices(&attachments);
                self.snapshot(attachments);
            }
            self.couplings.watch_devices(&report.updates);
            self.lifecycle.found(report.updates, report.overload, &mut self.processes, self.clock);
        }
    }

    /// Life-cycle records and interim ones go in batches of their own, so that shedding can choose.
    fn flush(&mut self) {
        if !self.lifecycle.is_empty() {
            let builder = std::mem::take(&mut self.lifecycle);
            self.push(builder, Part::Batch, false);
        }
    }

    /// What its records refer to leaves before them, in the batch that is flushed here.
    fn flush_deferred(&mut self) {
        if self.deferral.records.is_empty() {
            return;
        }
        let mut builder = std::mem::take(&mut self.deferral.records);
        for key in builder.take_processes() {
            self.lifecycle.process(key);
        }
        self.flush();
        let (batch, counts) = builder.finish_deferred(self.clock.now_us(), self.lost());
        self.buffer.push(batch, counts, Part::Deferred);
    }

    fn push(&mut self, builder: BatchBuilder, part: Part, more: bool) {
        let lost = self.lost();
        let (mut batch, counts) = builder.finish(self.clock.now_us(), &mut self.processes, lost);
        batch.more = more;
        self.buffer.push(batch, counts, part);
        self.deadlines.heartbeat = boot_ns() + HEARTBEAT_NS;
    }

    fn lost(&self) -> wire::Lost {
        let shed = self.buffer.shed_counts();
        let lost = self.maps.lost();
        wire::Lost {
            map_edge: lost.map_edge + self.couplings.missed(),
            walk_descriptor: lost.walk_descriptor + self.inspector.left_out(),
            shed_interim: shed.interim,
            shed_final: shed.lifecycle,
            rejected: self.rejected + self.processes.refused(),
            ..lost
        }
    }
}
