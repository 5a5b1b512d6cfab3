//! Arguments, wiring, signals, exit code; nothing else.

use std::fs::read_to_string;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{anyhow, Context, Result};
use backflow_collector::export::buffer::Buffer;
use backflow_collector::export::endpoint::{Endpoint, Trust};
use backflow_collector::export::stream::{Exporter, PROTOCOL};
use backflow_collector::host::identity::Host;
use backflow_collector::kernel::load::Kernel;
use backflow_collector::kernel::maps::{inside_by_default, Maps};
use backflow_collector::kernel::records::SCOPE_INSIDE;
use backflow_collector::log::Json;
use backflow_collector::pipeline::collect::{Collector, Intervals};
use backflow_collector::stop::Stop;
use backflow_collector::{log, privilege, wire};
use clap::Parser;
use tokio::signal::unix::{signal, SignalKind};

const AFTER_HELP: &str = "Examples:
  backflow-collector --analyzer unix:/run/backflow/collector.sock
  backflow-collector --analyzer https://analyzer.internal:4317 --ca ca.pem --cert host.pem --key host.key
  backflow-collector --check        what this kernel offers, and what is missing

On standard output: one line of JSON when the kernel programs are attached, and one when the analyzer has the first
snapshot. SIGTERM, SIGINT and, where standard input is a pipe, its end stop the collector, which then delivers the rest.

Exit codes: 0 stopped and everything acknowledged, 1 failed or something was lost, 2 wrong arguments,
3 not permitted, 4 the kernel lacks what is needed.";

const BTF: &str = "/sys/kernel/btf/vmlinux";
const EXIT_USAGE: u8 = 2;
const EXIT_NOT_PERMITTED: u8 = 3;
const EXIT_KERNEL: u8 = 4;
/// How long a stop waits for acknowledgements of what is left.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Watches the sockets of this host from the kernel and sends what it counts to a Backflow analyzer.
#[derive(Parser, Debug)]
#[command(version, after_help = AFTER_HELP)]
struct Arguments {
    /// Where the analyzer listens: unix:/path, http://127.0.0.1:port or https://name:port
    #[arg(long, required_unless_present = "check")]
    analyzer: Option<String>,
    /// Report what loads on this kernel and stop
    #[arg(long)]
    check: bool,
    /// With --check: as JSON
    #[arg(long)]
    json: bool,
    /// File with a token that the analyzer asks for
    #[arg(long)]
    token_file: Option<PathBuf>,
    /// Name to show for this host instead of its own
    #[arg(long)]
    host_name: Option<String>,
    /// Certificate of the authority that signed the analyzer's (PEM)
    #[arg(long)]
    ca: Option<PathBuf>,
    /// Certificate of this host (PEM)
    #[arg(long, requires = "key")]
    cert: Option<PathBuf>,
    /// Key of this host's certificate (PEM)
    #[arg(long, requires = "cert")]
    key: Option<PathBuf>,
    /// Allow plain text to another machine
    #[arg(long)]
    insecure: bool,
    /// Milliseconds between looks at live connections
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(50..=60_000))]
    interim_ms: u64,
    /// Milliseconds between looks at coupling edges
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(20..=60_000))]
    edges_ms: u64,
    /// Bytes of unacknowledged batches that are kept while the analyzer is away
    #[arg(long, default_value_t = 32 << 20)]
    buffer_bytes: usize,
    /// Bytes of the kernel's ring buffer; a power of two
    #[arg(long, default_value_t = 4 << 20, value_parser = power_of_two)]
    ring_bytes: u32,
    /// Write the log as JSON
    #[arg(long)]
    json_log: bool,
    /// Also write what the kernel says when it refuses a program
    #[arg(long)]
    verbose: bool,
}

fn power_of_two(text: &str) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(bytes) if bytes.is_power_of_two() && bytes >= 4096 => Ok(bytes),
        _ => Err("a power of two from 4096 on".into()),
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log::use_json(arguments.json_log);
    if !arguments.verbose {
        libbpf_rs::set_print(None);
    }
    if let Err(error) = privilege::require() {
        return fail(&error, EXIT_NOT_PERMITTED);
    }
    if !Path::new(BTF).exists() {
        return fail(
            &anyhow!(
                "this kernel has no type information at {BTF}: it needs CONFIG_DEBUG_INFO_BTF=y (most distributions since 2021 have it)"
            ),
            EXIT_KERNEL,
        );
    }
    let target = match Target::of(&arguments) {
        Ok(target) => target,
        Err(error) => return fail(&error, EXIT_USAGE),
    };
    let kernel = match Kernel::load(arguments.ring_bytes) {
        Ok(kernel) => kernel,
        Err(error) if is_refused(&error) => {
            return fail(&error.context("not permitted to load kernel programs, although the capabilities are there: look for kernel lockdown or a seccomp filter (containers have one)"), EXIT_NOT_PERMITTED)
        }
        Err(error) => return fail(&error, EXIT_KERNEL),
    };
    let Some(target) = target else {
        report(&kernel, arguments.json);
        return ExitCode::SUCCESS;
    };
    match run(&arguments, target, kernel) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => fail(&error, 1),
    }
}

