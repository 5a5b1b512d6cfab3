fn main() {
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    libbpf_cargo::SkeletonBuilder::new().source("bpf/collector.bpf.c").obj(out.join("collector.bpf.o")).build().unwrap();
    tonic_prost_build::configure().build_server(false).compile_protos(&["../proto/backflow/v1/collector.proto"], &["../proto"]).unwrap();
}
