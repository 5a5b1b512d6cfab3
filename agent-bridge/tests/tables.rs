//! Looks at descriptors in the running kernel, beside a crowd of processes that share one table. Needs root and BTF.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fs::File;
use std::process::{Child, Command, Stdio};

use backflow_collector::host::identity::ProcessKey;
use backflow_collector::host::proc_fs::{Stat, NS_PER_TICK};
use backflow_collector::inspect::looks::{look, Found};
use backflow_collector::inspect::outside::Outside;
use backflow_collector::inspect::schedule::Look;
use backflow_collector::kernel::load::Kernel;
use backflow_collector::kernel::tables::Passes;
use backflow_collector::wire::attachment::Kind;

const CROWD: usize = 60;
const DESCRIPTORS: usize = 700;

/// Processes that share this process's table (CLONE_FILES), ended when this is dropped.
struct Crowd(Vec<libc::pid_t>);

impl Crowd {
    fn start(count: usize) -> Self {
        let flags = libc::c_long::from(libc::CLONE_FILES | libc::SIGCHLD);
        Self(
            (0..count)
                .map(|_| {
                    // SAFETY: as fork, with the table shared; the child makes no call but pause.
                    match unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) } {
                        0 => loop {
                            // SAFETY: no arguments; it returns after a signal that is handled, and none is.
                            unsafe { libc::pause() };
                        },
                        pid => pid as libc::pid_t,
                    }
                })
                .collect(),
        )
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for pid in &self.0 {
            // SAFETY: children of this process that nobody has waited for.
            unsafe {
                libc::kill(*pid, libc::SIGKILL);
                libc::waitpid(*pid, std::ptr::null_mut(), 0);
            }
        }
    }
}

/// A program that would talk to this process over two pipes.
struct Shell(Child);

impl Shell {
    fn start() -> Self {
        Self(Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn key(pid: u32) -> ProcessKey {
    (pid, Stat::read(pid).unwrap().start_ticks * NS_PER_TICK)
}

/// None where the programs cannot be loaded; with CI=true that is a failure.
fn passes() -> Option<Passes> {
    match Kernel::load(4096) {
        Ok(mut kernel) => {
            let tables = kernel.tables.take().expect("this kernel has no iter/task");
            // Detaches the other programs, whose ring nobody drains.
            drop(kernel);
            Some(Passes::new(tables).unwrap())
        }
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error:#}");
            eprintln!("skipped, since the kernel programs cannot be loaded: {error:#}");
            None
        }
    }
}

fn piped_children(found: &Found, owner: ProcessKey) -> BTreeSet<ProcessKey> {
    let piped = found.relations.iter().filter(|r| r.kind == Kind::Pipe && r.process == owner);
    piped.filter_map(|relation| relation.child).collect()
}

#[test]
fn finds_a_piped_child_whose_owner_shares_its_table_with_a_crowd() {
    let Some(mut passes) = passes() else { return };
    let me = key(std::process::id());
    let _open: Vec<File> = (0..DESCRIPTORS).map(|_| File::open("/proc/self/status").unwrap()).collect();
    let shell = Shell::start();
    let crowd = Crowd::start(CROWD);
    let mut outside = Outside::default();
    outside.insert(u64::MAX, me);
    for due in [Look::Full, Look::Near(BTreeSet::from([me])), Look::Full] {
        let found = look(&due, &outside, &mut passes).unwrap();
        assert_eq!(piped_children(&found, me), BTreeSet::from([key(shell.0.id())]), "{due:?}");
        assert!(found.joins.iter().any(|join| (join.owner, join.partner) == (me, key(shell.0.id()))), "{due:?}");
        assert_eq!(found.saw_everything, due == Look::Full);
        // The table of the crowd is visited once in a pass, and a look has at most seven.
        assert!(found.tally.visited < (CROWD * DESCRIPTORS) as u64, "{:?}", found.tally);
    }
    drop(crowd);
}

#[test]
fn finds_nothing_where_nobody_owns_an_outside_connection() {
    let Some(mut passes) = passes() else { return };
    let _shell = Shell::start();
    let found = look(&Look::Full, &Outside::default(), &mut passes).unwrap();
    assert!(found.relations.is_empty() && found.saw_everything);
}
