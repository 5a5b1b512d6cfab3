//! Batches that are not yet acknowledged, bounded in bytes. The drain thread fills it, the export thread empties it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use prost::bytes::Bytes;
use prost::Message as _;
use tokio::sync::Notify;

use crate::wire;
use crate::wire::collector_message;

/// What one batch costs beyond its message: the place in the queue and the allocation.
const PENDING_BYTES: usize = 96;

/// What a batch is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Batch,
    /// A part of everything that lives; `more` of the batch says whether others follow.
    Snapshot,
    /// What is left of a batch whose records were shed: facts that later batches refer to.
    Facts,
}

/// How many records a batch holds, for the choice of what to shed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordCounts {
    /// Connections that moved, and edges: a later record makes up for them.
    pub interim: u64,
    /// Opened, identified and closed connections, and attachments.
    pub lifecycle: u64,
}

struct Pending {
    seq: u64,
    message: Bytes,
    counts: RecordCounts,
    part: Part,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Pending>,
    /// So many from the front of the queue are sent on the present stream.
    in_flight: usize,
    bytes: usize,
    last_seq: u64,
    acked: u64,
    /// Last part of the first snapshot.
    snapshot_seq: Option<u64>,
    shed: RecordCounts,
    /// A stream has opened, and its analyzer may know nothing yet.
    dictionary_requested: bool,
    dictionary: Option<Vec<wire::Process>>,
    networks: Option<Vec<wire::Network>>,
    /// Nonce of the proof that the analyzer asked for last.
    proof_request: Option<Vec<u8>>,
    finished: bool,
}

/// Shared by two threads; the lock is held for queue operations only.
pub struct Buffer {
    limit_bytes: usize,
    state: Mutex<State>,
    changed: Notify,
}

