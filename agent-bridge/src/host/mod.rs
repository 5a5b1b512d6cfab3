//! Facts about this host and its processes.
pub mod clock;
pub mod container;
pub mod identity;
pub mod image;
pub mod inside_root;
pub mod memory;
pub mod proc_fs;
pub mod process;
pub mod slow_reads;
pub mod ssh_config;
