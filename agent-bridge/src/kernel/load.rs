//! Opens, loads and attaches the kernel programs. What a kernel lacks is found out by trying, never from its version.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd};

use anyhow::{Context, Result};
use libbpf_rs::{Iter, Link, MapCore, MapFlags, MapHandle, Object, ObjectBuilder};

use crate::kernel::records::{read, ConnectionRecord, DescriptorRecord, Record};

/// The kernel fills at most one buffer of its own (8 pages) in one read.
const WALK_BYTES: usize = 64 << 10;

static OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/collector.bpf.o"));

/// A program that the collector can do without, and what is lost then.
struct Optional {
    program: &'static str,
    feature: &'static str,
    consequence: &'static str,
}

const OPTIONAL: &[Optional] = &[
    Optional { program: "on_send", feature: "sock_send_length", consequence: "no turn-taking and no byte conservation: tunnels are found by who dials inside, by SSH role and by age alone (kernel 6.3 or later has it)" },
    Optional { program: "on_receive_length", feature: "sock_recv_length", consequence: "UDP receives and unix sockets are not counted (kernel 6.3 or later has it)" },
    Optional { program: "on_receive", feature: "tcp_rcv_space_adjust", consequence: "no turn-taking: tunnels are found by SSH role and by age alone" },
    Optional { program: "on_ingress", feature: "cgroup_skb/ingress", consequence: "SSH is not recognised by what the remote side says first" },
    Optional { program: "on_egress", feature: "cgroup_skb/egress", consequence: "SSH is not recognised by what this host says first" },
    Optional { program: "on_sendmsg4", feature: "cgroup/sendmsg4", consequence: "remote ends of unconnected UDP over IPv4 are not known" },
    Optional { program: "on_sendmsg6", feature: "cgroup/sendmsg6", consequence: "remote ends of unconnected UDP over IPv6 are not known" },
    Optional { program: "on_recvmsg4", feature: "cgroup/recvmsg4", consequence: "senders to unconnected UDP sockets over IPv4 are not known" },
    Optional { program: "on_recvmsg6", feature: "cgroup/recvmsg6", consequence: "senders to unconnected UDP sockets over IPv6 are not known" },
    Optional { program: "on_release", feature: "cgroup/sock_release", consequence: "UDP sockets get no final record" },
    Optional { program: "walk_files", feature: "iter/task_file", consequence: "sockets older than the collector, shells behind ptys and pipes, and relays split over processes are not seen" },
];

#[derive(Clone, Debug)]
pub struct Degraded {
    pub feature: String,
    pub consequence: String,
}

/// The loaded and attached programs. Dropping it detaches them.
pub struct Kernel {
    object: Object,
    _links: Vec<Link>,
    files: Option<Link>,
    sockets: Link,
    pub capabilities: Vec<String>,
    pub degraded: Vec<Degraded>,
}

impl Kernel {
    /// Loads all programs, or all but those that this kernel refuses, and attaches them. `ring_bytes` is a power of two.
    pub fn load(ring_bytes: u32) -> Result<Self> {
        let mut refused = Vec::new();
        let object = match open(&[], ring_bytes)?.load() {
            Ok(object) => object,
            Err(_) => {
                for optional in OPTIONAL {
                    if !loads_alone(optional.program) {
                        refused.push(optional.program);
                    }
                }
                open(&refused, ring_bytes)?.load().context("the kernel refused a program that the collector cannot do without")?
            }
        };
        let cgroup = cgroup_root();
        let mut kernel_links = Vec::new();
        let mut files = None;
        let mut sockets = None;
        let mut capabilities = Vec::new();
        let mut missing: Vec<&str> = refused;
        let map = map_handle(&object, "sockets")?;
        for program in object.progs_mut() {
            let name = program.name().to_string_lossy().into_owned();
            let section = program.section().to_string_lossy().into_owned();
            if missing.contains(&name.as_str()) {
                continue;
            }
            let attached = if name == "walk_sockets" {
                sockets = Some(program.attach_iter(map.as_fd()).context("cannot attach the walk over sockets")?);
                continue;
            } else if name == "walk_files" {
                program.attach().map(|link| files = Some(link))
            } else if section.starts_with("cgroup") {
                match &cgroup {
                    Some(root) => program.attach_cgroup(root.as_raw_fd()).map(|link| kernel_links.push(link)),
                    None => Err(libbpf_rs::Error::from(std::io::Error::from(std::io::ErrorKind::NotFound))),
                }
            } else {
                program.attach().map(|link| kernel_links.push(link))
            };
            match attached {
                Ok(()) => capabilities.push(name),
                Err(error) => match OPTIONAL.iter().find(|o| o.program == name) {
                    Some(optional) => missing.push(optional.program),
                    None => return Err(error).with_context(|| format!("cannot attach {name} ({section})")),
                },
            }
        }
        let degraded = OPTIONAL
            .iter()
            .filter(|o| missing.contains(&o.program))
            .map(|o| Degraded { feature: o.feature.into(), consequence: o.consequence.into() })
            .collect();
        Ok(Self {
            object,
            _links: kernel_links,
            files,
            sockets: sockets.context("the walk over sockets is not in the object")?,
            capabilities,
            degraded,
        })
    }

