//! Live outbound connections to the outside and who owns them. The drain thread keeps one, and the walk thread a copy.

use std::collections::HashMap;

use crate::host::identity::ProcessKey;

/// As many as the kernel programs take cookies of (`channels` in bpf/descriptors.bpf.h).
const MAX_CONNECTIONS: usize = 65_536;

#[derive(Clone, Debug, Default)]
pub struct Outside {
    owner_of: HashMap<u64, ProcessKey>,
    /// How many of them each owner has.
    owners: HashMap<ProcessKey, u32>,
    /// Connections that were not taken because there were too many.
    pub refused: u64,
}

impl Outside {
    /// True when it was not known, or had another owner.
    pub fn insert(&mut self, cookie: u64, owner: ProcessKey) -> bool {
        if self.owner_of.len() >= MAX_CONNECTIONS && !self.owner_of.contains_key(&cookie) {
            self.refused += 1;
            return false;
        }
        let before = self.owner_of.insert(cookie, owner);
        if before == Some(owner) {
            return false;
        }
        if let Some(before) = before {
            self.disown(before);
        }
        *self.owners.entry(owner).or_default() += 1;
        true
    }

    /// True when it was known.
    pub fn remove(&mut self, cookie: u64) -> bool {
        let owner = self.owner_of.remove(&cookie);
        if let Some(owner) = owner {
            self.disown(owner);
        }
        owner.is_some()
    }

    fn disown(&mut self, owner: ProcessKey) {
        if let Some(count) = self.owners.get_mut(&owner) {
            *count -= 1;
            if *count == 0 {
                self.owners.remove(&owner);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.owner_of.is_empty()
    }

    pub fn is_owner(&self, key: ProcessKey) -> bool {
        self.owners.contains_key(&key)
    }

    pub fn owners(&self) -> impl Iterator<Item = ProcessKey> + '_ {
        self.owners.keys().copied()
    }

    pub fn cookies(&self) -> impl Iterator<Item = u64> + '_ {
        self.owner_of.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_an_owner_until_its_last_connection_has_gone() {
        let mut outside = Outside::default();
        assert!(outside.insert(1, (10, 0)) && outside.insert(2, (10, 0)) && !outside.insert(2, (10, 0)));
        assert!(outside.remove(1) && outside.is_owner((10, 0)));
        assert!(outside.remove(2) && !outside.is_owner((10, 0)) && !outside.remove(2));
    }

    #[test]
    fn passes_a_connection_on_to_another_owner() {
        let mut outside = Outside::default();
        outside.insert(1, (10, 0));
        assert!(outside.insert(1, (11, 0)));
        assert_eq!(outside.owners().collect::<Vec<_>>(), [(11, 0)]);
    }

    #[test]
    fn refuses_and_counts_connections_beyond_its_bound() {
        let mut outside = Outside::default();
        (0..MAX_CONNECTIONS as u64).for_each(|cookie| assert!(outside.insert(cookie, (10, 0))));
        assert!(!outside.insert(u64::MAX, (11, 0)) && outside.insert(0, (11, 0)));
        assert_eq!(outside.refused, 1);
    }
}
