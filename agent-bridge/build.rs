//! Compiles the kernel programs and the wire contract.

use std::error::Error;
use std::path::PathBuf;

use libbpf_cargo::SkeletonBuilder;

const PROTO: &str = "../proto/backflow/v1/collector.proto";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::var("OUT_DIR")?);
    // The programs, and the layout of their records for the tests.
    for name in ["collector", "layout"] {
        SkeletonBuilder::new().source(format!("bpf/{name}.bpf.c")).obj(folder.join(format!("{name}.bpf.o"))).build()?;
    }
    tonic_prost_build::configure().build_server(false).compile_protos(&[PROTO], &["../proto"])?;
    println!("cargo:rerun-if-changed=bpf");
    println!("cargo:rerun-if-changed={PROTO}");
    Ok(())
}
