//! From records to batches: one direction, driven by a timer.
pub mod batch;
pub mod collect;
pub mod columns;
pub mod intervals;
pub mod record_buffer;
