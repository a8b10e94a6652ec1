//! What can be typed about TLS on the listener.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::http::tls::TlsFiles;

/// Flags of the TLS that the address is served with.
#[derive(Debug, Args)]
pub(crate) struct TlsArgs {
    /// Certificate to serve HTTPS with, and those between it and its authority (PEM). Read anew on
    /// SIGHUP and when it changes
    #[arg(long, env = "REEF_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// Private key of that certificate (PEM), readable by the hub alone
    #[arg(long, env = "REEF_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Authorities (PEM) of which clients show certificates; one acts by the key that is bound to
    /// its name (`reef keys create --certificate NAME`)
    #[arg(long, env = "REEF_TLS_CLIENT_CA", value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_client_ca: Option<PathBuf>,

    /// Whether a client may come without a certificate
    #[arg(long, env = "REEF_TLS_CLIENT_AUTH", value_name = "WHEN", default_value = "required")]
    pub(crate) tls_client_auth: ClientAuth,
}

/// Whether clients show certificates, where authorities for these are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClientAuth {
    /// Each must.
    Required,
    /// Each may; what it shows must be good.
    Optional,
}

impl TlsArgs {
    /// Where the certificates are; `None`: without TLS.
    pub(crate) fn files(self) -> Option<TlsFiles> {
        Some(TlsFiles {
            cert: self.tls_cert?,
            key: self.tls_key?,
            client_ca: self.tls_client_ca,
            is_client_optional: self.tls_client_auth == ClientAuth::Optional,
        })
    }
}
