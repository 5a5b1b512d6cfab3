//! Walks over sockets that the kernel programs make when they are read: tracked ones, and those older than the programs.

use std::io::{ErrorKind, Read};

use anyhow::{Context, Result};
use libbpf_rs::{Iter, Link, MapCore, MapFlags, MapHandle};

use crate::kernel::records::{read, ConnectionRecord, Record};

/// The kernel fills at most one buffer of its own (8 pages) in one read.
const WALK_BYTES: usize = 64 << 10;

/// Looks at every descriptor of every task for sockets that are older than the programs, which track them from then on.
pub struct OlderSockets(pub(super) Link);

impl OlderSockets {
    /// False when `is_over` held before the end: it is asked after a million descriptors each (MAX_ITER_OBJECTS).
    pub fn track(&self, is_over: impl Fn() -> bool) -> Result<bool> {
        let mut walk = Iter::new(&self.0).context("cannot start a walk over descriptors")?;
        loop {
            match walk.read(&mut [0; 64]) {
                Ok(0) => return Ok(true),
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(error) => return Err(error).context("a walk over descriptors failed"),
            }
            if is_over() {
                return Ok(false);
            }
        }
    }
}

/// The walk over tracked sockets. Dropping it detaches it.
pub struct Walks {
    pub(super) sockets: Link,
    /// The map `walk_all`.
    pub(super) all: MapHandle,
}

impl Walks {
    /// Whether a walk can be started.
    pub fn can_start(&self) -> Result<()> {
        Iter::new(&self.sockets).map(drop).context("cannot start a walk")
    }

    /// Walks over tracked sockets: all of them, or those that moved since the last walk.
    pub fn sockets(&self, all: bool, mut each: impl FnMut(ConnectionRecord)) -> Result<()> {
        self.all.update(&0u32.to_ne_bytes(), &u32::from(all).to_ne_bytes(), MapFlags::ANY).context("cannot set what a walk reports")?;
        read_walk(&self.sockets, &mut each)
    }
}

/// Hands out records as they come, so that a walk over a hundred thousand sockets takes no memory.
pub(super) fn read_walk<T: Record>(link: &Link, each: &mut impl FnMut(T)) -> Result<()> {
    let mut walk = Iter::new(link).context("cannot start a walk")?;
    let mut bytes = vec![0u8; WALK_BYTES];
    let mut filled = 0;
    loop {
        let count = match walk.read(bytes.get_mut(filled..).unwrap_or_default()) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error).context("a walk failed"),
        };
        filled += count;
        let whole = filled - filled % size_of::<T>();
        bytes.get(..whole).unwrap_or_default().chunks_exact(size_of::<T>()).filter_map(read).for_each(&mut *each);
        // A read may end within a record.
        bytes.copy_within(whole..filled, 0);
        filled -= whole;
    }
}
