//! Table of processes: facts by (pid, start time), sent once and referred to by number.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::host::clock::Clock;
use crate::host::identity::{key_of, ProcessKey};
use crate::host::image::{Image, Images};
use crate::host::memory;
use crate::host::proc_fs::{self, Stat, NS_PER_TICK};
use crate::host::slow_reads::{Found, Request};
use crate::kernel::records::{ExecHead, ExitRecord, ForkRecord, ProcessId};
use crate::wire;

/// More processes than this are not remembered: those that ended go first, then new ones are refused.
const MAX_PROCESSES: usize = 65_536;
/// Ended processes are kept this long, since their sockets may outlive them. Nanoseconds.
const KEEP_ENDED_NS: u64 = 60_000_000_000;
/// Ended processes that no record has referred to are kept for what may still be in the ring.
const KEEP_UNSENT_NS: u64 = 5_000_000_000;
const MAX_ANCESTORS: usize = 8;
/// So many have to have ended before all are looked through for them: each look costs as much as the table is long.
const MIN_ENDED: usize = MAX_PROCESSES / 16;
/// A table with room for so many times what it holds is made smaller.
const SPARSE: usize = 4;

#[derive(Debug)]
struct ProcessState {
    number: u32,
    uid: u32,
    exec_us: u64,
    image: Arc<Image>,
    parent: Option<ProcessKey>,
    sent: bool,
    ended_ns: Option<u64>,
    /// Facts were inherited, seen or read, as far as there are any.
    complete: bool,
}

#[derive(Debug, Default)]
pub struct Processes {
    by_key: HashMap<ProcessKey, ProcessState>,
    key_of_pid: HashMap<u32, ProcessKey>,
    next_ref: u32,
    ended_refs: Vec<u32>,
    ended: usize,
    to_read: Vec<Request>,
    images: Images,
    /// Processes that were not remembered because the table was full.
    refused: u64,
}

impl Processes {
    pub fn on_fork(&mut self, record: &ForkRecord, clock: Clock) {
        let parent = key_of(&record.parent);
        let key = key_of(&record.process);
        // A parent that is older than the collector may end before anything else refers to it.
        self.reference(&record.parent, clock);
        let inherited = self.by_key.get(&parent).map(|state| Arc::clone(&state.image));
        let Some(state) = self.state_of(key, record.process.uid) else { return };
        state.uid = record.process.uid;
        state.exec_us = clock.to_unix_us(record.at_ns);
        state.parent = Some(parent);
        state.complete |= inherited.is_some();
        if let Some(image) = inherited {
            self.set_image(key, |images, place| images.share(place, image));
        }
    }

    pub fn on_exec(&mut self, head: &ExecHead, argv: &[u8], clock: Clock) {
        let key = key_of(&head.process);
        self.reference(&head.parent, clock);
        let Some(state) = self.state_of(key, head.process.uid) else { return };
        // By now a daemon's parent may have ended and init taken its place: the fork knew who started it.
        state.parent = state.parent.or_else(|| Some(key_of(&head.parent)));
        state.sent = false;
        state.complete = true;
        state.uid = head.process.uid;
        state.exec_us = clock.to_unix_us(head.at_ns);
        let mut image = Image {
            comm: text(&head.comm),
            exe: proc_fs::exe(key.0).unwrap_or_else(|| text(&head.path)),
            argv: proc_fs::split_argv(argv),
            argv_truncated: head.argv_truncated != 0,
            has_tty: head.has_tty != 0,
            ..Image::default()
        };
        image.read_surroundings(key.0);
        self.run(key, head.process.uid, image);
    }

    /// `key` runs `image` from now on.
    fn run(&mut self, key: ProcessKey, uid: u32, image: Image) {
        self.to_read.extend(Request::new(key, uid, &image));
        if self.images.is_full() {
            self.forget_ended(Some(key));
        }
        self.set_image(key, |images, place| images.replace(place, image));
    }

    fn set_image(&mut self, key: ProcessKey, set: impl FnOnce(&mut Images, &mut Arc<Image>)) {
        if let Some(state) = self.by_key.get_mut(&key) {
            set(&mut self.images, &mut state.image);
        }
    }

    pub fn on_exit(&mut self, record: &ExitRecord) {
        if let Some(state) = self.by_key.get_mut(&key_of(&record.process)) {
            if state.ended_ns.replace(record.at_ns).is_none() {
                self.ended += 1;
            }
        }
    }

