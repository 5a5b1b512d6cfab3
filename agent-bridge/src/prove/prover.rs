//! The prover: a process that the collector starts before it gives up its rights, and that opens a relay when asked.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use crate::prove::channel::{Channel, Step};
use crate::prove::namespace::{end_with, enter};
use crate::prove::relay;
use crate::prove::sizes::Nonce;

/// How often the prover looks whether the collector still lives, which its end signal tells it too.
const LOOK: Duration = Duration::from_secs(10);

/// The collector's side.
pub struct Prover {
    channel: Channel,
    child: libc::pid_t,
    ended: Option<String>,
}

impl Prover {
    /// Must be called while this process has one thread and none of what the child should not have: kernel programs, tokens.
    pub fn start() -> io::Result<Self> {
        let channel = Channel::new()?;
        let parent = i32::try_from(std::process::id()).unwrap_or(0);
        // SAFETY: by the contract above there is one thread, so that the child may do what any process may.
        match unsafe { libc::fork() } {
            -1 => Err(io::Error::last_os_error()),
            0 => serve(channel, parent),
            child => Ok(Self { channel, child, ended: None }),
        }
    }

    pub fn step(&self) -> Step {
        self.channel.step()
    }

    /// Inode of the prover's network namespace; 0 before it has one.
    pub fn netns(&self) -> u32 {
        self.channel.netns()
    }

    /// Where the outside of the relay under way listens.
    pub fn port(&self) -> u16 {
        self.channel.port()
    }

    pub fn ask(&self, nonce: Nonce, address: Ipv4Addr) {
        self.channel.ask(nonce, address.into());
    }

    /// The outside of the relay may speak.
    pub fn speak(&self) {
        self.channel.set(Step::Speak);
    }

    /// What was said of the relay that ended is read: another may be asked for.
    pub fn rest(&self) {
        self.channel.set(Step::Idle);
    }

    /// Why no relay came about; empty when it did.
    pub fn failure(&self) -> String {
        self.channel.failure()
    }

    /// Why there is no prover any more.
    pub fn ended(&mut self) -> Option<String> {
        if self.ended.is_none() {
            let mut status = 0;
            // SAFETY: `status` lives, and the child is this process's own.
            if unsafe { libc::waitpid(self.child, &mut status, libc::WNOHANG) } != 0 {
                let how = if libc::WIFSIGNALED(status) {
                    format!("signal {}", libc::WTERMSIG(status))
                } else {
                    format!("exit code {}", libc::WEXITSTATUS(status))
                };
                self.ended = Some(format!("the prover has ended ({how}); restart the collector"));
            }
        }
        self.ended.clone()
    }
}

impl Drop for Prover {
    fn drop(&mut self) {
        if self.ended().is_none() {
            let mut status = 0;
            // SAFETY: the child is this process's own and was not waited for.
            unsafe {
                libc::kill(self.child, libc::SIGKILL);
                libc::waitpid(self.child, &mut status, 0);
            }
        }
    }
}

/// The prover's process, until the collector ends.
fn serve(channel: Channel, parent: libc::pid_t) -> ! {
    let outcome = enter();
    // After the rights are given up, which could clear it.
    if end_with(parent) {
        match outcome {
            Ok(netns) => {
                channel.set_netns(netns);
                channel.set(Step::Idle);
                answer(channel, parent);
            }
            Err((failure, errno)) => {
                channel.fail(Step::Unfit, failure, errno);
                wait_for_end(channel, parent);
            }
        }
    }
    // SAFETY: ends this process without running what the collector would at its end.
    unsafe { libc::_exit(0) }
}

fn is_child_of(parent: libc::pid_t) -> bool {
    // SAFETY: no pointers; the call cannot fail.
    unsafe { libc::getppid() == parent }
}

fn answer(channel: Channel, parent: libc::pid_t) {
    while is_child_of(parent) {
        match channel.step() {
            Step::Asked => match relay::open(channel) {
                Ok(()) => channel.set(Step::Ended),
                Err((failure, errno)) => channel.fail(Step::Ended, failure, errno),
            },
            step => channel.wait_while(step, LOOK),
        }
    }
}

/// It lives on, so that the reason can be told apart from a prover that somebody ended.
fn wait_for_end(channel: Channel, parent: libc::pid_t) {
    while is_child_of(parent) {
        channel.wait_while(Step::Unfit, LOOK);
    }
}
