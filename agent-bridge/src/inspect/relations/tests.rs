use super::*;
use crate::kernel::records::{ProcessId, RECORD_DESCRIPTOR};

const OWNER: u32 = 10;
const CHILD: u32 = 11;

fn key(pid: u32) -> ProcessKey {
    (pid, 0)
}

fn open(pid: u32, fd: u32, descriptor: u16, ours: u64, peer: u64) -> DescriptorRecord {
    let process = ProcessId { start_ns: 0, pid, uid: 0 };
    DescriptorRecord { kind: RECORD_DESCRIPTOR, descriptor, fd, process, ours, peer }
}

fn find_with_owner(records: &[DescriptorRecord]) -> ProcessLinks {
    find(records, &HashSet::from([77]), &HashSet::from([key(OWNER)]))
}

#[test]
fn finds_a_shell_on_the_socket_itself() {
    let found = find_with_owner(&[
        open(OWNER, 0, DESCRIPTOR_SOCKET, 77, 0),
        open(OWNER, 1, DESCRIPTOR_SOCKET, 77, 0),
        open(OWNER, 7, DESCRIPTOR_SOCKET, 77, 0),
    ]);
    let expected = Relation { kind: Kind::StdioSocket, process: key(OWNER), child: None, cookie: 77, stdio_mask: 3 };
    assert_eq!(found.relations, BTreeSet::from([expected]));
}

#[test]
fn ignores_stdio_on_another_socket() {
    assert!(find_with_owner(&[open(OWNER, 0, DESCRIPTOR_SOCKET, 78, 0)]).relations.is_empty());
}

#[test]
fn finds_a_child_on_the_owners_pty() {
    let found = find_with_owner(&[
        open(OWNER, 5, DESCRIPTOR_PTY_MASTER, 1, 0),
        open(CHILD, 0, DESCRIPTOR_PTY_SLAVE, 1, 0),
        open(CHILD, 1, DESCRIPTOR_PTY_SLAVE, 1, 0),
    ]);
    let expected = Relation { kind: Kind::Pty, process: key(OWNER), child: Some(key(CHILD)), cookie: 0, stdio_mask: 3 };
    assert_eq!(found.relations, BTreeSet::from([expected]));
}

#[test]
fn ignores_a_client_that_runs_on_the_slave_side() {
    let records = [open(CHILD, 5, DESCRIPTOR_PTY_MASTER, 1, 0), open(OWNER, 0, DESCRIPTOR_PTY_SLAVE, 1, 0)];
    assert!(find_with_owner(&records).relations.is_empty());
}

#[test]
fn finds_a_child_between_two_owners() {
    let records = [
        open(OWNER, 1, DESCRIPTOR_PIPE_WRITE, 1, 0),
        open(CHILD, 0, DESCRIPTOR_PIPE_READ, 1, 0),
        open(CHILD, 1, DESCRIPTOR_PIPE_WRITE, 2, 0),
        open(12, 0, DESCRIPTOR_PIPE_READ, 2, 0),
    ];
    let owners = [key(OWNER), key(12)];
    let expected = Relation { kind: Kind::PipeBetween, process: key(OWNER), child: Some(key(CHILD)), cookie: 0, stdio_mask: 3 };
    assert_eq!(find(&records, &HashSet::from([77, 78]), &HashSet::from(owners)).relations, BTreeSet::from([expected]));
    assert!(find_with_owner(&records).relations.is_empty());
}

#[test]
fn finds_a_child_behind_two_pipes_and_pairs_them() {
    let records = [
        open(OWNER, 4, DESCRIPTOR_PIPE_WRITE, 1, 0),
        open(CHILD, 0, DESCRIPTOR_PIPE_READ, 1, 0),
        open(CHILD, 1, DESCRIPTOR_PIPE_WRITE, 2, 0),
        open(OWNER, 5, DESCRIPTOR_PIPE_READ, 2, 0),
    ];
    let found = find_with_owner(&records);
    assert_eq!(found.relations.iter().map(|r| (r.kind, r.child)).collect::<Vec<_>>(), [(Kind::Pipe, Some(key(CHILD)))]);
    assert_eq!(found.pairs, BTreeSet::from([(key(OWNER), key(CHILD))]));
}

#[test]
fn finds_a_shell_at_the_end_of_a_pipeline() {
    let cat = 12;
    let records = [
        open(OWNER, 1, DESCRIPTOR_PIPE_WRITE, 1, 0),
        open(cat, 0, DESCRIPTOR_PIPE_READ, 1, 0),
        open(cat, 1, DESCRIPTOR_PIPE_WRITE, 2, 0),
        open(CHILD, 0, DESCRIPTOR_PIPE_READ, 2, 0),
        open(CHILD, 1, DESCRIPTOR_PIPE_WRITE, 3, 0),
        open(OWNER, 0, DESCRIPTOR_PIPE_READ, 3, 0),
    ];
    assert!(find_with_owner(&records).relations.iter().any(|r| r.kind == Kind::Pipe && r.child == Some(key(CHILD))));
}

#[test]
fn does_not_pair_a_process_with_its_log() {
    let records = [open(OWNER, 1, DESCRIPTOR_PIPE_WRITE, 1, 0), open(CHILD, 0, DESCRIPTOR_PIPE_READ, 1, 0)];
    assert!(find_with_owner(&records).pairs.is_empty());
}

#[test]
fn pairs_the_ends_of_a_socket_pair() {
    let records = [open(OWNER, 4, DESCRIPTOR_UNIX_PAIR, 1, 2), open(CHILD, 9, DESCRIPTOR_UNIX_PAIR, 2, 1)];
    assert_eq!(find_with_owner(&records).pairs, BTreeSet::from([(key(OWNER), key(CHILD))]));
}

#[test]
fn pairs_two_owners_once() {
    let records = [open(OWNER, 5, DESCRIPTOR_UNIX_PAIR, 1, 2), open(CHILD, 6, DESCRIPTOR_UNIX_PAIR, 2, 1)];
    let found = find(&records, &HashSet::new(), &HashSet::from([key(OWNER), key(CHILD)]));
    assert_eq!(found.pairs, BTreeSet::from([(key(OWNER), key(CHILD))]));
    assert!(found.candidates.is_empty());
}

#[test]
fn does_not_pair_a_launcher_that_reads_output_from_a_socket_pair() {
    let records = [
        open(OWNER, 1, DESCRIPTOR_UNIX_PAIR, 1, 2),
        open(OWNER, 7, DESCRIPTOR_UNIX_PAIR, 1, 2),
        open(CHILD, 9, DESCRIPTOR_UNIX_PAIR, 2, 1),
    ];
    assert!(find_with_owner(&records).pairs.is_empty());
}

#[test]
fn pairs_a_launcher_that_also_writes_input() {
    let records = [
        open(OWNER, 0, DESCRIPTOR_UNIX_PAIR, 1, 2),
        open(OWNER, 1, DESCRIPTOR_UNIX_PAIR, 1, 2),
        open(CHILD, 9, DESCRIPTOR_UNIX_PAIR, 2, 1),
    ];
    assert_eq!(find_with_owner(&records).pairs.len(), 1);
}

#[test]
fn does_not_pair_what_many_inherited() {
    let mut records = vec![open(OWNER, 4, DESCRIPTOR_UNIX_PAIR, 1, 2)];
    records.extend((20..30).map(|pid| open(pid, 9, DESCRIPTOR_UNIX_PAIR, 2, 1)));
    assert!(find_with_owner(&records).pairs.is_empty());
}