    /// The number of a process; 0 for none. Facts of one that was there before are read from /proc.
    pub fn reference(&mut self, id: &ProcessId, clock: Clock) -> u32 {
        if id.pid == 0 {
            return 0;
        }
        let key = key_of(id);
        if !self.by_key.get(&key).is_some_and(|state| state.complete) {
            self.bootstrap(key, id.uid, clock, MAX_ANCESTORS);
        }
        self.by_key.get(&key).map_or(0, |state| state.number)
    }

    /// As `reference`, for a process that /proc alone tells about.
    pub fn number(&mut self, key: ProcessKey, clock: Clock) -> u32 {
        self.reference(&ProcessId { start_ns: key.1, pid: key.0, uid: 0 }, clock)
    }

    fn bootstrap(&mut self, key: ProcessKey, uid: u32, clock: Clock, depth: usize) {
        let stat = Stat::read(key.0).filter(|stat| stat.start_ticks * NS_PER_TICK == key.1);
        let parent = stat.as_ref().filter(|_| depth > 0).and_then(|stat| self.key_of_running(stat.parent, clock, depth - 1));
        let Some(state) = self.state_of(key, uid) else { return };
        state.complete = true;
        state.parent = state.parent.or(parent);
        let Some(stat) = stat else { return };
        let uid = proc_fs::uid(key.0).unwrap_or(uid);
        state.uid = uid;
        state.exec_us = clock.to_unix_us(key.1);
        let (argv, argv_truncated) = proc_fs::argv(key.0, proc_fs::MAX_ARGV);
        let exe = proc_fs::exe(key.0).unwrap_or_default();
        let mut image = Image { comm: stat.comm, exe, argv, argv_truncated, has_tty: stat.has_tty, ..Image::default() };
        image.read_surroundings(key.0);
        self.run(key, uid, image);
    }

    /// ProcessKey of a process that runs now, known or not.
    fn key_of_running(&mut self, pid: u32, clock: Clock, depth: usize) -> Option<ProcessKey> {
        if pid == 0 {
            return None;
        }
        if let Some(key) = self.key_of_pid.get(&pid).copied() {
            if self.by_key.get(&key).is_some_and(|state| state.ended_ns.is_none() && state.complete) {
                return Some(key);
            }
        }
        let key = (pid, Stat::read(pid)?.start_ticks * NS_PER_TICK);
        self.bootstrap(key, 0, clock, depth);
        Some(key)
    }

    fn state_of(&mut self, key: ProcessKey, uid: u32) -> Option<&mut ProcessState> {
        if !self.by_key.contains_key(&key) {
            if self.by_key.len() >= MAX_PROCESSES {
                self.forget_ended(None);
            }
            if self.by_key.len() >= MAX_PROCESSES {
                self.refused += 1;
                return None;
            }
            self.next_ref += 1;
            let (number, image) = (self.next_ref, self.images.nothing());
            let state = ProcessState { number, uid, exec_us: 0, image, parent: None, sent: false, ended_ns: None, complete: false };
            self.by_key.insert(key, state);
            self.key_of_pid.insert(key.0, key);
        }
        self.by_key.get_mut(&key)
    }

