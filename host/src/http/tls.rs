//! TLS on the listener: its certificate and key, and the certificates that clients may show.
//!
//! The files are read anew when they change and on SIGHUP. A pair is taken whole or not at all: what
//! is half written, or does not fit together, leaves the one before in use. Connections keep what
//! they began with.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail, ensure};
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use webpki::{EndEntityCert, Error, KeyUsage};

use super::stall::Patient;

/// How long a client may take for the handshake.
pub(super) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often the files are looked at. They are read whole each time, which costs next to nothing
/// and sees every way in which a file can be replaced.
const LOOK_EACH: Duration = Duration::from_secs(1);
/// The longest file that is read: some hundred certificates.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// How long before its end a certificate should have been replaced.
pub(crate) const RENEW_BEFORE: Duration = Duration::from_secs(14 * 24 * 3600);
/// The longest name that is taken from a certificate.
const NAME_BYTES_MAX: usize = reef_web::stand_in::CERTIFICATE_NAME_MAX;
/// What a handshake begins with.
const HANDSHAKE_RECORD: u8 = 22;

/// Where the certificates are, and what is asked of clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    /// The hub's certificate, and those between it and an authority that clients know.
    pub(crate) cert: PathBuf,
    /// The private key of the hub's certificate.
    pub(crate) key: PathBuf,
    /// The authorities whose certificates clients may show.
    pub(crate) client_ca: Option<PathBuf>,
    /// Whether a client may show none.
    pub(crate) is_client_optional: bool,
}

/// What the files hold.
#[derive(PartialEq, Eq)]
struct Contents {
    cert: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

/// A pair that fits together.
struct Pair {
    config: Arc<ServerConfig>,
    ends: Option<SystemTime>,
}

/// TLS as new connections get it.
pub(crate) struct Tls {
    files: TlsFiles,
    current: RwLock<Arc<ServerConfig>>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl TlsFiles {
    /// When the certificate ends, if all of it can be used.
    ///
    /// # Errors
    /// What is wrong, and with which file.
    pub(crate) fn check(&self) -> Result<Option<SystemTime>> {
        Ok(self.pair(&self.read()?)?.ends)
    }

    fn read(&self) -> Result<Contents> {
        let client_ca = self.client_ca.as_deref().map(read).transpose()?;
        Ok(Contents { cert: read(&self.cert)?, key: read(&self.key)?, client_ca })
    }

    fn pair(&self, contents: &Contents) -> Result<Pair> {
        let chain = certificates(&self.cert, &contents.cert)?;
        let key = PrivateKeyDer::from_pem_slice(&contents.key).map_err(|error| {
            let why = words(&error);
            anyhow::anyhow!("{}: no private key: {why}", self.key.display())
        })?;
        let ends = chain.first().and_then(not_after);
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .context("TLS cannot be set up")?;
        let builder = match (&self.client_ca, &contents.client_ca) {
            (Some(file), Some(text)) => {
                let mut roots = RootCertStore::empty();
                for root in certificates(file, text)? {
                    roots.add(root).with_context(|| format!("{}", file.display()))?;
                }
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = if self.is_client_optional {
                    verifier.allow_unauthenticated()
                } else {
                    verifier
                };
                let verifier = verifier.build().with_context(|| format!("{}", file.display()))?;
                builder.with_client_cert_verifier(verifier)
            }
            _ => builder.with_no_client_auth(),
        };
        let (cert, key_file) = (self.cert.display(), self.key.display());
        let mut config = builder.with_single_cert(chain, key).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                anyhow::anyhow!("{key_file} is not the key of the certificate in {cert}")
            }
            other => anyhow::anyhow!("{cert} with {key_file}: {other}"),
        })?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Pair { config: Arc::new(config), ends })
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// What is wrong, and with which file.
    pub(crate) fn load(files: TlsFiles) -> Result<Self> {
        let pair = files.pair(&files.read()?)?;
        announce("TLS with the certificate in", &files, &pair);
        Ok(Self { files, current: RwLock::new(pair.config) })
    }

    /// Reads the files anew whenever they change and on SIGHUP; ends only if signals cannot be
    /// heard.
    pub(crate) async fn keep(&self) {
        let mut hangup = match signal(SignalKind::hangup()) {
            Ok(hangup) => hangup,
            Err(error) => return tracing::error!(%error, "SIGHUP cannot be listened for"),
        };
        let mut ticks = tokio::time::interval(LOOK_EACH);
        // What cannot be read is said once, and then only when it changes.
        let mut seen = self.files.read().map_err(|error| format!("{error:#}"));
        loop {
            let is_asked = tokio::select! {
                _ = ticks.tick() => false,
                _ = hangup.recv() => true,
            };
            let files = self.files.clone();
            let read = tokio::task::spawn_blocking(move || files.read()).await;
            let now = read.map_err(anyhow::Error::from).and_then(|it| it);
            let now = now.map_err(|error| format!("{error:#}"));
            if now == seen && !is_asked {
                continue;
            }
            let pair = match &now {
                Ok(contents) => self.files.pair(contents).map_err(|error| format!("{error:#}")),
                Err(error) => Err(error.clone()),
            };
            match pair {
                Ok(pair) => {
                    announce("new connections get the certificate in", &self.files, &pair);
                    *self.current.write().unwrap_or_else(PoisonError::into_inner) = pair.config;
                }
                Err(error) => {
                    tracing::warn!(
                        "the certificate in use is kept; the new one is no good: {error}"
                    );
                }
            }
            seen = now;
        }
    }

    /// Shakes hands with a client that begins to.
    pub(super) async fn shake_hands(
        &self,
        stream: Patient<TcpStream>,
    ) -> std::io::Result<TlsStream<Patient<TcpStream>>> {
        let config = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        TlsAcceptor::from(config).accept(stream).await
    }
}

