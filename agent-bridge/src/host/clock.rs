//! The kernel's boot clock to wall clock, so that nothing downstream converts again.

/// Microseconds since the Unix epoch at boot-clock zero, measured again from time to time because the wall clock is set.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    offset_us: i64,
}

impl Clock {
    pub fn measure() -> Self {
        Self { offset_us: read_us(libc::CLOCK_REALTIME) - read_us(libc::CLOCK_BOOTTIME) }
    }

    /// Boot-clock nanoseconds to microseconds since the Unix epoch.
    pub fn to_unix_us(self, boot_ns: u64) -> u64 {
        let us = i64::try_from(boot_ns / 1000).unwrap_or(i64::MAX);
        u64::try_from(us.saturating_add(self.offset_us)).unwrap_or(0)
    }

    pub fn now_us(self) -> u64 {
        self.to_unix_us(boot_ns())
    }
}

/// Nanoseconds of the clock that the kernel programs use.
pub fn boot_ns() -> u64 {
    read_ns(libc::CLOCK_BOOTTIME)
}

/// Processor time that the calling thread has used.
pub fn thread_ns() -> u64 {
    read_ns(libc::CLOCK_THREAD_CPUTIME_ID)
}

fn read_ns(clock: libc::clockid_t) -> u64 {
    let t = read(clock);
    u64::try_from(t.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(t.tv_nsec).unwrap_or(0)
}

fn read_us(clock: libc::clockid_t) -> i64 {
    let t = read(clock);
    t.tv_sec * 1_000_000 + t.tv_nsec / 1000
}

fn read(clock: libc::clockid_t) -> libc::timespec {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `t` is a valid timespec to write to; both clocks exist on every kernel that loads the programs.
    unsafe { libc::clock_gettime(clock, &mut t) };
    t
}
