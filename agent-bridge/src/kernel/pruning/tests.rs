use super::*;
use crate::kernel::records::read;

const S: u64 = 1_000_000_000;
const NOW: u64 = 10_000 * S;

fn edge(group: u64, share: u64, number: u16, silent_ns: u64) -> EdgeAge {
    let none: EdgeAge = read(&[0; 80]).unwrap();
    let key = EdgeKey { group, b_port: number, ..none.key };
    EdgeAge { key, share, first_ns: 1, last_ns: NOW - silent_ns, both_ways: 0 }
}

fn group(group: u64, share: u64, silent_ns: u64) -> GroupAge {
    GroupAge { group, share, last_ns: NOW - silent_ns, ended_ns: 0 }
}

/// `count` edges of one group; number 0 was silent longest.
fn edges(of: u64, share: u64, count: u16) -> Vec<EdgeAge> {
    (0..count).map(|number| edge(of, share, number, 100 * S - u64::from(number))).collect()
}

fn chosen(ages: &Ages) -> Choice {
    choose(ages, NOW, NOW)
}

fn ports(choice: &Choice) -> Vec<u16> {
    choice.edges.iter().map(|(key, _)| key.b_port).collect()
}

#[test]
fn keeps_what_is_within_half_of_the_bounds() {
    let ages = Ages { edges: edges(1, 7, 512), groups: vec![group(1, 7, 0)], ..Ages::default() };
    assert_eq!(chosen(&ages), Choice::default());
}

#[test]
fn chooses_what_was_silent_longest_of_a_group_above_half_of_its_bound() {
    let mut all = edges(1, 7, 515);
    all.reverse();
    let ages = Ages { edges: all, groups: vec![group(1, 7, 0)], ..Ages::default() };
    assert_eq!(ports(&chosen(&ages)), [0, 1, 2]);
}

#[test]
fn chooses_first_what_never_carried_bytes_both_ways() {
    let mut all = edges(1, 7, 514);
    all.iter_mut().take(500).for_each(|edge| edge.both_ways = 1);
    let ages = Ages { edges: all, groups: vec![group(1, 7, 0)], ..Ages::default() };
    assert_eq!(ports(&chosen(&ages)), [500, 501]);
}

#[test]
fn chooses_nothing_that_is_in_use_or_was_not_read() {
    let mut all = edges(1, 7, 600);
    all.iter_mut().for_each(|edge| edge.last_ns = NOW - S);
    let ages = Ages { edges: all, groups: vec![group(1, 7, 0)], ..Ages::default() };
    assert_eq!(chosen(&ages), Choice::default());
    let ages = Ages { edges: edges(1, 7, 600), groups: vec![group(1, 7, 0)], ..Ages::default() };
    assert_eq!(choose(&ages, NOW, NOW - 200 * S), Choice::default());
}

/// The edges of one who spreads over many groups go, and nobody else's.
#[test]
fn makes_room_in_the_share_of_the_identity_that_filled_it() {
    let mut all: Vec<EdgeAge> = (0..10u64).flat_map(|of| edges(of, 7, 300)).collect();
    all.extend(edges(100, 8, 400));
    let groups = (0..10).map(|of| group(of, 7, 0)).chain([group(100, 8, 0)]).collect();
    let choice = chosen(&Ages { edges: all, groups, ..Ages::default() });
    assert_eq!(choice.edges.len(), 3000 - SHARE_EDGES / 2);
    assert!(choice.edges.iter().all(|(_, share)| *share == 7));
}

#[test]
fn chooses_an_edge_that_was_silent_for_ten_minutes_although_there_is_room() {
    let ages = Ages { edges: vec![edge(1, 7, 1, 599 * S), edge(1, 7, 2, 600 * S)], groups: vec![group(1, 7, 0)], ..Ages::default() };
    assert_eq!(ports(&chosen(&ages)), [2]);
}

#[test]
fn chooses_a_group_that_nobody_acts_in_with_its_edges() {
    let ended = |of: u64, ago: u64| GroupAge { ended_ns: NOW - ago, ..group(of, 7, 3 * S) };
    let mut ages = Ages {
        edges: vec![edge(1, 7, 1, 3 * S), edge(2, 7, 2, 3 * S)],
        groups: vec![ended(1, 2 * S), ended(2, S / 2), group(3, 7, 3 * S)],
        ..Ages::default()
    };
    let choice = chosen(&ages);
    assert_eq!((ports(&choice), choice.groups), (vec![1], vec![(1, 7)]));
    // A child of the process still acts in it.
    ages.joined.insert(1);
    assert_eq!(chosen(&ages), Choice::default());
}

#[test]
fn chooses_the_edges_of_a_group_that_is_gone() {
    let ages = Ages { edges: vec![edge(1, 7, 1, 3 * S)], ..Ages::default() };
    assert_eq!(ports(&chosen(&ages)), [1]);
}

#[test]
fn chooses_the_groups_that_were_silent_longest_of_an_identity_above_half_of_its_share() {
    let more = SHARE_GROUPS as u64 / 2 + 2;
    let groups = (0..more).map(|of| group(of, 7, 100 * S - of)).chain([group(9_999, 8, 200 * S)]).collect();
    let ages = Ages { groups, ..Ages::default() };
    assert_eq!(chosen(&ages).groups, [(0, 7), (1, 7)]);
}

/// Between its making and its first use an edge has no last time.
#[test]
fn takes_an_edge_that_is_being_made_for_a_new_one() {
    let mut all = edges(1, 7, 513);
    all.push(EdgeAge { first_ns: NOW - 1, last_ns: 0, ..edge(1, 7, 999, 0) });
    let ages = Ages { edges: all, groups: vec![group(1, 7, 0)], ..Ages::default() };
    assert_eq!(ports(&chosen(&ages)), [0, 1]);
}
