//! Arguments, wiring, signals, exit code; nothing else.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use backflow_collector::export::buffer::Buffer;
use backflow_collector::export::endpoint::{Endpoint, Trust};
use backflow_collector::export::stream::Exporter;
use backflow_collector::host::identity::Host;
use backflow_collector::kernel::load::Kernel;
use backflow_collector::kernel::maps::{inside_by_default, Maps};
use backflow_collector::line::collect::{Collector, Rhythm};
use backflow_collector::{privilege, wire};
use clap::Parser;

const AFTER_HELP: &str = "Examples:
  backflow-collector --analyzer unix:/run/backflow/collector.sock
  backflow-collector --analyzer https://analyzer.internal:4317 --ca ca.pem --cert host.pem --key host.key
  backflow-collector --check        what this kernel offers, and what is missing

Exit codes: 0 stopped and everything acknowledged, 1 failed or something was lost, 2 wrong arguments,
3 not permitted, 4 the kernel lacks what is needed.";

const EXIT_NOT_PERMITTED: u8 = 3;
const EXIT_KERNEL: u8 = 4;
/// How long a stop waits for acknowledgements.
const STOP: Duration = Duration::from_secs(5);

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
}

fn power_of_two(text: &str) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(bytes) if bytes.is_power_of_two() && bytes >= 4096 => Ok(bytes),
        _ => Err("a power of two from 4096 on".into()),
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Err(error) = privilege::require() {
        return fail(&error, EXIT_NOT_PERMITTED);
    }
    if !std::path::Path::new("/sys/kernel/btf/vmlinux").exists() {
        return fail(&anyhow::anyhow!("this kernel has no type information at /sys/kernel/btf/vmlinux: it needs CONFIG_DEBUG_INFO_BTF=y (most distributions since 2021 have it)"), EXIT_KERNEL);
    }
    let kernel = match Kernel::load(arguments.ring_bytes) {
        Ok(kernel) => kernel,
        Err(error) => return fail(&error, EXIT_KERNEL),
    };
    if arguments.check {
        report(&kernel, arguments.json);
        return ExitCode::SUCCESS;
    }
    match run(&arguments, kernel) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => fail(&error, 1),
    }
}

fn fail(error: &anyhow::Error, code: u8) -> ExitCode {
    eprintln!("backflow-collector: {error:#}");
    ExitCode::from(code)
}

fn report(kernel: &Kernel, json: bool) {
    if json {
        let quoted = |items: Vec<String>| items.join(",");
        let have = quoted(kernel.capabilities.iter().map(|c| format!("{c:?}")).collect());
        let lack = quoted(
            kernel.degraded.iter().map(|d| format!("{{\"feature\":{:?},\"consequence\":{:?}}}", d.feature, d.consequence)).collect(),
        );
        println!("{{\"capabilities\":[{have}],\"degraded\":[{lack}]}}");
        return;
    }
    println!("loads and attaches: {}", kernel.capabilities.join(", "));
    for d in &kernel.degraded {
        println!("missing {}: {}", d.feature, d.consequence);
    }
}

/// True when nothing was left unacknowledged.
fn run(arguments: &Arguments, kernel: Kernel) -> Result<bool> {
    let trust = Trust { ca: arguments.ca.clone(), cert: arguments.cert.clone(), key: arguments.key.clone() };
    let endpoint = Endpoint::parse(arguments.analyzer.as_deref().unwrap_or_default(), trust, arguments.insecure)?;
    let token = match &arguments.token_file {
        Some(path) => {
            Some(std::fs::read_to_string(path).with_context(|| format!("cannot read the token in {}", path.display()))?.trim().to_owned())
        }
        None => None,
    };
    let maps = Maps::new(&kernel)?;
    for (address, prefix) in inside_by_default() {
        maps.set_network(address, prefix, 2)?;
    }
    for degraded in &kernel.degraded {
        eprintln!("backflow-collector: {} is missing: {}", degraded.feature, degraded.consequence);
    }
    let hello = hello(Host::read(arguments.host_name.clone()), &kernel);
    let buffer = Arc::new(Buffer::new(arguments.buffer_bytes));
    let rhythm = Rhythm {
        drain_ns: 20_000_000,
        edges_ns: arguments.edges_ms * 1_000_000,
        interim_ns: arguments.interim_ms * 1_000_000,
        batch_ns: 100_000_000,
    };
    let collector = Collector::new(kernel, Arc::clone(&buffer), rhythm)?;
    privilege::drop_all_but_kept()?;
    let stop = Arc::new(AtomicBool::new(false));
    let drain = {
        let stop = Arc::clone(&stop);
        std::thread::Builder::new().name("drain".into()).spawn(move || collector.run(&stop))?
    };
    let exporter = Exporter { endpoint, token, hello, buffer: Arc::clone(&buffer) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(serve(&exporter, &stop));
    stop.store(true, Ordering::Relaxed);
    drain.join().map_err(|_| anyhow::anyhow!("the drain thread broke"))??;
    outcome?;
    let left = buffer.unacknowledged();
    if left > 0 {
        eprintln!("backflow-collector: stopped with {left} batches that the analyzer has not acknowledged");
    }
    Ok(left == 0)
}

fn hello(host: Host, kernel: &Kernel) -> wire::Hello {
    let instance = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| u64::try_from(d.as_nanos()).unwrap_or(0));
    wire::Hello {
        protocol: 1,
        host_id: host.id,
        host_name: host.name,
        boot_id: host.boot_id,
        kernel: host.kernel,
        version: env!("CARGO_PKG_VERSION").into(),
        capabilities: kernel.capabilities.clone(),
        degraded: kernel
            .degraded
            .iter()
            .map(|d| wire::Degraded { feature: d.feature.clone(), consequence: d.consequence.clone() })
            .collect(),
        instance,
    }
}

async fn serve(exporter: &Exporter, stop: &AtomicBool) -> Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let mut run = std::pin::pin!(exporter.run());
    tokio::select! {
        outcome = &mut run => return outcome,
        () = ready(exporter) => {}
        _ = terminate.recv() => stop.store(true, Ordering::Relaxed),
        _ = tokio::signal::ctrl_c() => stop.store(true, Ordering::Relaxed),
    }
    if !stop.load(Ordering::Relaxed) {
        tokio::select! {
            outcome = &mut run => return outcome,
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        stop.store(true, Ordering::Relaxed);
    }
    let _ = tokio::time::timeout(STOP, run).await;
    Ok(())
}

/// Prints one line of JSON once the analyzer has made the first snapshot durable, and never returns before.
async fn ready(exporter: &Exporter) {
    while exporter.buffer.acked() == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let degraded: Vec<&str> = exporter.hello.degraded.iter().map(|d| d.feature.as_str()).collect();
    println!(
        "{{\"ready\":true,\"host\":{:?},\"kernel\":{:?},\"hooks\":{},\"degraded\":{degraded:?}}}",
        exporter.hello.host_name,
        exporter.hello.kernel,
        exporter.hello.capabilities.len()
    );
}
