//! The stream to the analyzer: connects, says hello, sends what the buffer holds, takes acknowledgements; again and again.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{bail, Context, Result};
use prost::bytes::{BufMut, Bytes};
use prost::Message as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};

use crate::export::buffer::Buffer;
use crate::export::endpoint::Endpoint;
use crate::host::clock::boot_ns;
use crate::wire::{analyzer_message, collector_message};
use crate::{log, wire};

const PATH: &str = "/backflow.v1.Collector/Stream";
/// Major version of the contract that this collector speaks.
pub const PROTOCOL: u32 = 1;
const MIN_BACKOFF: Duration = Duration::from_millis(200);
const MAX_BACKOFF: Duration = Duration::from_secs(10);
/// How long the analyzer may take to answer Hello, and to end a stream on which everything was sent.
const WELCOME_TIMEOUT: Duration = Duration::from_secs(10);
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
/// Processes in one message: with full argv about 1.5 MB, and the analyzer takes 8 MiB.
const DICTIONARY_PART: usize = 1000;
/// Where Welcome names no window.
const DEFAULT_WINDOW: usize = 4;

pub struct Exporter {
    pub endpoint: Endpoint,
    pub token: Option<String>,
    pub hello: wire::Hello,
    pub buffer: Arc<Buffer>,
}

impl Exporter {
    /// Returns when everything pushed was acknowledged after the buffer was finished.
    pub async fn run(&self) -> Result<()> {
        let mut wait = MIN_BACKOFF;
        let mut is_retry = false;
        loop {
            let before = self.buffer.acknowledged();
            let Err(error) = self.session(is_retry).await else { return Ok(()) };
            if self.buffer.acknowledged() > before {
                wait = MIN_BACKOFF;
            }
            let pause = spread(wait, boot_ns());
            log::warn(format_args!("{}; retrying in {:.1} s", log::sentence(&error), pause.as_secs_f32()));
            tokio::time::sleep(pause).await;
            wait = (wait * 2).min(MAX_BACKOFF);
            is_retry = true;
        }
    }

    async fn session(&self, is_retry: bool) -> Result<()> {
        let channel = self.endpoint.connect().await.with_context(|| format!("cannot connect to the analyzer at {}", self.endpoint))?;
        let (sender, receiver) = mpsc::channel::<Bytes>(4);
        send(&sender, collector_message::Message::Hello(self.hello.clone())).await?;
        let mut incoming = tokio::time::timeout(WELCOME_TIMEOUT, self.open(channel, receiver)).await.with_context(no_answer)??;
        let mut window = self.handshake(&mut incoming).await?;
        if is_retry {
            log::info(format_args!("connected to the analyzer at {}", self.endpoint));
        }
        let error = match self.deliver(&sender, &mut incoming, &mut window).await {
            Ok(()) => {
                drop(sender);
                let _ = tokio::time::timeout(CLOSE_TIMEOUT, incoming.message()).await;
                return Ok(());
            }
            Err(error) => error,
        };
        // Where the stream broke while something was written to it, the reason is in what the analyzer sent last.
        match tokio::time::timeout(CLOSE_TIMEOUT, incoming.message()).await {
            Ok(Err(status)) => Err(disconnected(status)),
            _ => Err(error),
        }
    }

    async fn handshake(&self, incoming: &mut Streaming<wire::AnalyzerMessage>) -> Result<usize> {
        let answer = tokio::time::timeout(WELCOME_TIMEOUT, incoming.message()).await.with_context(no_answer)?;
        let mut window = DEFAULT_WINDOW;
        match answer.map_err(disconnected)? {
            Some(message) => self.apply(message, &mut window)?,
            None => bail!("disconnected: the analyzer closed the stream"),
        }
        self.buffer.reconnected();
        Ok(window)
    }

