//! Table of processes: facts by (pid, start time), sent once and referred to by number.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use crate::host::clock::Clock;
use crate::host::{container, ssh_config};
use crate::kernel::records::{ExecHead, ExitRecord, ForkRecord, ProcessId};
use crate::wire;

/// More processes than this are not remembered: the oldest ended ones go first, then the table refuses new ones.
const MAX_PROCESSES: usize = 65_536;
/// Ended processes are kept this long, since their sockets may outlive them. Nanoseconds.
const KEEP_ENDED_NS: u64 = 60_000_000_000;
const MAX_ANCESTORS: usize = 8;

pub type Key = (u32, u64);

#[derive(Debug)]
struct Entry {
    facts: wire::Process,
    parent: Option<Key>,
    sent: bool,
    ended_ns: Option<u64>,
    complete: bool,
}

#[derive(Debug, Default)]
pub struct Processes {
    by_key: HashMap<Key, Entry>,
    key_of_pid: HashMap<u32, Key>,
    next_ref: u32,
    ended_refs: Vec<u32>,
    /// Processes that were not remembered because the table was full.
    pub refused: u64,
}

/// /proc knows start times in ticks only, the kernel programs in nanoseconds: the key is what both agree on.
pub fn key_of(id: &ProcessId) -> Key {
    (id.pid, id.start_ns / NS_PER_TICK * NS_PER_TICK)
}

