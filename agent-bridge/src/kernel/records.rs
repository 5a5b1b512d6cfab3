//! Records and constants as the kernel programs have them (bpf/records.h); the tests compare both with the compiled object.

use std::mem::size_of;

pub const PATH_BYTES: usize = 256;

macro_rules! constants {
    ($($group:ident: $kind:ty { $($name:ident = $value:literal),* $(,)? })*) => {
        $($(pub const $name: $kind = $value;)*)*
        /// The enum in bpf/records.h, the name in it, and the value here.
        #[cfg(test)]
        const CONSTANTS: &[(&str, &str, i64)] = &[$($((stringify!($group), stringify!($name), $value)),*),*];
    };
}

constants! {
    record_kind: u16 { RECORD_CONNECTION = 1, RECORD_EXEC = 2, RECORD_EXIT = 3, RECORD_FORK = 4, RECORD_DESCRIPTOR = 5 }
    reason: u8 { REASON_MOVED = 1, REASON_CLOSED = 2 }
    initiator: u8 { INITIATOR_LOCAL = 1 }
    scope: u8 { SCOPE_OUTSIDE = 1, SCOPE_INSIDE = 2 }
    edge_kind: u16 { EDGE_UNIX = 3, EDGE_EXEC = 4 }
    connection_flags: u8 { CONNECTION_OLDER = 1, CONNECTION_ESTABLISHED = 2, CONNECTION_MPTCP = 4, CONNECTION_UDPLITE = 8, CONNECTION_ROUTE = 32 }
    network_bits: u32 { NETWORK_CONFIGURED = 4, NETWORK_SHARED = 8 }
    overload_kind: u32 { OVERLOAD_EDGES = 1, OVERLOAD_GROUPS = 2, OVERLOAD_RECORDS = 4 }
    bound: usize {
        MAX_EDGES = 16384, SHARE_EDGES = 4096, GROUP_EDGES = 1024, MAX_GROUPS = 8192, SHARE_GROUPS = 2048, MAX_OVERLOADS = 1024,
        MAX_UNFOLLOWED = 256,
    }
    descriptor_kind: u16 {
        DESCRIPTOR_SOCKET = 1, DESCRIPTOR_PIPE_READ = 2, DESCRIPTOR_PIPE_WRITE = 3, DESCRIPTOR_UNIX_PAIR = 4,
        DESCRIPTOR_PTY_MASTER = 5, DESCRIPTOR_PTY_SLAVE = 6, DESCRIPTOR_TUN = 7, DESCRIPTOR_SHARED = 8,
        DESCRIPTOR_UNIX_ACCEPTED = 9, DESCRIPTOR_UNIX_DIALLED = 10, DESCRIPTOR_UNIX_DATAGRAM = 11,
    }
    joined_by: u32 { JOINED_BY_LINEAGE = 0, JOINED_BY_DESCRIPTOR = 1, JOINED_BY_WORKLOAD = 2 }
    walk_mode: u32 { WALK_NEAR = 1, WALK_TELL = 2, WALK_MATCH = 3, WALK_COUNT = 4 }
    near_flags: u32 { NEAR_BELOW = 1, NEAR_CHILDREN = 2 }
}

/// A struct of integers and byte arrays only, without padding: every bit pattern is a value.
///
/// # Safety
/// The implementing type is `repr(C)`, has no padding, and each field accepts every bit pattern.
pub unsafe trait Record: Copy {}

/// Reads a record from the start of `bytes`; `None` when they are too few.
pub fn read<T: Record>(bytes: &[u8]) -> Option<T> {
    if bytes.len() < size_of::<T>() {
        return None;
    }
    // SAFETY: the length was checked, `Record` promises that any bytes are a value, and the read is unaligned.
    Some(unsafe { std::ptr::read_unaligned(bytes.as_ptr().cast::<T>()) })
}

/// The bytes of a record, for use as a map key or value.
pub fn bytes_of<T: Record>(value: &T) -> &[u8] {
    // SAFETY: `Record` promises that there is no padding, so that every byte is initialised.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(value).cast::<u8>(), size_of::<T>()) }
}

/// The same number as own_group() in bpf/groups.bpf.h gives; the lab's split relays fail when they differ.
pub fn own_group(pid: u32, start_ns: u64) -> u64 {
    (start_ns.wrapping_mul(0x9e37_79b9_7f4a_7c15) & 0xffff_ffff_0000_0000) | u64::from(pid)
}