    /// Returns when the buffer is finished and everything in it acknowledged.
    async fn deliver(
        &self,
        sender: &mpsc::Sender<Bytes>,
        incoming: &mut Streaming<wire::AnalyzerMessage>,
        window: &mut usize,
    ) -> Result<()> {
        let mut dictionary_sent = false;
        loop {
            if !dictionary_sent {
                if let Some(processes) = self.buffer.take_dictionary() {
                    dictionary_sent = true;
                    for part in processes.chunks(DICTIONARY_PART) {
                        send(sender, collector_message::Message::Dictionary(wire::Dictionary { processes: part.to_vec() })).await?;
                    }
                }
            }
            while let Some(message) = dictionary_sent.then(|| self.buffer.next(*window)).flatten() {
                sender.send(message).await.context("disconnected: the stream to the analyzer is closed")?;
            }
            if self.buffer.is_done() {
                return Ok(());
            }
            tokio::select! {
                message = incoming.message() => match message.map_err(disconnected)? {
                    None => bail!("disconnected: the analyzer closed the stream"),
                    Some(message) => self.apply(message, window)?,
                },
                () = self.buffer.changed() => {}
            }
        }
    }

    async fn open(&self, channel: Channel, receiver: mpsc::Receiver<Bytes>) -> Result<Streaming<wire::AnalyzerMessage>> {
        let mut client = tonic::client::Grpc::new(channel).max_decoding_message_size(1 << 20);
        client.ready().await.context("the analyzer is not ready")?;
        let mut request = Request::new(ReceiverStream::new(receiver));
        if let Some(token) = &self.token {
            let value: MetadataValue<_> =
                format!("Bearer {token}").parse().context("the token has characters that a header cannot carry")?;
            request.metadata_mut().insert("authorization", value);
        }
        let path = PATH.parse().context("the path of the service")?;
        let response = client.streaming(request, path, Raw).await.map_err(disconnected)?;
        Ok(response.into_inner())
    }

    fn apply(&self, message: wire::AnalyzerMessage, window: &mut usize) -> Result<()> {
        match message.message {
            Some(analyzer_message::Message::Welcome(welcome)) => {
                if welcome.protocol != PROTOCOL {
                    bail!("the analyzer speaks protocol {}, this collector {PROTOCOL}: update the older of the two", welcome.protocol);
                }
                *window = usize::try_from(welcome.window).unwrap_or(DEFAULT_WINDOW);
                self.buffer.set_networks(welcome.networks);
            }
            Some(analyzer_message::Message::Ack(ack)) => self.buffer.acknowledge(ack.seq),
            Some(analyzer_message::Message::Flow(flow)) => *window = usize::try_from(flow.window).unwrap_or(DEFAULT_WINDOW),
            Some(analyzer_message::Message::Prove(prove)) => self.buffer.request_proof(prove.nonce),
            None => {}
        }
        Ok(())
    }
}

fn no_answer() -> String {
    format!("timeout: no answer from the analyzer within {} s", WELCOME_TIMEOUT.as_secs())
}

/// A status that the transport made up has its cause behind it: a certificate that was refused, a reset connection.
fn disconnected(status: Status) -> anyhow::Error {
    let deepest = std::iter::successors(status.source(), |cause: &&(dyn Error + 'static)| (*cause).source()).last();
    let cause = deepest.map(|cause| format!(": {cause}")).unwrap_or_default();
    anyhow::anyhow!("disconnected: {} ({:?}){cause}", status.message(), status.code())
}

/// `wait` less up to a half, so that collectors which lost the same analyzer do not come back in step. `seed` is any number
/// that differs between them.
fn spread(wait: Duration, seed: u64) -> Duration {
    let permille = u32::try_from(seed / 1000 % 501).unwrap_or(0);
    wait - wait * permille / 1000
}

async fn send(sender: &mpsc::Sender<Bytes>, message: collector_message::Message) -> Result<()> {
    let bytes = wire::CollectorMessage { message: Some(message) }.encode_to_vec();
    sender.send(bytes.into()).await.context("disconnected: the stream to the analyzer is closed")
}

/// Batches are encoded once, when they enter the buffer: what goes out is bytes.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = wire::AnalyzerMessage;
    type Encoder = Raw;
    type Decoder = Raw;
    fn encoder(&mut self) -> Raw {
        Raw
    }
    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;
    fn encode(&mut self, item: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = wire::AnalyzerMessage;
    type Error = Status;
    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Self::Item>, Status> {
        wire::AnalyzerMessage::decode(from)
            .map(Some)
            .map_err(|error| Status::internal(format!("the analyzer sent what cannot be decoded: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_pauses_over_the_upper_half() {
        let wait = Duration::from_secs(10);
        assert_eq!(spread(wait, 0), wait);
        assert_eq!(spread(wait, 500_999), wait / 2);
        assert_eq!(spread(wait, 501_000), wait);
    }
}
