//! What servers of Redis need that are behind TLS, and that want a user.

use std::fs;

use super::authority::{Authority, Pair};
use super::root;

/// The password of the tests' own user, and of the servers among themselves.
const ADMIN: &str = "admin";

/// Certificates for servers that are announced under one name, and a user who may do no more than a
/// hub has to.
pub struct Secured {
    authority: Authority,
    pair: Pair,
    /// The name or address under which servers are announced.
    pub announced: &'static str,
    /// And that of which their certificates are.
    pub certified: &'static str,
}

impl Secured {
    /// Servers that announce one name, with certificates for one.
    pub fn new(announced: &'static str, certified: &'static str) -> Self {
        let authority = Authority::new();
        let pair = authority.issue("redis", &[certified]);
        Self { authority, pair, announced, certified }
    }

    /// The file of those who signed the certificates.
    pub fn authority(&self) -> String {
        self.authority.ca().display().to_string()
    }

    /// The user and the password that a hub shows, before a host.
    pub fn user(&self) -> &'static str {
        "reef:CHANGE-ME@"
    }

    /// The same of the tests' own.
    pub fn admin(&self) -> String {
        format!(":{ADMIN}@")
    }

    /// Settings of any server, Sentinels included, which has this port for TLS.
    pub fn tls(&self, port: u16) -> Vec<String> {
        let (cert, key) = (self.pair.cert.display(), self.pair.key.display());
        let ca = self.authority();
        let settings = [
            format!("tls-port {port}"),
            format!("tls-cert-file {cert}"),
            format!("tls-key-file {key}"),
            format!("tls-ca-cert-file {ca}"),
            "tls-auth-clients no".to_owned(),
            "tls-replication yes".to_owned(),
        ];
        settings.to_vec()
    }

    /// Settings of a server with data. The user is that of `deploy/redis.acl`, for keys under any
    /// layout, with what a router has to ask beside it.
    pub fn data(&self, port: u16, more: &str) -> Vec<String> {
        let acl = fs::read_to_string(root().join("deploy/redis.acl")).unwrap();
        let user = acl.lines().find(|line| line.starts_with("user reef ")).unwrap();
        let words = user.split(' ').filter(|word| !word.starts_with(['~', '&']));
        let user = words.collect::<Vec<_>>().join(" ");
        let mut settings = self.tls(port);
        settings.extend([
            format!("{user} ~* &* {more}"),
            format!("requirepass {ADMIN}"),
            format!("masterauth {ADMIN}"),
        ]);
        settings
    }

    /// Settings of a Sentinel, with a user who may ask it for a primary and listen to it.
    pub fn sentinel(&self, port: u16) -> Vec<String> {
        let mut settings = self.tls(port);
        settings.extend([
            format!("requirepass {ADMIN}"),
            format!("sentinel sentinel-pass {ADMIN}"),
            "sentinel resolve-hostnames yes".to_owned(),
            "sentinel announce-hostnames yes".to_owned(),
            "user seeker on >look &* +ping +subscribe +sentinel|get-master-addr-by-name \
             +sentinel|master"
                .to_owned(),
        ]);
        settings
    }

    /// What a Sentinel shows to the servers that it watches.
    pub fn watching(&self) -> String {
        format!("sentinel auth-pass hub {ADMIN}\n")
    }
}

/// Settings as words of a command line.
pub fn as_args(settings: Vec<String>) -> Vec<String> {
    let words = |line: String| -> Vec<String> { line.split(' ').map(str::to_owned).collect() };
    let args = settings.into_iter().flat_map(|line| {
        let mut words = words(line);
        words[0].insert_str(0, "--");
        words
    });
    args.collect()
}
