use libbpf_rs::btf::types::{Enum, MemberAttr, Struct};
use libbpf_rs::btf::{Btf, HasSize};

use super::*;
use crate::wire;

/// The structs and enums of bpf/layout.bpf.c, as the compiler laid them out.
fn layout() -> Btf<'static> {
    Btf::from_path(concat!(env!("OUT_DIR"), "/layout.bpf.o")).unwrap()
}

/// Size of a struct, the names of its fields, and where they begin.
fn compiled(name: &str) -> (usize, Vec<(String, usize)>) {
    let layout = layout();
    let found = layout.type_by_name::<Struct<'_>>(name).unwrap_or_else(|| panic!("no struct {name}"));
    let offset = |attribute: MemberAttr| match attribute {
        MemberAttr::Normal { offset } => offset as usize / 8,
        MemberAttr::BitField { .. } => panic!("{name} has a bit field"),
    };
    (found.size(), found.iter().map(|member| (member.name.unwrap().to_string_lossy().into_owned(), offset(member.attr))).collect())
}

fn of(fields: &[(&str, usize)]) -> Vec<(String, usize)> {
    fields.iter().map(|(name, offset)| ((*name).to_owned(), *offset)).collect()
}

/// Names and values of an enum.
fn values(name: &str) -> Vec<(String, i64)> {
    let layout = layout();
    let found = layout.type_by_name::<Enum<'_>>(name).unwrap_or_else(|| panic!("no enum {name}"));
    found.iter().map(|member| (member.name.unwrap().to_string_lossy().into_owned(), member.value)).collect()
}

#[test]
fn has_the_layout_of_the_kernel_programs() {
    for (name, size, fields) in [
        ("process_id", size_of::<ProcessId>(), ProcessId::FIELDS),
        ("exchanges", size_of::<Exchanges>(), Exchanges::FIELDS),
        ("connection_record", size_of::<ConnectionRecord>(), ConnectionRecord::FIELDS),
        ("fork_record", size_of::<ForkRecord>(), ForkRecord::FIELDS),
        ("exit_record", size_of::<ExitRecord>(), ExitRecord::FIELDS),
        ("descriptor_record", size_of::<DescriptorRecord>(), DescriptorRecord::FIELDS),
        ("walk_state", size_of::<WalkState>(), WalkState::FIELDS),
        ("edge_key", size_of::<EdgeKey>(), EdgeKey::FIELDS),
        ("moments", size_of::<Moments>(), Moments::FIELDS),
        ("turn", size_of::<Turn>(), Turn::FIELDS),
        ("order", size_of::<Order>(), Order::FIELDS),
        ("executions", size_of::<Executions>(), Executions::FIELDS),
        ("edge", size_of::<Edge>(), Edge::FIELDS),
        ("edge_record", size_of::<EdgeRecord>(), EdgeRecord::FIELDS),
        ("tunnel_key", size_of::<TunnelKey>(), TunnelKey::FIELDS),
        ("tunnel_use", size_of::<TunnelUse>(), TunnelUse::FIELDS),
        ("tunnel_forward", size_of::<TunnelForward>(), TunnelForward::FIELDS),
        ("edge_age", size_of::<EdgeAge>(), EdgeAge::FIELDS),
        ("group_age", size_of::<GroupAge>(), GroupAge::FIELDS),
        ("member", size_of::<Member>(), Member::FIELDS),
        ("member_record", size_of::<MemberRecord>(), MemberRecord::FIELDS),
        ("share", size_of::<Share>(), Share::FIELDS),
        ("edge_walk", size_of::<EdgeWalk>(), EdgeWalk::FIELDS),
        ("overload_key", size_of::<OverloadKey>(), OverloadKey::FIELDS),
        ("overload", size_of::<Overload>(), Overload::FIELDS),
        ("network_key", size_of::<NetworkKey>(), NetworkKey::FIELDS),
        ("unfollowed_key", size_of::<UnfollowedKey>(), UnfollowedKey::FIELDS),
        ("unfollowed", size_of::<Unfollowed>(), Unfollowed::FIELDS),
        ("device_record", size_of::<DeviceRecord>(), DeviceRecord::FIELDS),
    ] {
        assert_eq!(compiled(name), (size, of(fields)), "{name}");
    }
}

#[test]
fn has_the_head_of_an_exec_record() {
    let (size, fields) = compiled("exec_record");
    assert!(size > size_of::<ExecHead>());
    assert_eq!(fields, of(&[ExecHead::FIELDS, &[("argv", size_of::<ExecHead>())]].concat()));
}

#[test]
fn has_the_constants_of_the_kernel_programs() {
    for (group, name, value) in CONSTANTS {
        assert!(values(group).contains(&((*name).to_owned(), *value)), "{name} is not {value} in enum {group}");
    }
}

#[test]
fn knows_each_kind_of_record_and_descriptor() {
    for group in ["record_kind", "descriptor_kind", "walk_mode", "near_flags"] {
        let known: Vec<_> = CONSTANTS.iter().filter(|(of, ..)| *of == group).map(|(_, name, value)| ((*name).to_owned(), *value)).collect();
        assert_eq!(values(group), known, "{group}");
    }
}

/// What the collector passes on as a number must mean the same in the contract.
#[test]
fn has_the_numbers_of_the_contract() {
    type NameOf = fn(i32) -> Option<&'static str>;
    let edge: NameOf = |value| wire::edge::Kind::try_from(value).ok().map(|kind| kind.as_str_name());
    let reason: NameOf = |value| wire::Reason::try_from(value).ok().map(|reason| reason.as_str_name());
    let initiator: NameOf = |value| wire::Initiator::try_from(value).ok().map(|initiator| initiator.as_str_name());
    let ssh: NameOf = |value| wire::SshBits::try_from(value).ok().map(|bit| bit.as_str_name());
    for (group, prefix, name_of) in
        [("edge_kind", "EDGE_", edge), ("reason", "REASON_", reason), ("initiator", "INITIATOR_", initiator), ("ssh_bits", "SSH_", ssh)]
    {
        let suffix = |name: &str| name.split_once('_').unwrap().1.to_owned();
        let kernel: Vec<(String, i64)> =
            values(group).into_iter().map(|(name, value)| (name.strip_prefix(prefix).unwrap().to_owned(), value)).collect();
        let contract: Vec<(String, i64)> = (0..256).filter_map(|value| Some((suffix(name_of(value)?), value.into()))).collect();
        // The contract alone names what stands for nothing.
        let contract: Vec<_> = contract.into_iter().filter(|(name, _)| name != "UNSPECIFIED" && name != "NONE").collect();
        assert_eq!(kernel, contract, "{group}");
    }
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
