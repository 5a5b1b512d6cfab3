//! Where the analyzer is, and how it is trusted.

use std::fmt;
use std::fs::read;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{bail, Context, Result};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};
use tower::service_fn;

/// Certificates for mutual TLS, as PEM files.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    pub ca: Option<PathBuf>,
    pub cert: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

#[derive(Clone, Debug)]
pub enum Endpoint {
    Unix(PathBuf),
    Plain(String),
    Tls(String, Trust),
}

impl Endpoint {
    /// `unix:/path`, `http://127.0.0.1:port` or `https://name:port`. Plain text leaves this machine only when `insecure`.
    pub fn parse(text: &str, trust: Trust, insecure: bool) -> Result<Self> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Self::Unix(PathBuf::from(path)));
        }
        if let Some(rest) = text.strip_prefix("http://") {
            if !insecure && !is_loopback(rest) {
                bail!("{text} would send what the collector sees in plain text: use https://, a unix socket, or --insecure if the network is trusted");
            }
            return Ok(Self::Plain(text.to_owned()));
        }
        if text.starts_with("https://") {
            return Ok(Self::Tls(text.to_owned(), trust));
        }
        bail!("--analyzer {text} is not of the form unix:/path, http://127.0.0.1:port or https://name:port")
    }

    pub async fn connect(&self) -> Result<Channel> {
        match self {
            Self::Unix(path) => {
                let path = path.clone();
                let connector = service_fn(move |_| {
                    let path = path.clone();
                    async move { Ok::<_, std::io::Error>(TokioIo::new(UnixStream::connect(path).await?)) }
                });
                // The address is not used: the connector opens the socket.
                Ok(tuned("http://localhost")?.connect_with_connector(connector).await?)
            }
            Self::Plain(url) => Ok(tuned(url)?.connect().await?),
            Self::Tls(url, trust) => Ok(tuned(url)?.tls_config(trust.config()?)?.connect().await?),
        }
    }
}

fn tuned(url: &str) -> Result<tonic::transport::Endpoint> {
    Ok(tonic::transport::Endpoint::from_shared(url.to_owned())
        .with_context(|| format!("{url} is no address"))?
        .connect_timeout(Duration::from_secs(5))
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10)))
}

impl Trust {
    fn config(&self) -> Result<ClientTlsConfig> {
        let file = |path: &PathBuf| read(path).with_context(|| format!("cannot read {}", path.display()));
        let mut config = ClientTlsConfig::new();
        if let Some(ca) = &self.ca {
            config = config.ca_certificate(Certificate::from_pem(file(ca)?));
        }
        if let (Some(cert), Some(key)) = (&self.cert, &self.key) {
            config = config.identity(Identity::from_pem(file(cert)?, file(key)?));
        }
        Ok(config)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Plain(url) | Self::Tls(url, _) => f.write_str(url),
        }
    }
}

fn is_loopback(authority: &str) -> bool {
    let host = authority.split('/').next().unwrap_or(authority);
    host.starts_with("127.") || host.starts_with("localhost:") || host.starts_with("[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Endpoint> {
        Endpoint::parse(text, Trust::default(), false)
    }

    #[test]
    fn refuses_plain_text_to_another_machine() {
        let message = parse("http://192.0.2.1:4317").err().map(|e| e.to_string()).unwrap_or_default();
        assert!(message.contains("use https://"), "{message}");
        assert!(Endpoint::parse("http://192.0.2.1:4317", Trust::default(), true).is_ok());
    }

    #[test]
    fn takes_loopback_unix_and_tls() {
        for text in ["http://127.0.0.1:4317", "http://[::1]:4317", "unix:/run/backflow.sock", "https://analyzer:4317"] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn says_what_forms_there_are() {
        let message = parse("analyzer:4317").err().map(|e| e.to_string()).unwrap_or_default();
        assert!(message.contains("unix:/path"), "{message}");
    }
}