    pub fn map(&self, name: &str) -> Result<MapHandle> {
        map_handle(&self.object, name)
    }

    /// Whether a walk can be started.
    pub fn can_walk(&self) -> Result<()> {
        Iter::new(&self.sockets).map(drop).context("cannot start a walk")
    }

    /// Runs a walk over every descriptor of every task; none where the kernel lacks it.
    pub fn walk_files(&self, mut each: impl FnMut(DescriptorRecord)) -> Result<()> {
        match &self.files {
            Some(link) => read_walk(link, &mut each),
            None => Ok(()),
        }
    }

    /// Runs a walk over tracked sockets: all of them, or those that moved since the last walk.
    pub fn walk_sockets(&self, all: bool, mut each: impl FnMut(ConnectionRecord)) -> Result<()> {
        let switch = self.object.maps().find(|m| m.name().to_string_lossy().ends_with(".bss")).context("the object has no variables")?;
        let mut value = vec![0u8; switch.value_size() as usize];
        if let Some(first) = value.first_mut() {
            *first = u8::from(all);
        }
        switch.update(&0u32.to_ne_bytes(), &value, MapFlags::ANY)?;
        read_walk(&self.sockets, &mut each)
    }
}

fn open(without: &[&str], ring_bytes: u32) -> Result<libbpf_rs::OpenObject> {
    let mut open = ObjectBuilder::default().open_memory(OBJECT).context("cannot open the kernel programs")?;
    for mut program in open.progs_mut() {
        let name = program.name().to_string_lossy().into_owned();
        if without.contains(&name.as_str()) {
            program.set_autoload(false);
        }
    }
    for mut map in open.maps_mut() {
        if map.name() == "ring" {
            map.set_max_entries(ring_bytes)?;
        }
    }
    Ok(open)
}

fn loads_alone(name: &str) -> bool {
    let Ok(mut open) = ObjectBuilder::default().open_memory(OBJECT) else { return false };
    for mut program in open.progs_mut() {
        let keep = program.name() == name;
        program.set_autoload(keep);
    }
    open.load().is_ok()
}

fn map_handle(object: &Object, name: &str) -> Result<MapHandle> {
    let map = object.maps().find(|m| m.name() == name).with_context(|| format!("the object has no map {name}"))?;
    MapHandle::try_from(&map).with_context(|| format!("cannot use map {name}"))
}

/// Hands out records as they come, so that a walk over a hundred thousand sockets takes no memory.
fn read_walk<T: Record>(link: &Link, each: &mut impl FnMut(T)) -> Result<()> {
    let mut walk = Iter::new(link).context("cannot start a walk")?;
    let mut bytes = vec![0u8; WALK_BYTES];
    let mut held = 0;
    loop {
        let count = match walk.read(bytes.get_mut(held..).unwrap_or_default()) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error).context("a walk broke off"),
        };
        held += count;
        let whole = held - held % size_of::<T>();
        bytes.get(..whole).unwrap_or_default().chunks_exact(size_of::<T>()).filter_map(read).for_each(&mut *each);
        // A read may end within a record.
        bytes.copy_within(whole..held, 0);
        held -= whole;
    }
}

/// The cgroup v2 root, also on hosts where v1 and v2 are mounted side by side.
fn cgroup_root() -> Option<File> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    let line = mounts.lines().find(|line| line.contains(" - cgroup2 "))?;
    File::open(line.split(' ').nth(4)?).ok()
}