fn fail(error: &anyhow::Error, code: u8) -> ExitCode {
    log::error(log::sentence(error));
    ExitCode::from(code)
}

fn is_refused(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref::<libbpf_rs::Error>().is_some_and(|e| e.kind() == libbpf_rs::ErrorKind::PermissionDenied))
}

fn report(kernel: &Kernel, json: bool) {
    if json {
        let feature = |d: &wire::Degraded| format!("{{\"feature\":{},\"consequence\":{}}}", Json(&d.feature), Json(&d.consequence));
        let attached = list(kernel.attached.iter().map(|name| Json(name).to_string()));
        log::print(format_args!("{{\"capabilities\":{attached},\"degraded\":{}}}", list(kernel.degraded.iter().map(feature))));
        return;
    }
    log::print(format_args!("loads and attaches: {}", kernel.attached.join(", ")));
    for d in &kernel.degraded {
        log::print(format_args!("missing {}: {}", d.feature, d.consequence));
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

/// Where to send, and what to show there.
struct Target {
    endpoint: Endpoint,
    token: Option<String>,
}

impl Target {
    /// `None` with --check, which sends nothing.
    fn of(arguments: &Arguments) -> Result<Option<Self>> {
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

/// True when nothing was left unacknowledged.
fn run(arguments: &Arguments, target: Target, kernel: Kernel) -> Result<bool> {
    let maps = Maps::new(&kernel)?;
    for (address, prefix) in inside_by_default() {
        maps.set_network(address, prefix, SCOPE_INSIDE)?;
    }
    for degraded in &kernel.degraded {
        log::warn(format_args!("{} is missing: {}", degraded.feature, degraded.consequence));
    }
    let hello = hello(Host::read(arguments.host_name.clone()), &kernel);
    let hooks = kernel.attached.len();
    log::print(format_args!("{{\"attached\":true,\"hooks\":{hooks}}}"));
    let buffer = Arc::new(Buffer::new(arguments.buffer_bytes));
    let intervals = Intervals {
        drain_ns: 20_000_000,
        edges_ns: arguments.edges_ms * 1_000_000,
        interim_ns: arguments.interim_ms * 1_000_000,
        batch_ns: 100_000_000,
    };
    let collector = Collector::new(kernel, Arc::clone(&buffer), intervals)?;
    privilege::drop_all_but_kept(|| collector.can_read())?;
    let stop = Arc::new(Stop::default());
    let drain = {
        let stop = Arc::clone(&stop);
        std::thread::Builder::new().name("drain".into()).spawn(move || {
            let outcome = collector.run(&stop.requested);
            stop.request();
            outcome
        })?
    };
    stop.at_end_of_input()?;
    let exporter = Exporter { endpoint: target.endpoint, token: target.token, hello, buffer: Arc::clone(&buffer) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(serve(&exporter, hooks, &stop));
    stop.request();
    drain.join().map_err(|_| anyhow!("the drain thread panicked"))??;
    outcome?;
    let left = buffer.unacknowledged();
    if left > 0 {
        log::error(format_args!("stopped with {left} unacknowledged batches, which are dropped"));
    }
    Ok(left == 0)
}

fn hello(host: Host, kernel: &Kernel) -> wire::Hello {
    let instance = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_nanos()).unwrap_or(0));
    wire::Hello {
        protocol: PROTOCOL,
        host_id: host.id,
        host_name: host.name,
        boot_id: host.boot_id,
        kernel: host.kernel,
        version: env!("CARGO_PKG_VERSION").into(),
        // Nothing reads it: `degraded` names what is missing.
        capabilities: Vec::new(),
        degraded: kernel.degraded.clone(),
        instance,
    }
}

/// Delivers until a stop is requested, and then for a while what is left.
async fn serve(exporter: &Exporter, hooks: usize, stop: &Stop) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut deliver = std::pin::pin!(exporter.run());
    let mut announce = std::pin::pin!(announce(exporter, hooks));
    let mut announced = false;
    loop {
        tokio::select! {
            outcome = &mut deliver => return outcome,
            () = &mut announce, if !announced => announced = true,
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            () = stop.changed.notified() => break,
        }
    }
    stop.request();
    tokio::time::timeout(STOP_TIMEOUT, deliver).await.unwrap_or(Ok(()))
}

/// Prints one line of JSON once the analyzer has made the first snapshot durable.
async fn announce(exporter: &Exporter, hooks: usize) {
    while !exporter.buffer.is_snapshot_durable() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let hello = &exporter.hello;
    log::print(format_args!(
        "{{\"ready\":true,\"host\":{},\"kernel\":{},\"hooks\":{},\"degraded\":{}}}",
        Json(&hello.host_name),
        Json(&hello.kernel),
        hooks,
        list(hello.degraded.iter().map(|d| Json(&d.feature).to_string()))
    ));
}