/// Whether a client has begun a handshake, or speaks something else. Nothing is taken.
pub(super) async fn begins_handshake(stream: &TcpStream) -> std::io::Result<bool> {
    let mut first = [0];
    let count = stream.peek(&mut first).await?;
    Ok(count > 0 && first == [HANDSHAKE_RECORD])
}

/// By which name the certificate that a client has shown goes: its first URI, else its first DNS
/// name. The common name is not read, since the constraints of an authority do not reach it.
pub(super) fn name_of(chain: &[CertificateDer<'_>]) -> Option<String> {
    let cert = EndEntityCert::try_from(chain.first()?).ok()?;
    let uri = cert.valid_uri_names().next().map(str::to_owned);
    let dns = || cert.valid_dns_names().find(|name| !name.starts_with('*'));
    let name = uri.or_else(|| dns().map(str::to_ascii_lowercase))?;
    let fits = name.len() <= NAME_BYTES_MAX && name.bytes().all(|b| b.is_ascii_graphic());
    fits.then_some(name)
}

fn announce(words: &str, files: &TlsFiles, pair: &Pair) {
    let file = files.cert.display();
    let Some(ends) = pair.ends else { return tracing::info!("{words} {file}") };
    let shown = day(ends);
    match ends.duration_since(SystemTime::now()) {
        Err(_) => tracing::warn!("{words} {file}, which has expired: {shown}"),
        Ok(left) if left < RENEW_BEFORE => {
            tracing::warn!("{words} {file}, which expires soon: {shown}");
        }
        Ok(_) => tracing::info!("{words} {file}, good until {shown}"),
    }
}

/// The day of an instant.
pub(crate) fn day(instant: SystemTime) -> String {
    chrono::DateTime::<chrono::Utc>::from(instant).format("%Y-%m-%d").to_string()
}

fn read(file: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let cannot = || format!("cannot read {}", file.display());
    let opened = std::fs::File::open(file).with_context(cannot)?;
    opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).with_context(cannot)?;
    ensure!(bytes.len() as u64 <= FILE_BYTES_MAX, "{} is no PEM file: too long", file.display());
    Ok(bytes)
}

fn certificates(file: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => bail!("{} has no certificate in PEM form", file.display()),
        Err(error) => {
            bail!("{}: a certificate in it cannot be read: {}", file.display(), words(&error))
        }
    }
}

/// What is wrong with a PEM file.
fn words(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => "it breaks off".to_owned(),
        pem::Error::IllegalSectionStart { .. } => "a line that begins it is no PEM".to_owned(),
        pem::Error::NoItemsFound => "there is none in PEM form".to_owned(),
        other => other.to_string(),
    }
}

/// When a certificate ends. It is asked of what checks certificates, at a time that all have ended
/// by: that alone reads them, and so nothing else need.
fn not_after(cert: &CertificateDer<'_>) -> Option<SystemTime> {
    let far = UnixTime::since_unix_epoch(Duration::from_secs(1 << 40));
    let cert = EndEntityCert::try_from(cert).ok()?;
    let checked =
        cert.verify_for_usage(&[], &[], &[], far, KeyUsage::server_auth(), None, None).err()?;
    match checked {
        Error::CertExpired { not_after, .. } => {
            Some(UNIX_EPOCH + Duration::from_secs(not_after.as_secs()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::*;

    fn made(names: Vec<SanType>) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = names;
        params.not_after = rcgen::date_time_ymd(2040, 5, 6);
        (params.self_signed(&key).unwrap(), key)
    }

    fn dns(name: &str) -> SanType {
        SanType::DnsName(name.try_into().unwrap())
    }

    fn files(folder: &Path) -> TlsFiles {
        let (cert, key) = (folder.join("hub.pem"), folder.join("hub.key"));
        TlsFiles { cert, key, client_ca: None, is_client_optional: false }
    }

    fn write(files: &TlsFiles, cert: &rcgen::Certificate, key: &KeyPair) {
        std::fs::write(&files.cert, cert.pem()).unwrap();
        std::fs::write(&files.key, key.serialize_pem()).unwrap();
    }

    #[test]
    fn a_certificate_goes_by_its_uri_else_by_its_dns_name() {
        let name = |names| name_of(&[made(names).0.der().clone()]);
        let uri = SanType::URI("spiffe://fleet.example/alice".try_into().unwrap());
        assert_eq!(
            name(vec![dns("a.example"), uri]).as_deref(),
            Some("spiffe://fleet.example/alice")
        );
        assert_eq!(
            name(vec![dns("*.example"), dns("Alice.example")]).as_deref(),
            Some("alice.example")
        );
        assert_eq!(name(vec![]), None);
        assert_eq!(name_of(&[]), None);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path());
        let refused = |files: &TlsFiles| format!("{:#}", files.check().unwrap_err());
        assert!(refused(&files).contains("cannot read"), "{}", refused(&files));
        let (cert, key) = made(vec![dns("hub.example")]);
        write(&files, &cert, &key);
        assert_eq!(day(files.check().unwrap().unwrap()), "2040-05-06");
        let whole = std::fs::read(&files.cert).unwrap();
        std::fs::write(&files.cert, &whole[..whole.len() / 2]).unwrap();
        assert!(refused(&files).contains("hub.pem"), "{}", refused(&files));
        std::fs::write(&files.cert, "").unwrap();
        assert!(refused(&files).contains("no certificate"), "{}", refused(&files));
        write(&files, &cert, &made(vec![]).1);
        assert!(refused(&files).contains("is not the key of"), "{}", refused(&files));
        std::fs::write(&files.key, "nonsense").unwrap();
        assert!(refused(&files).contains("no private key"), "{}", refused(&files));
    }
}
