//! The thread that looks at descriptors: a look takes as long as hosts have descriptors, and the drain thread may not wait.

use std::collections::HashMap;
use std::sync::mpsc::{sync_channel, Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::host::clock::{boot_ns, thread_ns};
use crate::host::identity::{key_of, ProcessKey};
use crate::inspect::attachments::{AttachmentUpdate, Attachments};
use crate::inspect::looks::{look, Join};
use crate::inspect::outside::Outside;
use crate::inspect::schedule::Schedule;
use crate::kernel::tables::{Passes, Tables};
use crate::kernel::walk::OlderSockets;
use crate::log;

/// Batches of events, and reports, that wait for the other thread.
const MAX_WAITING: usize = 16;
const COUNTERS_NS: u64 = 250_000_000;
/// The longest sleep: nothing has to be done then.
const IDLE_NS: u64 = 1_000_000_000;
/// Processor time for sockets older than the collector, in nanoseconds: about five million descriptors.
const OLDER_NS: u64 = 1_000_000_000;
/// Processes over a bound that are told apart.
const MAX_OVERLOADS: usize = 64;

/// What the drain thread knows.
#[derive(Debug)]
pub enum Event {
    Opened {
        cookie: u64,
        owner: ProcessKey,
    },
    Closed(u64),
    /// A program was executed below this owner.
    Executed(ProcessKey),
    /// One that is joined to an owner's group by its workload alone has opened a connection inside.
    Dialled {
        dialler: ProcessKey,
        owner: ProcessKey,
    },
    /// All connections, in the place of events for which there was no room.
    All(Outside),
    /// Look for sockets that are older than the collector.
    TrackOlder,
}

/// Descriptors of one process that looks left out.
#[derive(Clone, Copy, Debug)]
pub struct Overload {
    pub process: ProcessKey,
    /// Since the collector started.
    pub count: u64,
    pub limit: u64,
    pub first_ns: u64,
    pub last_ns: u64,
}

#[derive(Default)]
pub struct Report {
    pub updates: Vec<AttachmentUpdate>,
    pub joins: Vec<Join>,
    /// Descriptors that looks have left out since the collector started.
    pub left_out: u64,
    pub overload: Option<Overload>,
    /// Older sockets are tracked: everything that was seen and is not gone.
    pub all: Option<Vec<AttachmentUpdate>>,
}

pub struct Walker {
    pub events: SyncSender<Vec<Event>>,
    pub reports: Receiver<Report>,
}

impl Walker {
    /// Starts the thread; it ends when this is dropped. What this kernel lacks is None.
    pub fn start(tables: Option<Tables>, older: Option<OlderSockets>) -> Result<Self> {
        let (events, pending) = sync_channel(MAX_WAITING);
        let (report, reports) = sync_channel(MAX_WAITING);
        let run = move || match tables.map(Passes::new).transpose() {
            Ok(passes) => State::new(passes, older).run(&pending, &report),
            Err(error) => log::error(format_args!("the walk thread failed to start: {}", log::sentence(&error))),
        };
        std::thread::Builder::new().name("walk".into()).spawn(run).context("cannot start a thread")?;
        Ok(Self { events, reports })
    }
}

struct State {
    passes: Option<Passes>,
    older: Option<OlderSockets>,
    outside: Outside,
    schedule: Schedule,
    attachments: Attachments,
    next_counters_ns: u64,
    left_out: u64,
    overloads: HashMap<ProcessKey, Overload>,
}

impl State {
    fn new(passes: Option<Passes>, older: Option<OlderSockets>) -> Self {
        Self {
            passes,
            older,
            outside: Outside::default(),
            schedule: Schedule::default(),
            attachments: Attachments::default(),
            next_counters_ns: 0,
            left_out: 0,
            overloads: HashMap::new(),
        }
    }

    fn run(mut self, pending: &Receiver<Vec<Event>>, reports: &SyncSender<Report>) {
        loop {
            let mut report = Report::default();
            match pending.recv_timeout(Duration::from_nanos(self.wait_ns(boot_ns()))) {
                Ok(events) => events.into_iter().for_each(|event| self.event(event, &mut report)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.tick(boot_ns(), &mut report);
            report.left_out = self.left_out + self.outside.refused;
            let is_news = !report.updates.is_empty() || !report.joins.is_empty() || report.overload.is_some() || report.all.is_some();
            if is_news && reports.send(report).is_err() {
                return;
            }
        }
    }

    fn has_work(&self) -> bool {
        !self.outside.is_empty() || !self.attachments.is_empty()
    }

    fn wait_ns(&self, now: u64) -> u64 {
        if !self.has_work() {
            return IDLE_NS;
        }
        let counters = if self.attachments.is_empty() { u64::MAX } else { self.next_counters_ns };
        self.schedule.next_at().min(counters).saturating_sub(now).min(IDLE_NS)
    }

    fn event(&mut self, event: Event, report: &mut Report) {
        let now = boot_ns();
        match event {
            Event::Opened { cookie, owner } => {
                let is_new = !self.outside.is_owner(owner);
                if self.outside.insert(cookie, owner) && is_new {
                    self.schedule.on_owner(now, owner);
                }
            }
            Event::Closed(cookie) => drop(self.outside.remove(cookie)),
            Event::Executed(owner) => self.schedule.on_exec(now, owner),
            Event::Dialled { dialler, owner } => self.schedule.on_dial(now, &[owner, dialler]),
            Event::All(outside) => {
                let before = std::mem::replace(&mut self.outside, outside);
                for owner in self.outside.owners().filter(|owner| !before.is_owner(*owner)) {
                    self.schedule.on_owner(now, owner);
                }
            }
            Event::TrackOlder => {
                self.track_older();
                report.all = Some(self.attachments.all());
            }
        }
    }

    fn track_older(&mut self) {
        let Some(older) = &self.older else { return };
        let began = thread_ns();
        match older.track(|| thread_ns() > began + OLDER_NS) {
            Ok(true) => {}
            Ok(false) => log::warn("stopped looking for sockets older than the collector: too many descriptors are open on this host; sockets that were not reached are seen once their processes open new ones"),
            Err(error) => log::warn(log::sentence(&error)),
        }
    }

    fn tick(&mut self, now: u64, report: &mut Report) {
        if self.has_work() {
            self.look(now, report);
        }
        if now >= self.next_counters_ns {
            self.next_counters_ns = now + COUNTERS_NS;
            report.updates.extend(self.attachments.changed_counters());
        }
    }

    fn look(&mut self, now: u64, report: &mut Report) {
        let (Some(passes), Some(due)) = (&mut self.passes, self.schedule.next(now)) else { return };
        let began = thread_ns();
        match look(&due, &self.outside, passes) {
            Ok(found) => {
                report.updates.extend(self.attachments.apply(found.relations, found.saw_everything));
                report.joins = found.joins;
                self.left_out += found.tally.left_out;
                if let Some((process, count)) = found.tally.largest {
                    report.overload = self.overload(key_of(&process), count, now);
                }
            }
            Err(error) => log::warn(format_args!("a look at descriptors failed, retrying: {}", log::sentence(&error))),
        }
        self.schedule.record(&due, now, thread_ns().saturating_sub(began));
    }

    fn overload(&mut self, process: ProcessKey, count: u64, now: u64) -> Option<Overload> {
        if self.overloads.len() >= MAX_OVERLOADS && !self.overloads.contains_key(&process) {
            self.overloads.clear();
        }
        let limit = crate::kernel::tables::MAX_TABLE_RECORDS;
        let overload = self.overloads.entry(process).or_insert(Overload { process, count: 0, limit, first_ns: now, last_ns: now });
        overload.count += count;
        overload.last_ns = now;
        Some(*overload)
    }
}
