//! The drain thread's side of looks at descriptors: says what it knows to the thread that makes them, takes what that finds
//! without waiting, and joins processes that act as one.

use std::collections::HashMap;
use std::sync::mpsc::{TryRecvError, TrySendError};

use crate::host::identity::{key_of, ProcessKey};
use crate::host::process::Processes;
use crate::inspect::looks::Join;
use crate::inspect::outside::Outside;
use crate::inspect::walker::{Event, Report, Walker};
use crate::kernel::maps::Maps;
use crate::kernel::records::{ConnectionRecord, INITIATOR_LOCAL, REASON_CLOSED, SCOPE_OUTSIDE};
use crate::log;

/// Events that wait while the walk thread is busy. Then all connections are said again in their place.
const MAX_PENDING: usize = 16_384;
/// As many as `group_of` in bpf/maps.bpf.h holds.
const MAX_JOINED: usize = 16_384;

#[derive(Default)]
pub struct Inspector {
    walker: Option<Walker>,
    outside: Outside,
    pending: Vec<Event>,
    /// Events were dropped.
    is_behind: bool,
    /// Older sockets are to be tracked: a snapshot waits.
    wants_all: bool,
    left_out: u64,
    /// (owner, partner) to the group that the partner was joined to.
    joined: HashMap<(ProcessKey, ProcessKey), u64>,
}

impl Inspector {
    pub fn connect(&mut self, walker: Walker) {
        self.walker = Some(walker);
    }

    pub fn on_connection(&mut self, r: &ConnectionRecord) {
        if r.reason == REASON_CLOSED || r.initiator != INITIATOR_LOCAL || r.scope != SCOPE_OUTSIDE {
            return;
        }
        let owner = key_of(&r.owner);
        if self.outside.insert(r.cookie, owner) {
            self.say(Event::Opened { cookie: r.cookie, owner });
        }
    }

    pub fn on_closed(&mut self, cookie: u64) {
        if self.outside.remove(cookie) {
            self.say(Event::Closed(cookie));
        }
    }

    /// A program executed below an owner may be the shell that is looked for.
    pub fn on_exec(&mut self, key: ProcessKey, processes: &Processes) {
        if self.outside.is_empty() {
            return;
        }
        if let Some(owner) = processes.lineage(key).find(|ancestor| self.outside.is_owner(*ancestor)) {
            self.say(Event::Executed(owner));
        }
    }

    /// A service of this host was reached through a device that `writer` writes to: whether it holds the device is to be seen.
    pub fn on_tunnel(&mut self, writer: ProcessKey) {
        if self.outside.is_owner(writer) {
            self.say(Event::Executed(writer));
        }
    }

    /// A partner that outlives the owner acts for itself again: a launcher must not carry the group to what it starts next.
    pub fn on_exit(&mut self, key: ProcessKey, maps: &Maps) {
        self.joined.retain(|(owner, partner), group| {
            if *owner == key {
                maps.leave(partner.0, *group);
            }
            *owner != key && *partner != key
        });
    }

    /// Asks for a report of everything, once sockets older than the collector are tracked.
    pub fn ask_for_all(&mut self) {
        self.wants_all = true;
    }

    /// Descriptors that looks have left out.
    pub fn left_out(&self) -> u64 {
        self.left_out + self.outside.refused
    }

    fn say(&mut self, event: Event) {
        if self.is_behind {
            return;
        }
        if self.pending.len() >= MAX_PENDING {
            self.pending.clear();
            self.is_behind = true;
            return;
        }
        self.pending.push(event);
    }

    /// Says what is new, and returns what has been found since the last call.
    pub fn exchange(&mut self, maps: &Maps) -> Vec<Report> {
        self.send();
        let mut found = Vec::new();
        loop {
            match self.walker.as_ref().map(|walker| walker.reports.try_recv()) {
                Some(Ok(report)) => {
                    report.joins.iter().for_each(|join| self.join(join, maps));
                    self.left_out = report.left_out;
                    found.push(report);
                }
                Some(Err(TryRecvError::Empty)) => return found,
                Some(Err(TryRecvError::Disconnected)) => {
                    log::error("the walk thread has stopped: shells behind ptys and pipes are not seen; restart the collector");
                    self.walker = None;
                }
                None => {
                    // A snapshot is made without.
                    if std::mem::take(&mut self.wants_all) {
                        found.push(Report { all: Some(Vec::new()), left_out: self.left_out, ..Report::default() });
                    }
                    return found;
                }
            }
        }
    }

    fn send(&mut self) {
        let Some(walker) = &self.walker else { return self.pending.clear() };
        let mut events = std::mem::take(&mut self.pending);
        if self.is_behind {
            events = vec![Event::All(self.outside.clone())];
        }
        let asks = self.wants_all;
        if asks {
            events.push(Event::TrackOlder);
        }
        if events.is_empty() {
            return;
        }
        match walker.events.try_send(events) {
            Ok(()) => {
                self.is_behind = false;
                self.wants_all = false;
            }
            Err(TrySendError::Full(mut events) | TrySendError::Disconnected(mut events)) => {
                events.truncate(events.len() - usize::from(asks));
                if !self.is_behind {
                    self.pending = events;
                }
            }
        }
    }

    fn join(&mut self, join: &Join, maps: &Maps) {
        let pair = (join.owner, join.partner);
        if self.joined.contains_key(&pair) || self.joined.len() >= MAX_JOINED {
            return;
        }
        let group = maps.group_of(join.owner.0).unwrap_or_else(|| own_group(join.owner.0, join.owner_start_ns));
        self.joined.insert(pair, group);
        if let Err(error) = maps.join(join.partner.0, group) {
            log::warn(format_args!("cannot join processes {} and {}: {error:#}", join.owner.0, join.partner.0));
        }
    }
}

/// The same number as own_group() in bpf/groups.bpf.h gives; the lab's split relays fail when they differ.
fn own_group(pid: u32, start_ns: u64) -> u64 {
    (start_ns.wrapping_mul(0x9e37_79b9_7f4a_7c15) & 0xffff_ffff_0000_0000) | u64::from(pid)
}
