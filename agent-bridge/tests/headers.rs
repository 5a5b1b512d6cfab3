//! Each header of the kernel programs includes what it uses: it compiles alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;
use std::process::Command;

use libbpf_rs::libbpf_sys::API_HEADERS;

#[test]
fn each_header_compiles_alone() {
    let include = Path::new(env!("CARGO_TARGET_TMPDIR")).join("include");
    fs::create_dir_all(include.join("bpf")).unwrap();
    for (name, text) in API_HEADERS {
        fs::write(include.join("bpf").join(name), text).unwrap();
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("bpf");
    let mut headers: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    headers.retain(|path| path.extension().is_some_and(|extension| extension == "h"));
    assert!(headers.len() > 10, "{headers:?}");
    for header in headers {
        let mut clang = Command::new("clang");
        clang.args(["-x", "c", "-fsyntax-only", "-target", "bpf", "-D__TARGET_ARCH_x86", "-Wall", "-Werror", "-Wno-unused-function"]);
        let compiled = clang.arg("-I").arg(&include).arg(&header).output().unwrap();
        assert!(compiled.status.success(), "{}: {}", header.display(), String::from_utf8_lossy(&compiled.stderr));
    }
}
