//! What /proc tells about one process. Everything may be gone by the time it is read, and is bounded in size.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::host::container::{self, Cgroup};

/// USER_HZ is 100 on every architecture that Linux supports for user space.
pub const NS_PER_TICK: u64 = 10_000_000;
/// Bytes of argv that serve to recognise most programs.
pub const MAX_ARGV: u64 = 4096;

/// Fields of /proc/PID/stat (proc(5)).
#[derive(Debug, PartialEq, Eq)]
pub struct Stat {
    pub comm: String,
    pub parent: u32,
    pub has_tty: bool,
    /// Start time since boot in clock ticks.
    pub start_ticks: u64,
}

impl Stat {
    pub fn read(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The name may hold blanks and parentheses, so that the last ")" counts.
    fn parse(line: &str) -> Option<Self> {
        let (head, tail) = line.rsplit_once(')')?;
        let (_, comm) = head.split_once('(')?;
        let mut fields = tail.split_ascii_whitespace();
        Some(Self {
            comm: comm.to_owned(),
            parent: fields.nth(1)?.parse().ok()?,
            has_tty: fields.nth(2)?.parse::<i64>().ok()? != 0,
            start_ticks: fields.nth(14)?.parse().ok()?,
        })
    }
}

pub fn is_running(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// Real user id, as the kernel programs give it.
pub fn uid(pid: u32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("Uid:")?.split_ascii_whitespace().next()?.parse().ok())
}

pub fn exe(pid: u32) -> Option<String> {
    link(format!("/proc/{pid}/exe"))
}

pub fn cwd(pid: u32) -> Option<String> {
    link(format!("/proc/{pid}/cwd"))
}

fn link(path: String) -> Option<String> {
    fs::read_link(path).ok().map(|to| to.to_string_lossy().into_owned())
}

/// argv up to `max` bytes, and whether it was cut.
pub fn argv(pid: u32, max: u64) -> (Vec<String>, bool) {
    let mut bytes = Vec::new();
    if let Ok(file) = File::open(format!("/proc/{pid}/cmdline")) {
        // What was read before an error stands.
        let _ = file.take(max + 1).read_to_end(&mut bytes);
    }
    let is_cut = bytes.len() as u64 > max;
    if is_cut {
        bytes.pop();
    }
    (split_argv(&bytes), is_cut)
}

pub fn cgroup(pid: u32) -> Cgroup {
    container::parse(&fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default())
}

/// rchar and wchar of proc_pid_io(5): what was read and written by system calls, terminals and pipes included. Of the main
/// thread alone: the numbers of the whole process hold those of children that were waited for.
pub fn characters(pid: u32) -> Option<(u64, u64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/io")).ok()?;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    Some((field("rchar:")?, field("wchar:")?))
}

/// The process's own root folder, whatever its mount namespace.
pub fn root(pid: u32) -> PathBuf {
    Path::new("/proc").join(pid.to_string()).join("root")
}

/// Words that are separated, and perhaps ended, by NUL.
pub fn split_argv(bytes: &[u8]) -> Vec<String> {
    let trimmed = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    if trimmed.is_empty() {
        return Vec::new();
    }
    trimmed.split(|b| *b == 0).map(|arg| String::from_utf8_lossy(arg).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_stat_line_whose_name_has_parentheses() {
        let line = "42 (a) b (c) S 7 42 42 34816 42 4194560 1 0 0 0 0 0 0 0 20 0 1 0 123456 1 1";
        let expected = Stat { comm: "a) b (c".into(), parent: 7, has_tty: true, start_ticks: 123_456 };
        assert_eq!(Stat::parse(line), Some(expected));
    }

    #[test]
    fn refuses_stat_lines_that_are_cut() {
        for line in ["", "42 (a", "42 (a) S 7", ") ("] {
            assert_eq!(Stat::parse(line), None, "{line}");
        }
    }

    #[test]
    fn splits_argv_with_hostile_bytes() {
        assert_eq!(split_argv(b"ssh\0-R\0\xff\0"), ["ssh", "-R", "\u{fffd}"]);
        assert!(split_argv(b"").is_empty());
        assert_eq!(split_argv(b"a\0\0b"), ["a", "", "b"]);
    }

    #[test]
    fn reads_this_process() {
        let me = std::process::id();
        let stat = Stat::read(me);
        assert!(stat.is_some_and(|s| s.start_ticks > 0 && s.parent > 0));
        // SAFETY: getuid has no arguments and cannot fail.
        assert_eq!(uid(me), Some(unsafe { libc::getuid() }));
        assert_eq!(argv(me, MAX_ARGV), (std::env::args().collect(), false));
        assert!(characters(me).is_some());
    }
}
