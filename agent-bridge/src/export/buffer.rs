//! Batches that are not yet acknowledged, bounded in bytes. The drain thread fills it, the export thread empties it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use prost::bytes::Bytes;
use prost::Message as _;
use tokio::sync::Notify;

use crate::wire;

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
    /// Records of who makes very many of them: they leave when nothing else waits, and are shed first.
    Deferred,
}

/// Batches of deferred records on their way at one time. What comes behind them waits for them at the analyzer.
const DEFERRED_WINDOW: usize = 8;

/// How many records a batch holds, for the choice of what to shed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordCounts {
    /// Connections that moved, and edges: a later record makes up for them.
    pub interim: u64,
    /// Opened, identified and closed connections, and attachments.
    pub lifecycle: u64,
}

/// A batch without its number.
struct Pending {
    batch: Bytes,
    counts: RecordCounts,
    part: Part,
    more: bool,
}

struct Sent {
    seq: u64,
    message: Bytes,
}

#[derive(Default)]
struct State {
    /// Numbered and not acknowledged.
    sent: VecDeque<Sent>,
    /// So many from the front of `sent` are sent on the present stream.
    in_flight: usize,
    queue: VecDeque<Pending>,
    /// What leaves when the queue is empty.
    deferred: VecDeque<Pending>,
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

    /// Appends a batch, shedding when the bound is passed. It gets its number when it is sent.
    pub fn push(&self, batch: wire::Batch, counts: RecordCounts, part: Part) {
        let more = batch.more;
        let pending = Pending { batch: batch.encode_to_vec().into(), counts, part, more };
        let mut state = self.state();
        state.bytes += pending.batch.len() + PENDING_BYTES;
        if part == Part::Deferred {
            state.deferred.push_back(pending);
        } else {
            state.queue.push_back(pending);
        }
        while state.bytes > self.limit_bytes && state.shed_one() {}
        drop(state);
        self.changed.notify_one();
    }

    /// The next batch to send while fewer than `window` are in flight.
    pub fn next(&self, window: usize) -> Option<Bytes> {
        let mut state = self.state();
        if state.in_flight >= window {
            return None;
        }
        if state.in_flight == state.sent.len() {
            let pending = state.take_next()?;
            state.number(&pending);
        }
        let message = state.sent.get(state.in_flight)?.message.clone();
        state.in_flight += 1;
        Some(message)
    }

    pub fn acknowledge(&self, seq: u64) {
        let mut state = self.state();
        state.acked = state.acked.max(seq);
        while state.sent.front().is_some_and(|sent| sent.seq <= seq) {
            if let Some(gone) = state.sent.pop_front() {
                state.bytes -= gone.message.len() + PENDING_BYTES;
                state.in_flight = state.in_flight.saturating_sub(1);
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Whether nothing that was deferred waits to be sent.
    pub fn has_sent_deferred(&self) -> bool {
        self.state().deferred.is_empty()
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
        state.finished && state.waiting() == 0
    }

    pub fn unacknowledged(&self) -> usize {
        self.state().waiting()
    }

    pub async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl State {
    fn waiting(&self) -> usize {
        self.sent.len() + self.queue.len() + self.deferred.len()
    }

    fn take_next(&mut self) -> Option<Pending> {
        let next = self.queue.pop_front();
        if next.is_some() || self.in_flight >= DEFERRED_WINDOW {
            return next;
        }
        self.deferred.pop_front()
    }

    /// Gives the batch the next sequence number.
    fn number(&mut self, pending: &Pending) {
        self.last_seq += 1;
        let seq = self.last_seq;
        if pending.part == Part::Snapshot && !pending.more {
            self.snapshot_seq.get_or_insert(seq);
        }
        let message = numbered(&pending.batch, seq, pending.part);
        self.bytes = self.bytes - pending.batch.len() + message.len();
        self.sent.push_back(Sent { seq, message });
    }

    /// Sheds the oldest batch of deferred records; where none is left, of interim records only; then of a snapshot; then of
    /// any records; then facts. What was sent stays: the analyzer may have it already. False when there is nothing to shed.
    fn shed_one(&mut self) -> bool {
        if let Some(gone) = self.deferred.pop_front() {
            self.count_shed(gone.counts);
            self.bytes -= gone.batch.len() + PENDING_BYTES;
            return true;
        }
        let oldest = |wanted: fn(&Pending) -> bool| self.queue.iter().position(wanted);
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
        let rest = self.queue.get(at).filter(|p| p.part != Part::Facts).and_then(|p| facts_of(&p.batch));
        let Some(victim) = self.queue.get_mut(at) else { return false };
        let (counts, before) = (victim.counts, victim.batch.len());
        match rest {
            Some(batch) => {
                self.bytes = self.bytes - before + batch.len();
                *victim = Pending { batch, counts: RecordCounts::default(), part: Part::Facts, more: false };
            }
            None => {
                self.bytes -= before + PENDING_BYTES;
                self.queue.remove(at);
            }
        }
        self.count_shed(counts);
        true
    }

    fn count_shed(&mut self, counts: RecordCounts) {
        self.shed.interim += counts.interim;
        self.shed.lifecycle += counts.lifecycle;
    }

    /// A snapshot with a hole would declare what stood in the hole as gone: its parts become ordinary batches.
    fn demote_snapshots(&mut self) {
        for pending in self.queue.iter_mut().filter(|p| p.part == Part::Snapshot) {
            pending.part = Part::Batch;
            pending.more = false;
            if let Ok(mut batch) = wire::Batch::decode(pending.batch.clone()) {
                batch.more = false;
                self.bytes -= pending.batch.len();
                pending.batch = batch.encode_to_vec().into();
                self.bytes += pending.batch.len();
            }
        }
    }
}

/// Field numbers of the contract.
const SNAPSHOT: u32 = 3;
const BATCH: u32 = 4;
const SEQ: u32 = 1;

/// The message of a batch that was encoded without its number: fields of a message may stand in any order.
fn numbered(batch: &Bytes, seq: u64, part: Part) -> Bytes {
    use prost::encoding::{encode_key, encode_varint, uint64, WireType};

    let length = uint64::encoded_len(SEQ, &seq) + batch.len();
    let mut message = Vec::with_capacity(length + 16);
    encode_key(if part == Part::Snapshot { SNAPSHOT } else { BATCH }, WireType::LengthDelimited, &mut message);
    encode_varint(u64::try_from(length).unwrap_or(u64::MAX), &mut message);
    uint64::encode(SEQ, &seq, &mut message);
    message.extend_from_slice(batch);
    message.into()
}

/// The batch without its records; `None` when nothing is left.
fn facts_of(batch: &Bytes) -> Option<Bytes> {
    let batch = wire::Batch::decode(batch.clone()).ok()?;
    if batch.processes.is_empty() && batch.exited.is_empty() {
        return None;
    }
    let facts = wire::Batch { connections: None, edges: Vec::new(), attachments: Vec::new(), more: false, ..batch };
    Some(facts.encode_to_vec().into())
}

#[cfg(test)]
mod tests;
