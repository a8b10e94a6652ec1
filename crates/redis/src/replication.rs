//! A connection for who speaks the replication protocol, which the shared one refuses: bytes, once
//! the server has been told who comes.

use crate::address::{Address, Endpoint};
use crate::{Error, link, tls};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::UnixStream;

/// Longest answer to an introduction, in bytes.
const ANSWER_MAX: usize = 4096;

/// What goes over the connection is its user's own affair.
pub trait ByteStream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> ByteStream for T {}

/// Connects, with TLS if the address says so, and introduces itself.
pub(crate) async fn open(address: &Address) -> Result<Box<dyn ByteStream>, Error> {
    let mut stream: Box<dyn ByteStream> = match &address.endpoint {
        Endpoint::Tcp { host, port } => {
            Box::new(link::connect_tcp(host, *port).await.map_err(link::not_connected)?)
        }
        Endpoint::Tls { host, port } => Box::new(tls::connect(host, *port).await?),
        Endpoint::Unix(path) => {
            Box::new(UnixStream::connect(path).await.map_err(link::not_connected)?)
        }
    };
    let Some(password) = address.handshake.password() else { return Ok(stream) };
    let mut auth = redis::Cmd::new();
    auth.arg("AUTH");
    if let Some(user) = address.handshake.username() {
        auth.arg(user);
    }
    auth.arg(password);
    let lost = |error: std::io::Error| Error::Unavailable(error.to_string());
    stream.write_all(&auth.get_packed_command()).await.map_err(lost)?;
    stream.flush().await.map_err(lost)?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\n") && answer.len() < ANSWER_MAX {
        answer.push(stream.read_u8().await.map_err(lost)?);
    }
    let answer = String::from_utf8_lossy(&answer);
    match answer.trim_end().strip_prefix('-') {
        Some(refusal) => Err(Error::Server(refusal.to_owned())),
        None => Ok(stream),
    }
}
