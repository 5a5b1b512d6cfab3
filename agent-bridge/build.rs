//! Compiles the kernel programs and the wire contract.

use std::error::Error;
use std::path::PathBuf;

use libbpf_cargo::SkeletonBuilder;

const PROTO: &str = "../proto/backflow/v1/collector.proto";

fn main() -> Result<(), Box<dyn Error>> {
    let object = PathBuf::from(std::env::var("OUT_DIR")?).join("collector.bpf.o");
    SkeletonBuilder::new().source("bpf/collector.bpf.c").obj(object).build()?;
    tonic_prost_build::configure().build_server(false).compile_protos(&[PROTO], &["../proto"])?;
    println!("cargo:rerun-if-changed=bpf");
    println!("cargo:rerun-if-changed={PROTO}");
    Ok(())
}
