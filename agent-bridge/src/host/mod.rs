//! Facts about this host and its processes.
pub mod clock;
pub mod container;
pub mod identity;
pub mod process;
pub mod ssh_config;
