//! Proofs: what the analyzer asks for, what the prover does, and what is reported of it. One at a time.

use std::collections::VecDeque;
use std::io;

use crate::kernel::networks::Networks;
use crate::kernel::records::{ConnectionRecord, ProcessId, INITIATOR_LOCAL, SCOPE_OUTSIDE};
use crate::log;
use crate::prove::channel::Step;
use crate::prove::namespace::OUTSIDE;
use crate::prove::prover::Prover;
use crate::prove::sizes::Nonce;

/// From the request on; the prover itself gives up after 4 s (prove/relay.rs).
const LIMIT_NS: u64 = 5_000_000_000;
/// How long the kernel's record of the relay's connection may take: it is in the ring before the relay is.
const RECORD_NS: u64 = 500_000_000;
/// The edges of a relay outlive it by some seconds (kernel/pruning.rs): an analyzer that connects then gets them all.
const RECENT_NS: u64 = 60_000_000_000;
/// More relays than run in that time by schedule; somebody may ask for one after the other.
const MAX_RECENT: usize = 64;

/// What to tell the analyzer of a relay.
#[derive(Clone, Debug)]
pub struct ProofReport {
    pub nonce: Nonce,
    /// As the kernel programs saw it; `None` when they did not, or no relay was opened.
    pub process: Option<ProcessId>,
    pub started_ns: u64,
    /// Empty when a relay was opened.
    pub failure: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// The relay has not dialled yet.
    Requested,
    /// It has, and the record of that is looked for since then.
    Dialled {
        since_ns: u64,
    },
    /// Its process is reported next, and then the outside may speak.
    Reporting,
    Speaking,
    Ended,
}

struct Relay {
    stage: Stage,
    requested_ns: u64,
    report: ProofReport,
    /// Owner of the last connection that was opened to the outside within the prover's namespace, port, time.
    seen: Option<(ProcessId, u16, u64)>,
}

pub struct Proofs {
    prover: Option<Prover>,
    relay: Option<Relay>,
    /// Of relays whose edges may still be there.
    recent: VecDeque<ProofReport>,
    /// Why a request cannot be met, told with the next tick.
    refused: Option<ProofReport>,
}

impl Proofs {
    pub fn new(prover: io::Result<Prover>) -> Self {
        if let Err(error) = &prover {
            log::warn(format_args!("cannot start the prover, this host will count as not proven: {error}"));
        }
        Self { prover: prover.ok(), relay: None, recent: VecDeque::new(), refused: None }
    }

    /// Asks for a relay. One that is under way goes on, and the request is refused.
    pub fn request(&mut self, nonce: &[u8], networks: &Networks, now: u64) {
        let Ok(nonce) = Nonce::try_from(nonce) else {
            log::warn(format_args!("dropped a request for a proof: a nonce has 8 bytes, this one {}", nonce.len()));
            return;
        };
        let report = ProofReport { nonce, process: None, started_ns: now, failure: String::new() };
        match self.begin(nonce, networks) {
            Ok(()) => self.relay = Some(Relay { stage: Stage::Requested, requested_ns: now, report, seen: None }),
            Err(failure) => self.refused = Some(ProofReport { failure, ..report }),
        }
    }

    fn begin(&mut self, nonce: Nonce, networks: &Networks) -> Result<(), String> {
        let Some(prover) = &mut self.prover else { return Err("the collector could not start its prover".into()) };
        if let Some(ended) = prover.ended() {
            return Err(ended);
        }
        let is_under_way = self.relay.as_ref().is_some_and(|relay| relay.stage != Stage::Ended);
        match prover.step() {
            // Ended: a relay that was given up here, and whose end was not waited for.
            Step::Idle | Step::Ended if !is_under_way => {}
            Step::Unfit => return Err(prover.failure()),
            Step::Starting => return Err("the prover is still starting".into()),
            _ => return Err("a relay that was asked for before has not ended".into()),
        }
        let Some(address) = OUTSIDE.into_iter().find(|address| networks.is_outside(*address)) else {
            return Err(
                "the configuration counts every network for documentation (RFC 5737) as inside: no address is left for a relay's outside"
                    .into(),
            );
        };
        networks.exempt(prover.netns()).map_err(|error| format!("the prover's network namespace could not be named: {error:#}"))?;
        prover.ask(nonce, address);
        Ok(())
    }

    /// Nobody but the relay opens a connection to the outside in the prover's namespace: no other process has entered it.
    pub fn on_connection(&mut self, r: &ConnectionRecord) {
        let (Some(prover), Some(relay)) = (&self.prover, &mut self.relay) else { return };
        if r.netns != 0 && r.netns == prover.netns() && r.initiator == INITIATOR_LOCAL && r.scope == SCOPE_OUTSIDE {
            relay.seen = Some((r.owner, r.remote_port, r.opened_ns));
        }
    }

    /// What is to be reported now; `reported` must follow.
    pub fn tick(&mut self, now: u64) -> Option<ProofReport> {
        if let Some(refused) = self.refused.take() {
            return Some(refused);
        }
        while self.recent.front().is_some_and(|report| report.started_ns + RECENT_NS < now) || self.recent.len() > MAX_RECENT {
            self.recent.pop_front();
        }
        let prover = self.prover.as_mut()?;
        let relay = self.relay.as_mut().filter(|relay| relay.stage != Stage::Ended)?;
        let failure = match prover.step() {
            Step::Ended => Some(prover.failure()),
            _ if now > relay.requested_ns + LIMIT_NS => Some("timeout: the prover did not respond".to_owned()),
            _ => prover.ended(),
        };
        if let Some(failure) = failure {
            if prover.step() == Step::Ended {
                prover.rest();
            }
            relay.stage = Stage::Ended;
            relay.report.failure = failure;
            return (!relay.report.failure.is_empty()).then(|| relay.report.clone());
        }
        relay.advance(prover, now)
    }

    /// What `tick` gave last is on its way.
    pub fn reported(&mut self) {
        let (Some(prover), Some(relay)) = (&self.prover, &mut self.relay) else { return };
        if relay.stage == Stage::Reporting {
            relay.stage = Stage::Speaking;
            prover.speak();
            self.recent.push_back(relay.report.clone());
        }
    }

    /// What a fresh analyzer has to know of the relays whose edges it will get.
    pub fn recent(&self) -> impl Iterator<Item = &ProofReport> {
        self.recent.iter()
    }
}

impl Relay {
    fn advance(&mut self, prover: &Prover, now: u64) -> Option<ProofReport> {
        if self.stage == Stage::Requested && prover.step() == Step::Dialled {
            self.stage = Stage::Dialled { since_ns: now };
        }
        let Stage::Dialled { since_ns } = self.stage else { return None };
        let seen = self.seen.filter(|(_, port, _)| *port == prover.port());
        if let Some((process, _, opened_ns)) = seen {
            self.report.process = Some(process);
            self.report.started_ns = opened_ns;
        } else if now < since_ns + RECORD_NS {
            return None;
        }
        // Without a record the kernel programs are blind to it: that is for the analyzer to find.
        self.stage = Stage::Reporting;
        Some(self.report.clone())
    }
}
