//! When to look at descriptors, and at whose. Looks at all processes are rationed; a look near one owner is made at once.

use std::collections::BTreeSet;

use crate::host::identity::ProcessKey;

/// Looks at a new owner of an outside connection: soon (a shell is there at once), then as it settles. Nanoseconds.
const AFTER_OPENING_NS: [u64; 4] = [100_000_000, 500_000_000, 1_000_000_000, 5_000_000_000];
/// Looks after a program was executed below such an owner.
const AFTER_EXEC_NS: [u64; 2] = [50_000_000, 500_000_000];
/// The look after a process has dialled inside that may act with an owner.
const AFTER_DIAL_NS: u64 = 50_000_000;
/// Descriptors are passed on and ptys opened without anything that the hooks see.
const AGAIN_NS: u64 = 30_000_000_000;
const MIN_GAP_NS: u64 = 250_000_000;
/// A host with very many descriptors is looked at more seldom: full looks take at most this share of a processor, as far
/// as the longest rest allows.
const SHARE: u64 = 20;
/// Pipes between siblings are found by full looks alone.
const MAX_GAP_NS: u64 = 5_000_000_000;
/// Looks near owners cost about a microsecond for each process of the host.
const NEAR_GAP_NS: u64 = 50_000_000;
const NEAR_SHARE: u64 = 10;
const NEAR_MAX_GAP_NS: u64 = 500_000_000;
/// A full look that may be made so soon after is waited for.
const NEAR_WORTH_NS: u64 = 150_000_000;
/// Requests that fall into one slot are one.
const SLOT_NS: u64 = 50_000_000;
/// Owners that one look is made near of.
const MAX_NEAR: usize = 128;
/// Owners that wait for a look near them; a full look makes up for more.
const MAX_WAITING: usize = 4096;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    Full,
    /// At these owners, and what is below and beside them.
    Near(BTreeSet<ProcessKey>),
}

/// When the last look of one kind began, and how long to rest after it.
#[derive(Default)]
struct Ration {
    last_ns: u64,
    gap_ns: u64,
}

#[derive(Default)]
pub struct Schedule {
    /// Slots, at most AFTER_OPENING_NS / SLOT_NS of them.
    full_slots: BTreeSet<u64>,
    near_slots: BTreeSet<(u64, ProcessKey)>,
    full: Ration,
    near: Ration,
}

impl Schedule {
    pub fn on_owner(&mut self, now: u64, owner: ProcessKey) {
        self.request(now, owner, &AFTER_OPENING_NS);
    }

    pub fn on_exec(&mut self, now: u64, owner: ProcessKey) {
        self.request(now, owner, &AFTER_EXEC_NS);
    }

    /// A look near these alone.
    pub fn on_dial(&mut self, now: u64, keys: &[ProcessKey]) {
        let slot = (now + AFTER_DIAL_NS) / SLOT_NS;
        if self.near_slots.len() + keys.len() <= MAX_WAITING {
            self.near_slots.extend(keys.iter().map(|key| (slot, *key)));
        }
    }

    fn request(&mut self, now: u64, owner: ProcessKey, delays: &[u64]) {
        for delay in delays {
            let slot = (now + delay) / SLOT_NS;
            self.full_slots.insert(slot);
            if self.near_slots.len() < MAX_WAITING {
                self.near_slots.insert((slot, owner));
            }
        }
    }

    /// When the next look is due.
    pub fn next_at(&self) -> u64 {
        self.full_at().min(self.near_at())
    }

    /// The look that is due, if any. A full one serves every owner.
    pub fn next(&self, now: u64) -> Option<Look> {
        if self.full_at() <= now {
            return Some(Look::Full);
        }
        if self.near_at() > now {
            return None;
        }
        let due = self.near_slots.iter().take_while(|(slot, _)| slot * SLOT_NS <= now);
        Some(Look::Near(due.map(|(_, owner)| *owner).take(MAX_NEAR).collect()))
    }

    fn full_allowed_at(&self) -> u64 {
        self.full.last_ns + self.full.gap_ns.max(MIN_GAP_NS)
    }

    fn full_at(&self) -> u64 {
        let requested = self.full_slots.first().map_or(u64::MAX, |slot| slot * SLOT_NS).min(self.full.last_ns + AGAIN_NS);
        requested.max(self.full_allowed_at())
    }

    fn near_at(&self) -> u64 {
        let Some((slot, _)) = self.near_slots.first() else { return u64::MAX };
        let at = (slot * SLOT_NS).max(self.near.last_ns + self.near.gap_ns.max(NEAR_GAP_NS));
        if self.full_allowed_at() <= at + NEAR_WORTH_NS {
            return u64::MAX;
        }
        at
    }

