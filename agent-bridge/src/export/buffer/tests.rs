use super::*;

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
    let first = buffer.push(batch(1, 0), INTERIM, Part::Batch);
    buffer.push(batch(1, 0), INTERIM, Part::Batch);
    assert!(buffer.next(1).is_some());
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
    let first = buffer.push(snapshot(1, true), INTERIM, Part::Snapshot);
    buffer.acknowledge(first);
    assert!(!buffer.is_snapshot_durable());
    let last = buffer.push(snapshot(1, false), INTERIM, Part::Snapshot);
    buffer.acknowledge(last);
    assert!(buffer.is_snapshot_durable());
}

#[test]
fn is_done_when_all_is_acknowledged_and_nothing_more_comes() {
    let buffer = Buffer::new(1 << 20);
    let seq = buffer.push(batch(1, 0), INTERIM, Part::Batch);
    buffer.finish(Vec::new());
    assert!(!buffer.is_done());
    buffer.acknowledge(seq);
    assert!(buffer.is_done());
}
