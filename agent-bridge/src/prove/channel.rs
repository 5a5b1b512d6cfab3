//! How the collector and its prover talk: one page of shared memory. A pipe or a socket pair would make the two act as one
//! in the eyes of whoever walks descriptors, and the relay with them.

use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::prove::sizes::Nonce;

/// Who may write next follows from the step: the collector on those marked (c), the prover on the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Step {
    /// The prover makes its namespace.
    Starting = 0,
    /// (c) Nothing to do.
    Idle = 1,
    /// A relay was asked for.
    Asked = 2,
    /// (c) The relay has dialled out and waits for the first byte.
    Dialled = 3,
    /// The outside may speak.
    Speak = 4,
    /// (c) The relay has ended; `failure` says how.
    Ended = 5,
    /// The prover could not start, and will not.
    Unfit = 6,
}

/// What went wrong, as a number that fits the page; the errno stands beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Failure {
    None = 0,
    Files = 1,
    Namespace = 2,
    Loopback = 3,
    Address = 4,
    Inode = 5,
    Rights = 6,
    Listen = 7,
    Fork = 8,
    Dial = 9,
    Exchange = 10,
    Timeout = 11,
}

const FAILURES: &[(Failure, &str)] = &[
    (Failure::Files, "the prover cannot give up its open files"),
    (Failure::Namespace, "the prover cannot make a network namespace (unshare)"),
    (Failure::Loopback, "the prover cannot bring up the loopback device of its namespace"),
    (Failure::Address, "the prover cannot set an address in its namespace"),
    (Failure::Inode, "the prover cannot read which namespace it is in (/proc/self/ns/net)"),
    (Failure::Rights, "the prover cannot give up its capabilities"),
    (Failure::Listen, "the prover cannot listen in its namespace"),
    (Failure::Fork, "the prover cannot start the relay's process"),
    (Failure::Dial, "the relay could not connect in its namespace"),
    (Failure::Exchange, "the exchange through the relay broke off"),
    (Failure::Timeout, "timeout: the relay did not end in time"),
];

#[derive(Default)]
#[repr(C)]
struct Page {
    step: AtomicU32,
    failure: AtomicU32,
    errno: AtomicU32,
    /// Inode of the prover's network namespace.
    netns: AtomicU32,
    /// IPv4 address, host order, at which the relay finds the outside.
    address: AtomicU32,
    /// Port of the outside for this relay.
    port: AtomicU32,
    nonce: AtomicU64,
}

/// Both sides hold the same page after a fork. It is never unmapped: it lives as long as either process.
#[derive(Clone, Copy)]
pub struct Channel {
    page: &'static Page,
}

impl Channel {
    pub fn new() -> io::Result<Self> {
        // SAFETY: an anonymous mapping at an address that the kernel chooses touches nothing that is there.
        let at = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                size_of::<Page>(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if at == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the mapping is page-aligned, large enough, zero (a value of every field), shared by atomics only, and
        // stays for the life of the process.
        Ok(Self { page: unsafe { &*at.cast::<Page>() } })
    }

    pub fn step(self) -> Step {
        match self.page.step.load(Ordering::Acquire) {
            1 => Step::Idle,
            2 => Step::Asked,
            3 => Step::Dialled,
            4 => Step::Speak,
            5 => Step::Ended,
            6 => Step::Unfit,
            _ => Step::Starting,
        }
    }

    /// Moves on, and wakes the prover where it waits.
    pub fn set(self, step: Step) {
        self.page.step.store(step as u32, Ordering::Release);
        // SAFETY: FUTEX_WAKE reads nothing but the address of the word, which lives.
        unsafe { libc::syscall(libc::SYS_futex, self.page.step.as_ptr(), libc::FUTEX_WAKE, i32::MAX) };
    }

    /// Waits until the step is no longer `step`, or for `at_most`.
    pub fn wait_while(self, step: Step, at_most: Duration) {
        let timeout =
            libc::timespec { tv_sec: i64::try_from(at_most.as_secs()).unwrap_or(i64::MAX), tv_nsec: i64::from(at_most.subsec_nanos()) };
        // SAFETY: the word and the timeout live over the call; a wrong or early return is seen by whoever reads the step.
        unsafe { libc::syscall(libc::SYS_futex, self.page.step.as_ptr(), libc::FUTEX_WAIT, step as u32, &timeout) };
    }

    pub fn ask(self, nonce: Nonce, address: u32) {
        self.page.nonce.store(u64::from_be_bytes(nonce), Ordering::Relaxed);
        self.page.address.store(address, Ordering::Relaxed);
        self.page.failure.store(Failure::None as u32, Ordering::Relaxed);
        self.set(Step::Asked);
    }

    pub fn asked(self) -> (Nonce, u32) {
        (self.page.nonce.load(Ordering::Relaxed).to_be_bytes(), self.page.address.load(Ordering::Relaxed))
    }

    pub fn set_netns(self, inode: u32) {
        self.page.netns.store(inode, Ordering::Relaxed);
    }

    pub fn netns(self) -> u32 {
        self.page.netns.load(Ordering::Relaxed)
    }

    pub fn dialled(self, port: u16) {
        self.page.port.store(port.into(), Ordering::Relaxed);
        self.set(Step::Dialled);
    }

    pub fn port(self) -> u16 {
        u16::try_from(self.page.port.load(Ordering::Relaxed)).unwrap_or(0)
    }

    pub fn fail(self, step: Step, failure: Failure, errno: i32) {
        self.page.failure.store(failure as u32, Ordering::Relaxed);
        self.page.errno.store(u32::try_from(errno).unwrap_or(0), Ordering::Relaxed);
        self.set(step);
    }

    /// What went wrong, in words; empty when nothing did.
    pub fn failure(self) -> String {
        let code = self.page.failure.load(Ordering::Relaxed);
        let Some((_, text)) = FAILURES.iter().find(|(failure, _)| *failure as u32 == code) else { return String::new() };
        match i32::try_from(self.page.errno.load(Ordering::Relaxed)) {
            Ok(errno) if errno > 0 => format!("{text}: {}", io::Error::from_raw_os_error(errno)),
            _ => (*text).to_owned(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn carries_each_step_and_each_failure() {
        let channel = Channel::new().unwrap();
        assert_eq!(channel.step(), Step::Starting);
        for step in [Step::Idle, Step::Asked, Step::Dialled, Step::Speak, Step::Ended, Step::Unfit] {
            channel.set(step);
            assert_eq!(channel.step(), step);
        }
        channel.fail(Step::Ended, Failure::Dial, libc::ECONNREFUSED);
        assert_eq!(channel.failure(), "the relay could not connect in its namespace: Connection refused (os error 111)");
        channel.ask([1, 2, 3, 4, 5, 6, 7, 8], 9);
        assert_eq!((channel.failure().as_str(), channel.asked()), ("", ([1, 2, 3, 4, 5, 6, 7, 8], 9)));
    }

    #[test]
    fn every_failure_has_a_text() {
        let last = Failure::Timeout as usize;
        assert_eq!(FAILURES.iter().map(|(failure, _)| *failure as usize).collect::<Vec<_>>(), (1..=last).collect::<Vec<_>>());
    }
}
