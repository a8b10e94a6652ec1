//! TLS on a connection, with certificates checked as the operating system does.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::{Error, link};

/// Connects, and proves that the server is who its name says.
///
/// # Errors
/// [`Error::Unavailable`]: nobody listens there, nobody speaks TLS there, or the certificate is
/// not one that this machine trusts.
pub(crate) async fn connect(host: &str, port: u16) -> Result<TlsStream<TcpStream>, Error> {
    let stream = link::connect_tcp(host, port).await.map_err(link::not_connected)?;
    let failed = |error: std::io::Error| Error::Unavailable(format!("no TLS: {error}"));
    shake_hands(host, stream).await.map_err(failed)
}

/// Does what [`connect`] does once a connection is there.
///
/// # Errors
/// Those of rustls lie within the error.
pub(crate) async fn shake_hands(
    host: &str,
    stream: TcpStream,
) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(std::io::Error::other)?;
    // Read anew for each connection, of which there are few: a certificate authority that was
    // added to the machine counts from then on.
    let config = config().map_err(std::io::Error::other)?;
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

fn config() -> Result<ClientConfig, rustls::Error> {
    Ok(ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth())
}