macro_rules! record {
    ($(#[$meta:meta])* $name:ident, $size:expr, { $($field:ident: $kind:ty),* $(,)? }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug)]
        pub struct $name { $(pub $field: $kind),* }
        // SAFETY: repr(C), integers and byte arrays only, and the size below leaves no room for padding.
        unsafe impl Record for $name {}
        impl $name {
            /// Name of each field and where it begins.
            #[cfg(test)]
            const FIELDS: &[(&str, usize)] = &[$((stringify!($field), std::mem::offset_of!($name, $field))),*];
        }
        const _: () = assert!(size_of::<$name>() == $size);
        const _: () = assert!(size_of::<$name>() == 0 $(+ size_of::<$kind>())*);
    };
}

record!(
    #[derive(Default)]
    ProcessId, 16, { start_ns: u64, pid: u32, uid: u32 });
record!(Exchanges, 48, {
    remote_led: u32, remote_led_answered: u32, local_led: u32, local_led_answered: u32,
    local_reply_log2: u64, remote_reply_log2: u64,
    same_size_answers: u32, strict_alternations: u32, answer_bytes: u64,
});
record!(ConnectionRecord, 152, {
    kind: u16, reason: u8, protocol: u8, netns: u32, cookie: u64, opened_ns: u64, observed_ns: u64,
    owner: ProcessId, local: [u8; 16], remote: [u8; 16], local_port: u16, remote_port: u16,
    initiator: u8, scope: u8, ssh: u8, flags: u8, bytes_sent: u64, bytes_received: u64, exchanges: Exchanges,
});
record!(
    /// The part of an exec record before its argv, whose length varies.
    ExecHead, 320, {
    kind: u16, argv_bytes: u16, argv_truncated: u8, has_tty: u8, reserved: u16,
    process: ProcessId, parent: ProcessId, at_ns: u64, comm: [u8; 16], path: [u8; PATH_BYTES],
});
record!(ForkRecord, 48, { kind: u16, reserved: [u16; 3], process: ProcessId, parent: ProcessId, at_ns: u64 });
record!(ExitRecord, 32, { kind: u16, reserved: [u16; 3], process: ProcessId, at_ns: u64 });
record!(DescriptorRecord, 40, { kind: u16, descriptor: u16, fd: u32, process: ProcessId, ours: u64, peer: u64 });
record!(
    #[derive(Default)]
    WalkState, 96, {
    mode: u32, pass: u32, first_pass: u32, tell: u32, table: u64, next_fd: u32, reported: u32, steps: u64, visited: u64,
    left_out: u64, largest: u64, largest_process: ProcessId, table_left_out: u64,
    from_pid: u32, pid: u32,
});
record!(
    #[derive(PartialEq, Eq, Hash)]
    EdgeKey, 48, { group: u64, a_remote: [u8; 16], b_remote: [u8; 16], a_port: u16, b_port: u16, kind: u16, joined: u16 });
record!(Moments, 48, { n: u64, x: u64, y: u64, xx: u64, yy: u64, xy: u64 });
record!(Turn, 24, { came_in: u64, went_out: u64, last_ns: u64 });
record!(Order, 48, {
    opened_late: u32, waited: u32, straight: u32, prompted: u32, own: u32, passed: u32, kept: u32, streamed: u32,
    closed_after: u32, closed_alone: u32, lead_log2: u64,
});
record!(Edge, 432, {
    a_process: ProcessId, b_process: ProcessId, a_cookie: u64, b_cookie: u64,
    opened_after: u32, opened_alone: u32, delay_min_ns: u64, delay_log2: u64,
    forward_in: u64, forward_out: u64, backward_in: u64, backward_out: u64,
    forward: Moments, backward: Moments, forward_turn: Turn, backward_turn: Turn,
    first_ns: u64, last_ns: u64, share: u64, order: Order, b_path: [u8; 112],
});
record!(EdgeRecord, 480, { key: EdgeKey, edge: Edge });
record!(Executions, 88, {
    exposed_ns: [u64; 5], first_forward: [u32; 2], first_backward: [u32; 2], started: [u32; 5],
    typed: u32, typed_log2: u32, untyped: u32,
});
record!(
    #[derive(PartialEq, Eq, Hash)]
    TunnelKey, 8, { netns: u32, device: u32 });
record!(TunnelUse, 136, {
    service: ProcessId, writer: ProcessId, cookie: u64, first_ns: u64, last_ns: u64, bytes_in: u64, bytes_out: u64,
    accepted: u32, accepted_after: u32, local: [u8; 16], remote: [u8; 16], local_port: u16, remote_port: u16, reserved: u32,
    name: [u8; 16],
});
record!(TunnelForward, 112, {
    writer: ProcessId, first_ns: u64, last_ns: u64, packets_in: u64, packets_out: u64,
    opened: u32, opened_after: u32, answered: u32, reserved: u32, outside: [u8; 16], inside: [u8; 16], name: [u8; 16],
});
record!(EdgeAge, 80, { key: EdgeKey, share: u64, first_ns: u64, last_ns: u64, both_ways: u64 });
record!(GroupAge, 32, { group: u64, share: u64, last_ns: u64, ended_ns: u64 });
record!(Member, 16, { group: u64, share: u64 });
record!(MemberRecord, 24, { pid: u64, member: Member });
record!(
    /// What an identity holds, or how much of it was deleted.
    #[derive(Default, PartialEq, Eq)]
    Share, 24, { edges: u64, groups: u64, members: u64 });
record!(EdgeWalk, 16, { since_ns: u64, visited: u64 });
record!(OverloadKey, 16, { subject: u64, kind: u32, reserved: u32 });
record!(Overload, 48, { process: ProcessId, count: u64, limit: u64, first_ns: u64, last_ns: u64 });
record!(UnfollowedKey, 12, { family: u16, kind: u16, protocol: u16, reserved: u16, pid: u32 });
record!(Unfollowed, 32, { process: ProcessId, bytes: u64, last_ns: u64 });
record!(DeviceRecord, 40, { netns: u32, ifindex: u32, device_kind: [u8; 16], name: [u8; 16] });
record!(NetworkKey, 20, { prefixlen: u32, address: [u8; 16] });

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
