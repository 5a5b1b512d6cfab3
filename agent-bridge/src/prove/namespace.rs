//! What the prover's process does before it serves: a network namespace of its own, and no rights at all.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::os::unix::fs::MetadataExt;

use crate::privilege;
use crate::prove::channel::Failure;

/// Addresses at which a relay may find its outside: one of each network for documentation (RFC 5737), so that one is left
/// where the configuration counts another as inside.
pub const OUTSIDE: [Ipv4Addr; 3] = [Ipv4Addr::new(203, 0, 113, 77), Ipv4Addr::new(198, 51, 100, 77), Ipv4Addr::new(192, 0, 2, 77)];

/// Kernel's limit of a process name is 15 bytes.
const NAME: &std::ffi::CStr = c"backflow-prover";
const FIRST_FILE: libc::c_uint = 3;

/// What failed, and the errno.
pub type Refusal = (Failure, i32);

fn refuse(failure: Failure) -> impl Fn(io::Error) -> Refusal {
    move |error| (failure, error.raw_os_error().unwrap_or(0))
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Leaves everything of the collector behind. Returns the inode of the namespace.
pub fn enter() -> Result<u32, Refusal> {
    name(NAME);
    // Ctrl-C reaches the whole group of a terminal: the prover ends with the collector, which still has work to do.
    for signal in [libc::SIGINT, libc::SIGHUP] {
        // SAFETY: SIG_IGN is no handler that could run.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    leave_files().map_err(refuse(Failure::Files))?;
    unshare().map_err(refuse(Failure::Namespace))?;
    // "lo" gets 127.0.0.1 when it comes up.
    bring_up().map_err(refuse(Failure::Loopback))?;
    for (number, address) in (1u8..).zip(OUTSIDE) {
        add_address(number, address).map_err(refuse(Failure::Address))?;
    }
    let inode = fs::metadata("/proc/self/ns/net").map_err(refuse(Failure::Inode))?.ino();
    privilege::drop_all().map_err(|_| (Failure::Rights, io::Error::last_os_error().raw_os_error().unwrap_or(0)))?;
    u32::try_from(inode).map_err(|_| (Failure::Inode, libc::EOVERFLOW))
}

pub fn name(name: &std::ffi::CStr) {
    // SAFETY: the string ends with a zero byte and is only read.
    unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr(), 0, 0, 0) };
}

/// Ends this process with its parent, whatever ends that. False when the parent has ended already.
pub fn end_with(parent: libc::pid_t) -> bool {
    // SAFETY: neither call takes a pointer.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0) == 0 && libc::getppid() == parent }
}

/// Closes all files but standard input, output and error.
pub fn close_files() -> io::Result<()> {
    // SAFETY: no pointers; nothing in this process uses a file that was opened before.
    check(i32::try_from(unsafe { libc::syscall(libc::SYS_close_range, FIRST_FILE, libc::c_uint::MAX, 0) }).unwrap_or(-1))
        .or_else(|_| close_one_by_one())
}

/// For kernels before 5.9.
fn close_one_by_one() -> io::Result<()> {
    let numbers: Vec<i32> = fs::read_dir("/proc/self/fd")?.filter_map(|item| item.ok()?.file_name().to_str()?.parse().ok()).collect();
    for number in numbers.into_iter().filter(|number| *number > 2) {
        // SAFETY: as above; the folder's own number is closed already, which fails without harm.
        unsafe { libc::close(number) };
    }
    Ok(())
}

/// The collector's standard files may be pipes: what shares them counts as related.
fn leave_files() -> io::Result<()> {
    // SAFETY: the path ends with a zero byte.
    let null = unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) };
    check(null)?;
    for number in 0..=2 {
        // SAFETY: no pointers.
        check(unsafe { libc::dup2(null, number) })?;
    }
    close_files()
}

fn unshare() -> io::Result<()> {
    // SAFETY: no pointers; this process has one thread.
    check(unsafe { libc::unshare(libc::CLONE_NEWNET) }).or_else(|refusal| {
        if refusal.raw_os_error() != Some(libc::EPERM) {
            return Err(refusal);
        }
        // Without CAP_SYS_ADMIN: where the kernel lets users have namespaces, one of those may own it.
        // SAFETY: as above.
        check(unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET) }).map_err(|_| refusal)
    })
}

fn request_for(device: &str) -> libc::ifreq {
    // SAFETY: a struct of integers, byte arrays and unions of them, for which zeros are a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(device.bytes()) {
        *to = from as libc::c_char;
    }
    request
}

fn with_socket(act: impl Fn(libc::c_int) -> io::Result<()>) -> io::Result<()> {
    // SAFETY: no pointers.
    let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    check(socket)?;
    let outcome = act(socket);
    // SAFETY: it was opened above and nobody else has its number.
    unsafe { libc::close(socket) };
    outcome
}

fn bring_up() -> io::Result<()> {
    let mut request = request_for("lo");
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the request lives over the call, which reads it.
    with_socket(|socket| check(unsafe { libc::ioctl(socket, libc::SIOCSIFFLAGS as _, &request) }))
}

fn add_address(number: u8, address: Ipv4Addr) -> io::Result<()> {
    let mut request = request_for(&format!("lo:{number}"));
    let socket_address = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: 0,
        sin_addr: libc::in_addr { s_addr: u32::from(address).to_be() },
        sin_zero: [0; 8],
    };
    // SAFETY: a sockaddr_in is as large as a sockaddr, and the union takes any bytes.
    request.ifr_ifru.ifru_addr = unsafe { std::mem::transmute::<libc::sockaddr_in, libc::sockaddr>(socket_address) };
    // SAFETY: as in `bring_up`.
    with_socket(|socket| check(unsafe { libc::ioctl(socket, libc::SIOCSIFADDR as _, &request) }))
}
