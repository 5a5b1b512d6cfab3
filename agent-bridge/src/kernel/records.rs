//! Records as the kernel programs lay them out (bpf/records.h). Sizes are asserted on both sides.

use std::mem::size_of;

pub const ARGV_BYTES: usize = 1024;
pub const PATH_BYTES: usize = 256;

pub const RECORD_CONNECTION: u16 = 1;
pub const RECORD_EXEC: u16 = 2;
pub const RECORD_EXIT: u16 = 3;
pub const RECORD_FORK: u16 = 4;
pub const RECORD_DESCRIPTOR: u16 = 5;

pub const REASON_MOVED: u8 = 1;
pub const REASON_CLOSED: u8 = 2;
pub const INITIATOR_LOCAL: u8 = 1;
pub const SCOPE_OUTSIDE: u8 = 1;
pub const SCOPE_INSIDE: u8 = 2;

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

macro_rules! record {
    ($(#[$doc:meta])* $name:ident, $size:expr, { $($field:ident: $kind:ty),* $(,)? }) => {
        $(#[$doc])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug)]
        pub struct $name { $(pub $field: $kind),* }
        // SAFETY: repr(C), integers and byte arrays only, and the size below leaves no room for padding.
        unsafe impl Record for $name {}
        impl $name {
            /// Where each field begins, in the order of declaration. Compared for what the object describes.
            #[cfg(test)]
            #[allow(dead_code)]
            const OFFSETS: &[usize] = &[$(std::mem::offset_of!($name, $field)),*];
        }
        const _: () = assert!(size_of::<$name>() == $size);
        const _: () = assert!(size_of::<$name>() == 0 $(+ size_of::<$kind>())*);
    };
}

record!(ProcessId, 16, { start_ns: u64, pid: u32, uid: u32 });
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
record!(EdgeKey, 48, { group: u64, a_remote: [u8; 16], b_remote: [u8; 16], a_port: u16, b_port: u16, kind: u32 });
record!(Moments, 48, { n: u64, x: u64, y: u64, xx: u64, yy: u64, xy: u64 });
record!(Turn, 24, { came_in: u64, went_out: u64, last_ns: u64 });
record!(Edge, 376, {
    a_process: ProcessId, b_process: ProcessId, a_cookie: u64, b_cookie: u64,
    opened_after: u32, opened_alone: u32, delay_min_ns: u64, delay_log2: u64,
    forward_in: u64, forward_out: u64, backward_in: u64, backward_out: u64,
    forward: Moments, backward: Moments, forward_turn: Turn, backward_turn: Turn,
    first_ns: u64, last_ns: u64, b_path: [u8; 112],
});
record!(NetworkKey, 20, { prefix: u32, address: [u8; 16] });

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use libbpf_rs::btf::types::{MemberAttr, Struct};
    use libbpf_rs::btf::{Btf, HasSize};

    /// Size and offsets of a struct as the compiled kernel programs have it.
    fn compiled(name: &str) -> (usize, Vec<usize>) {
        let object = Btf::from_path(concat!(env!("OUT_DIR"), "/collector.bpf.o")).unwrap();
        let found = object.type_by_name::<Struct<'_>>(name).unwrap();
        let offset = |attribute: MemberAttr| match attribute {
            MemberAttr::Normal { offset } => offset as usize / 8,
            MemberAttr::BitField { .. } => panic!("{name} has a bit field"),
        };
        (found.size(), found.iter().map(|member| offset(member.attr)).collect())
    }

    /// Those that the object describes: what is in maps. For ring records the sizes are asserted on both sides, and the lab
    /// would read nonsense.
    #[test]
    fn has_the_layout_of_the_kernel_programs() {
        for (name, size, offsets) in [
            ("process_id", size_of::<ProcessId>(), ProcessId::OFFSETS),
            ("exchanges", size_of::<Exchanges>(), Exchanges::OFFSETS),
            ("edge_key", size_of::<EdgeKey>(), EdgeKey::OFFSETS),
            ("moments", size_of::<Moments>(), Moments::OFFSETS),
            ("turn", size_of::<Turn>(), Turn::OFFSETS),
            ("edge", size_of::<Edge>(), Edge::OFFSETS),
            ("network_key", size_of::<NetworkKey>(), NetworkKey::OFFSETS),
        ] {
            assert_eq!(compiled(name), (size, offsets.to_vec()), "{name}");
        }
    }

    #[test]
    fn has_the_head_of_an_exec_record() {
        let (size, offsets) = compiled("exec_record");
        assert_eq!(size, size_of::<ExecHead>() + ARGV_BYTES);
        assert_eq!(offsets, [ExecHead::OFFSETS, &[size_of::<ExecHead>()]].concat());
    }

    #[test]
    fn reads_no_record_from_too_few_bytes() {
        let bytes = [1u8; 33];
        assert!(read::<ExitRecord>(bytes.get(..31).unwrap()).is_none());
        assert!(read::<ExitRecord>(bytes.get(..32).unwrap()).is_some());
        // At an odd address too: ring records are aligned, those of a walk that broke off need not be.
        assert_eq!(read::<ExitRecord>(bytes.get(1..).unwrap()).map(|r| r.kind), Some(0x0101));
    }

    #[test]
    fn gives_back_the_bytes_that_it_read() {
        let bytes: Vec<u8> = (0..48).collect();
        assert_eq!(bytes_of(&read::<EdgeKey>(&bytes).unwrap()), bytes);
    }
}
