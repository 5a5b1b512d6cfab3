//! When to look at every descriptor of the host. Looks are rationed, since one visits all of them.

use std::collections::BTreeSet;

/// Looks at a new owner of an outside connection: soon (a shell is there at once), then as it settles. Nanoseconds.
const AFTER_OPENING_NS: [u64; 4] = [100_000_000, 500_000_000, 1_000_000_000, 5_000_000_000];
/// Looks after a program was executed below such an owner.
const AFTER_EXEC_NS: [u64; 2] = [50_000_000, 500_000_000];
/// Descriptors are passed on and ptys opened without anything that the hooks see.
const AGAIN_NS: u64 = 30_000_000_000;
const MIN_GAP_NS: u64 = 250_000_000;
/// A host with very many descriptors is looked at more seldom: looks take at most this share of the thread's time.
const SHARE: u64 = 20;
/// Requests that fall into one slot are one.
const SLOT_NS: u64 = 50_000_000;

#[derive(Default)]
pub struct Schedule {
    /// Slots, at most AFTER_OPENING_NS / SLOT_NS of them.
    slots: BTreeSet<u64>,
    last_ns: u64,
    gap_ns: u64,
}

impl Schedule {
    pub fn on_owner(&mut self, now: u64) {
        self.slots.extend(AFTER_OPENING_NS.iter().map(|delay| (now + delay) / SLOT_NS));
    }

    pub fn on_exec(&mut self, now: u64) {
        self.slots.extend(AFTER_EXEC_NS.iter().map(|delay| (now + delay) / SLOT_NS));
    }

    pub fn is_time(&self, now: u64) -> bool {
        if now < self.last_ns + self.gap_ns.max(MIN_GAP_NS) {
            return false;
        }
        self.slots.first().is_some_and(|slot| slot * SLOT_NS <= now) || now >= self.last_ns + AGAIN_NS
    }

    /// A look began at `now` and took `took_ns`.
    pub fn record_look(&mut self, now: u64, took_ns: u64) {
        self.last_ns = now;
        self.gap_ns = took_ns.saturating_mul(SHARE).min(AGAIN_NS);
        self.slots = self.slots.split_off(&(now / SLOT_NS + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;
    /// Far from 0, where a look at time 0 would count as recent.
    const START: u64 = 100_000 * MS;

    /// Times of looks in milliseconds after START, when each takes `took` and one is made as soon as it may be.
    fn looks(schedule: &mut Schedule, until_ms: u64, took: u64) -> Vec<u64> {
        let mut made = Vec::new();
        for ms in (0..until_ms).step_by(10) {
            let now = START + ms * MS;
            if schedule.is_time(now) {
                schedule.record_look(now, took);
                made.push(ms);
            }
        }
        made
    }

    fn idle_schedule() -> Schedule {
        Schedule { last_ns: START - 1000 * MS, ..Schedule::default() }
    }

    #[test]
    fn looks_at_a_new_owner_soon_and_as_it_settles() {
        let mut schedule = idle_schedule();
        schedule.on_owner(START);
        assert_eq!(looks(&mut schedule, 20_000, 4 * MS), [100, 500, 1000, 5000]);
    }

    #[test]
    fn looks_again_after_a_while_without_a_reason() {
        let mut schedule = idle_schedule();
        assert_eq!(looks(&mut schedule, 60_000, 4 * MS), [29_000, 59_000]);
    }

    #[test]
    fn makes_one_look_for_many_requests() {
        let mut schedule = idle_schedule();
        for ms in 0..1000 {
            schedule.on_exec(START + ms * MS);
        }
        assert_eq!(looks(&mut schedule, 1600, 4 * MS), [50, 300, 550, 800, 1050, 1300, 1550]);
    }

    #[test]
    fn looks_more_seldom_where_a_look_is_dear() {
        let mut schedule = idle_schedule();
        for ms in 0..2000 {
            schedule.on_exec(START + ms * MS);
        }
        assert_eq!(looks(&mut schedule, 2000, 40 * MS), [50, 850, 1650]);
    }
}
