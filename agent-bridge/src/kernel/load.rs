//! Opens, loads and attaches the kernel programs. What a kernel lacks is found out by trying, never from its version.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd};

use anyhow::{Context, Result};
use libbpf_rs::{Link, MapCore, MapHandle, Object, ObjectBuilder, OpenObject};

use crate::kernel::lists::Lists;
use crate::kernel::tables::Tables;
use crate::kernel::walk::{OlderSockets, Walks};
use crate::wire::Degraded;

static OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/collector.bpf.o"));

/// A program that the collector can do without, and what is lost then.
struct Optional {
    program: &'static str,
    feature: &'static str,
    consequence: &'static str,
}

const OPTIONAL: &[Optional] = &[
    Optional { program: "on_send", feature: "sock_send_length", consequence: "no turn-taking and no byte conservation: tunnels are found by who dials inside, by SSH role and by age alone (kernel 6.3 or later has it)" },
    Optional { program: "on_receive_length", feature: "sock_recv_length", consequence: "receives of UDP and MPTCP, and unix sockets, are not counted (kernel 6.3 or later has it)" },
    Optional { program: "on_receive", feature: "tcp_rcv_space_adjust", consequence: "no turn-taking: tunnels are found by SSH role and by age alone" },
    Optional { program: "on_ingress", feature: "cgroup_skb/ingress", consequence: "SSH is not recognised by what the remote side says first" },
    Optional { program: "on_egress", feature: "cgroup_skb/egress", consequence: "SSH is not recognised by what this host says first" },
    Optional { program: "on_connect", feature: "sockops", consequence: "the way to a remote end is not known: addresses of the host itself and of its neighbours that are not private count as outside, private networks behind a tunnel as inside" },
    Optional { program: "on_sendmsg4", feature: "cgroup/sendmsg4", consequence: "remote ends of unconnected UDP over IPv4 are not known" },
    Optional { program: "on_sendmsg6", feature: "cgroup/sendmsg6", consequence: "remote ends of unconnected UDP over IPv6 are not known" },
    Optional { program: "on_recvmsg4", feature: "cgroup/recvmsg4", consequence: "senders to unconnected UDP sockets over IPv4 are not known" },
    Optional { program: "on_recvmsg6", feature: "cgroup/recvmsg6", consequence: "senders to unconnected UDP sockets over IPv6 are not known" },
    Optional { program: "on_sendmsg_unix", feature: "cgroup/sendmsg_unix", consequence: "services at unix datagram sockets are not seen where each datagram names its receiver (kernel 6.7 or later has it)" },
    Optional { program: "on_connect_unix", feature: "cgroup/connect_unix", consequence: "when a service at a unix socket was connected to is not seen: relays to one that wait for it are told by sizes and by later turns (kernel 6.7 or later has it)" },
    Optional { program: "on_release", feature: "cgroup/sock_release", consequence: "UDP sockets get no final record" },
    Optional { program: "walk_files", feature: "iter/task_file", consequence: "sockets older than the collector are not seen" },
    Optional { program: "walk_devices", feature: "iter/task over network namespaces", consequence: "tunnel devices of the kernel (vxlan, gre, wireguard) are not named" },
    Optional { program: "walk_tables", feature: "iter/task", consequence: "shells behind ptys and pipes, and relays split over processes are not seen (kernel 5.17 or later has bpf_loop)" },
];

/// The loaded and attached programs. Dropping it detaches them.
pub struct Kernel {
    object: Object,
    _links: Vec<Link>,
    pub walks: Walks,
    /// None where the kernel has no iter/task_file.
    pub older: Option<OlderSockets>,
    /// None where the kernel has no iter/task.
    pub tables: Option<Tables>,
    /// None where the kernel has no iter/task, or once it was taken.
    pub devices: Option<Link>,
    pub lists: Lists,
    /// Names of the programs that are attached, but for those over one map.
    pub attached: Vec<String>,
    /// What this kernel lacks, and what that costs.
    pub degraded: Vec<Degraded>,
}

impl Kernel {
    /// Loads all programs, or all but those that this kernel refuses, and attaches them. `ring_bytes` is a power of two.
    pub fn load(ring_bytes: u32) -> Result<Self> {
        let (object, refused) = load_supported(ring_bytes)?;
        let hooks = attach(&object, refused)?;
        let sockets = hooks.sockets.context("the walk over sockets is not in the object")?;
        let walks = Walks { sockets, all: map_handle(&object, "walk_all")? };
        let tables = hooks.tables.map(|link| tables(&object, link)).transpose()?;
        let older = hooks.files.map(OlderSockets);
        let lists = Lists::new(hooks.lists)?;
        let degraded = degraded(&hooks.missing);
        Ok(Self { object, _links: hooks.links, walks, older, tables, devices: hooks.devices, lists, attached: hooks.attached, degraded })
    }

    pub fn map(&self, name: &str) -> Result<MapHandle> {
        map_handle(&self.object, name)
    }
}

/// All programs, or all but the optional ones that this kernel refuses, and the names of those.
fn load_supported(ring_bytes: u32) -> Result<(Object, Vec<&'static str>)> {
    if let Ok(object) = open(&[], ring_bytes)?.load() {
        return Ok((object, Vec::new()));
    }
    let refused: Vec<&str> = OPTIONAL.iter().map(|optional| optional.program).filter(|program| !loads_alone(program)).collect();
    let object = open(&refused, ring_bytes)?.load().context("the kernel refused a program that the collector cannot do without")?;
    Ok((object, refused))
}