impl Buffer {
    pub fn new(limit_bytes: usize) -> Self {
        Self { limit_bytes, state: Mutex::default(), changed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A thread that panicked while it held the lock left a queue that is still whole: each operation is one step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a batch under the next sequence number, shedding when the bound is passed.
    pub fn push(&self, mut batch: wire::Batch, counts: RecordCounts, part: Part) -> u64 {
        let mut state = self.state();
        state.last_seq += 1;
        let seq = state.last_seq;
        batch.seq = seq;
        if part == Part::Snapshot && !batch.more {
            state.snapshot_seq.get_or_insert(seq);
        }
        let message = encode(batch, part);
        state.bytes += message.len() + PENDING_BYTES;
        state.queue.push_back(Pending { seq, message, counts, part });
        while state.bytes > self.limit_bytes && state.shed_one() {}
        drop(state);
        self.changed.notify_one();
        seq
    }

    /// The next batch to send while fewer than `window` are in flight.
    pub fn next(&self, window: usize) -> Option<Bytes> {
        let mut state = self.state();
        if state.in_flight >= window {
            return None;
        }
        let message = state.queue.get(state.in_flight)?.message.clone();
        state.in_flight += 1;
        Some(message)
    }

    pub fn acknowledge(&self, seq: u64) {
        let mut state = self.state();
        state.acked = state.acked.max(seq);
        while state.queue.front().is_some_and(|p| p.seq <= seq) {
            state.remove(0);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// A new stream: everything unacknowledged is sent again, after a dictionary.
    pub fn reconnected(&self) {
        let mut state = self.state();
        state.in_flight = 0;
        if !state.finished {
            state.dictionary_requested = true;
            state.dictionary = None;
        }
    }

    /// True once for each stream that has opened: the dictionary for it is to be set.
    pub fn take_dictionary_request(&self) -> bool {
        std::mem::take(&mut self.state().dictionary_requested)
    }

    pub fn set_dictionary(&self, processes: Vec<wire::Process>) {
        self.state().dictionary = Some(processes);
        self.changed.notify_one();
    }

    /// The dictionary, once it is there. After the end it stays, for every stream that opens to deliver the rest.
    pub fn take_dictionary(&self) -> Option<Vec<wire::Process>> {
        let mut state = self.state();
        if state.finished {
            return state.dictionary.clone();
        }
        state.dictionary.take()
    }

    pub fn set_networks(&self, networks: Vec<wire::Network>) {
        self.state().networks = Some(networks);
    }

    pub fn take_networks(&self) -> Option<Vec<wire::Network>> {
        self.state().networks.take()
    }

    pub fn request_proof(&self, nonce: Vec<u8>) {
        self.state().proof_request = Some(nonce);
    }

    pub fn take_proof_request(&self) -> Option<Vec<u8>> {
        self.state().proof_request.take()
    }

    pub fn shed_counts(&self) -> RecordCounts {
        self.state().shed
    }

    pub fn acknowledged(&self) -> u64 {
        self.state().acked
    }

    /// The first snapshot is acknowledged in all its parts.
    pub fn is_snapshot_durable(&self) -> bool {
        let state = self.state();
        state.snapshot_seq.is_some_and(|seq| state.acked >= seq)
    }

    /// Nothing more will be pushed. `processes` is the dictionary for streams that open from now on.
    pub fn finish(&self, processes: Vec<wire::Process>) {
        let mut state = self.state();
        state.dictionary = Some(processes);
        state.finished = true;
        drop(state);
        self.changed.notify_one();
    }

    pub fn is_done(&self) -> bool {
        let state = self.state();
        state.finished && state.queue.is_empty()
    }

    pub fn unacknowledged(&self) -> usize {
        self.state().queue.len()
    }

    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl State {
    /// Sheds the oldest batch of interim records only; where none is left, of a snapshot; then of any records; then facts.
    /// What is in flight stays: the analyzer may have it already. False when there is nothing to shed.
    fn shed_one(&mut self) -> bool {
        let oldest = |wanted: fn(&Pending) -> bool| self.queue.iter().skip(self.in_flight).position(wanted).map(|at| at + self.in_flight);
        let Some(at) = oldest(|p| p.counts.lifecycle == 0 && p.part == Part::Batch)
            .or_else(|| oldest(|p| p.part == Part::Snapshot))
            .or_else(|| oldest(|p| p.part == Part::Batch))
            .or_else(|| oldest(|_| true))
        else {
            return false;
        };
        if self.queue.get(at).is_some_and(|p| p.part == Part::Snapshot) {
            self.demote_snapshots();
        }
        let rest = self.queue.get(at).filter(|p| p.part != Part::Facts).and_then(|p| facts_of(&p.message));
        let Some(victim) = self.queue.get_mut(at) else { return false };
        self.shed.interim += victim.counts.interim;
        self.shed.lifecycle += victim.counts.lifecycle;
        match rest {
            Some(message) => {
                self.bytes = self.bytes - victim.message.len() + message.len();
                *victim = Pending { seq: victim.seq, message, counts: RecordCounts::default(), part: Part::Facts };
            }
            None => self.remove(at),
        }
        true
    }

    /// A snapshot with a hole would declare what stood in the hole as gone: its parts become ordinary batches.
    fn demote_snapshots(&mut self) {
        for pending in self.queue.iter_mut().skip(self.in_flight).filter(|p| p.part == Part::Snapshot) {
            pending.part = Part::Batch;
            if let Some(mut batch) = batch_of(&pending.message) {
                batch.more = false;
                self.bytes -= pending.message.len();
                pending.message = encode(batch, Part::Batch);
                self.bytes += pending.message.len();
            }
        }
    }

    fn remove(&mut self, at: usize) {
        if let Some(gone) = self.queue.remove(at) {
            self.bytes -= gone.message.len() + PENDING_BYTES;
            if at < self.in_flight {
                self.in_flight -= 1;
            }
        }
    }
}

fn encode(batch: wire::Batch, part: Part) -> Bytes {
    let message =
        if part == Part::Snapshot { collector_message::Message::Snapshot(batch) } else { collector_message::Message::Batch(batch) };
    wire::CollectorMessage { message: Some(message) }.encode_to_vec().into()
}

fn batch_of(message: &Bytes) -> Option<wire::Batch> {
    match wire::CollectorMessage::decode(message.clone()).ok()?.message? {
        collector_message::Message::Batch(batch) | collector_message::Message::Snapshot(batch) => Some(batch),
        collector_message::Message::Hello(_) | collector_message::Message::Dictionary(_) => None,
    }
}

/// The batch without its records; `None` when nothing is left.
fn facts_of(message: &Bytes) -> Option<Bytes> {
    let batch = batch_of(message)?;
    if batch.processes.is_empty() && batch.exited.is_empty() {
        return None;
    }
    let facts = wire::Batch { connections: None, edges: Vec::new(), attachments: Vec::new(), more: false, ..batch };
    Some(encode(facts, Part::Facts))
}

#[cfg(test)]
mod tests;
