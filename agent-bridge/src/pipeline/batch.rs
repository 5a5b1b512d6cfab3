//! One batch under construction: columns of connections, edges, attachments, and the processes that they refer to.

use std::collections::HashSet;

use crate::export::buffer::RecordCounts;
use crate::host::clock::Clock;
use crate::host::identity::{key_of, ProcessKey};
use crate::host::process::Processes;
use crate::inspect::attachments::AttachmentUpdate;
use crate::inspect::walker::Overload;
use crate::kernel::records::{
    read, ConnectionRecord, Edge, EdgeKey, Executions, Moments, Order, ProcessId, TunnelForward, TunnelKey, TunnelUse, EDGE_EXEC,
    EDGE_UNIX, REASON_MOVED,
};
use crate::pipeline::columns::Columns;
use crate::pipeline::overloads::Total;
use crate::pipeline::proofs::ProofReport;
use crate::wire;

/// A batch of life-cycle records is closed at this many: about 65 kB.
pub const MAX_RECORDS: usize = 1000;
/// A walk over many sockets is sent in parts of this many records, about 0.5 MB each: fewer acknowledgements than above.
pub const WALK_PART: usize = 8192;

#[derive(Default)]
pub struct BatchBuilder {
    columns: Columns,
    edges: Vec<wire::Edge>,
    attachments: Vec<wire::Attachment>,
    overloads: Vec<wire::Overload>,
    proofs: Vec<wire::Proof>,
    tunnel_uses: Vec<wire::TunnelUse>,
    tunnel_forwards: Vec<wire::TunnelForward>,
    unfollowed: Vec<wire::Unfollowed>,
    processes: HashSet<ProcessKey>,
    counts: RecordCounts,
}

impl BatchBuilder {
    pub fn records(&self) -> usize {
        self.columns.records()
            + self.edges.len()
            + self.attachments.len()
            + self.proofs.len()
            + self.tunnel_uses.len()
            + self.tunnel_forwards.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records() == 0 && self.processes.is_empty() && self.overloads.is_empty() && self.unfollowed.is_empty()
    }

    pub fn connection(&mut self, r: &ConnectionRecord, processes: &mut Processes, clock: Clock) {
        let number = self.refer(&r.owner, processes, clock);
        self.columns.push(r, number, clock.to_unix_us(r.opened_ns), clock.to_unix_us(r.observed_ns));
        if r.reason == REASON_MOVED {
            self.counts.interim += 1;
        } else {
            self.counts.lifecycle += 1;
        }
    }

    /// `joined_by`: why the process of B acts in the group.
    pub fn edge(&mut self, key: &EdgeKey, edge: &Edge, joined_by: u32, processes: &mut Processes, clock: Clock) {
        let process = self.refer(&edge.b_process, processes, clock);
        let a_process = self.refer(&edge.a_process, processes, clock);
        let joined_by = i32::try_from(joined_by).unwrap_or(0);
        self.edges.push(wire::Edge { joined_by, ..wire_edge(key, edge, process, a_process, clock) });
        self.counts.interim += 1;
    }

    pub fn attachment(&mut self, update: AttachmentUpdate, processes: &mut Processes, clock: Clock) {
        self.processes.extend([Some(update.process), update.child].into_iter().flatten());
        self.attachments.push(update.to_wire(processes, clock));
        self.counts.lifecycle += 1;
    }

    /// What a look at descriptors has found, and whose it left out.
    pub fn found(&mut self, updates: Vec<AttachmentUpdate>, overload: Option<Overload>, processes: &mut Processes, clock: Clock) {
        for update in updates {
            self.attachment(update, processes, clock);
        }
        let Some(overload) = overload else { return };
        self.processes.insert(overload.process);
        self.overloads.push(wire::Overload {
            kind: wire::overload::Kind::Descriptors.into(),
            process: processes.number(overload.process, clock),
            count: overload.count,
            limit: overload.limit,
            first_us: clock.to_unix_us(overload.first_ns),
            last_us: clock.to_unix_us(overload.last_ns),
        });
    }

