//! Wiring, signals, exit codes; nothing else.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{anyhow, Result};
use backflow_collector::arguments::{Arguments, Target};
use backflow_collector::export::buffer::Buffer;
use backflow_collector::export::stream::{Exporter, PROTOCOL};
use backflow_collector::host::identity::Host;
use backflow_collector::kernel::load::Kernel;
use backflow_collector::log::Json;
use backflow_collector::pipeline::collect::Collector;
use backflow_collector::pipeline::intervals::Intervals;
use backflow_collector::prove::prover::Prover;
use backflow_collector::stop::Stop;
use backflow_collector::{log, privilege, wire};
use clap::Parser;
use tokio::signal::unix::{signal, SignalKind};

const BTF: &str = "/sys/kernel/btf/vmlinux";
const EXIT_USAGE: u8 = 2;
const EXIT_NOT_PERMITTED: u8 = 3;
const EXIT_KERNEL: u8 = 4;
/// How long a stop waits for acknowledgements of what is left.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

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
    // Before there is anything that its process should not have. What it says of a host is asked for once it is watched.
    let prover = if arguments.check { None } else { Some(Prover::start()) };
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
    let (Some(target), Some(prover)) = (target, prover) else {
        report(&kernel, arguments.json);
        return ExitCode::SUCCESS;
    };
    match run(&arguments, target, kernel, prover) {
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

/// True when nothing was left unacknowledged.
fn run(arguments: &Arguments, target: Target, kernel: Kernel, prover: io::Result<Prover>) -> Result<bool> {
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
    let collector = Collector::new(kernel, prover, Arc::clone(&buffer), intervals)?;
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
