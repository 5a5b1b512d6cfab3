//! How often the drain thread does what it does besides draining.

/// How often things are done, in nanoseconds of the boot clock.
#[derive(Clone, Copy, Debug)]
pub struct Intervals {
    pub drain_ns: u64,
    pub edges_ns: u64,
    pub interim_ns: u64,
    /// A batch that is not empty is closed after this time.
    pub batch_ns: u64,
}

/// An empty batch is sent when nothing happened for so long: event time moves on by it.
pub const HEARTBEAT_NS: u64 = 1_000_000_000;
pub const CLOCK_NS: u64 = 60_000_000_000;
pub const EXPIRE_NS: u64 = 10_000_000_000;
/// How often room is made in the maps of coupling.
pub const PRUNE_NS: u64 = 1_000_000_000;

/// When each is due next, on the same clock.
#[derive(Default)]
pub struct Deadlines {
    pub edges: u64,
    pub prune: u64,
    pub interim: u64,
    pub batch: u64,
    pub heartbeat: u64,
    pub clock: u64,
    pub expire: u64,
}
