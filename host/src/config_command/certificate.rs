//! Whether what is set of TLS for the listener can be used.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use reef_settings::Settings;

use super::check::Problem;
use crate::http::tls::{RENEW_BEFORE, TlsFiles, day};

/// What is there, and what is wrong with it; `None` where no TLS is set.
pub(crate) fn examine(settings: &Settings) -> Option<(String, Vec<Problem>)> {
    let file = |name: &str| settings.given(name).map(|value| PathBuf::from(&value.text));
    let (cert, key, client_ca) = (file("tls.cert"), file("tls.key"), file("tls.client_ca"));
    let (cert, key) = match (cert, key) {
        (Some(cert), Some(key)) => (cert, key),
        (None, None) if client_ca.is_none() => return None,
        _ => {
            let message = "of REEF_TLS_CERT and REEF_TLS_KEY only one is set, or neither";
            let cure = "set both, or none of REEF_TLS_CERT, REEF_TLS_KEY and REEF_TLS_CLIENT_CA";
            return Some((String::new(), vec![Problem::new("tls_half", 2, message, cure)]));
        }
    };
    let auth = settings.value("tls.client_auth");
    let is_client_optional = auth.is_some_and(|auth| auth.text == "optional");
    let mut problems = Vec::new();
    let mut summary = cert.display().to_string();
    match (TlsFiles { cert, key: key.clone(), client_ca, is_client_optional }).check() {
        Err(error) => {
            let cure = "give a certificate and its own private key as PEM files; a hub that runs \
                        keeps the pair it has";
            problems.push(Problem::new("tls_unusable", 2, format!("{error:#}"), cure));
        }
        Ok(Some(ends)) => {
            problems.extend(ending(&summary, ends));
            summary.push_str(&format!(", good until {}", day(ends)));
        }
        Ok(None) => {}
    }
    problems.extend(readable(&key));
    Some((summary, problems))
}

fn ending(cert: &str, ends: SystemTime) -> Option<Problem> {
    let shown = day(ends);
    let cure = "renew it; a hub that runs takes the new one by itself";
    match ends.duration_since(SystemTime::now()) {
        Err(_) => {
            let message = format!("the certificate in {cert} has expired: {shown}");
            Some(Problem::new("tls_expired", 2, message, cure))
        }
        Ok(left) if left < RENEW_BEFORE => {
            let message = format!("the certificate in {cert} expires soon: {shown}");
            Some(Problem::new("tls_expires_soon", 1, message, cure))
        }
        Ok(_) => None,
    }
}

fn readable(key: &Path) -> Option<Problem> {
    let mode = std::fs::metadata(key).ok()?.permissions().mode();
    // A group may be made for whom it is meant; others are everybody.
    (mode & 0o007 != 0).then(|| {
        let key = key.display();
        let message = format!("the private key in {key} can be read by everybody on this machine");
        Problem::new("tls_key_readable", 1, message, format!("chmod o= {key}"))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_certificate_is_to_be_renewed_before_it_ends() {
        let ending = |days: u64| {
            let now = SystemTime::now();
            ending("hub.pem", now + Duration::from_secs(days * 86_400)).map(|it| it.code)
        };
        assert_eq!(
            (ending(30), ending(3), ending(0)),
            (None, Some("tls_expires_soon"), Some("tls_expired"))
        );
    }

    #[test]
    fn a_key_that_all_may_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("hub.key");
        std::fs::write(&key, "").unwrap();
        for (mode, is_named) in [(0o600, false), (0o640, false), (0o644, true)] {
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(readable(&key).is_some(), is_named, "{mode:o}");
        }
    }
}
