//! Where the analyzer is, and how it is trusted.

use std::fmt;
use std::fs::read;
use std::net::IpAddr;
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
            if trust.ca.is_none() {
                bail!("{text} needs --ca with the certificate of the authority that signed the analyzer's: the system's list is not used");
            }
            trust.config()?;
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
                Ok(transport("http://localhost")?.connect_with_connector(connector).await?)
            }
            Self::Plain(url) => Ok(transport(url)?.connect().await?),
            Self::Tls(url, trust) => {
                // Read again for each connection, since certificates are renewed.
                let channel = transport(url)?.tls_config(trust.config()?)?.connect().await;
                channel.map_err(|error| with_remedy(error.into()))
            }
        }
    }
}

fn transport(url: &str) -> Result<tonic::transport::Endpoint> {
    Ok(tonic::transport::Endpoint::from_shared(url.to_owned())
        .with_context(|| format!("{url} is not a valid address"))?
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

/// Adds what to do about the commonest mistake with a certificate made by hand.
fn with_remedy(error: anyhow::Error) -> anyhow::Error {
    if format!("{error:#}").contains("CaUsedAsEndEntity") {
        return error.context("the analyzer's certificate is that of an authority (openssl req -x509 makes such): make it with -addext basicConstraints=critical,CA:FALSE");
    }
    error
}

/// `authority` is host and port; a name counts only as "localhost".
fn is_loopback(authority: &str) -> bool {
    let authority = authority.split('/').next().unwrap_or(authority);
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Endpoint> {
        Endpoint::parse(text, Trust::default(), false)
    }

    #[test]
    fn refuses_plain_text_to_another_machine() {
        for text in ["http://192.0.2.1:4317", "http://127.0.0.1.example.com:4317", "http://localhost@192.0.2.1:4317"] {
            let message = parse(text).err().map(|e| e.to_string()).unwrap_or_default();
            assert!(message.contains("use https://"), "{text}: {message}");
        }
        assert!(Endpoint::parse("http://192.0.2.1:4317", Trust::default(), true).is_ok());
    }

    #[test]
    fn takes_loopback_and_unix() {
        for text in ["http://127.0.0.1:4317", "http://[::1]:4317", "unix:/run/backflow.sock"] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn takes_tls_with_an_authority_that_can_be_read() {
        let with =
            |ca: Option<&str>| Endpoint::parse("https://analyzer:4317", Trust { ca: ca.map(PathBuf::from), ..Trust::default() }, false);
        assert!(with(Some("Cargo.toml")).is_ok());
        let message = |ca| with(ca).err().map(|e| e.to_string()).unwrap_or_default();
        assert!(message(None).contains("--ca"), "{}", message(None));
        assert!(message(Some("/nonexistent")).contains("/nonexistent"), "{}", message(Some("/nonexistent")));
    }

    #[test]
    fn says_what_forms_there_are() {
        let message = parse("analyzer:4317").err().map(|e| e.to_string()).unwrap_or_default();
        assert!(message.contains("unix:/path"), "{message}");
    }
}
