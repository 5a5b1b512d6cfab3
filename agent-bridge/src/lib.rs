//! Backflow's collector: socket events of this host, aggregated in the kernel, as a gRPC stream to the analyzer.
pub mod export;
pub mod host;
pub mod inspect;
pub mod kernel;
pub mod line;
pub mod log;
pub mod privilege;
pub mod stop;

/// Generated from proto/backflow/v1/collector.proto.
#[allow(clippy::all, clippy::pedantic, missing_docs)]
pub mod wire {
    tonic::include_proto!("backflow.v1");
}
