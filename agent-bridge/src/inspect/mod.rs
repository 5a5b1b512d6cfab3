//! What owners of outside connections hold besides sockets: shells on ptys and pipes, tun devices, partner processes.
pub mod inspector;
pub mod relations;
pub mod schedule;
