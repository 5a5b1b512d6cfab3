//! Batches to the analyzer: a bounded buffer, and a stream that survives the analyzer.
pub mod buffer;
pub mod endpoint;
pub mod stream;
