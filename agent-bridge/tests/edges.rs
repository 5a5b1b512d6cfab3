//! On the running kernel: whatever the map of edges holds is read, and who is over a bound finds room again. As root.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use backflow_collector::host::clock::boot_ns;
use backflow_collector::kernel::coupling::Coupling;
use backflow_collector::kernel::load::Kernel;
use backflow_collector::kernel::networks::Networks;
use backflow_collector::kernel::records::{bytes_of, read, Edge, EdgeKey, GROUP_EDGES, MAX_EDGES};
use backflow_collector::kernel::records::{Overload, OverloadKey, OVERLOAD_EDGES};
use backflow_collector::privilege;
use libbpf_rs::{MapCore, MapFlags, MapHandle};

const RING_BYTES: u32 = 1 << 16;
/// The hash of a map has a seed of its own.
const MAPS: usize = 5;

/// None, said on standard error, where the programs cannot be loaded.
fn kernel() -> Option<Kernel> {
    if let Err(error) = privilege::require() {
        eprintln!("skipped: {error:#}");
        return None;
    }
    Some(Kernel::load(RING_BYTES).unwrap())
}

/// Keys that no hook makes: no process has this group.
fn key(number: u32) -> EdgeKey {
    let none: EdgeKey = read(&[0; 48]).unwrap();
    let scattered = (u64::from(number) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    EdgeKey { group: u64::MAX, b_remote: u128::from(scattered).to_be_bytes(), b_port: 1, ..none }
}

fn put(edges: &MapHandle, numbers: std::ops::Range<u32>, last_ns: u64) {
    let none: Edge = read(&[0; std::mem::size_of::<Edge>()]).unwrap();
    for number in numbers {
        edges.update(bytes_of(&key(number)), bytes_of(&Edge { first_ns: 1, last_ns, ..none }), MapFlags::NO_EXIST).unwrap();
    }
}

fn read_edges(coupling: &mut Coupling, kernel: &Kernel) -> HashSet<[u8; 16]> {
    let mut seen = HashSet::new();
    coupling
        .changed_edges(&kernel.lists, boot_ns(), |key, _| {
            if key.group == u64::MAX {
                seen.insert(key.b_remote);
            }
        })
        .unwrap();
    seen
}

#[test]
fn reads_every_edge_up_to_the_bound() {
    for _ in 0..MAPS {
        let Some(kernel) = kernel() else { return };
        let edges = kernel.map("edges").unwrap();
        let mut held = 0;
        // Some room is left for edges that the hooks make meanwhile.
        for count in [1000, 1100, 2000, 4000, u32::try_from(MAX_EDGES).unwrap() - 16] {
            put(&edges, held..count, boot_ns());
            held = count;
            let mut coupling = Coupling::new(&kernel).unwrap();
            let seen = read_edges(&mut coupling, &kernel);
            assert_eq!(seen, (0..count).map(|number| key(number).b_remote).collect(), "{count} edges");
            assert_eq!(coupling.missed, 0);
        }
    }
}

#[test]
fn reads_again_only_what_changed_since_the_last_reading_began() {
    let Some(kernel) = kernel() else { return };
    let edges = kernel.map("edges").unwrap();
    let mut coupling = Coupling::new(&kernel).unwrap();
    put(&edges, 0..10, boot_ns() - 1_000_000_000);
    assert_eq!(read_edges(&mut coupling, &kernel).len(), 10);
    // By the clock of the hook it changed before the reading, and was written after it.
    put(&edges, 10..12, boot_ns() - 1_000_000);
    assert_eq!(read_edges(&mut coupling, &kernel).len(), 2);
    coupling.read_all();
    assert_eq!(read_edges(&mut coupling, &kernel).len(), 12);
}

#[test]
fn counts_edges_that_the_map_should_hold_and_a_reading_did_not_visit() {
    let Some(kernel) = kernel() else { return };
    let mut coupling = Coupling::new(&kernel).unwrap();
    let made = kernel.map("edges_made").unwrap();
    made.update(&0u32.to_ne_bytes(), &1_000_000u64.to_ne_bytes(), MapFlags::ANY).unwrap();
    put(&kernel.map("edges").unwrap(), 0..4, boot_ns());
    read_edges(&mut coupling, &kernel);
    assert!((999_900..=999_996).contains(&coupling.missed), "{}", coupling.missed);
}

#[test]
fn deletes_the_edges_of_groups_that_are_gone() {
    let Some(kernel) = kernel() else { return };
    let edges = kernel.map("edges").unwrap();
    let mut coupling = Coupling::new(&kernel).unwrap();
    put(&edges, 0..u32::try_from(GROUP_EDGES).unwrap(), boot_ns() - 5_000_000_000);
    // Not before they were read.
    coupling.prune(&kernel.lists, boot_ns()).unwrap();
    assert_eq!(read_edges(&mut coupling, &kernel).len(), GROUP_EDGES);
    coupling.prune(&kernel.lists, boot_ns()).unwrap();
    coupling.read_all();
    assert_eq!(read_edges(&mut coupling, &kernel).len(), 0);
}

/// A network namespace of this thread alone, with an address of the outside (RFC 5737) on its loopback device.
fn enter_namespace() {
    // SAFETY: unshare(2) takes no pointer; only this thread changes its namespace.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0);
    for arguments in [["link", "set", "dev", "lo", "up"].as_slice(), &["address", "add", "203.0.113.77/32", "dev", "lo"]] {
        assert!(Command::new("ip").args(arguments).status().unwrap().success());
    }
}

/// Nobody listens there: the attempt is what counts.
fn dial(number: usize) {
    let error = TcpStream::connect(format!("127.{}.{}.1:9", number / 256 + 1, number % 256)).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}

/// Number of edges of the present process, and how many openings were counted in the one for what is beyond the bound.
fn own_edges(coupling: &mut Coupling, kernel: &Kernel, now_ns: u64) -> (usize, u32) {
    let (mut single, mut pooled) = (HashSet::new(), 0);
    let many = 5;
    coupling.read_all();
    let each = |key: &EdgeKey, edge: &Edge| match key.kind {
        _ if edge.a_process.pid != std::process::id() => {}
        kind if kind == many => pooled += edge.opened_after,
        _ => drop(single.insert(*key)),
    };
    coupling.changed_edges(&kernel.lists, now_ns, each).unwrap();
    (single.len(), pooled)
}

#[test]
fn counts_what_a_group_dials_beyond_its_bound_in_one_edge_until_there_is_room_again() {
    let Some(kernel) = kernel() else { return };
    let mut coupling = Coupling::new(&kernel).unwrap();
    // Writes what counts as inside: 127.0.0.0/8 among others.
    Networks::new(&kernel).unwrap();
    enter_namespace();
    let outside = TcpListener::bind("203.0.113.77:0").unwrap();
    let mut a = TcpStream::connect(outside.local_addr().unwrap()).unwrap();
    let mut peer = outside.accept().unwrap().0;
    let mut speak = || {
        peer.write_all(b"go").unwrap();
        a.read_exact(&mut [0; 2]).unwrap();
    };
    let beyond = 50;
    for number in 0..GROUP_EDGES + beyond {
        speak();
        dial(number);
    }
    let later = boot_ns() + 1_000_000_000;
    assert_eq!(own_edges(&mut coupling, &kernel, later), (GROUP_EDGES, u32::try_from(beyond).unwrap()));
    let own = |(key, noted): &(OverloadKey, Overload)| {
        (key.kind == OVERLOAD_EDGES && noted.process.pid == std::process::id()).then_some((noted.count, noted.limit))
    };
    let reported: Vec<(u64, u64)> = coupling.take_overloads().iter().filter_map(own).collect();
    assert_eq!(reported, [(beyond as u64, GROUP_EDGES as u64)]);
    assert!(!coupling.take_overloads().iter().any(|noted| own(noted).is_some()));

    // As if it had been silent for a while.
    coupling.prune(&kernel.lists, later + 5_000_000_000).unwrap();
    speak();
    dial(5000);
    // Of the half that is kept, one is that for what was beyond the bound: it was in use last.
    assert_eq!(own_edges(&mut coupling, &kernel, boot_ns()), (GROUP_EDGES / 2, u32::try_from(beyond).unwrap()));
    assert_eq!(coupling.missed, 0);
}
