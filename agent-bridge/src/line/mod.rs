//! From records to batches: one straight line, driven by a timer.
pub mod batch;
pub mod collect;
pub mod columns;
pub mod drained;
