//! TLS on the listener, with certificates that are made here.

mod clients;
mod frames;
mod http2;
mod replaced;
mod served;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

use crate::harness::{Authority, Hub, HubOptions, PATIENCE, Pair};

fn path(file: &Path) -> &str {
    file.to_str().unwrap()
}

/// A hub that is to serve HTTPS.
fn serving(pair: &Pair) -> HubOptions {
    Hub::options().arg("--tls-cert").arg(path(&pair.cert)).arg("--tls-key").arg(path(&pair.key))
}

/// What `curl` has got.
#[derive(Debug)]
struct Got {
    /// 0 where there was no answer.
    status: u16,
    version: String,
    head: String,
    body: String,
    /// Its own exit code.
    code: i32,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

/// A caller with curl: what it trusts, what it shows.
struct Curl {
    base: String,
    args: Vec<String>,
}

impl Curl {
    fn new(hub: &Hub, authority: &Authority) -> Self {
        let args = ["--cacert", path(&authority.ca())].map(str::to_owned).to_vec();
        Self { base: hub.url().to_owned(), args }
    }

    fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    fn showing(self, pair: &Pair) -> Self {
        self.arg("--cert").arg(path(&pair.cert)).arg("--key").arg(path(&pair.key))
    }

    fn with_key(self, key: &str) -> Self {
        self.arg("--header").arg(&format!("Authorization: Bearer {key}"))
    }

    fn get(&self, path: &str) -> Got {
        self.send(&[], path)
    }

    fn post(&self, path: &str, body: &Value) -> Got {
        let body = body.to_string();
        self.send(&["--json", &body], path)
    }

    fn send(&self, args: &[&str], path: &str) -> Got {
        let head = tempfile::NamedTempFile::new().unwrap();
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--max-time", "15", "--noproxy", "*"])
            .args(["--write-out", "\n%{http_code} %{http_version}", "--dump-header"])
            .arg(head.path())
            .args(&self.args)
            .args(args)
            .arg(format!("{}{path}", self.base))
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, end) = text.rsplit_once('\n').unwrap();
        let (status, version) = end.split_once(' ').unwrap();
        Got {
            status: status.parse().unwrap(),
            version: version.to_owned(),
            head: fs::read_to_string(head.path()).unwrap().to_lowercase(),
            body: body.to_owned(),
            code: output.status.code().unwrap(),
        }
    }
}

type Tls = StreamOwned<ClientConnection, TcpStream>;

/// A connection with TLS, once the handshake is done.
fn connect(hub: &Hub, authority: &Authority, alpn: &[&str]) -> Tls {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority.ca()).unwrap()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from("localhost").unwrap();
    let session = ClientConnection::new(Arc::new(config), name).unwrap();
    let tcp = TcpStream::connect(hub.url().trim_start_matches("https://")).unwrap();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut stream = StreamOwned::new(session, tcp);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).unwrap();
    }
    stream
}

/// The certificate that new connections get.
fn shown(hub: &Hub, authority: &Authority) -> CertificateDer<'static> {
    let stream = connect(hub, authority, &[]);
    stream.conn.peer_certificates().unwrap()[0].clone().into_owned()
}

/// An event stream over a connection of its own.
struct Events(BufReader<Tls>);

impl Events {
    fn open(hub: &Hub, authority: &Authority) -> Self {
        let mut stream = connect(hub, authority, &["http/1.1"]);
        let key = hub.admin_key();
        let request = format!(
            "GET /api/v1/events/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut events = Self(BufReader::new(stream));
        let head = events.until("\r\n");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        events
    }

    /// Reads on until a line has this in it.
    fn until(&mut self, wanted: &str) -> String {
        let mut line = String::new();
        while !line.contains(wanted) {
            line.clear();
            let count = self.0.read_line(&mut line).unwrap();
            assert!(count > 0, "the stream has ended before {wanted:?}");
        }
        line
    }
}

/// All that comes until the other side closes.
fn rest(stream: &mut Tls) -> Vec<u8> {
    let mut all = Vec::new();
    // A connection that is closed without a word is closed as well.
    let _ = stream.read_to_end(&mut all);
    all
}
