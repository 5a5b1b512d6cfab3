//! From records to batches: one direction, driven by a timer.
pub mod batch;
pub mod collect;
pub mod columns;
pub mod couplings;
pub mod deferral;
pub mod intervals;
pub mod overloads;
pub mod proofs;
pub mod record_buffer;
pub mod unfollowed;