/// What a program hangs on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hook {
    /// Every entry of the map of this name.
    List(&'static str),
    WalkSockets,
    WalkFiles,
    WalkTables,
    WalkDevices,
    Cgroup,
    Tracepoint,
}

impl Hook {
    fn of(program: &str, section: &str) -> Self {
        if let Some(map) = Lists::map_of(program) {
            return Self::List(map);
        }
        match program {
            "walk_sockets" => Self::WalkSockets,
            "walk_files" => Self::WalkFiles,
            "walk_tables" => Self::WalkTables,
            "walk_devices" => Self::WalkDevices,
            _ if section.starts_with("cgroup") || section == "sockops" => Self::Cgroup,
            _ => Self::Tracepoint,
        }
    }
}

#[derive(Default)]
struct Hooks {
    links: Vec<Link>,
    files: Option<Link>,
    tables: Option<Link>,
    devices: Option<Link>,
    sockets: Option<Link>,
    lists: HashMap<String, Link>,
    attached: Vec<String>,
    /// Optional programs that the kernel refused to load or to attach.
    missing: Vec<&'static str>,
}

impl Hooks {
    fn add(&mut self, hook: Hook, link: Link, program: String) {
        match hook {
            Hook::WalkSockets => self.sockets = Some(link),
            Hook::List(_) => drop(self.lists.insert(program.clone(), link)),
            Hook::WalkFiles => self.files = Some(link),
            Hook::WalkTables => self.tables = Some(link),
            Hook::WalkDevices => self.devices = Some(link),
            Hook::Cgroup | Hook::Tracepoint => self.links.push(link),
        }
        if !matches!(hook, Hook::WalkSockets | Hook::List(_)) {
            self.attached.push(program);
        }
    }
}

/// Attaches everything but what was `refused`; an optional program that cannot be attached counts as missing.
fn attach(object: &Object, refused: Vec<&'static str>) -> Result<Hooks> {
    let cgroup = cgroup_root();
    let mut hooks = Hooks { missing: refused, ..Hooks::default() };
    for program in object.progs_mut() {
        let name = program.name().to_string_lossy().into_owned();
        let section = program.section().to_string_lossy().into_owned();
        if hooks.missing.contains(&name.as_str()) {
            continue;
        }
        let hook = Hook::of(&name, &section);
        let link = match (hook, &cgroup) {
            (Hook::WalkSockets, _) => program.attach_iter(map_handle(object, "sockets")?.as_fd()),
            (Hook::List(map), _) => program.attach_iter(map_handle(object, map)?.as_fd()),
            (Hook::WalkFiles | Hook::WalkTables | Hook::WalkDevices | Hook::Tracepoint, _) => program.attach(),
            (Hook::Cgroup, Some(root)) => program.attach_cgroup(root.as_raw_fd()),
            (Hook::Cgroup, None) => Err(std::io::Error::from(std::io::ErrorKind::NotFound).into()),
        };
        match (link, OPTIONAL.iter().find(|optional| optional.program == name)) {
            (Ok(link), _) => hooks.add(hook, link, name),
            (Err(_), Some(optional)) => hooks.missing.push(optional.program),
            (Err(error), None) => return Err(error).with_context(|| format!("cannot attach {name} ({section})")),
        }
    }
    Ok(hooks)
}

fn degraded(missing: &[&str]) -> Vec<Degraded> {
    let lacks = OPTIONAL.iter().filter(|optional| missing.contains(&optional.program));
    lacks.map(|optional| Degraded { feature: optional.feature.into(), consequence: optional.consequence.into() }).collect()
}

fn open(without: &[&str], ring_bytes: u32) -> Result<OpenObject> {
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

fn tables(object: &Object, link: Link) -> Result<Tables> {
    Ok(Tables {
        link,
        walk: map_handle(object, "walk")?,
        ring: map_handle(object, "walk_ring")?,
        reported: map_handle(object, "reported")?,
        near: map_handle(object, "near")?,
        channels: map_handle(object, "channels")?,
    })
}

fn map_handle(object: &Object, name: &str) -> Result<MapHandle> {
    let map = object.maps().find(|m| m.name() == name).with_context(|| format!("the object has no map {name}"))?;
    MapHandle::try_from(&map).with_context(|| format!("cannot use map {name}"))
}

/// The cgroup v2 root, also on hosts where v1 and v2 are mounted side by side.
fn cgroup_root() -> Option<File> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    let line = mounts.lines().find(|line| line.contains(" - cgroup2 "))?;
    File::open(line.split(' ').nth(4)?).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A variable lies with all others in one value of one map, so that who sets it has to write them all.
    #[test]
    fn keeps_what_user_space_sets_in_maps_and_not_in_variables() {
        let object = open(&[], 4096).unwrap();
        let names: Vec<String> = object.maps().map(|map| map.name().to_string_lossy().into_owned()).collect();
        assert!(names.iter().any(|name| name == "walk_all"), "{names:?}");
        assert!(!names.iter().any(|name| name.ends_with(".bss") || name.ends_with(".data")), "{names:?}");
    }
}
