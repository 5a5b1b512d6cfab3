//! Threads that read what may make its reader wait: SSH configuration on a file system that hangs, and the command line of a
//! process whose memory is being changed. The drain thread may not wait.

use std::sync::mpsc::{sync_channel, Receiver, SyncSender};

use anyhow::{Context, Result};

use crate::host::identity::ProcessKey;
use crate::host::image::Image;
use crate::host::inside_root::Root;
use crate::host::proc_fs::{self, Stat, NS_PER_TICK};
use crate::host::ssh_config::{command_line, forwards};
use crate::wire::SshForward;

/// Requests that wait, of SSH clients and of all others. More at once are not looked at: what the kernel gave stands.
const MAX_WAITING: usize = 256;
/// Bytes of a command line that are read of programs that open tunnels, by name: what they are asked for may stand behind
/// any number of harmless options. MAX_ARG_STRLEN (binfmts.h) of one word.
const MAX_TUNNEL_ARGV: u64 = 128 << 10;
const TUNNEL_PROGRAMS: [&str; 13] =
    ["ssh", "slogin", "autossh", "dbclient", "dropbear", "plink", "chisel", "frpc", "rathole", "bore", "gost", "ngrok", "cloudflared"];

/// A process whose command line was cut, or that reads SSH configuration.
#[derive(Debug)]
pub struct Request {
    pub process: ProcessKey,
    exe: String,
    argv: Vec<String>,
    argv_truncated: bool,
    uid: u32,
    cwd: String,
}

#[derive(Debug)]
pub struct Found {
    pub process: ProcessKey,
    /// The words of the request: the process may run another program by now.
    pub known: Vec<String>,
    /// More of the command line than was known, and whether even that is cut.
    pub argv: Option<(Vec<String>, bool)>,
    pub forwards: Vec<SshForward>,
}

impl Request {
    /// Of what is known at once of most programs there is no more to read.
    pub fn new(process: ProcessKey, uid: u32, image: &Image) -> Option<Self> {
        let Image { exe, argv, argv_truncated, cwd, .. } = image;
        let is_worthwhile = *argv_truncated || command_line(exe, argv).is_some();
        is_worthwhile.then(|| Self {
            process,
            exe: exe.clone(),
            argv: argv.clone(),
            argv_truncated: *argv_truncated,
            uid,
            cwd: cwd.clone(),
        })
    }

    fn is_ssh(&self) -> bool {
        command_line(&self.exe, &self.argv).is_some()
    }

    fn read(self) -> Option<Found> {
        let argv = self.argv_truncated.then(|| self.read_argv()).flatten();
        let words = argv.as_ref().map_or(&self.argv, |(words, _)| words);
        let found = command_line(&self.exe, words).and_then(|command| {
            let root = Root::open(&proc_fs::root(self.process.0)).ok()?;
            Some(forwards(&command, &root, self.uid, &self.cwd))
        });
        let forwards = found.unwrap_or_default();
        (argv.is_some() || !forwards.is_empty()).then_some(Found { process: self.process, known: self.argv, argv, forwards })
    }

    fn read_argv(&self) -> Option<(Vec<String>, bool)> {
        let (pid, start_ns) = self.process;
        let called = self.argv.first().map(String::as_str).unwrap_or_default();
        let names = [self.exe.trim_end_matches(" (deleted)"), called].map(|path| path.rsplit('/').next().unwrap_or(path));
        let opens_tunnels = names.iter().any(|name| TUNNEL_PROGRAMS.contains(name));
        let (argv, is_cut) = proc_fs::argv(pid, if opens_tunnels { MAX_TUNNEL_ARGV } else { proc_fs::MAX_ARGV });
        // Read last: what was read is of this process or of one that it became.
        let is_same = Stat::read(pid).is_some_and(|stat| stat.start_ticks * NS_PER_TICK == start_ns);
        (is_same && continues(&argv, &self.argv)).then_some((argv, is_cut))
    }
}

/// Whether `argv` is what `cut` is the beginning of: the process may have written over its arguments, or run another program.
fn continues(argv: &[String], cut: &[String]) -> bool {
    let Some((last, whole)) = cut.split_last() else { return true };
    let Some(same) = argv.get(..whole.len()) else { return false };
    // The cut may have gone through a character.
    let last = last.trim_end_matches(char::REPLACEMENT_CHARACTER);
    same == whole && argv.get(whole.len()).is_some_and(|word| word.starts_with(last))
}

pub struct SlowReads {
    /// SSH clients have a thread of their own: nobody else's long command lines take their place.
    ssh: SyncSender<Request>,
    others: SyncSender<Request>,
    results: Receiver<Found>,
}

impl SlowReads {
    /// Starts the threads; they end when this is dropped.
    pub fn start() -> Result<Self> {
        let (report, results) = sync_channel(MAX_WAITING);
        Ok(Self { ssh: thread("ssh-files", report.clone())?, others: thread("command-lines", report)?, results })
    }

    pub fn request(&self, request: Request) {
        let queue = if request.is_ssh() { &self.ssh } else { &self.others };
        let _ = queue.try_send(request);
    }

    /// What was found since the last call.
    pub fn take_results(&self) -> Vec<Found> {
        self.results.try_iter().take(MAX_WAITING).collect()
    }
}

fn thread(name: &str, report: SyncSender<Found>) -> Result<SyncSender<Request>> {
    let (requests, pending) = sync_channel::<Request>(MAX_WAITING);
    let read = move || {
        for request in pending {
            if request.read().is_some_and(|found| report.send(found).is_err()) {
                return;
            }
        }
    };
    std::thread::Builder::new().name(name.into()).spawn(read).context("cannot start a thread")?;
    Ok(requests)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn takes_only_what_continues_the_words_that_are_known() {
        let cases = [
            ("ssh -o SendEnv=A -R 1:a:2 host", "ssh -o SendEn", true),
            ("ssh -o SendEnv=A", "ssh -o SendEnv=A", true),
            ("ssh -o", "ssh -o SendEnv=A", false),
            ("sleep 9 -o SendEnv=A", "ssh -o SendEn", false),
            ("ssh -p SendEnv=A", "ssh -o SendEn", false),
        ];
        for (argv, cut, expected) in cases {
            assert_eq!(continues(&words(argv), &words(cut)), expected, "{argv} | {cut}");
        }
        assert!(continues(&words("a b\u{e9}c"), &["a".to_owned(), "b\u{fffd}".to_owned()]));
        assert!(continues(&words("a"), &[]));
    }

    #[test]
    fn reads_the_rest_of_a_line_that_was_cut() {
        let me = std::process::id();
        let (argv, _) = proc_fs::argv(me, proc_fs::MAX_ARGV);
        let start_ns = Stat::read(me).map_or(0, |stat| stat.start_ticks * NS_PER_TICK);
        let first: String = argv.first().map(|word| word.chars().take(3).collect()).unwrap_or_default();
        let request = |start_ns| Request {
            process: (me, start_ns),
            exe: "/bin/x".into(),
            argv: vec![first.clone()],
            argv_truncated: true,
            uid: 0,
            cwd: String::new(),
        };
        assert_eq!(request(start_ns).read().and_then(|found| found.argv), Some((argv.clone(), false)));
        // Another process with its number.
        assert!(request(start_ns + NS_PER_TICK).read().is_none());
    }
}
