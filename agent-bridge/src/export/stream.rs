//! The stream to the analyzer: connects, says hello, sends what the buffer holds, takes acknowledgements; again and again.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{bail, Context, Result};
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};

use crate::export::buffer::Buffer;
use crate::export::endpoint::Endpoint;
use crate::wire;
use crate::wire::analyzer_message::Message as Said;

const PATH: &str = "/backflow.v1.Collector/Stream";
const PROTOCOL: u32 = 1;
const BACKOFF_FIRST: Duration = Duration::from_millis(200);
const BACKOFF_MOST: Duration = Duration::from_secs(10);
/// Until Welcome says otherwise.
const WINDOW_FIRST: usize = 4;

pub struct Exporter {
    pub endpoint: Endpoint,
    pub token: Option<String>,
    pub hello: wire::Hello,
    pub buffer: Arc<Buffer>,
}

impl Exporter {
    /// Returns when everything pushed was acknowledged after the buffer was finished.
    pub async fn run(&self) -> Result<()> {
        let mut wait = BACKOFF_FIRST;
        loop {
            let acked = self.buffer.acked();
            match self.session().await {
                Ok(()) => return Ok(()),
                Err(error) => eprintln!("backflow-collector: {error:#}; trying again in {:.1} s", wait.as_secs_f32()),
            }
            if self.buffer.acked() > acked {
                wait = BACKOFF_FIRST;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(BACKOFF_MOST);
        }
    }

    async fn session(&self) -> Result<()> {
        let channel = self.endpoint.connect().await.with_context(|| format!("the analyzer at {} cannot be reached", self.endpoint))?;
        let (sender, receiver) = mpsc::channel::<Vec<u8>>(4);
        self.buffer.reconnected();
        send(&sender, wire::collector_message::Message::Hello(self.hello.clone())).await?;
        let mut said = self.open(channel, receiver).await?;
        let mut window = WINDOW_FIRST;
        let mut introduced = false;
        loop {
            tokio::select! {
                message = said.message() => match message.context("the analyzer broke the stream off")? {
                    None => bail!("the analyzer closed the stream"),
                    Some(message) => self.obey(message, &mut window)?,
                },
                () = self.buffer.changed() => {}
            }
            if !introduced {
                let Some(processes) = self.buffer.take_dictionary() else { continue };
                introduced = true;
                send(&sender, wire::collector_message::Message::Dictionary(wire::Dictionary { processes })).await?;
            }
            while let Some(message) = self.buffer.next(window) {
                sender.send(message).await.context("the stream to the analyzer is closed")?;
            }
            if self.buffer.is_done() {
                return Ok(());
            }
        }
    }

    async fn open(&self, channel: Channel, receiver: mpsc::Receiver<Vec<u8>>) -> Result<Streaming<wire::AnalyzerMessage>> {
        let mut client = tonic::client::Grpc::new(channel).max_decoding_message_size(1 << 20);
        client.ready().await.context("the analyzer is not ready")?;
        let mut request = Request::new(ReceiverStream::new(receiver));
        if let Some(token) = &self.token {
            let value: MetadataValue<_> =
                format!("Bearer {token}").parse().context("the token has characters that a header cannot carry")?;
            request.metadata_mut().insert("authorization", value);
        }
        let path = PATH.parse().context("the path of the service")?;
        let response = client.streaming(request, path, Raw).await.map_err(refused)?;
        Ok(response.into_inner())
    }

    fn obey(&self, message: wire::AnalyzerMessage, window: &mut usize) -> Result<()> {
        match message.message {
            Some(Said::Welcome(welcome)) => {
                if welcome.protocol != PROTOCOL {
                    bail!("the analyzer speaks protocol {}, this collector {PROTOCOL}: update the older of the two", welcome.protocol);
                }
                *window = usize::try_from(welcome.window).unwrap_or(WINDOW_FIRST);
                self.buffer.set_networks(welcome.networks);
            }
            Some(Said::Ack(ack)) => self.buffer.acknowledge(ack.seq),
            Some(Said::Flow(flow)) => *window = usize::try_from(flow.window).unwrap_or(WINDOW_FIRST),
            None => {}
        }
        Ok(())
    }
}

fn refused(status: Status) -> anyhow::Error {
    anyhow::anyhow!("the analyzer refused the stream: {} ({:?})", status.message(), status.code())
}

async fn send(sender: &mpsc::Sender<Vec<u8>>, message: wire::collector_message::Message) -> Result<()> {
    let bytes = wire::CollectorMessage { message: Some(message) }.encode_to_vec();
    sender.send(bytes).await.context("the stream to the analyzer is closed")
}

/// Batches are encoded once, when they enter the buffer: what goes out is bytes.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
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
    type Item = Vec<u8>;
    type Error = Status;
    fn encode(&mut self, item: Vec<u8>, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        use prost::bytes::BufMut;
        into.put_slice(&item);
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
