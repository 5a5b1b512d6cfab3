use super::*;
use crate::wire::collector_message;

const INTERIM: RecordCounts = RecordCounts { interim: 1, lifecycle: 0 };
const LIFECYCLE: RecordCounts = RecordCounts { interim: 0, lifecycle: 1 };

/// A batch of about `bytes` of records, and `facts` processes.
fn batch(bytes: usize, facts: usize) -> wire::Batch {
    wire::Batch {
        processes: vec![wire::Process { r#ref: 1, ..Default::default() }; facts],
        edges: vec![wire::Edge { b_path: "x".repeat(bytes), ..Default::default() }],
        ..Default::default()
    }
}

fn snapshot(bytes: usize, more: bool) -> wire::Batch {
    wire::Batch { more, ..batch(bytes, 0) }
}

/// Sends the next batch; its number.
fn send(buffer: &Buffer) -> u64 {
    buffer.next(usize::MAX).as_ref().and_then(batch_of).unwrap_or_default().seq
}

/// What each batch that is sent holds, in the order of sending, and its number.
fn contents(buffer: &Buffer, window: usize) -> Vec<(u64, usize)> {
    let sent = std::iter::from_fn(|| buffer.next(window)).filter_map(|message| batch_of(&message));
    sent.map(|batch| (batch.seq, batch.edges.iter().map(|edge| edge.b_path.len()).sum())).collect()
}

fn batch_of(message: &Bytes) -> Option<wire::Batch> {
    match decode(message)? {
        collector_message::Message::Batch(batch) | collector_message::Message::Snapshot(batch) => Some(batch),
        collector_message::Message::Hello(_) | collector_message::Message::Dictionary(_) => None,
    }
}

fn decode(message: &Bytes) -> Option<collector_message::Message> {
    wire::CollectorMessage::decode(message.clone()).ok()?.message
}

#[test]
fn sheds_interim_records_before_life_cycle_records() {
    let buffer = Buffer::new(2500);
    buffer.push(batch(1000, 0), LIFECYCLE, Part::Batch);
    buffer.push(batch(1000, 0), INTERIM, Part::Batch);
    buffer.push(batch(1000, 0), LIFECYCLE, Part::Batch);
    assert_eq!(buffer.shed_counts(), INTERIM);
    buffer.push(batch(1000, 0), LIFECYCLE, Part::Batch);
    assert_eq!(buffer.shed_counts(), RecordCounts { interim: 1, lifecycle: 1 });
}

#[test]
fn keeps_the_facts_of_what_it_sheds() {
    let buffer = Buffer::new(2500);
    buffer.push(batch(1000, 1), INTERIM, Part::Batch);
    buffer.push(batch(1000, 0), INTERIM, Part::Batch);
    buffer.push(batch(1000, 0), INTERIM, Part::Batch);
    assert_eq!(buffer.shed_counts(), INTERIM);
    let first = buffer.next(1).as_ref().and_then(batch_of).unwrap_or_default();
    assert_eq!((first.seq, first.processes.len(), first.edges.len()), (1, 1, 0));
}

#[test]
fn keeps_what_is_in_flight() {
    let buffer = Buffer::new(1500);
    buffer.push(batch(1000, 0), INTERIM, Part::Batch);
    assert!(buffer.next(1).is_some());
    buffer.push(batch(1000, 0), LIFECYCLE, Part::Batch);
    assert_eq!(buffer.shed_counts(), LIFECYCLE);
    assert_eq!(buffer.unacknowledged(), 1);
}

#[test]
fn makes_no_snapshot_with_a_hole() {
    let buffer = Buffer::new(2500);
    buffer.push(snapshot(1000, true), INTERIM, Part::Snapshot);
    buffer.push(snapshot(1000, false), INTERIM, Part::Snapshot);
    buffer.push(batch(1000, 0), LIFECYCLE, Part::Batch);
    let rest: Vec<_> = std::iter::from_fn(|| buffer.next(9)).filter_map(|m| decode(&m)).collect();
    assert!(matches!(rest.as_slice(), [collector_message::Message::Batch(_), collector_message::Message::Batch(_)]), "{rest:?}");
}

#[test]
fn sends_no_more_than_the_window_until_acknowledged() {
    let buffer = Buffer::new(1 << 20);
    buffer.push(batch(1, 0), INTERIM, Part::Batch);
    buffer.push(batch(1, 0), INTERIM, Part::Batch);
    let first = send(&buffer);
    assert!(buffer.next(1).is_none());
    buffer.acknowledge(first);
    assert!(buffer.next(1).is_some());
}

#[test]
fn sends_everything_again_after_a_reconnect() {
    let buffer = Buffer::new(1 << 20);
    buffer.push(batch(1, 0), INTERIM, Part::Batch);
    let sent = buffer.next(8);
    buffer.reconnected();
    assert_eq!(buffer.next(8), sent);
    assert!(buffer.take_dictionary_request());
    assert!(!buffer.take_dictionary_request());
}

#[test]
fn has_a_dictionary_for_each_stream_after_the_end() {
    let buffer = Buffer::new(1 << 20);
    buffer.finish(vec![wire::Process::default()]);
    buffer.reconnected();
    assert_eq!(buffer.take_dictionary().map(|d| d.len()), Some(1));
    buffer.reconnected();
    assert_eq!(buffer.take_dictionary().map(|d| d.len()), Some(1));
}

#[test]
fn knows_when_the_whole_snapshot_is_acknowledged() {
    let buffer = Buffer::new(1 << 20);
    buffer.push(snapshot(1, true), INTERIM, Part::Snapshot);
    buffer.acknowledge(send(&buffer));
    assert!(!buffer.is_snapshot_durable());
    buffer.push(snapshot(1, false), INTERIM, Part::Snapshot);
    buffer.acknowledge(send(&buffer));
    assert!(buffer.is_snapshot_durable());
}

#[test]
fn is_done_when_all_is_acknowledged_and_nothing_more_comes() {
    let buffer = Buffer::new(1 << 20);
    buffer.push(batch(1, 0), INTERIM, Part::Batch);
    buffer.finish(Vec::new());
    assert!(!buffer.is_done());
    buffer.acknowledge(send(&buffer));
    assert!(buffer.is_done());
}

#[test]
fn sends_what_is_deferred_when_nothing_else_waits() {
    let buffer = Buffer::new(1 << 20);
    buffer.push(batch(1, 0), LIFECYCLE, Part::Deferred);
    buffer.push(batch(2, 0), LIFECYCLE, Part::Deferred);
    buffer.push(batch(3, 0), LIFECYCLE, Part::Batch);
    assert!(!buffer.has_sent_deferred());
    assert_eq!(contents(&buffer, 64), [(1, 3), (2, 1), (3, 2)]);
    assert!(buffer.has_sent_deferred());
    buffer.acknowledge(2);
    buffer.reconnected();
    assert_eq!(contents(&buffer, 64), [(3, 2)]);
}

#[test]
fn leaves_the_window_to_what_is_not_deferred() {
    let buffer = Buffer::new(1 << 20);
    (0..20).for_each(|_| buffer.push(batch(1, 0), LIFECYCLE, Part::Deferred));
    assert_eq!(contents(&buffer, 64).len(), DEFERRED_WINDOW);
    buffer.push(batch(9, 0), LIFECYCLE, Part::Batch);
    assert_eq!(contents(&buffer, 64), [(DEFERRED_WINDOW as u64 + 1, 9)]);
}

#[test]
fn sheds_what_is_deferred_before_all_else() {
    let buffer = Buffer::new(2500);
    buffer.push(batch(1000, 0), INTERIM, Part::Batch);
    buffer.push(batch(1000, 0), LIFECYCLE, Part::Deferred);
    buffer.push(batch(1000, 0), INTERIM, Part::Batch);
    assert_eq!(buffer.shed_counts(), LIFECYCLE);
    assert_eq!(contents(&buffer, 64), [(1, 1000), (2, 1000)]);
}
