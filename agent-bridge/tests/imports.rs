//! Imports run down: a room uses those below it alone, and no two files use each other, at whatever remove.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Each room of src/ and what it may use, lowest first. `wire` is generated and uses nothing.
const ROOMS: &[(&str, &[&str])] = &[
    ("kernel", &["wire"]),
    ("host", &["kernel", "wire"]),
    ("log", &["host"]),
    ("privilege", &[]),
    ("stop", &[]),
    ("prove", &["privilege"]),
    ("inspect", &["host", "kernel", "log", "wire"]),
    ("export", &["host", "log", "wire"]),
    ("arguments", &["export"]),
    ("pipeline", &["export", "host", "inspect", "kernel", "log", "prove", "wire"]),
];

/// Modules by path ("host/clock") and the paths after `crate::` in each, as far as they name modules.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let mut texts = BTreeMap::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut texts);
    let modules: BTreeSet<String> = texts.keys().cloned().chain(["wire".to_owned()]).collect();
    texts.iter().map(|(module, text)| (module.clone(), targets(text, &modules))).collect()
}

fn read(folder: &Path, prefix: &str, into: &mut BTreeMap<String, String>) {
    for item in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = item.file_name().into_string().unwrap();
        if item.path().is_dir() {
            read(&item.path(), &format!("{prefix}{name}/"), into);
        } else if !["main.rs", "lib.rs", "mod.rs", "tests.rs"].contains(&name.as_str()) {
            into.insert(format!("{prefix}{}", name.strip_suffix(".rs").unwrap()), fs::read_to_string(item.path()).unwrap());
        }
    }
}

fn targets(text: &str, modules: &BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for rest in text.split("crate::").skip(1) {
        let end = if rest.starts_with('{') { rest.find('}') } else { rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':') };
        for path in rest[..end.unwrap()].trim_start_matches('{').split(',') {
            let path = path.trim().replace("::", "/");
            let module = modules.iter().find(|module| path == **module || path.starts_with(&format!("{module}/")));
            found.insert(module.unwrap_or_else(|| panic!("crate::{path} is no module")).clone());
        }
    }
    found
}

fn room(module: &str) -> &str {
    module.split('/').next().unwrap()
}

#[test]
fn each_room_uses_those_below_it_alone() {
    let mut wrong = Vec::new();
    for (module, uses) in imports() {
        let (_, allowed) =
            ROOMS.iter().find(|(name, _)| *name == room(&module)).unwrap_or_else(|| panic!("{module} has no room in the table"));
        wrong.extend(
            uses.into_iter()
                .filter(|used| room(used) != room(&module) && !allowed.contains(&room(used)))
                .map(|u| format!("{module} -> {u}")),
        );
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    let order: Vec<&str> = ROOMS.iter().map(|(name, _)| *name).collect();
    for (at, (name, allowed)) in ROOMS.iter().enumerate() {
        assert!(allowed.iter().all(|below| *below == "wire" || order[..at].contains(below)), "{name} uses what stands above it");
    }
}

#[test]
fn no_files_use_each_other() {
    let mut left = imports();
    left.insert("wire".to_owned(), BTreeSet::new());
    while let Some(lowest) = left.iter().find(|(_, uses)| uses.iter().all(|u| !left.contains_key(u))).map(|(m, _)| m.clone()) {
        left.remove(&lowest);
    }
    assert!(left.is_empty(), "in a circle, or above one: {:?}", left.keys());
}
