//! Walks that the kernel programs make when they are read: over every open descriptor, and over every tracked socket.

use std::io::Read;

use anyhow::{Context, Result};
use libbpf_rs::{Iter, Link, MapCore, MapFlags, MapHandle};

use crate::kernel::records::{read, ConnectionRecord, DescriptorRecord, Record};

/// The kernel fills at most one buffer of its own (8 pages) in one read.
const WALK_BYTES: usize = 64 << 10;

/// The walks that this kernel has. Dropping it detaches them.
pub struct Walks {
    /// None where the kernel has no iter/task_file.
    pub(super) files: Option<Link>,
    pub(super) sockets: Link,
    /// The map `walk_all`.
    pub(super) all: MapHandle,
}

impl Walks {
    /// Whether a walk can be started.
    pub fn can_start(&self) -> Result<()> {
        Iter::new(&self.sockets).map(drop).context("cannot start a walk")
    }

    /// Walks over every descriptor of every task; over none where the kernel lacks it.
    pub fn files(&self, mut each: impl FnMut(DescriptorRecord)) -> Result<()> {
        match &self.files {
            Some(link) => read_walk(link, &mut each),
            None => Ok(()),
        }
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
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
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
