//! Connection records to the columns of the wire contract.

use std::collections::HashMap;

use crate::kernel::records::{
    ConnectionRecord, CONNECTION_ESTABLISHED, CONNECTION_MPTCP, CONNECTION_OLDER, CONNECTION_ROUTE, CONNECTION_UDPLITE,
};
use crate::wire;

/// Flags of a record and of the wire.
const FLAGS: [(u8, u32); 4] =
    [(CONNECTION_OLDER, 1 << 16), (CONNECTION_ESTABLISHED, 1 << 17), (CONNECTION_MPTCP, 1 << 18), (CONNECTION_UDPLITE, 1 << 19)];
const ROUTE_SHIFT: u32 = 21;

/// Columns of one batch under construction. Times are absolute until `finish`.
#[derive(Default)]
pub struct Columns {
    connections: wire::Connections,
    addresses: HashMap<[u8; 16], u32>,
    exchanges: wire::Exchanges,
}

impl Columns {
    pub fn records(&self) -> usize {
        self.connections.cookie.len()
    }

    /// `opened_us` and `observed_us` are microseconds since the Unix epoch.
    pub fn push(&mut self, r: &ConnectionRecord, process: u32, opened_us: u64, observed_us: u64) {
        let record = u32::try_from(self.records()).unwrap_or(u32::MAX);
        let local = self.address(r.local);
        let remote = self.address(r.remote);
        let c = &mut self.connections;
        c.cookie.push(r.cookie);
        c.netns.push(r.netns);
        c.process.push(process);
        c.flags.push(flags(r));
        c.local_address.push(local);
        c.remote_address.push(remote);
        c.local_port.push(r.local_port.into());
        c.remote_port.push(r.remote_port.into());
        c.opened_us.push(signed(opened_us));
        c.observed_us.push(signed(observed_us));
        c.bytes_sent.push(r.bytes_sent);
        c.bytes_received.push(r.bytes_received);
        self.push_exchanges(record, r);
    }

    fn push_exchanges(&mut self, record: u32, r: &ConnectionRecord) {
        let x = &r.exchanges;
        if x.remote_led == 0 && x.local_led == 0 {
            return;
        }
        let e = &mut self.exchanges;
        e.record.push(record);
        e.remote_led.push(x.remote_led);
        e.remote_led_answered.push(x.remote_led_answered);
        e.local_led.push(x.local_led);
        e.local_led_answered.push(x.local_led_answered);
        e.local_reply_log2.push(x.local_reply_log2);
        e.remote_reply_log2.push(x.remote_reply_log2);
        e.same_size_answers.push(x.same_size_answers);
        e.strict_alternations.push(x.strict_alternations);
        e.answer_bytes.push(x.answer_bytes);
    }

    fn address(&mut self, address: [u8; 16]) -> u32 {
        let next = u32::try_from(self.addresses.len()).unwrap_or(u32::MAX);
        *self.addresses.entry(address).or_insert_with(|| {
            self.connections.addresses.extend_from_slice(&address);
            next
        })
    }

    /// Makes times relative to `base_us`, where they are small numbers.
    pub fn finish(mut self, base_us: u64) -> Option<wire::Connections> {
        if self.connections.cookie.is_empty() {
            return None;
        }
        let base = signed(base_us);
        self.connections.opened_us.iter_mut().chain(&mut self.connections.observed_us).for_each(|us| *us = us.saturating_sub(base));
        if !self.exchanges.record.is_empty() {
            self.connections.exchanges = Some(self.exchanges);
        }
        Some(self.connections)
    }
}

/// Bits 0-1 initiator, 2-3 reason, 4-7 SSH, 8-15 protocol, 16-19 the flags, 21-23 the route.
fn flags(r: &ConnectionRecord) -> u32 {
    let present = FLAGS.iter().filter(|(flag, _)| r.flags & flag != 0).fold(0, |bits, (_, bit)| bits | bit);
    u32::from(r.initiator & 3)
        | u32::from(r.reason & 3) << 2
        | u32::from(r.ssh & 15) << 4
        | u32::from(r.protocol) << 8
        | u32::from(r.flags / CONNECTION_ROUTE) << ROUTE_SHIFT
        | present
}

fn signed(us: u64) -> i64 {
    i64::try_from(us).unwrap_or(i64::MAX)
}