    /// Who was over a bound.
    pub fn overload(&mut self, total: &Total, processes: &mut Processes, clock: Clock) {
        let process = processes.number(total.process, clock);
        self.processes.insert(total.process);
        self.overloads.push(wire::Overload {
            kind: total.kind.into(),
            process,
            count: total.count,
            limit: total.limit,
            first_us: clock.to_unix_us(total.first_ns),
            last_us: clock.to_unix_us(total.last_ns),
        });
    }

    /// What leaves the host beside what is followed. `process` is None for what the kernel does by itself.
    pub fn unfollowed(
        &mut self,
        what: &str,
        process: Option<ProcessKey>,
        bytes: u64,
        last_ns: u64,
        processes: &mut Processes,
        clock: Clock,
    ) {
        self.processes.extend(process);
        self.unfollowed.push(wire::Unfollowed {
            what: what.to_owned(),
            process: process.map_or(0, |process| processes.number(process, clock)),
            bytes,
            last_us: clock.to_unix_us(last_ns),
        });
    }

    pub fn proof(&mut self, report: &ProofReport, processes: &mut Processes, clock: Clock) {
        let process = report.process.map_or(0, |id| self.refer(&id, processes, clock));
        self.proofs.push(wire::Proof {
            nonce: report.nonce.to_vec(),
            process,
            started_us: clock.to_unix_us(report.started_ns),
            failure: report.failure.clone(),
        });
        self.counts.lifecycle += 1;
    }

    pub fn tunnel_use(&mut self, key: TunnelKey, used: &TunnelUse, processes: &mut Processes, clock: Clock) {
        let (service, writer) = (self.refer(&used.service, processes, clock), self.refer(&used.writer, processes, clock));
        self.tunnel_uses.push(wire::TunnelUse {
            netns: key.netns,
            device: key.device,
            device_name: device_name(&used.name),
            cookie: used.cookie,
            service,
            writer,
            local: used.local.to_vec(),
            local_port: used.local_port.into(),
            remote: used.remote.to_vec(),
            remote_port: used.remote_port.into(),
            accepted: used.accepted.into(),
            accepted_after: used.accepted_after.into(),
            bytes_in: used.bytes_in,
            bytes_out: used.bytes_out,
            first_us: clock.to_unix_us(used.first_ns),
            last_us: clock.to_unix_us(used.last_ns),
        });
        self.counts.interim += 1;
    }

    pub fn tunnel_forward(&mut self, key: TunnelKey, forward: &TunnelForward, processes: &mut Processes, clock: Clock) {
        let writer = self.refer(&forward.writer, processes, clock);
        self.tunnel_forwards.push(wire::TunnelForward {
            netns: key.netns,
            device: key.device,
            device_name: device_name(&forward.name),
            writer,
            outside: forward.outside.to_vec(),
            inside: forward.inside.to_vec(),
            opened: forward.opened.into(),
            opened_after: forward.opened_after.into(),
            answered: forward.answered.into(),
            packets_in: forward.packets_in,
            packets_out: forward.packets_out,
            first_us: clock.to_unix_us(forward.first_ns),
            last_us: clock.to_unix_us(forward.last_ns),
        });
        self.counts.interim += 1;
    }

    /// Sends the facts of a process although no record refers to it.
    pub fn process(&mut self, key: ProcessKey) {
        self.processes.insert(key);
    }

    fn refer(&mut self, id: &ProcessId, processes: &mut Processes, clock: Clock) -> u32 {
        let number = processes.reference(id, clock);
        if number != 0 {
            self.processes.insert(key_of(id));
        }
        number
    }

    /// The processes that its records refer to, for a batch that leaves before this one does.
    pub fn take_processes(&mut self) -> HashSet<ProcessKey> {
        std::mem::take(&mut self.processes)
    }

    /// Closes a batch that is to wait: it teaches nothing and ends nothing, since others overtake it.
    pub fn finish_deferred(self, now_us: u64, lost: wire::Lost) -> (wire::Batch, RecordCounts) {
        let batch = wire::Batch { base_us: now_us, lost: Some(lost), connections: self.columns.finish(now_us), ..wire::Batch::default() };
        (batch, self.counts)
    }

