//! Capabilities: what is needed to start, and what is given up after the programs are attached.

use anyhow::{bail, Result};

const CAP_DAC_READ_SEARCH: u32 = 2;
const CAP_NET_ADMIN: u32 = 12;
const CAP_SYS_PTRACE: u32 = 19;
const CAP_SYS_ADMIN: u32 = 21;
const CAP_PERFMON: u32 = 38;
const CAP_BPF: u32 = 39;
const LINUX_CAPABILITY_VERSION_3: u32 = 0x2008_0522;

/// Kept after attaching: /proc/PID/exe, cwd, io and the SSH configuration of other users are read through them.
const KEPT: [u32; 2] = [CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH];

#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Sets {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Names the capabilities that are missing, before the kernel refuses with less to go by.
pub fn require() -> Result<()> {
    let own = effective()?;
    let has = |capability: u32| own & (1 << capability) != 0;
    if has(CAP_SYS_ADMIN) {
        return Ok(());
    }
    let missing: Vec<&str> = [(CAP_BPF, "CAP_BPF"), (CAP_PERFMON, "CAP_PERFMON"), (CAP_NET_ADMIN, "CAP_NET_ADMIN")]
        .into_iter()
        .filter(|(c, _)| !has(*c))
        .map(|(_, name)| name)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "not permitted to load kernel programs: {} missing; run as root, or give the binary these capabilities with setcap",
        missing.join(", ")
    )
}

fn effective() -> Result<u64> {
    let mut header = Header { version: LINUX_CAPABILITY_VERSION_3, pid: 0 };
    let mut sets = [Sets::default(); 2];
    // SAFETY: version 3 takes a header and two sets, both of which live here.
    let failed = unsafe { libc::syscall(libc::SYS_capget, &mut header, sets.as_mut_ptr()) } != 0;
    if failed {
        bail!("cannot read the capabilities of this process: {}", std::io::Error::last_os_error());
    }
    Ok(u64::from(sets[0].effective) | u64::from(sets[1].effective) << 32)
}

/// Gives up everything but `KEPT`, for this thread and all that are started later, and forbids regaining it. CAP_BPF stays
/// where `can_read` fails without it: kernels before 5.19 with unprivileged_bpf_disabled ask for it even to read a map.
pub fn drop_all_but_kept(can_read: impl Fn() -> Result<()>) -> Result<()> {
    let own = effective()?;
    let reduced = KEPT.iter().fold(0u64, |all, c| all | 1 << c) & own;
    let with_bpf = reduced | (1 << CAP_BPF | 1 << CAP_SYS_ADMIN) & own;
    // SAFETY: no pointers are passed; the call cannot fail on kernels that have the programs.
    unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    set(reduced, with_bpf)?;
    if can_read().is_ok() {
        return set(reduced, reduced);
    }
    let rest = if own & 1 << CAP_BPF != 0 { reduced | 1 << CAP_BPF } else { with_bpf };
    set(rest, rest)
}

/// Gives up every capability of this thread, and forbids regaining any.
pub fn drop_all() -> Result<()> {
    // SAFETY: no pointers are passed. Memory of a process that cannot be dumped is closed to others of its user as well.
    unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0);
    }
    set(0, 0)
}

fn set(effective: u64, permitted: u64) -> Result<()> {
    let half = |shift: u32| Sets { effective: (effective >> shift) as u32, permitted: (permitted >> shift) as u32, inheritable: 0 };
    let mut header = Header { version: LINUX_CAPABILITY_VERSION_3, pid: 0 };
    let sets = [half(0), half(32)];
    // SAFETY: as in `effective`, and the sets are only read.
    if unsafe { libc::syscall(libc::SYS_capset, &mut header, sets.as_ptr()) } != 0 {
        bail!("cannot give up capabilities: {}", std::io::Error::last_os_error());
    }
    Ok(())
}
