//! Batches that are not yet acknowledged, bounded in bytes. The drain thread fills it, the export thread empties it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use prost::Message;
use tokio::sync::Notify;

use crate::line::batch::Weight;
use crate::wire;

struct Pending {
    seq: u64,
    message: Vec<u8>,
    weight: Weight,
    sent: bool,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Pending>,
    bytes: usize,
    last_seq: u64,
    acked: u64,
    shed: Weight,
    /// A stream has opened and asks for what a fresh analyzer needs.
    wants_dictionary: bool,
    dictionary: Option<Vec<wire::Process>>,
    networks: Option<Vec<wire::Network>>,
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
    pub fn push(&self, mut batch: wire::Batch, weight: Weight, snapshot: bool) -> u64 {
        let mut state = self.state();
        state.last_seq += 1;
        let seq = state.last_seq;
        batch.seq = seq;
        let kind =
            if snapshot { wire::collector_message::Message::Snapshot(batch) } else { wire::collector_message::Message::Batch(batch) };
        let message = wire::CollectorMessage { message: Some(kind) }.encode_to_vec();
        state.bytes += message.len();
        state.queue.push_back(Pending { seq, message, weight, sent: false });
        while state.bytes > self.limit_bytes && state.queue.len() > 1 {
            state.shed_one();
        }
        drop(state);
        self.changed.notify_one();
        seq
    }

    /// The next batch to send while fewer than `window` are under way.
    pub fn next(&self, window: usize) -> Option<Vec<u8>> {
        let mut state = self.state();
        if state.queue.iter().filter(|p| p.sent).count() >= window {
            return None;
        }
        let pending = state.queue.iter_mut().find(|p| !p.sent)?;
        pending.sent = true;
        Some(pending.message.clone())
    }

    pub fn acknowledge(&self, seq: u64) {
        let mut state = self.state();
        state.acked = state.acked.max(seq);
        while state.queue.front().is_some_and(|p| p.seq <= seq) {
            if let Some(done) = state.queue.pop_front() {
                state.bytes -= done.message.len();
            }
        }
        drop(state);
        self.changed.notify_one();
    }

    /// A new stream: everything unacknowledged is sent again, after a dictionary.
    pub fn reconnected(&self) {
        let mut state = self.state();
        state.queue.iter_mut().for_each(|p| p.sent = false);
        state.wants_dictionary = true;
        state.dictionary = None;
    }

    pub fn wants_dictionary(&self) -> bool {
        std::mem::take(&mut self.state().wants_dictionary)
    }

    pub fn set_dictionary(&self, processes: Vec<wire::Process>) {
        self.state().dictionary = Some(processes);
        self.changed.notify_one();
    }

    pub fn take_dictionary(&self) -> Option<Vec<wire::Process>> {
        self.state().dictionary.take()
    }

    pub fn set_networks(&self, networks: Vec<wire::Network>) {
        self.state().networks = Some(networks);
    }

    pub fn take_networks(&self) -> Option<Vec<wire::Network>> {
        self.state().networks.take()
    }

    pub fn shed(&self) -> Weight {
        self.state().shed
    }

    pub fn acked(&self) -> u64 {
        self.state().acked
    }

    /// Nothing more will be pushed.
    pub fn finish(&self) {
        self.state().finished = true;
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
    /// The oldest batch of interim records only, and only then the oldest batch.
    fn shed_one(&mut self) {
        let at = self.queue.iter().position(|p| p.weight.lifecycle == 0).unwrap_or(0);
        if let Some(victim) = self.queue.remove(at) {
            self.bytes -= victim.message.len();
            self.shed.interim += victim.weight.interim;
            self.shed.lifecycle += victim.weight.lifecycle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERIM: Weight = Weight { interim: 1, lifecycle: 0 };
    const LIFECYCLE: Weight = Weight { interim: 0, lifecycle: 1 };

    fn batch(bytes: usize) -> wire::Batch {
        wire::Batch { processes: vec![wire::Process { cwd: "x".repeat(bytes), ..Default::default() }], ..Default::default() }
    }

    #[test]
    fn sheds_interim_records_before_life_cycle_records() {
        let buffer = Buffer::new(2500);
        buffer.push(batch(1000), LIFECYCLE, false);
        buffer.push(batch(1000), INTERIM, false);
        buffer.push(batch(1000), LIFECYCLE, false);
        assert_eq!(buffer.shed(), INTERIM);
        buffer.push(batch(1000), LIFECYCLE, false);
        assert_eq!(buffer.shed(), Weight { interim: 1, lifecycle: 1 });
    }

    #[test]
    fn sends_no_more_than_the_window_until_acknowledged() {
        let buffer = Buffer::new(1 << 20);
        let first = buffer.push(batch(1), INTERIM, false);
        buffer.push(batch(1), INTERIM, false);
        assert!(buffer.next(1).is_some());
        assert!(buffer.next(1).is_none());
        buffer.acknowledge(first);
        assert!(buffer.next(1).is_some());
    }

    #[test]
    fn sends_everything_again_after_a_reconnect() {
        let buffer = Buffer::new(1 << 20);
        buffer.push(batch(1), INTERIM, false);
        let sent = buffer.next(8);
        buffer.reconnected();
        assert_eq!(buffer.next(8), sent);
        assert!(buffer.wants_dictionary());
        assert!(!buffer.wants_dictionary());
    }

    #[test]
    fn is_done_when_all_is_acknowledged_and_nothing_more_comes() {
        let buffer = Buffer::new(1 << 20);
        let seq = buffer.push(batch(1), INTERIM, false);
        buffer.finish();
        assert!(!buffer.is_done());
        buffer.acknowledge(seq);
        assert!(buffer.is_done());
    }
}
