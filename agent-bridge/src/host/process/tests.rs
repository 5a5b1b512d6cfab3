use super::*;
use crate::kernel::records::{RECORD_EXEC, RECORD_EXIT, RECORD_FORK};

/// No process has such a pid (PID_MAX_LIMIT is 2^22): /proc is silent about it.
const BASE: u32 = 1 << 23;
const SECOND: u64 = 1_000_000_000;

fn id(n: u32) -> ProcessId {
    ProcessId { start_ns: u64::from(n) * SECOND, pid: BASE + n, uid: 1000 }
}

fn fork(table: &mut Processes, parent: u32, child: u32) {
    let record = ForkRecord { kind: RECORD_FORK, reserved: [0; 3], process: id(child), parent: id(parent), at_ns: 0 };
    table.on_fork(&record, Clock::measure());
}

fn head(parent: u32, process: u32, argv_bytes: u16) -> ExecHead {
    ExecHead {
        kind: RECORD_EXEC,
        argv_bytes,
        argv_truncated: 0,
        has_tty: 1,
        reserved: 0,
        process: id(process),
        parent: id(parent),
        at_ns: 5,
        comm: *b"sh\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        path: [0; 256],
    }
}

fn exec(table: &mut Processes, parent: u32, process: u32, argv: &[u8]) {
    let argv_bytes = u16::try_from(argv.len()).unwrap_or(0);
    table.on_exec(&head(parent, process, argv_bytes), argv, Clock::measure());
}

fn exit(table: &mut Processes, process: u32, at_ns: u64) {
    table.on_exit(&ExitRecord { kind: RECORD_EXIT, reserved: [0; 3], process: id(process), at_ns });
}

fn pids(facts: &[wire::Process]) -> Vec<u32> {
    facts.iter().map(|p| p.pid - BASE).collect()
}

