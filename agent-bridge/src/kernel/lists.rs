//! Maps of coupling, handed out entry by entry by programs of their own (bpf/listing.bpf.h).

use std::collections::HashMap;

use anyhow::{Context, Result};
use libbpf_rs::Link;

use crate::kernel::records::{EdgeAge, EdgeRecord, GroupAge, MemberRecord};
use crate::kernel::walk::read_walk;

pub struct Lists {
    edges: Link,
    ages: Link,
    groups: Link,
    members: Link,
}

impl Lists {
    /// The map whose entries a program hands out.
    pub fn map_of(program: &str) -> Option<&'static str> {
        match program {
            "list_edges" | "list_edge_ages" => Some("edges"),
            "list_groups" => Some("groups"),
            "list_members" => Some("group_of"),
            _ => None,
        }
    }

    /// From the programs that are attached, by name.
    pub fn new(mut links: HashMap<String, Link>) -> Result<Self> {
        let mut take = |program: &str| links.remove(program).with_context(|| format!("{program} is not in the object"));
        Ok(Self { edges: take("list_edges")?, ages: take("list_edge_ages")?, groups: take("list_groups")?, members: take("list_members")? })
    }

    /// Edges that changed after the time in the map `edge_walk`.
    pub fn edges(&self, mut each: impl FnMut(EdgeRecord)) -> Result<()> {
        read_walk(&self.edges, &mut each)
    }

    pub fn edge_ages(&self, mut each: impl FnMut(EdgeAge)) -> Result<()> {
        read_walk(&self.ages, &mut each)
    }

    pub fn groups(&self, mut each: impl FnMut(GroupAge)) -> Result<()> {
        read_walk(&self.groups, &mut each)
    }

    pub fn members(&self, mut each: impl FnMut(MemberRecord)) -> Result<()> {
        read_walk(&self.members, &mut each)
    }
}
