//! The relay, and the two ends that it relays between. The kernel programs tell processes apart, so the relay is one of its
//! own: it holds A, the connection that it opened to the outside, and B, the one that it dials once the outside has spoken.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use crate::prove::channel::{Channel, Failure, Step};
use crate::prove::namespace::{close_files, end_with, name, Refusal};
use crate::prove::sizes::{turns, Nonce, Turn};

/// From the request to the end of the relay.
pub const LIMIT: Duration = Duration::from_secs(4);
const NAME: &std::ffi::CStr = c"backflow-relay";

fn errno(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(match error.kind() {
        io::ErrorKind::UnexpectedEof => libc::ECONNRESET,
        _ => libc::ETIMEDOUT,
    })
}

/// Opens one relay and plays both of its far ends. Returns when it has ended.
pub fn open(channel: Channel) -> Result<(), Refusal> {
    let (nonce, address) = channel.asked();
    let deadline = Instant::now() + LIMIT;
    let refuse = |failure: Failure| move |error: io::Error| (failure, errno(&error));
    let listen = |at: Ipv4Addr| TcpListener::bind((at, 0)).and_then(|l| Ok((l.local_addr()?, l))).map_err(refuse(Failure::Listen));
    let (outside_at, outside) = listen(Ipv4Addr::from(address))?;
    let (inside_at, inside) = listen(Ipv4Addr::LOCALHOST)?;
    let parent = std::process::id();
    // SAFETY: this process has one thread, so that the child may do what any process may.
    let child = unsafe { libc::fork() };
    if child < 0 {
        return Err((Failure::Fork, errno(&io::Error::last_os_error())));
    }
    if child == 0 {
        let done = relay(parent, nonce, outside_at, inside_at);
        // SAFETY: ends the child without running what the parent would at its end.
        unsafe { libc::_exit(i32::from(done.is_err())) };
    }
    let outcome = serve(channel, nonce, &outside, &inside, deadline);
    reap(child, deadline);
    outcome
}

fn serve(channel: Channel, nonce: Nonce, outside: &TcpListener, inside: &TcpListener, deadline: Instant) -> Result<(), Refusal> {
    let dial = |error: io::Error| (Failure::Dial, errno(&error));
    let a = accept(outside, deadline).map_err(dial)?;
    channel.dialled(outside.local_addr().map_err(dial)?.port());
    while channel.step() == Step::Dialled {
        let Some(left) = left(deadline) else { return Err((Failure::Timeout, 0)) };
        channel.wait_while(Step::Dialled, left);
    }
    exchange(a, inside, turns(nonce), deadline).map_err(|error| (Failure::Exchange, errno(&error)))
}

/// Both far ends: the outside speaks, and what it said is what the inside must get, before that answers.
fn exchange(mut a: TcpStream, inside: &TcpListener, turns: impl Iterator<Item = Turn>, deadline: Instant) -> io::Result<()> {
    let mut b = None;
    for turn in turns {
        say(&mut a, turn.forward)?;
        let b = match &mut b {
            Some(b) => b,
            none => none.insert(accept(inside, deadline)?),
        };
        hear(b, turn.forward, deadline)?;
        say(b, turn.backward)?;
        hear(&mut a, turn.backward, deadline)?;
    }
    Ok(())
}

/// The relay's process. It keeps nothing of the prover's but what its arguments say.
fn relay(parent: u32, nonce: Nonce, outside: SocketAddr, inside: SocketAddr) -> io::Result<()> {
    name(NAME);
    if !end_with(i32::try_from(parent).unwrap_or(0)) {
        return Err(io::ErrorKind::NotConnected.into());
    }
    close_files()?;
    let deadline = Instant::now() + LIMIT;
    let mut a = TcpStream::connect_timeout(&outside, LIMIT)?;
    let mut b = None;
    for turn in turns(nonce) {
        hear(&mut a, turn.forward, deadline)?;
        let b = match &mut b {
            Some(b) => b,
            none => none.insert(TcpStream::connect_timeout(&inside, LIMIT)?),
        };
        say(b, turn.forward)?;
        hear(b, turn.backward, deadline)?;
        say(&mut a, turn.backward)?;
    }
    // The outside closes first.
    a.set_read_timeout(left(deadline))?;
    a.read(&mut [0]).map(drop)
}

fn say(stream: &mut TcpStream, bytes: usize) -> io::Result<()> {
    stream.write_all(&vec![0; bytes])
}

fn hear(stream: &mut TcpStream, bytes: usize, deadline: Instant) -> io::Result<()> {
    stream.set_read_timeout(Some(left(deadline).ok_or(io::ErrorKind::TimedOut)?))?;
    stream.read_exact(&mut vec![0; bytes])
}

fn left(deadline: Instant) -> Option<Duration> {
    deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
}

fn accept(listener: &TcpListener, deadline: Instant) -> io::Result<TcpStream> {
    let wait = left(deadline).ok_or(io::ErrorKind::TimedOut)?;
    let mut poll = libc::pollfd { fd: listener.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry, which lives over the call.
    let ready = unsafe { libc::poll(&mut poll, 1, i32::try_from(wait.as_millis()).unwrap_or(i32::MAX)) };
    match ready {
        0 => Err(io::ErrorKind::TimedOut.into()),
        n if n < 0 => Err(io::Error::last_os_error()),
        _ => Ok(listener.accept()?.0),
    }
}

/// Waits for the relay's process to end, and ends it when it does not.
fn reap(child: libc::pid_t, deadline: Instant) {
    let mut status = 0;
    // SAFETY: `status` lives; only this process's own child is waited for and ended.
    unsafe {
        while libc::waitpid(child, &mut status, libc::WNOHANG) == 0 {
            if left(deadline).is_none() {
                libc::kill(child, libc::SIGKILL);
                libc::waitpid(child, &mut status, 0);
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
