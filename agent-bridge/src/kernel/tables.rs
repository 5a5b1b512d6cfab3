//! Passes over the descriptor tables of all tasks (bpf/tables.bpf.h): what is told, and until when.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;
use std::io::{ErrorKind, Read};
use std::rc::Rc;

use anyhow::{Context, Result};
use libbpf_rs::{Iter, Link, MapCore, MapFlags, MapHandle, RingBuffer, RingBufferBuilder};

use crate::kernel::records::{bytes_of, read, DescriptorRecord, ProcessId, WalkState};
use crate::kernel::records::{NEAR_BELOW, NEAR_CHILDREN, WALK_COUNT, WALK_MATCH, WALK_NEAR, WALK_TELL};

/// Value in `reported` of a process that is told in the first pass of each look.
const TOLD_FIRST: u32 = u32::MAX;
/// Of the maps, each as in bpf/tables.bpf.h.
const MAX_TOLD_PROCESSES: usize = 16_384;
const MAX_NEAR: usize = 512;
const MAX_CHANNELS: usize = 65_536;
/// Descriptors that are told of one table in one pass (MAX_TOLD in bpf/tables.bpf.h).
pub const MAX_TABLE_RECORDS: u64 = 4096;

/// What passes need of the kernel programs. Moves to the thread that walks.
pub struct Tables {
    pub(super) link: Link,
    pub(super) walk: MapHandle,
    pub(super) ring: MapHandle,
    pub(super) reported: MapHandle,
    pub(super) near: MapHandle,
    pub(super) channels: MapHandle,
}

/// Keys of a map that user space alone writes, so that it knows what is there.
struct Keys<K> {
    map: MapHandle,
    max: usize,
    present: HashMap<K, u32>,
    bytes: fn(K) -> Vec<u8>,
}

impl<K: Copy + Eq + Hash> Keys<K> {
    /// Makes the map hold `wanted` and nothing else. Returns how many had no room.
    fn replace(&mut self, wanted: &HashMap<K, u32>) -> Result<usize> {
        let old: Vec<K> = self.present.keys().filter(|key| !wanted.contains_key(key)).copied().collect();
        for key in old {
            self.map.delete(&(self.bytes)(key))?;
            self.present.remove(&key);
        }
        let mut left_out = 0;
        for (key, value) in wanted {
            left_out += usize::from(!self.set(*key, *value)?);
        }
        Ok(left_out)
    }

    /// False when there is no room.
    fn set(&mut self, key: K, value: u32) -> Result<bool> {
        if self.present.get(&key) == Some(&value) {
            return Ok(true);
        }
        if self.present.len() >= self.max && !self.present.contains_key(&key) {
            return Ok(false);
        }
        self.map.update(&(self.bytes)(key), &value.to_ne_bytes(), MapFlags::ANY)?;
        self.present.insert(key, value);
        Ok(true)
    }
}

/// What one look has met so far.
#[derive(Clone, Copy, Debug)]
pub struct Tally {
    pub visited: u64,
    /// Descriptors that were not visited, records that had no room, and keys that had none.
    pub left_out: u64,
    /// Who holds most of those left out, and how many.
    pub largest: Option<(ProcessId, u64)>,
    /// Every table was visited to its end, or as far as one table is.
    pub is_complete: bool,
}

/// Bounds of one look. A pass that reaches one goes on counting, and stops when `is_over` holds then too.
pub struct Bounds<'a> {
    pub max_records: usize,
    pub is_over: &'a dyn Fn() -> bool,
    pub is_long_over: &'a dyn Fn() -> bool,
}

pub struct Passes {
    link: Link,
    walk: MapHandle,
    ring: RingBuffer<'static>,
    fresh: Rc<RefCell<Vec<DescriptorRecord>>>,
    reported: Keys<u32>,
    near: Keys<u32>,
    channels: Keys<u64>,
    last_pass: u32,
    first_pass: u32,
    /// `tell` was called in this look.
    has_reported: bool,
    /// Where passes that match begin, after a look that ended before it had done all: 0 for the first process.
    from_pid: u32,
    /// Where those of the next look do.
    next_from_pid: u32,
    tally: Tally,
}

const NOTHING: Tally = Tally { visited: 0, left_out: 0, largest: None, is_complete: true };

impl Passes {
    pub fn new(tables: Tables) -> Result<Self> {
        let fresh = Rc::new(RefCell::new(Vec::new()));
        let push = Rc::clone(&fresh);
        let mut ring = RingBufferBuilder::new();
        ring.add(&tables.ring, move |bytes| {
            push.borrow_mut().extend(read::<DescriptorRecord>(bytes));
            0
        })
        .context("cannot read the ring buffer of walks")?;
        let pid_bytes = |pid: u32| pid.to_ne_bytes().to_vec();
        let id_bytes = |id: u64| id.to_ne_bytes().to_vec();
        Ok(Self {
            link: tables.link,
            walk: tables.walk,
            ring: ring.build().context("cannot read the ring buffer of walks")?,
            fresh,
            reported: Keys { map: tables.reported, max: MAX_TOLD_PROCESSES, present: HashMap::new(), bytes: pid_bytes },
            near: Keys { map: tables.near, max: MAX_NEAR, present: HashMap::new(), bytes: pid_bytes },
            channels: Keys { map: tables.channels, max: MAX_CHANNELS, present: HashMap::new(), bytes: id_bytes },
            last_pass: 0,
            first_pass: 0,
            has_reported: false,
            from_pid: 0,
            next_from_pid: 0,
            tally: NOTHING,
        })
    }