    /// Closes the batch at `now_us`, which becomes its event time.
    pub fn finish(self, now_us: u64, processes: &mut Processes, lost: wire::Lost) -> (wire::Batch, RecordCounts) {
        let mut keys: Vec<ProcessKey> = self.processes.into_iter().collect();
        keys.sort_unstable();
        let batch = wire::Batch {
            seq: 0,
            base_us: now_us,
            lost: Some(lost),
            processes: processes.unsent(keys),
            connections: self.columns.finish(now_us),
            edges: self.edges,
            attachments: self.attachments,
            exited: processes.take_exited(),
            more: false,
            overloads: self.overloads,
            proofs: self.proofs,
            tunnel_uses: self.tunnel_uses,
            tunnel_forwards: self.tunnel_forwards,
            unfollowed: self.unfollowed,
        };
        (batch, self.counts)
    }
}

fn device_name(name: &[u8; 16]) -> String {
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    String::from_utf8_lossy(name.get(..end).unwrap_or_default()).into_owned()
}

fn wire_edge(key: &EdgeKey, e: &Edge, process: u32, a_process: u32, clock: Clock) -> wire::Edge {
    // Programs have no path to a socket: their counts stand in its place.
    let executions = if key.kind == EDGE_EXEC { read::<Executions>(&e.b_path) } else { None };
    let path_end = if executions.is_some() { 0 } else { e.b_path.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1) };
    let path = String::from_utf8_lossy(e.b_path.get(..path_end).unwrap_or_default()).replace('\0', "@");
    let unix = key.kind == EDGE_UNIX;
    wire::Edge {
        group: key.group,
        process,
        kind: key.kind.into(),
        a_remote: key.a_remote.to_vec(),
        a_port: key.a_port.into(),
        a_cookie: e.a_cookie,
        b_remote: if unix { vec![0; 16] } else { key.b_remote.to_vec() },
        b_port: key.b_port.into(),
        b_path: path,
        b_cookie: e.b_cookie,
        opened_after: e.opened_after,
        opened_alone: e.opened_alone,
        delay_min_ns: e.delay_min_ns,
        delay_log2: e.delay_log2,
        forward_in: e.forward_in,
        forward_out: e.forward_out,
        backward_in: e.backward_in,
        backward_out: e.backward_out,
        forward: Some(wire_moments(&e.forward)),
        backward: Some(wire_moments(&e.backward)),
        first_us: clock.to_unix_us(e.first_ns),
        last_us: clock.to_unix_us(e.last_ns),
        a_process,
        open_forward_in: e.forward_turn.came_in,
        open_forward_out: e.forward_turn.went_out,
        open_backward_in: e.backward_turn.came_in,
        open_backward_out: e.backward_turn.went_out,
        joined_by: 0,
        order: Some(wire_order(&e.order)),
        exposed_ns: executions.map_or_else(Vec::new, |seen| seen.exposed_ns.to_vec()),
        started: executions.map_or_else(Vec::new, |seen| seen.started.to_vec()),
        first_forward: executions.map_or_else(Vec::new, |seen| seen.first_forward.to_vec()),
        first_backward: executions.map_or_else(Vec::new, |seen| seen.first_backward.to_vec()),
        typed: executions.map_or(0, |seen| seen.typed),
        typed_log2: executions.map_or(0, |seen| seen.typed_log2),
        untyped: executions.map_or(0, |seen| seen.untyped),
    }
}

fn wire_order(o: &Order) -> wire::Order {
    wire::Order {
        opened_late: o.opened_late,
        waited: o.waited,
        straight: o.straight,
        prompted: o.prompted,
        own: o.own,
        passed: o.passed,
        kept: o.kept,
        streamed: o.streamed,
        closed_after: o.closed_after,
        closed_alone: o.closed_alone,
        lead_log2: o.lead_log2,
    }
}

fn wire_moments(m: &Moments) -> wire::Moments {
    wire::Moments { n: m.n, x: m.x, y: m.y, xx: m.xx, yy: m.yy, xy: m.xy }
}