    /// A process and its known ancestors, nearest first.
    pub fn lineage(&self, key: ProcessKey) -> impl Iterator<Item = ProcessKey> + '_ {
        let parent = |key: &ProcessKey| self.by_key.get(key)?.parent;
        std::iter::successors(Some(key), parent).take(MAX_ANCESTORS + 1)
    }

    /// Facts that a batch which refers to `keys` has to carry, ancestors first.
    pub fn unsent(&mut self, keys: impl IntoIterator<Item = ProcessKey>) -> Vec<wire::Process> {
        let mut out = Vec::new();
        for key in keys {
            let chain: Vec<ProcessKey> = self.lineage(key).collect();
            for key in chain.into_iter().rev() {
                let parent = self.parent_of(key);
                let Some(state) = self.by_key.get_mut(&key).filter(|state| !state.sent) else { continue };
                state.sent = true;
                out.push(state.to_wire(key, parent));
            }
        }
        out
    }

    /// The number of a process's parent; 0 for none.
    fn parent_of(&self, key: ProcessKey) -> u32 {
        self.by_key.get(&key).and_then(|state| state.parent).and_then(|parent| self.by_key.get(&parent)).map_or(0, |parent| parent.number)
    }

    /// The process itself, or the nearest one above that was not seen to end.
    pub fn nearest_running(&self, key: ProcessKey) -> ProcessKey {
        self.lineage(key).find(|key| self.by_key.get(key).is_some_and(|state| state.ended_ns.is_none())).unwrap_or(key)
    }

    /// Everything that was sent and is not forgotten, older numbers first: the dictionary after a reconnect.
    pub fn dictionary(&self) -> Vec<wire::Process> {
        let mut sent: Vec<_> =
            self.by_key.iter().filter(|(_, state)| state.sent).map(|(key, state)| state.to_wire(*key, self.parent_of(*key))).collect();
        sent.sort_unstable_by_key(|facts| facts.r#ref);
        sent
    }

    /// Forgets processes that ended a while ago, but for the ancestors of those that did not. The numbers of those that
    /// were sent go into the next batch.
    pub fn expire(&mut self, now_ns: u64) {
        let is_recent = |state: &ProcessState| {
            let keep = if state.sent { KEEP_ENDED_NS } else { KEEP_UNSENT_NS };
            state.ended_ns.is_none_or(|ended| now_ns < ended + keep)
        };
        let needed: HashSet<ProcessKey> =
            self.by_key.iter().filter(|(_, state)| is_recent(state)).flat_map(|(key, _)| self.lineage(*key)).collect();
        let needed: HashSet<u32> = needed.iter().filter_map(|key| Some(self.by_key.get(key)?.number)).collect();
        self.forget(|state| !needed.contains(&state.number));
        self.shrink();
    }

    /// Forgets what ended, but for `kept`, when that is a part worth looking through all for.
    fn forget_ended(&mut self, kept: Option<ProcessKey>) {
        if self.ended < MIN_ENDED {
            return;
        }
        let kept = kept.and_then(|key| self.by_key.get(&key)).map(|state| state.number);
        self.forget(|state| state.ended_ns.is_some() && Some(state.number) != kept);
    }

    /// Gives back what a burst has taken.
    fn shrink(&mut self) {
        if self.by_key.capacity() > SPARSE * self.by_key.len().max(MIN_ENDED) {
            self.by_key.shrink_to(2 * self.by_key.len());
            self.key_of_pid.shrink_to(2 * self.key_of_pid.len());
            memory::give_back();
        }
    }

    fn forget(&mut self, is_over: impl Fn(&ProcessState) -> bool) {
        let (ended_refs, ended, images) = (&mut self.ended_refs, &mut self.ended, &mut self.images);
        self.by_key.retain(|_, state| {
            let over = is_over(state);
            if over {
                *ended -= usize::from(state.ended_ns.is_some());
                let nothing = images.nothing();
                images.share(&mut state.image, nothing);
                if state.sent {
                    ended_refs.push(state.number);
                }
            }
            !over
        });
        let by_key = &self.by_key;
        self.key_of_pid.retain(|_, key| by_key.contains_key(key));
    }

    /// Processes that are new since the last call and of which more is to be read: SSH clients, and lines that were cut.
    pub fn take_to_read(&mut self) -> Vec<Request> {
        std::mem::take(&mut self.to_read)
    }

    /// Adds what was read of a process later, unless it runs another program by now; gives it when its facts have to be sent again.
    pub fn on_found(&mut self, found: Found) -> Option<ProcessKey> {
        let state = self.by_key.get_mut(&found.process).filter(|state| state.image.argv == found.known)?;
        let mut image = Image { ssh_forwards: found.forwards, ..Image::clone(&state.image) };
        if let Some((argv, argv_truncated)) = found.argv.filter(|(argv, _)| self.images.has_room_for(argv)) {
            image = Image { argv, argv_truncated, ..image };
        }
        self.images.replace(&mut state.image, image);
        std::mem::take(&mut state.sent).then_some(found.process)
    }

    /// Processes that were not remembered, or not with their arguments, because there were too many.
    pub fn refused(&self) -> u64 {
        self.refused + self.images.cut
    }

    pub fn take_exited(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.ended_refs)
    }
}

impl ProcessState {
    fn to_wire(&self, (pid, start_ns): ProcessKey, parent: u32) -> wire::Process {
        let image = Image::clone(&self.image);
        wire::Process {
            r#ref: self.number,
            pid,
            start_ns,
            parent,
            exe: image.exe,
            argv: image.argv,
            argv_truncated: image.argv_truncated,
            uid: self.uid,
            cwd: image.cwd,
            container_id: image.container_id,
            cgroup: image.cgroup,
            comm: image.comm,
            has_tty: image.has_tty,
            exec_us: self.exec_us,
            ssh_forwards: image.ssh_forwards,
        }
    }
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests;