    /// Begins a look, in which `cookies` are connections of which every holder at stdio is told.
    pub fn begin(&mut self, cookies: impl Iterator<Item = u64>) -> Result<()> {
        self.tally = NOTHING;
        self.first_pass = self.last_pass + 1;
        self.has_reported = false;
        let left_out = self.channels.replace(&cookies.map(|cookie| (cookie, 1)).collect())?;
        self.leave_out(left_out);
        Ok(())
    }

    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// All that processes hold: those of `roots`, all below them, and the children of `parents`.
    pub fn near(&mut self, roots: &[u32], parents: &[u32], bounds: &Bounds<'_>, into: &mut Vec<DescriptorRecord>) -> Result<()> {
        let children = parents.iter().map(|pid| (*pid, NEAR_CHILDREN));
        let left_out = self.near.replace(&children.chain(roots.iter().map(|pid| (*pid, NEAR_BELOW))).collect())?;
        self.leave_out(left_out);
        self.pass(WALK_NEAR, 0, 0, bounds, into)
    }

    /// All that `pids` hold. The first call of a look replaces those of the look before.
    pub fn tell(&mut self, pids: impl Iterator<Item = u32>, bounds: &Bounds<'_>, into: &mut Vec<DescriptorRecord>) -> Result<()> {
        let is_first = !std::mem::replace(&mut self.has_reported, true);
        let value = if is_first { TOLD_FIRST } else { self.last_pass + 1 };
        let wanted: HashMap<u32, u32> = pids.map(|pid| (pid, value)).collect();
        let mut left_out = 0;
        if is_first {
            left_out = self.reported.replace(&wanted)?;
        } else {
            for pid in wanted.keys() {
                left_out += usize::from(!self.reported.set(*pid, value)?);
            }
        }
        self.leave_out(left_out);
        if is_first {
            self.from_pid = std::mem::take(&mut self.next_from_pid);
            self.tally.is_complete &= self.from_pid == 0;
        }
        self.pass(WALK_TELL, value, 0, bounds, into)
    }

    /// Who holds `ids` or a connection of this look, but for those that were told. After `near` everyone is.
    pub fn matching(&mut self, ids: impl Iterator<Item = u64>, bounds: &Bounds<'_>, into: &mut Vec<DescriptorRecord>) -> Result<()> {
        let mut left_out = 0;
        for id in ids {
            left_out += usize::from(!self.channels.set(id, 1)?);
        }
        self.leave_out(left_out);
        let from_pid = if self.has_reported { self.from_pid } else { 0 };
        self.pass(WALK_MATCH, u32::from(self.has_reported), from_pid, bounds, into)
    }

    fn leave_out(&mut self, keys: usize) {
        self.tally.left_out += keys as u64;
        self.tally.is_complete &= keys == 0;
    }

    fn pass(&mut self, mode: u32, tell: u32, from_pid: u32, bounds: &Bounds<'_>, into: &mut Vec<DescriptorRecord>) -> Result<()> {
        self.last_pass += 1;
        let request = WalkState { mode, pass: self.last_pass, first_pass: self.first_pass, tell, from_pid, ..WalkState::default() };
        self.set_state(&request)?;
        let mut walk = Iter::new(&self.link).context("cannot start a walk over descriptor tables")?;
        let mut is_counting = false;
        let mut is_cut = false;
        loop {
            let outcome = walk.read(&mut [0; 64]);
            self.ring.consume().context("reading the ring buffer of walks failed")?;
            into.append(&mut self.fresh.borrow_mut());
            match outcome {
                Ok(0) => break,
                Ok(_) => {}
                // The program asks to be called again: it has done its part, or the ring is full.
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(error) => return Err(error).context("a walk over descriptor tables failed"),
            }
            if is_counting && (bounds.is_long_over)() {
                is_cut = true;
                break;
            }
            if !is_counting && (into.len() >= bounds.max_records || (bounds.is_over)()) {
                is_counting = true;
                let state = self.state()?;
                if mode == WALK_MATCH && self.has_reported && self.next_from_pid == 0 {
                    // One table that takes a whole look is not begun again.
                    self.next_from_pid = state.pid + u32::from(state.pid == from_pid);
                }
                self.set_state(&WalkState { mode: WALK_COUNT, ..state })?;
            }
        }
        let state = self.state()?;
        self.tally.visited += state.visited;
        self.tally.left_out += state.left_out;
        self.tally.is_complete &= !is_counting && !is_cut;
        if state.largest > self.tally.largest.map_or(0, |(_, count)| count) {
            self.tally.largest = Some((state.largest_process, state.largest));
        }
        Ok(())
    }

    fn state(&self) -> Result<WalkState> {
        let bytes = self.walk.lookup(&0u32.to_ne_bytes(), MapFlags::ANY)?.unwrap_or_default();
        read(&bytes).context("the state of a walk cannot be read")
    }

    fn set_state(&self, state: &WalkState) -> Result<()> {
        self.walk.update(&0u32.to_ne_bytes(), bytes_of(state), MapFlags::ANY).context("cannot set what a walk tells")
    }
}
