//! What owners of outside connections hold besides sockets: shells on ptys and pipes, tun devices, partner processes.
pub mod attachments;
pub mod channels;
pub mod closure;
pub mod inspector;
pub mod looks;
pub mod outside;
pub mod relations;
pub mod schedule;
pub mod walker;
