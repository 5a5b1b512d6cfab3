//! The command line.

use std::fs::read_to_string;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;

use crate::export::endpoint::{Endpoint, Trust};

const AFTER_HELP: &str = "Examples:
  backflow-collector --analyzer unix:/run/backflow/collector.sock
  backflow-collector --analyzer https://analyzer.internal:4317 --ca ca.pem --cert host.pem --key host.key
  backflow-collector --check        what this kernel offers, and what is missing

On standard output: one line of JSON when the kernel programs are attached, and one when the analyzer has the first
snapshot. SIGTERM, SIGINT and, where standard input is a pipe, its end stop the collector, which then delivers the rest.

Exit codes: 0 stopped and everything acknowledged, 1 failed or something was lost, 2 wrong arguments,
3 not permitted, 4 the kernel lacks what is needed.";

/// Watches the sockets of this host from the kernel and sends what it counts to a Backflow analyzer.
#[derive(Parser, Debug)]
#[command(version, after_help = AFTER_HELP)]
pub struct Arguments {
    /// Where the analyzer listens: unix:/path, http://127.0.0.1:port or https://name:port
    #[arg(long, required_unless_present = "check")]
    pub analyzer: Option<String>,
    /// Report what loads on this kernel and stop
    #[arg(long)]
    pub check: bool,
    /// With --check: as JSON
    #[arg(long)]
    pub json: bool,
    /// File with a token that the analyzer asks for
    #[arg(long)]
    pub token_file: Option<PathBuf>,
    /// Name to show for this host instead of its own
    #[arg(long)]
    pub host_name: Option<String>,
    /// Certificate of the authority that signed the analyzer's (PEM)
    #[arg(long)]
    pub ca: Option<PathBuf>,
    /// Certificate of this host (PEM)
    #[arg(long, requires = "key")]
    pub cert: Option<PathBuf>,
    /// Key of this host's certificate (PEM)
    #[arg(long, requires = "cert")]
    pub key: Option<PathBuf>,
    /// Allow plain text to another machine
    #[arg(long)]
    pub insecure: bool,
    /// Milliseconds between looks at live connections
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(50..=60_000))]
    pub interim_ms: u64,
    /// Milliseconds between looks at coupling edges
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(20..=60_000))]
    pub edges_ms: u64,
    /// Bytes of unacknowledged batches that are kept while the analyzer is away
    #[arg(long, default_value_t = 32 << 20)]
    pub buffer_bytes: usize,
    /// Bytes of the kernel's ring buffer; a power of two
    #[arg(long, default_value_t = 4 << 20, value_parser = power_of_two)]
    pub ring_bytes: u32,
    /// Write the log as JSON
    #[arg(long)]
    pub json_log: bool,
    /// Also write what the kernel says when it refuses a program
    #[arg(long)]
    pub verbose: bool,
}

fn power_of_two(text: &str) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(bytes) if bytes.is_power_of_two() && bytes >= 4096 => Ok(bytes),
        _ => Err("a power of two from 4096 on".into()),
    }
}

/// Where to send, and the token that is shown there.
pub struct Target {
    pub endpoint: Endpoint,
    pub token: Option<String>,
}

impl Target {
    /// `None` with --check, which sends nothing. Fails when the address is of no known form or a file cannot be read.
    pub fn of(arguments: &Arguments) -> Result<Option<Self>> {
        let Some(analyzer) = arguments.analyzer.as_ref().filter(|_| !arguments.check) else { return Ok(None) };
        let trust = Trust { ca: arguments.ca.clone(), cert: arguments.cert.clone(), key: arguments.key.clone() };
        let endpoint = Endpoint::parse(analyzer, trust, arguments.insecure)?;
        let token = match &arguments.token_file {
            Some(path) => {
                let text = read_to_string(path).with_context(|| format!("cannot read the token in {}", path.display()))?;
                Some(text.trim().to_owned())
            }
            None => None,
        };
        Ok(Some(Self { endpoint, token }))
    }
}