    /// A look began at `now` and took `took_ns` of a processor.
    pub fn record(&mut self, look: &Look, now: u64, took_ns: u64) {
        let is_over = |slot: u64| slot <= now / SLOT_NS;
        match look {
            Look::Full => {
                self.full = Ration { last_ns: now, gap_ns: took_ns.saturating_mul(SHARE).min(MAX_GAP_NS) };
                self.full_slots = self.full_slots.split_off(&(now / SLOT_NS + 1));
                self.near_slots.retain(|(slot, _)| !is_over(*slot));
            }
            Look::Near(owners) => {
                self.near = Ration { last_ns: now, gap_ns: took_ns.saturating_mul(NEAR_SHARE).min(NEAR_MAX_GAP_NS) };
                self.near_slots.retain(|(slot, owner)| !is_over(*slot) || !owners.contains(owner));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;
    /// Far from 0, where a look at time 0 would count as recent.
    const START: u64 = 100_000 * MS;
    const OWNER: ProcessKey = (10, 0);
    const OTHER: ProcessKey = (20, 0);

    /// Times of looks in milliseconds after START, when a full one takes `took` and one is made as soon as it may be.
    fn looks(schedule: &mut Schedule, until_ms: u64, took: u64) -> (Vec<u64>, Vec<u64>) {
        let (mut full, mut near) = (Vec::new(), Vec::new());
        for ms in (0..until_ms).step_by(10) {
            let now = START + ms * MS;
            let is_due = schedule.next_at() <= now;
            assert_eq!(schedule.next(now).is_some(), is_due, "at {ms} ms");
            match schedule.next(now) {
                Some(Look::Full) => {
                    schedule.record(&Look::Full, now, took);
                    full.push(ms);
                }
                Some(look) => {
                    schedule.record(&look, now, MS);
                    near.push(ms);
                }
                None => {}
            }
        }
        (full, near)
    }

    fn idle_schedule() -> Schedule {
        Schedule { full: Ration { last_ns: START - 1000 * MS, gap_ns: 0 }, ..Schedule::default() }
    }

    #[test]
    fn looks_at_a_new_owner_soon_and_as_it_settles() {
        let mut schedule = idle_schedule();
        schedule.on_owner(START, OWNER);
        assert_eq!(looks(&mut schedule, 20_000, 4 * MS), (vec![100, 500, 1000, 5000], vec![]));
    }

    #[test]
    fn looks_near_both_soon_after_one_has_dialled_that_may_act_with_the_other() {
        let mut schedule = Schedule::default();
        schedule.record(&Look::Full, START, 0);
        schedule.on_dial(START, &[OWNER, OTHER]);
        let due = (0..200).find_map(|ms| schedule.next(START + ms * MS).map(|look| (ms, look)));
        assert_eq!(due, Some((50, Look::Near(BTreeSet::from([OWNER, OTHER])))));
    }

    #[test]
    fn looks_again_after_a_while_without_a_reason() {
        let mut schedule = idle_schedule();
        assert_eq!(looks(&mut schedule, 60_000, 4 * MS), (vec![29_000, 59_000], vec![]));
    }

    #[test]
    fn makes_one_full_look_for_many_requests_and_looks_near_between() {
        let mut schedule = idle_schedule();
        for ms in 0..1000 {
            schedule.on_exec(START + ms * MS, OWNER);
        }
        let (full, near) = looks(&mut schedule, 1600, 4 * MS);
        assert_eq!(full, [50, 300, 550, 800, 1050, 1300, 1550]);
        assert_eq!(near, [100, 350, 600, 850, 1100, 1350]);
    }

    #[test]
    fn rests_after_a_dear_look_but_never_long() {
        let mut schedule = idle_schedule();
        for ms in 0..12_000 {
            schedule.on_exec(START + ms * MS, OWNER);
        }
        assert_eq!(looks(&mut schedule, 2000, 40 * MS).0, [50, 850, 1650]);
        let mut schedule = idle_schedule();
        for ms in 0..12_000 {
            schedule.on_exec(START + ms * MS, OWNER);
        }
        assert_eq!(looks(&mut schedule, 12_000, 4000 * MS).0, [50, 5050, 10_050]);
    }

    #[test]
    fn looks_at_a_new_owner_at_once_while_full_looks_rest() {
        let mut schedule = idle_schedule();
        schedule.record(&Look::Full, START, 4000 * MS);
        schedule.on_owner(START + 10 * MS, OWNER);
        schedule.on_owner(START + 410 * MS, OTHER);
        assert_eq!(looks(&mut schedule, 3000, 4000 * MS), (vec![], vec![100, 500, 900, 1000, 1400]));
    }

    #[test]
    fn looks_near_some_owners_in_one_look_and_near_the_rest_in_the_next() {
        let mut schedule = idle_schedule();
        schedule.record(&Look::Full, START, 4000 * MS);
        for pid in 0..200 {
            schedule.on_exec(START, (pid, 0));
        }
        let now = START + 50 * MS;
        let Some(Look::Near(first)) = schedule.next(now) else { return assert_eq!(schedule.next(now), None) };
        schedule.record(&Look::Near(first.clone()), now, MS);
        let Some(Look::Near(second)) = schedule.next(now + 50 * MS) else { return assert_eq!(schedule.next(now), None) };
        assert_eq!((first.len(), second.len(), first.intersection(&second).count()), (128, 72, 0));
    }

    #[test]
    fn holds_no_more_requests_than_it_may() {
        let mut schedule = idle_schedule();
        for pid in 0..10_000 {
            schedule.on_owner(START, (pid, 0));
        }
        assert_eq!(schedule.near_slots.len(), MAX_WAITING);
    }
}
