//! Whose certificates are believed, and which one is shown.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;

use crate::Error;

/// What a client's side of TLS goes by. Left empty: whatever the operating system trusts, and no
/// certificate of one's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// The authorities (PEM) that are believed, and no others.
    pub ca: Option<PathBuf>,
    /// The certificate that is shown and its private key (PEM).
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl Trust {
    /// How connections to an address of this scheme are made. Files are only read for `https`, so
    /// that a machine without any certificates can still talk to a hub by `http`.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a file cannot be used, or this machine has no certificates to trust.
    pub fn config(&self, scheme: &str) -> Result<ClientConfig, Error> {
        let cannot = |error: rustls::Error| Error::Invalid(format!("TLS cannot be used: {error}"));
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(cannot)?;
        if scheme != "https" {
            return Ok(builder
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth());
        }
        let builder = match &self.ca {
            None => builder.with_platform_verifier().map_err(cannot)?,
            Some(file) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(file)? {
                    roots.add(certificate).map_err(|error| of(file, &error))?;
                }
                builder.with_root_certificates(roots)
            }
        };
        match &self.identity {
            None => Ok(builder.with_no_client_auth()),
            Some((cert, key)) => {
                let chain = certificates(cert)?;
                let key = PrivateKeyDer::from_pem_file(key).map_err(|error| of(key, &error))?;
                builder.with_client_auth_cert(chain, key).map_err(|error| of(cert, &error))
            }
        }
    }
}

/// How certificates are checked where nothing else is said: as the operating system would.
///
/// # Errors
/// [`Error::Invalid`] if this machine has no certificates to trust.
pub fn tls(scheme: &str) -> Result<ClientConfig, Error> {
    Trust::default().config(scheme)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found =
        CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match found {
        Ok(found) if found.is_empty() => {
            Err(Error::Invalid(format!("{} has no certificate in PEM form", file.display())))
        }
        found => found.map_err(|error| of(file, &error)),
    }
}

fn of(file: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::Invalid(format!("{} cannot be used: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_where_they_are_no_good_and_only_read_for_https() {
        let file = PathBuf::from("/no/such/ca.pem");
        let trust = Trust { ca: Some(file.clone()), identity: Some((file.clone(), file)) };
        assert!(trust.config("http").is_ok());
        let error = trust.config("https").unwrap_err().to_string();
        assert!(error.contains("/no/such/ca.pem"), "{error}");
    }
}
