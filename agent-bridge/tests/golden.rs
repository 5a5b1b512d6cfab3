//! The golden messages of `proto/golden` mean the same here as in TypeScript: what is decoded gives the same bytes again, so
//! no field is lost or read as another, and what a few of them say is checked by value.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use backflow_collector::wire::collector_message::Message as Kind;
use backflow_collector::wire::{attachment, edge, overload, Batch, CollectorMessage};
use prost::Message;

fn bytes(name: &str) -> Vec<u8> {
    let path = format!("{}/../proto/golden/{name}.bin", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn decode(name: &str) -> Kind {
    CollectorMessage::decode(bytes(name).as_slice()).expect(name).message.expect(name)
}

fn full() -> Batch {
    match decode("full") {
        Kind::Snapshot(batch) => batch,
        other => panic!("full.bin is a snapshot, not {other:?}"),
    }
}

fn gives_the_same_bytes_again(name: &str) {
    let decoded = CollectorMessage::decode(bytes(name).as_slice()).expect(name);
    assert_eq!(decoded.encode_to_vec(), bytes(name), "{name}");
}

#[test]
fn small_gives_the_same_bytes_again() {
    gives_the_same_bytes_again("small");
}

#[test]
fn full_gives_the_same_bytes_again() {
    gives_the_same_bytes_again("full");
}

#[test]
fn heartbeat_gives_the_same_bytes_again() {
    gives_the_same_bytes_again("heartbeat");
}

#[test]
fn hello_gives_the_same_bytes_again() {
    gives_the_same_bytes_again("hello");
}

#[test]
fn dictionary_gives_the_same_bytes_again() {
    gives_the_same_bytes_again("dictionary");
}

#[test]
fn heartbeat_holds_the_largest_sequence_number() {
    let Kind::Batch(batch) = decode("heartbeat") else { panic!("heartbeat.bin is a batch") };
    assert_eq!(batch.seq, 9_007_199_254_740_991);
    assert!(batch.connections.is_none());
}

#[test]
fn full_holds_columns_of_three_records() {
    let connections = full().connections.unwrap();
    assert_eq!(connections.cookie, [u64::MAX, 1, 1 << 62]);
    assert_eq!(connections.remote_port, [443, 54_321, 1]);
    assert_eq!(connections.opened_us, [-86_400_000_000, -300, -20]);
    assert_eq!(connections.bytes_sent, [(1 << 53) - 1, 244, 1]);
    assert_eq!(connections.addresses.len(), 4 * 16);
    assert_eq!(connections.exchanges.unwrap().record, [0, 2]);
}

#[test]
fn full_holds_processes_edges_and_attachments() {
    let batch = full();
    assert!(batch.more);
    assert_eq!(batch.exited, [1, 300]);
    assert_eq!(batch.processes[1].argv, ["tünnel", "", "\u{fffd}"]);
    assert_eq!(batch.processes[1].start_ns, u64::MAX);
    assert_eq!(batch.edges[0].kind(), edge::Kind::Tcp);
    assert_eq!(batch.edges[0].forward.as_ref().unwrap().xy, 91_640);
    assert_eq!(batch.edges[1].b_path, "@/tmp/.X11-unix/X0");
    assert_eq!(batch.edges[2].exposed_ns.last(), Some(&9_000_000_000));
    assert_eq!(batch.edges[2].started, [3, 1, 0, 0, 2]);
    assert_eq!((&batch.edges[2].first_forward[..], &batch.edges[2].first_backward[..]), (&[1355, 18][..], &[0, 34][..]));
    assert_eq!((batch.edges[2].typed, batch.edges[2].typed_log2, batch.edges[2].untyped), (3, 2058, 1));
    assert_eq!(batch.attachments[0].kind(), attachment::Kind::Pty);
    assert_eq!(batch.attachments[0].child_written, 4_500);
    assert_eq!(batch.overloads[0].kind(), overload::Kind::Edges);
    assert_eq!(batch.overloads[1].count, 20_673);
    assert_eq!(batch.proofs[0].nonce, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!((batch.tunnel_uses[0].device_name.as_str(), batch.tunnel_uses[0].accepted_after), ("tun0", 5));
}
