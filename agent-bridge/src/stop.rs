//! A request to stop, between threads: by a signal, by the end of standard input, or because a thread broke.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use tokio::sync::Notify;

#[derive(Default)]
pub struct Stop {
    pub requested: AtomicBool,
    pub changed: Notify,
}

impl Stop {
    pub fn request(&self) {
        self.requested.store(true, Ordering::Relaxed);
        self.changed.notify_one();
    }

    /// A parent that starts the collector with a pipe ends it by ending itself, even by SIGKILL. Nothing else counts:
    /// services have /dev/null there.
    pub fn at_end_of_input(self: &Arc<Self>) -> io::Result<()> {
        let mut input = std::fs::File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let kind = input.metadata()?.file_type();
        if !kind.is_fifo() && !kind.is_socket() {
            return Ok(());
        }
        let stop = Arc::clone(self);
        std::thread::Builder::new().name("input".into()).spawn(move || {
            // An error ends it as the end does.
            let _ = io::copy(&mut input, &mut io::sink());
            stop.request();
        })?;
        Ok(())
    }
}