impl Processes {
    pub fn on_fork(&mut self, record: &ForkRecord, clock: Clock) {
        let parent = key_of(&record.parent);
        let key = key_of(&record.process);
        let inherited = self.by_key.get(&parent).map(|entry| entry.facts.clone());
        let Some(entry) = self.entry(key, record.process.uid) else { return };
        if let Some(facts) = inherited {
            let (number, start) = (entry.facts.r#ref, entry.facts.start_ns);
            entry.facts = wire::Process { r#ref: number, pid: key.0, start_ns: start, ssh_forwards: Vec::new(), ..facts };
            entry.complete = true;
        }
        entry.facts.uid = record.process.uid;
        entry.facts.exec_us = clock.to_unix_us(record.at_ns);
        entry.parent = Some(parent);
    }

    pub fn on_exec(&mut self, head: &ExecHead, argv: &[u8], clock: Clock) {
        let key = key_of(&head.process);
        let parent = key_of(&head.parent);
        let Some(entry) = self.entry(key, head.process.uid) else { return };
        entry.parent = Some(parent);
        entry.sent = false;
        let facts = &mut entry.facts;
        facts.comm = text(&head.comm);
        facts.exe = fs::read_link(format!("/proc/{}/exe", key.0)).map_or_else(|_| text(&head.path), |p| p.to_string_lossy().into_owned());
        facts.argv = split_argv(argv);
        facts.argv_truncated = head.argv_truncated != 0;
        facts.has_tty = head.has_tty != 0;
        facts.uid = head.process.uid;
        facts.exec_us = clock.to_unix_us(head.at_ns);
        read_place(facts);
        entry.complete = true;
    }

    pub fn on_exit(&mut self, record: &ExitRecord) {
        let key = key_of(&record.process);
        if let Some(entry) = self.by_key.get_mut(&key) {
            entry.ended_ns = Some(record.at_ns);
        }
    }

    /// The number of a process; 0 for none. Facts of one that was there before are read from /proc.
    pub fn reference(&mut self, id: &ProcessId, clock: Clock) -> u32 {
        if id.pid == 0 {
            return 0;
        }
        let key = key_of(id);
        if !self.by_key.get(&key).is_some_and(|entry| entry.complete) {
            self.bootstrap(key, id.uid, clock, MAX_ANCESTORS);
        }
        self.by_key.get(&key).map_or(0, |entry| entry.facts.r#ref)
    }

    fn bootstrap(&mut self, key: Key, uid: u32, clock: Clock, depth: usize) {
        let stat = Stat::read(key.0).filter(|stat| same_start(stat.start_ticks, key.1));
        let parent = stat.as_ref().filter(|_| depth > 0).and_then(|stat| self.key_of_running(stat.parent, clock, depth - 1));
        let Some(entry) = self.entry(key, uid) else { return };
        entry.complete = true;
        entry.parent = entry.parent.or(parent);
        let Some(stat) = stat else { return };
        let facts = &mut entry.facts;
        facts.comm = stat.comm;
        facts.has_tty = stat.tty != 0;
        facts.exec_us = clock.to_unix_us(key.1);
        facts.exe = fs::read_link(format!("/proc/{}/exe", key.0)).map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
        facts.argv = fs::read(format!("/proc/{}/cmdline", key.0)).map(|bytes| split_argv(&bytes)).unwrap_or_default();
        read_place(facts);
    }

    /// Key of a process that runs now, known or not. The start time in /proc has ticks only: a record's is exact.
    fn key_of_running(&mut self, pid: u32, clock: Clock, depth: usize) -> Option<Key> {
        if pid == 0 {
            return None;
        }
        if let Some(key) = self.key_of_pid.get(&pid).copied() {
            if self.by_key.get(&key).is_some_and(|entry| entry.ended_ns.is_none()) {
                return Some(key);
            }
        }
        let stat = Stat::read(pid)?;
        let key = (pid, stat.start_ticks * NS_PER_TICK);
        self.bootstrap(key, 0, clock, depth);
        Some(key)
    }

    fn entry(&mut self, key: Key, uid: u32) -> Option<&mut Entry> {
        if !self.by_key.contains_key(&key) {
            if self.by_key.len() >= MAX_PROCESSES {
                self.refused += 1;
                return None;
            }
            self.next_ref += 1;
            let facts = wire::Process { r#ref: self.next_ref, pid: key.0, start_ns: key.1, uid, ..Default::default() };
            self.by_key.insert(key, Entry { facts, parent: None, sent: false, ended_ns: None, complete: false });
            self.key_of_pid.insert(key.0, key);
        }
        self.by_key.get_mut(&key)
    }

    /// Facts that a batch which refers to `numbers` has to carry, ancestors first.
    pub fn unsent(&mut self, keys: impl IntoIterator<Item = Key>) -> Vec<wire::Process> {
        let mut out = Vec::new();
        for key in keys {
            let mut chain = Vec::new();
            let mut next = Some(key);
            while let Some(key) = next {
                if chain.len() > MAX_ANCESTORS || chain.contains(&key) {
                    break;
                }
                let Some(entry) = self.by_key.get(&key) else { break };
                chain.push(key);
                next = entry.parent;
            }
            for key in chain.iter().rev() {
                let parent = self.by_key.get(key).and_then(|e| e.parent).and_then(|p| self.by_key.get(&p)).map_or(0, |e| e.facts.r#ref);
                if let Some(entry) = self.by_key.get_mut(key) {
                    if !entry.sent {
                        entry.sent = true;
                        entry.facts.parent = parent;
                        out.push(entry.facts.clone());
                    }
                }
            }
        }
        out
    }

    /// Everything that was sent and still runs: the dictionary after a reconnect.
    pub fn sent(&self) -> Vec<wire::Process> {
        self.by_key.values().filter(|entry| entry.sent).map(|entry| entry.facts.clone()).collect()
    }

    /// The number of a process that the table knows or that runs; 0 otherwise.
    pub fn number(&mut self, key: Key) -> u32 {
        let id = ProcessId { start_ns: key.1, pid: key.0, uid: 0 };
        self.reference(&id, Clock::measure())
    }

    pub fn parent_of(&self, key: Key) -> Option<Key> {
        self.by_key.get(&key)?.parent
    }

    pub fn is_descendant(&self, key: Key, ancestor: Key) -> bool {
        let mut next = Some(key);
        for _ in 0..=MAX_ANCESTORS {
            match next {
                Some(key) if key == ancestor => return true,
                Some(key) => next = self.parent_of(key),
                None => return false,
            }
        }
        false
    }

    /// Forgets processes that ended a while ago; the numbers of those that were sent go into the next batch.
    pub fn expire(&mut self, now_ns: u64) {
        let ended_refs = &mut self.ended_refs;
        self.by_key.retain(|_, entry| {
            let keep = entry.ended_ns.is_none_or(|ended| now_ns < ended + KEEP_ENDED_NS);
            if !keep && entry.sent {
                ended_refs.push(entry.facts.r#ref);
            }
            keep
        });
        let by_key = &self.by_key;
        self.key_of_pid.retain(|_, key| by_key.contains_key(key));
    }

    pub fn take_exited(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.ended_refs)
    }
}

/// USER_HZ is 100 on every architecture that Linux supports for user space.
const NS_PER_TICK: u64 = 10_000_000;

fn same_start(ticks: u64, start_ns: u64) -> bool {
    start_ns / NS_PER_TICK == ticks
}

struct Stat {
    comm: String,
    parent: u32,
    tty: i64,
    start_ticks: u64,
}

impl Stat {
    /// Fields of /proc/PID/stat (proc(5)); comm may hold blanks and parentheses, so that the last ")" counts.
    fn read(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(line: &str) -> Option<Self> {
        let (head, tail) = line.rsplit_once(')')?;
        let (_, comm) = head.split_once('(')?;
        let mut fields = tail.split_ascii_whitespace();
        Some(Self {
            comm: comm.to_owned(),
            parent: fields.nth(1)?.parse().ok()?,
            tty: fields.nth(2)?.parse().ok()?,
            start_ticks: fields.nth(14)?.parse().ok()?,
        })
    }
}

/// Where the process runs, and what its configuration asks for: as far as /proc still shows it.
fn read_place(facts: &mut wire::Process) {
    let pid = facts.pid;
    facts.cwd = fs::read_link(format!("/proc/{pid}/cwd")).map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
    let cgroup = container::parse(&fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default());
    facts.cgroup = cgroup.path;
    facts.container_id = cgroup.container_id;
    if let Some(line) = ssh_config::command_line(&facts.argv) {
        let root = PathBuf::from(format!("/proc/{pid}/root"));
        let home = ssh_config::home_of(&root, facts.uid).unwrap_or_default();
        facts.ssh_forwards = ssh_config::forwards(&line, &root, &home, &facts.cwd);
    }
}

fn split_argv(bytes: &[u8]) -> Vec<String> {
    let trimmed = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    if trimmed.is_empty() {
        return Vec::new();
    }
    trimmed.split(|b| *b == 0).map(|arg| String::from_utf8_lossy(arg).into_owned()).collect()
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_stat_line_whose_name_has_parentheses() {
        let line = "42 (a) b (c) S 7 42 42 34816 42 4194560 1 0 0 0 0 0 0 0 20 0 1 0 123456 1 1";
        let stat = Stat::parse(line).map(|s| (s.comm, s.parent, s.tty, s.start_ticks));
        assert_eq!(stat, Some(("a) b (c".into(), 7, 34816, 123_456)));
    }

    #[test]
    fn splits_argv_with_hostile_bytes() {
        assert_eq!(split_argv(b"ssh\0-R\0\xff\0"), ["ssh", "-R", "\u{fffd}"]);
        assert!(split_argv(b"").is_empty());
        assert_eq!(split_argv(b"a\0\0b"), ["a", "", "b"]);
    }
}
