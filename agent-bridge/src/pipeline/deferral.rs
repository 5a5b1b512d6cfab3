//! Who makes so many records of connections that they must not stand in the way of what others do.

use std::collections::{HashMap, HashSet};

use crate::kernel::records::ConnectionRecord;
use crate::pipeline::batch::BatchBuilder;

/// Records of connections of one user that go their way at once in a second: a busy server has a few hundred.
const AT_ONCE: u32 = 2000;
const SECOND_NS: u64 = 1_000_000_000;

/// A user; of root, whose containers are many, the network namespace.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Maker {
    User(u32),
    Namespace(u32),
}

/// Users beyond their share, whose records wait until all else has left. One stays among them until nothing of it waits:
/// the end of a connection must not overtake its beginning.
#[derive(Default)]
pub struct Deferral {
    second: u64,
    /// Records in this second.
    made: HashMap<Maker, u32>,
    deferred: HashSet<Maker>,
    /// What they made since the last batch of it.
    pub records: BatchBuilder,
}

impl Deferral {
    /// Counts the record. Whether it is to wait.
    pub fn defers(&mut self, record: &ConnectionRecord) -> bool {
        let maker = if record.owner.uid == 0 { Maker::Namespace(record.netns) } else { Maker::User(record.owner.uid) };
        let second = record.observed_ns / SECOND_NS;
        if second > self.second {
            self.second = second;
            self.made.clear();
        }
        let made = self.made.entry(maker).or_default();
        *made += 1;
        if *made > AT_ONCE {
            self.deferred.insert(maker);
        }
        self.deferred.contains(&maker)
    }

    /// Whether all that was deferred is in the buffer.
    pub fn has_handed_over(&self) -> bool {
        !self.deferred.is_empty() && self.records.is_empty()
    }

    /// Nothing waits any more.
    pub fn on_drained(&mut self) {
        let made = &self.made;
        self.deferred.retain(|maker| made.get(maker).is_some_and(|count| *count > AT_ONCE));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn record(uid: u32, netns: u32, second: u64) -> ConnectionRecord {
        let mut record: ConnectionRecord = crate::kernel::records::read(&[0u8; size_of::<ConnectionRecord>()]).unwrap();
        record.owner.uid = uid;
        record.netns = netns;
        record.observed_ns = second * SECOND_NS;
        record
    }

    fn deferred(deferral: &mut Deferral, uid: u32, netns: u32, second: u64, count: u32) -> u32 {
        (0..count).map(|_| u32::from(deferral.defers(&record(uid, netns, second)))).sum()
    }

    #[test]
    fn defers_what_one_user_makes_beyond_the_share_and_nothing_of_others() {
        let mut deferral = Deferral::default();
        assert_eq!(deferred(&mut deferral, 7, 1, 1, AT_ONCE + 5), 5);
        assert_eq!(deferred(&mut deferral, 8, 1, 1, AT_ONCE), 0);
        assert_eq!(deferred(&mut deferral, 0, 1, 1, AT_ONCE + 1), 1);
        assert_eq!(deferred(&mut deferral, 0, 2, 1, AT_ONCE), 0);
    }

    #[test]
    fn goes_on_until_nothing_waits() {
        let mut deferral = Deferral::default();
        deferred(&mut deferral, 7, 1, 1, AT_ONCE + 1);
        deferral.on_drained();
        assert_eq!(deferred(&mut deferral, 7, 1, 1, 1), 1);
        assert_eq!(deferred(&mut deferral, 7, 1, 2, 1), 1);
        deferral.on_drained();
        assert_eq!(deferred(&mut deferral, 7, 1, 2, 1), 0);
    }
}