#[test]
fn sends_ancestors_first_and_each_process_once() {
    let mut table = Processes::default();
    fork(&mut table, 1, 2);
    fork(&mut table, 2, 3);
    let first = table.unsent([key_of(&id(3))]);
    assert_eq!(pids(&first), [1, 2, 3]);
    let parents: Vec<_> = first.iter().map(|p| p.parent).collect();
    let refs: Vec<_> = first.iter().map(|p| p.r#ref).collect();
    assert_eq!(parents.get(1..), refs.get(..2));
    assert!(table.unsent([key_of(&id(3))]).is_empty());
}

#[test]
fn sends_facts_again_after_an_exec() {
    let mut table = Processes::default();
    fork(&mut table, 1, 2);
    table.unsent([key_of(&id(2))]);
    exec(&mut table, 1, 2, b"sh\0-i\0");
    let again = table.unsent([key_of(&id(2))]);
    assert_eq!(pids(&again), [2]);
    assert_eq!(again.first().map(|p| p.argv.clone()), Some(vec!["sh".to_owned(), "-i".to_owned()]));
}

#[test]
fn inherits_what_a_parent_executed() {
    let mut table = Processes::default();
    exec(&mut table, 1, 2, b"ssh\0-f\0");
    fork(&mut table, 2, 3);
    let child = table.unsent([key_of(&id(3))]).pop();
    assert_eq!(child.map(|p| (p.argv, p.uid)), Some((vec!["ssh".to_owned(), "-f".to_owned()], 1000)));
}

#[test]
fn keeps_ended_ancestors_of_what_runs() {
    let mut table = Processes::default();
    fork(&mut table, 1, 2);
    fork(&mut table, 2, 3);
    table.unsent([key_of(&id(3))]);
    exit(&mut table, 1, 0);
    exit(&mut table, 2, 0);
    table.expire(10 * KEEP_ENDED_NS);
    assert!(table.take_exited().is_empty());
    exit(&mut table, 3, 10 * KEEP_ENDED_NS);
    table.expire(10 * KEEP_ENDED_NS + KEEP_ENDED_NS - 1);
    assert!(table.take_exited().is_empty());
    table.expire(12 * KEEP_ENDED_NS);
    assert_eq!(table.take_exited().len(), 3);
    assert!(table.dictionary().is_empty());
}

#[test]
fn forgets_soon_what_no_record_referred_to() {
    let mut table = Processes::default();
    fork(&mut table, 1, 2);
    exit(&mut table, 1, 0);
    exit(&mut table, 2, 0);
    table.expire(KEEP_UNSENT_NS - 1);
    assert_eq!(table.by_key.len(), 2);
    table.expire(KEEP_UNSENT_NS);
    assert!(table.by_key.is_empty());
}

#[test]
fn makes_room_by_what_ended_and_then_refuses() {
    let mut table = Processes::default();
    for n in 0..MAX_PROCESSES as u32 {
        table.state_of((BASE + n, 0), 0);
    }
    assert!(table.state_of((1, 1), 0).is_none());
    assert_eq!(table.refused, 1);
    let ended = MIN_ENDED as u32;
    for n in 0..ended {
        let process = ProcessId { start_ns: 0, pid: BASE + n, uid: 0 };
        table.on_exit(&ExitRecord { kind: RECORD_EXIT, reserved: [0; 3], process, at_ns: 1 });
    }
    for n in 0..ended {
        assert!(table.state_of((1 + n, 1), 0).is_some());
    }
    assert!(table.state_of((BASE * 2, 2), 0).is_none());
}

#[test]
fn keeps_who_forked_a_daemon_when_init_has_taken_it_over() {
    let mut table = Processes::default();
    fork(&mut table, 1, 2);
    fork(&mut table, 2, 3);
    exit(&mut table, 2, 1);
    exec(&mut table, 9, 3, b"ssh\0");
    assert_eq!(pids(&table.unsent([key_of(&id(3))])), [1, 2, 3]);
}

#[test]
fn keeps_what_a_process_ran_when_it_forked() {
    let mut table = Processes::default();
    fork(&mut table, 1, 2);
    exec(&mut table, 1, 2, b"sh\0-i\0");
    fork(&mut table, 2, 3);
    exec(&mut table, 1, 2, b"cat\0");
    let argv: Vec<Vec<String>> = table.unsent([key_of(&id(3))]).into_iter().map(|p| p.argv).collect();
    assert_eq!(argv, [vec![], vec!["cat".to_owned()], vec!["sh".to_owned(), "-i".to_owned()]]);
}

#[test]
fn names_the_nearest_process_that_did_not_end() {
    let mut table = Processes::default();
    fork(&mut table, 1, 2);
    fork(&mut table, 2, 3);
    assert_eq!(table.nearest_running(key_of(&id(3))), key_of(&id(3)));
    exit(&mut table, 3, 1);
    exit(&mut table, 2, 1);
    assert_eq!(table.nearest_running(key_of(&id(3))), key_of(&id(1)));
    assert_eq!(table.nearest_running(key_of(&id(99))), key_of(&id(99)));
}

#[test]
fn gives_back_the_room_of_a_burst() {
    let mut table = Processes::default();
    for n in 2..20_000 {
        fork(&mut table, 1, n);
        exit(&mut table, n, 0);
    }
    table.expire(KEEP_UNSENT_NS);
    assert_eq!(table.by_key.len(), 1);
    assert!(table.by_key.capacity() < MIN_ENDED);
}

#[test]
fn sends_a_command_line_again_when_more_of_it_was_read() {
    let mut table = Processes::default();
    let cut = ExecHead { argv_truncated: 1, ..head(1, 2, 9) };
    table.on_exec(&cut, b"tool\0--na", Clock::measure());
    let key = key_of(&id(2));
    assert_eq!(table.take_to_read().iter().map(|request| request.process).collect::<Vec<_>>(), [key]);
    assert!(table.unsent([key]).iter().any(|facts| facts.argv_truncated));
    let argv = vec!["tool".to_owned(), "--name".to_owned(), "x".to_owned()];
    let found = |known: &[&str]| Found {
        process: key,
        known: known.iter().map(|word| (*word).to_owned()).collect(),
        argv: Some((argv.clone(), false)),
        forwards: Vec::new(),
    };
    // Read of a program that it ran before.
    assert_eq!(table.on_found(found(&["sh", "-c", "tool"])), None);
    assert_eq!(table.on_found(found(&["tool", "--na"])), Some(key));
    let again = table.unsent([key]);
    assert_eq!(again.iter().map(|facts| (facts.argv.clone(), facts.argv_truncated)).collect::<Vec<_>>(), [(argv, false)]);
}

#[test]
fn reads_more_of_ssh_clients_and_of_lines_that_were_cut() {
    let mut table = Processes::default();
    exec(&mut table, 1, 2, b"ls\0-l\0");
    assert!(table.take_to_read().is_empty());
    exec(&mut table, 1, 3, b"ssh\0host\0");
    assert_eq!(table.take_to_read().len(), 1);
}
