//! Backflow's collector: socket events of this host, aggregated in the kernel, as a gRPC stream to the analyzer.
//!
//! Imports run down, which tests/imports.rs holds:
//! `wire` -> `kernel` -> `host` -> `log`, `privilege`, `stop` -> `prove`, `inspect`, `export` -> `pipeline`, `arguments` ->
//! `main.rs`.

pub mod arguments;
pub mod export;
pub mod host;
pub mod inspect;
pub mod kernel;
pub mod log;
pub mod pipeline;
pub mod privilege;
pub mod prove;
pub mod stop;

/// Generated from proto/backflow/v1/collector.proto.
#[allow(clippy::all, clippy::pedantic, missing_docs)]
pub mod wire {
    tonic::include_proto!("backflow.v1");
}
