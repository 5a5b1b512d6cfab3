//! Which edges and groups to delete, so that what comes next finds room.

use std::collections::{HashMap, HashSet};

use crate::kernel::records::{EdgeAge, EdgeKey, GroupAge, GROUP_EDGES, MAX_EDGES, MAX_GROUPS, SHARE_EDGES, SHARE_GROUPS};

/// An edge that was silent for so long goes even where there is room. The analyzer has its sums.
const SILENT_NS: u64 = 600_000_000_000;
/// Where half of a bound is taken, what was silent for so long may go: as long as A's word counts as a cause (CAUSE_NS in
/// bpf/coupling.bpf.h), so that no turn is torn.
const SOONEST_NS: u64 = 2_000_000_000;
/// A group outlives its last process by this: a socket that it closed is still being destroyed.
const ENDED_NS: u64 = 1_000_000_000;

/// What there is.
#[derive(Default)]
pub struct Ages {
    pub edges: Vec<EdgeAge>,
    pub groups: Vec<GroupAge>,
    /// Groups in which processes act that the group is not named after.
    pub joined: HashSet<u64>,
}

/// What to delete.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Choice {
    pub edges: Vec<(EdgeKey, u64)>,
    /// Group, and the identity that it counts for.
    pub groups: Vec<(u64, u64)>,
}

/// Everything that changed before `read_ns` was read; nothing that changed since is chosen.
pub fn choose(ages: &Ages, now_ns: u64, read_ns: u64) -> Choice {
    let groups = choose_groups(ages, now_ns, read_ns);
    let over: HashSet<u64> = groups.iter().map(|(group, _)| *group).collect();
    let alive: HashSet<u64> = ages.groups.iter().map(|g| g.group).filter(|group| !over.contains(group)).collect();
    let mut chosen = Vec::new();
    let mut rest = Vec::new();
    for edge in &ages.edges {
        let last_ns = last_of(edge);
        let idle = !alive.contains(&edge.key.group) || last_ns.saturating_add(SILENT_NS) <= now_ns;
        if idle && last_ns < read_ns {
            chosen.push((edge.key, edge.share));
        } else {
            rest.push(edge);
        }
    }
    rest.sort_by_key(|edge| (edge.both_ways, last_of(edge)));
    let mut of_group = count(rest.iter().map(|edge| edge.key.group));
    let mut of_share = count(rest.iter().map(|edge| edge.share));
    let mut all = rest.len();
    for edge in rest {
        let silent = last_of(edge) < read_ns && last_of(edge).saturating_add(SOONEST_NS) <= now_ns;
        let (Some(group), Some(share)) = (of_group.get_mut(&edge.key.group), of_share.get_mut(&edge.share)) else { continue };
        if silent && (*group > GROUP_EDGES / 2 || *share > SHARE_EDGES / 2 || all > MAX_EDGES / 2) {
            *group -= 1;
            *share -= 1;
            all -= 1;
            chosen.push((edge.key, edge.share));
        }
    }
    Choice { edges: chosen, groups }
}

/// Groups that nobody acts in any more; where an identity has more than half of its share, those that were silent longest.
fn choose_groups(ages: &Ages, now_ns: u64, read_ns: u64) -> Vec<(u64, u64)> {
    let is_over = |g: &GroupAge| g.ended_ns != 0 && g.ended_ns.saturating_add(ENDED_NS) <= now_ns && !ages.joined.contains(&g.group);
    let (mut chosen, mut rest) = (Vec::new(), Vec::new());
    for group in &ages.groups {
        if is_over(group) && group.last_ns < read_ns {
            chosen.push((group.group, group.share));
        } else {
            rest.push(group);
        }
    }
    rest.sort_by_key(|group| group.last_ns);
    let mut of_share = count(rest.iter().map(|group| group.share));
    let mut all = rest.len();
    for group in rest {
        let silent = group.last_ns < read_ns && group.last_ns.saturating_add(SOONEST_NS) <= now_ns;
        let Some(share) = of_share.get_mut(&group.share) else { continue };
        if silent && (*share > SHARE_GROUPS / 2 || all > MAX_GROUPS / 2) {
            *share -= 1;
            all -= 1;
            chosen.push((group.group, group.share));
        }
    }
    chosen
}

/// An edge that is being made has a first time, and no last one yet.
fn last_of(edge: &EdgeAge) -> u64 {
    edge.last_ns.max(edge.first_ns)
}

fn count(keys: impl Iterator<Item = u64>) -> HashMap<u64, usize> {
    keys.fold(HashMap::new(), |mut counts, key| {
        *counts.entry(key).or_default() += 1;
        counts
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
