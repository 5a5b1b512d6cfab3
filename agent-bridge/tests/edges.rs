//! On the running kernel: whatever the map of edges holds is read, and who is over a bound finds room again. As root.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;

use backflow_collector::host::clock::boot_ns;
use backflow_collector::kernel::coupling::Coupling;
use backflow_collector::kernel::load::Kernel;
use backflow_collector::kernel::maps::Joins;
use backflow_collector::kernel::networks::Networks;
use backflow_collector::kernel::records::{bytes_of, read, Edge, EdgeKey, GROUP_EDGES, MAX_EDGES};
use backflow_collector::kernel::records::{own_group, ProcessId, JOINED_BY_DESCRIPTOR, JOINED_BY_LINEAGE, JOINED_BY_WORKLOAD};
use backflow_collector::kernel::records::{Overload, OverloadKey, OVERLOAD_EDGES};
use backflow_collector::privilege;
use backflow_collector::wire::Network;
use libbpf_rs::{MapCore, MapFlags, MapHandle};

const RING_BYTES: u32 = 1 << 16;
/// The hash of a map has a seed of its own.
const MAPS: u64 = 20;

/// None, said on standard error, where the programs cannot be loaded.
fn kernel() -> Option<Kernel> {
    if let Err(error) = privilege::require() {
        eprintln!("skipped: {error:#}");
        return None;
    }
    Some(Kernel::load(RING_BYTES).unwrap())
}

/// Numbers that look like chance and are the same in each run: `SplitMix64`, by Steele, Lea and Flood.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Keys that no hook makes: no process has this group.
    fn keys(&mut self, count: usize) -> Vec<EdgeKey> {
        let none: EdgeKey = read(&[0; 48]).unwrap();
        let wide = |random: &mut Self| (u128::from(random.next()) << 64 | u128::from(random.next())).to_be_bytes();
        (0..count).map(|_| EdgeKey { group: u64::MAX, b_remote: wide(self), b_port: 1, ..none }).collect()
    }
}

/// Those that the map has taken: hooks make edges in it meanwhile, and it may be full.
fn put(edges: &MapHandle, keys: &[EdgeKey], last_ns: u64) -> HashSet<[u8; 16]> {
    let none: Edge = read(&[0; std::mem::size_of::<Edge>()]).unwrap();
    let edge = Edge { first_ns: 1, last_ns, ..none };
    let taken = keys.iter().filter(|key| edges.update(bytes_of(*key), bytes_of(&edge), MapFlags::NO_EXIST).is_ok());
    taken.map(|key| key.b_remote).collect()
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
fn tells_why_a_process_acts_in_the_group_of_another_and_of_nobody_else() {
    let Some(kernel) = kernel() else { return };
    let own = read::<EdgeKey>(&[0; size_of::<EdgeKey>()]).unwrap();
    let joined = EdgeKey { joined: 1, ..own };
    let process = ProcessId { start_ns: 9, pid: u32::MAX, uid: 0 };
    let joins = Joins::new(&kernel).unwrap();
    // The reason was pushed out.
    assert_eq!(joins.joined_by(&joined, &process), JOINED_BY_DESCRIPTOR);
    let number = own_group(process.pid, process.start_ns);
    kernel.map("join_reasons").unwrap().update(&number.to_ne_bytes(), &JOINED_BY_WORKLOAD.to_ne_bytes(), MapFlags::ANY).unwrap();
    assert_eq!(joins.joined_by(&joined, &process), JOINED_BY_WORKLOAD);
    assert_eq!(joins.joined_by(&own, &process), JOINED_BY_LINEAGE);
}

#[test]
fn reads_every_edge_that_a_map_has_taken_however_many_and_whatever_their_keys() {
    for seed in 0..MAPS {
        let Some(kernel) = kernel() else { return };
        let edges = kernel.map("edges").unwrap();
        let mut random = Random(seed);
        let mut held = HashSet::new();
        let mut offered = 0;
        // A few, some thousands, and at the end more than there is room for.
        let many = 1_000 + usize::try_from(random.next() % 12_000).unwrap();
        for count in [usize::try_from(random.next() % 1_000).unwrap(), many, MAX_EDGES] {
            let keys = random.keys(count);
            let taken = put(&edges, &keys, boot_ns());
            offered += count;
            let is_full = taken.len() < count;
            assert_eq!(is_full, offered > MAX_EDGES, "seed {seed}: {} of {count} after {}", taken.len(), held.len());
            held.extend(taken);
            let mut coupling = Coupling::new(&kernel).unwrap();
            assert_eq!(read_edges(&mut coupling, &kernel), held, "seed {seed}, {offered} edges");
            assert_eq!(coupling.missed, 0, "seed {seed}, {offered} edges");
        }
    }
}

#[test]
fn reads_again_only_what_changed_since_the_last_reading_began() {
    let Some(kernel) = kernel() else { return };
    let edges = kernel.map("edges").unwrap();
    let mut coupling = Coupling::new(&kernel).unwrap();
    let keys = Random(0).keys(12);
    put(&edges, &keys[..10], boot_ns() - 1_000_000_000);
    assert_eq!(read_edges(&mut coupling, &kernel).len(), 10);
    // By the clock of the hook it changed before the reading, and was written after it.
    put(&edges, &keys[10..], boot_ns() - 1_000_000);
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
    put(&kernel.map("edges").unwrap(), &Random(0).keys(4), boot_ns());
    read_edges(&mut coupling, &kernel);
    assert!((999_900..=999_996).contains(&coupling.missed), "{}", coupling.missed);
}

#[test]
fn deletes_the_edges_of_groups_that_are_gone() {
    let Some(kernel) = kernel() else { return };
    let edges = kernel.map("edges").unwrap();
    let mut coupling = Coupling::new(&kernel).unwrap();
    put(&edges, &Random(0).keys(GROUP_EDGES), boot_ns() - 5_000_000_000);
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
    // An address of the loopback device is inside by its route, unless the configuration says otherwise.
    let address = std::net::Ipv4Addr::new(203, 0, 113, 77).to_ipv6_mapped().octets().to_vec();
    Networks::new(&kernel).unwrap().configure(&[Network { address, prefix: 128, outside: true }]).unwrap();
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
