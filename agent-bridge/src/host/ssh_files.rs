//! A thread that reads SSH configuration: files may lie on a file system that hangs, and the drain thread may not wait.

use std::sync::mpsc::{sync_channel, Receiver, SyncSender};

use anyhow::{Context, Result};

use crate::host::identity::ProcessKey;
use crate::host::inside_root::Root;
use crate::host::proc_fs;
use crate::host::ssh_config::{forwards, CommandLine};
use crate::wire::SshForward;

/// Clients that wait to be looked at. More at once are not looked at: their command line is known all the same.
const MAX_WAITING: usize = 256;

#[derive(Debug)]
pub struct Client {
    pub process: ProcessKey,
    pub command: CommandLine,
    pub uid: u32,
    pub cwd: String,
}

pub struct SshFiles {
    requests: SyncSender<Client>,
    results: Receiver<(ProcessKey, Vec<SshForward>)>,
}

impl SshFiles {
    /// Starts the thread; it ends when this is dropped.
    pub fn start() -> Result<Self> {
        let (requests, pending) = sync_channel::<Client>(MAX_WAITING);
        let (report, results) = sync_channel(MAX_WAITING);
        let read = move || {
            for client in pending {
                let Ok(root) = Root::open(&proc_fs::root(client.process.0)) else { continue };
                let found = forwards(&client.command, &root, client.uid, &client.cwd);
                if !found.is_empty() && report.send((client.process, found)).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("ssh-files".into()).spawn(read).context("cannot start a thread")?;
        Ok(Self { requests, results })
    }

    pub fn request(&self, client: Client) {
        let _ = self.requests.try_send(client);
    }

    /// What was found since the last call.
    pub fn take_results(&self) -> Vec<(ProcessKey, Vec<SshForward>)> {
        self.results.try_iter().collect()
    }
}
