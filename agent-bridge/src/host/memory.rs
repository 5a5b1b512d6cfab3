//! Memory that a burst has left behind.

/// Gives pages that hold nothing any more back to the kernel: the allocator keeps them for the next burst.
pub fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim(3) takes no pointer and may be called at any time from any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
