//! On the running kernel: whom the share of a map counts for. A user, whatever namespaces he makes; of root the cgroup. As root.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use backflow_collector::kernel::load::Kernel;
use backflow_collector::kernel::networks::Networks;
use backflow_collector::kernel::records::{read, Share};
use backflow_collector::privilege;
use backflow_collector::wire::Network;
use libbpf_rs::{MapCore, MapFlags};

/// As `IDENTITY_USER` in bpf/shares.bpf.h.
const IDENTITY_USER: u64 = 1 << 63;

/// Gives the loopback device of a new network namespace an address of the outside (RFC 5737), and goes on as its arguments.
const WITH_OUTSIDE: &str = r#"ip link set dev lo up && ip address add 203.0.113.77/32 dev lo && exec "$@""#;
/// Joins the cgroup of its first argument, and goes on as the others.
const IN_CGROUP: &str = r#"echo $$ > "$1/cgroup.procs" && shift && exec "$@""#;

/// A copy of this program where every user can run it.
struct Actor(PathBuf);

impl Actor {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("backflow-identity-{name}-{}", std::process::id()));
        std::fs::copy(std::env::current_exe().unwrap(), &path).unwrap();
        Self(path)
    }

    /// Runs the actor below. `before` and `after` its network namespace are words that run what comes after them.
    fn run(&self, before: &[&str], after: &[&str]) {
        let actor = [self.0.to_str().unwrap(), "--ignored", "--exact", "is_spoken_to_and_dials_inside"];
        let words = [before, &["unshare", "--net", "sh", "-c", WITH_OUTSIDE, "sh"], after, &actor].concat();
        let done = Command::new(words[0]).args(&words[1..]).output().unwrap();
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
#[ignore = "run by the others, as somebody else"]
fn is_spoken_to_and_dials_inside() {
    let outside = TcpListener::bind("203.0.113.77:0").unwrap();
    let mut a = TcpStream::connect(outside.local_addr().unwrap()).unwrap();
    let mut peer = outside.accept().unwrap().0;
    for port in 1..4 {
        peer.write_all(b"go").unwrap();
        a.read_exact(&mut [0; 2]).unwrap();
        // Nobody listens there: the attempt is what counts.
        TcpStream::connect(("127.0.0.1", port)).unwrap_err();
    }
}

/// None, said on standard error, where the programs cannot be loaded.
fn kernel() -> Option<Kernel> {
    if let Err(error) = privilege::require() {
        eprintln!("skipped: {error:#}");
        return None;
    }
    let kernel = Kernel::load(1 << 16).unwrap();
    // Writes what counts as inside: 127.0.0.0/8 among others.
    // An address of the loopback device is inside by its route, unless the configuration says otherwise.
    let address = std::net::Ipv4Addr::new(203, 0, 113, 77).to_ipv6_mapped().octets().to_vec();
    Networks::new(&kernel).unwrap().configure(&[Network { address, prefix: 128, outside: true }]).unwrap();
    Some(kernel)
}

fn edges_of(kernel: &Kernel, identity: u64) -> u64 {
    let found = kernel.map("shares").unwrap().lookup(&identity.to_ne_bytes(), MapFlags::ANY).unwrap();
    found.map_or(0, |bytes| read::<Share>(&bytes).unwrap().edges)
}

#[test]
fn a_user_is_himself_in_namespaces_of_his_own_too() {
    let Some(kernel) = kernel() else { return };
    let actor = Actor::new("user");
    let [one, two, three] = ["54321", "54322", "54323"].map(|uid| ["setpriv", "--reuid", uid, "--regid", uid, "--clear-groups"]);
    let own = ["unshare", "--user", "--map-root-user"];

    actor.run(&[], &one);
    assert_eq!(edges_of(&kernel, IDENTITY_USER | 54_321), 3);

    actor.run(&[&two[..], &own].concat(), &[]);
    assert_eq!(edges_of(&kernel, IDENTITY_USER | 54_322), 3);

    // Deeper within, where he can be anybody, it is the one who made the outermost.
    actor.run(&[&three[..], &own, &own].concat(), &[]);
    assert_eq!(edges_of(&kernel, IDENTITY_USER | 54_323), 3);
}

/// A cgroup that is gone with it.
struct Cgroup(PathBuf);

impl Cgroup {
    /// None, said on standard error, where none can be made.
    fn new(name: &str) -> Option<Self> {
        let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
        let mount = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>()).find(|words| words[2] == "cgroup2");
        let path =
            Path::new(mount.map_or("/sys/fs/cgroup", |words| words[1])).join(format!("backflow-identity-{name}-{}", std::process::id()));
        match std::fs::create_dir(&path) {
            Ok(()) => Some(Self(path)),
            Err(error) => {
                eprintln!("skipped: no cgroup can be made at {}: {error}", path.display());
                None
            }
        }
    }

    /// The number of its folder is its id.
    fn id(&self) -> u64 {
        std::fs::metadata(&self.0).unwrap().ino()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[test]
fn root_is_its_cgroup() {
    let (Some(kernel), Some(one), Some(other)) = (kernel(), Cgroup::new("one"), Cgroup::new("other")) else { return };
    let actor = Actor::new("root");
    actor.run(&["sh", "-c", IN_CGROUP, "sh", one.0.to_str().unwrap()], &[]);
    assert_eq!([edges_of(&kernel, one.id()), edges_of(&kernel, other.id())], [3, 0]);
    assert_eq!(edges_of(&kernel, IDENTITY_USER), 0);
    actor.run(&["sh", "-c", IN_CGROUP, "sh", other.0.to_str().unwrap()], &[]);
    assert_eq!([edges_of(&kernel, one.id()), edges_of(&kernel, other.id())], [3, 3]);
}
