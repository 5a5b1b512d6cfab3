use super::*;
use crate::kernel::records::{ProcessId, RECORD_DESCRIPTOR};

const OWNER: u32 = 10;
const PARTNER: u32 = 11;
const HAS_NAME: u64 = 1;

fn key(pid: u32) -> ProcessKey {
    (pid, 0)
}

fn open(pid: u32, fd: u32, descriptor: u16, ours: u64, peer: u64) -> DescriptorRecord {
    let process = ProcessId { start_ns: 0, pid, uid: 0 };
    DescriptorRecord { kind: RECORD_DESCRIPTOR, descriptor, fd, process, ours, peer }
}

fn writes(pid: u32, pipe: u64) -> DescriptorRecord {
    open(pid, 4, DESCRIPTOR_PIPE_WRITE, pipe, 0)
}

fn reads(pid: u32, pipe: u64) -> DescriptorRecord {
    open(pid, 5, DESCRIPTOR_PIPE_READ, pipe, 0)
}

fn opens_both_ways(pid: u32, pipe: u64) -> [DescriptorRecord; 2] {
    [open(pid, 4, DESCRIPTOR_PIPE_READ, pipe, HAS_NAME), open(pid, 4, DESCRIPTOR_PIPE_WRITE, pipe, HAS_NAME)]
}

fn channels(records: &[DescriptorRecord]) -> Channels {
    Channels::new(records, &HashSet::from([key(OWNER)]))
}

fn rings(records: &[DescriptorRecord]) -> Vec<u32> {
    channels(records).rings(key(OWNER)).into_iter().map(|(pid, _)| pid).collect()
}

#[test]
fn finds_all_of_a_ring_of_pipes() {
    assert_eq!(rings(&[writes(OWNER, 1), reads(12, 1), writes(12, 2), reads(PARTNER, 2), writes(PARTNER, 3), reads(OWNER, 3)]), [11, 12]);
}

#[test]
fn does_not_join_services_through_their_supervisor() {
    let (supervisor, other) = (12, 13);
    let both = |service, pipe| [writes(service, pipe), reads(supervisor, pipe), writes(supervisor, pipe + 1), reads(service, pipe + 1)];
    let records = [both(OWNER, 1), both(other, 3)].concat();
    assert_eq!(rings(&records), [supervisor]);
}

#[test]
fn finds_no_ring_in_a_pipeline_or_a_log() {
    let log = 9;
    let logs = [OWNER, 12, PARTNER].map(|pid| writes(pid, log));
    let pipeline = [writes(OWNER, 1), reads(12, 1), writes(12, 2), reads(PARTNER, 2), reads(14, log)];
    assert!(rings(&[logs.as_slice(), pipeline.as_slice()].concat()).is_empty());
}

#[test]
fn finds_a_partner_among_bystanders_where_the_pipe_has_a_name() {
    let everyone: Vec<u32> = (20..30).chain([OWNER, PARTNER]).collect();
    let records: Vec<_> = everyone.iter().flat_map(|pid| opens_both_ways(*pid, 1)).collect();
    assert!(rings(&records).contains(&PARTNER));
    let unnamed: Vec<_> = records.iter().map(|r| DescriptorRecord { peer: 0, ..*r }).collect();
    assert!(rings(&unnamed).is_empty());
}

#[test]
fn holds_a_pipe_that_very_many_have_opened_for_no_channel() {
    let records: Vec<_> = (20..90).chain([OWNER, PARTNER]).flat_map(|pid| opens_both_ways(pid, 1)).collect();
    assert!(rings(&records).is_empty());
}

#[test]
fn joins_who_dialled_an_owner_by_name_and_not_whom_the_owner_dialled() {
    let ends = |accepted, dialled| [open(accepted, 5, DESCRIPTOR_UNIX_ACCEPTED, 1, 2), open(dialled, 6, DESCRIPTOR_UNIX_DIALLED, 2, 1)];
    assert_eq!(rings(&ends(OWNER, PARTNER)), [PARTNER]);
    assert!(rings(&ends(PARTNER, OWNER)).is_empty());
}

#[test]
fn joins_datagram_sockets_that_are_connected_with_each_other() {
    let mutual = [open(OWNER, 5, DESCRIPTOR_UNIX_DATAGRAM, 1, 2), open(PARTNER, 6, DESCRIPTOR_UNIX_DATAGRAM, 2, 1)];
    assert_eq!(rings(&mutual), [PARTNER]);
    // A log takes datagrams of all, and its socket has no peer.
    assert!(rings(&mutual[..1]).is_empty());
}

#[test]
fn joins_both_ends_of_a_terminal_on_which_nothing_runs() {
    let ends = [open(OWNER, 5, DESCRIPTOR_PTY_MASTER, 1, 0), open(PARTNER, 6, DESCRIPTOR_PTY_SLAVE, 1, 0)];
    assert_eq!(rings(&ends), [PARTNER]);
    let shell = open(12, 0, DESCRIPTOR_PTY_SLAVE, 1, 0);
    assert!(rings(&[ends[0], ends[1], shell]).is_empty());
}

#[test]
fn searches_a_crowd_for_no_longer_than_its_bound() {
    // Sixty processes with a pipe in each direction between any two: more rings than can be walked.
    let pipe = |a: u64, b: u64| a * 1000 + b;
    let all: Vec<u64> = (10..70).collect();
    let pairs = all.iter().flat_map(|a| all.iter().filter(move |b| *b != a).map(move |b| (*a, *b)));
    let pid = |n: u64| u32::try_from(n).unwrap_or(0);
    let records: Vec<_> = pairs.flat_map(|(a, b)| [writes(pid(a), pipe(a, b)), reads(pid(b), pipe(a, b))]).collect();
    let mut left = MAX_SEARCH;
    let back = distances(key(OWNER), &channels(&records).any_previous);
    channels(&records).extend_ring(&mut vec![key(OWNER)], &back, &mut left, &mut BTreeSet::new());
    assert_eq!(left, 0);
}
