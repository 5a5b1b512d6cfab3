//! Who was over a bound of the kernel programs, as running totals for each process and kind.

use std::collections::HashMap;

use crate::host::identity::ProcessKey;
use crate::kernel::records::{Overload, OVERLOAD_EDGES, OVERLOAD_GROUPS, OVERLOAD_RECORDS};
use crate::wire::overload::Kind;

/// Totals that are kept. The one that was silent longest makes room for another, and begins at zero when it comes back.
const MAX_TOTALS: usize = 1024;
/// Totals of one telling: those with the most that is new.
const MAX_TOLD: usize = 32;

/// Running total of one process and kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    pub kind: Kind,
    pub process: ProcessKey,
    pub count: u64,
    pub limit: u64,
    pub first_ns: u64,
    pub last_ns: u64,
}

#[derive(Default)]
pub struct Overloads {
    /// With the count that was told last.
    totals: HashMap<(Kind, ProcessKey), (Total, u64)>,
}

impl Overloads {
    /// Adds what the kernel programs noted of `process` under a number of `enum overload_kind`.
    pub fn add(&mut self, kind: u32, process: ProcessKey, noted: &Overload) {
        let Some(kind) = kind_of(kind) else { return };
        if !self.totals.contains_key(&(kind, process)) && self.totals.len() >= MAX_TOTALS {
            self.forget_one();
        }
        let fresh = Total { kind, process, count: 0, limit: 0, first_ns: noted.first_ns, last_ns: 0 };
        let (total, _) = self.totals.entry((kind, process)).or_insert((fresh, 0));
        total.count += noted.count;
        total.limit = noted.limit;
        total.last_ns = total.last_ns.max(noted.last_ns);
    }

    fn forget_one(&mut self) {
        let oldest = self.totals.values().map(|(total, _)| (total.last_ns, total.process, total.kind)).min();
        if let Some((_, process, kind)) = oldest {
            self.totals.remove(&(kind, process));
        }
    }

    /// The totals that grew since they were told last, those first that grew most.
    pub fn take(&mut self) -> Vec<Total> {
        let grown = |(total, reported): &(Total, u64)| (total.count > *reported).then_some((total.count - reported, *total));
        let mut grown: Vec<(u64, Total)> = self.totals.values().filter_map(grown).collect();
        grown.sort_by_key(|(by, total)| (std::cmp::Reverse(*by), total.kind, total.process));
        grown.truncate(MAX_TOLD);
        for (_, total) in &grown {
            if let Some((_, reported)) = self.totals.get_mut(&(total.kind, total.process)) {
                *reported = total.count;
            }
        }
        grown.into_iter().map(|(_, total)| total).collect()
    }
}

fn kind_of(number: u32) -> Option<Kind> {
    match number {
        OVERLOAD_EDGES => Some(Kind::Edges),
        OVERLOAD_GROUPS => Some(Kind::Groups),
        OVERLOAD_RECORDS => Some(Kind::Records),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::records::ProcessId;

    fn noted(count: u64, last_ns: u64) -> Overload {
        Overload { process: ProcessId { start_ns: 0, pid: 0, uid: 0 }, count, limit: 1024, first_ns: 5, last_ns }
    }

    fn counts(reported: &[Total]) -> Vec<(u32, u64)> {
        reported.iter().map(|total| (total.process.0, total.count)).collect()
    }

    #[test]
    fn tells_running_totals_once_for_each_change() {
        let mut overloads = Overloads::default();
        overloads.add(OVERLOAD_EDGES, (7, 1), &noted(3, 10));
        overloads.add(OVERLOAD_EDGES, (7, 1), &noted(2, 20));
        let total = Total { kind: Kind::Edges, process: (7, 1), count: 5, limit: 1024, first_ns: 5, last_ns: 20 };
        assert_eq!(overloads.take(), [total]);
        assert_eq!(overloads.take(), []);
        overloads.add(OVERLOAD_EDGES, (7, 1), &noted(1, 30));
        assert_eq!(overloads.take(), [Total { count: 6, last_ns: 30, ..total }]);
    }

    #[test]
    fn tells_the_processes_with_the_most_that_is_new_and_the_others_next() {
        let mut overloads = Overloads::default();
        for pid in 1..=33 {
            overloads.add(OVERLOAD_GROUPS, (pid, 1), &noted(pid.into(), 10));
        }
        let reported = counts(&overloads.take());
        assert_eq!((reported.len(), reported.first(), reported.last()), (32, Some(&(33, 33)), Some(&(2, 2))));
        assert_eq!(counts(&overloads.take()), [(1, 1)]);
    }

    #[test]
    fn forgets_the_process_that_was_silent_longest_when_there_are_too_many() {
        let mut overloads = Overloads::default();
        overloads.add(OVERLOAD_RECORDS, (1, 1), &noted(9, 50));
        for pid in 0..1023 {
            overloads.add(OVERLOAD_RECORDS, (10 + pid, 1), &noted(1, 100 + u64::from(pid)));
        }
        overloads.add(OVERLOAD_RECORDS, (9_999, 1), &noted(5, 99));
        assert_eq!(overloads.totals.len(), 1024);
        assert_eq!(counts(&overloads.take()).first(), Some(&(9_999, 5)));
    }
}
