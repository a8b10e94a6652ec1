//! `reef config check`: connects to the Redis, and says in plain words what is wrong.

use std::path::Path;
use std::time::{Duration, Instant};

use reef_api::durability::LevelGiven;
use reef_commands::table::facts;
use reef_redis::{Connection, Connections, Fault, Timeouts, probe};
use reef_settings::{Settings, redis};
use serde::Serialize;

use crate::failure::Failure;
use crate::redis::inspect::{self, Unusable, Warning};
use crate::redis::{address, durability, private};

/// How long each step of connecting may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(3);

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Whether all is good.
    pub(crate) ok: bool,
    /// The address, without its password.
    redis: String,
    /// Where it comes from.
    from: String,
    /// Name and version, once it has answered.
    server: Option<String>,
    /// How long an answer took, in milliseconds.
    round_trip_ms: Option<f64>,
    /// How safe writes can be there.
    durability: Vec<LevelGiven<'static>>,
    /// What is wrong, the worst first.
    pub(crate) problems: Vec<Problem>,
    /// What should be known beside that.
    pub(crate) notes: Vec<String>,
}

/// Something that is wrong.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    /// What it is, for programs.
    pub(crate) code: &'static str,
    /// The same for people.
    pub(crate) message: String,
    /// What to do.
    pub(crate) cure: String,
    /// The exit code.
    #[serde(skip)]
    exit: u8,
}

impl Problem {
    pub(super) fn new(
        code: &'static str,
        exit: u8,
        message: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self { code, message: message.into(), cure: cure.into(), exit }
    }

    /// It works for now; a server could lose what it was given.
    pub(crate) fn is_warning(&self) -> bool {
        self.exit == 1
    }
}

impl Report {
    /// What was found, where nothing is wrong.
    pub(crate) fn summary(&self) -> String {
        match (&self.server, self.notes.last()) {
            (Some(server), _) => format!("{server} at {}", self.redis),
            (None, Some(note)) => note.clone(),
            (None, None) => self.redis.clone(),
        }
    }

    fn new(settings: &Settings, redis: String, from: String) -> Self {
        Self {
            ok: true,
            redis,
            from,
            server: None,
            round_trip_ms: None,
            durability: Vec::new(),
            problems: Vec::new(),
            notes: settings.notes().to_vec(),
        }
    }

    fn with(mut self, problems: Vec<Problem>) -> Self {
        self.ok = problems.is_empty();
        self.problems = problems;
        self
    }

    /// And what was found elsewhere.
    pub(super) fn also(self, more: Vec<Problem>) -> Self {
        let mut problems = self.problems;
        problems.extend(more);
        Self { problems: Vec::new(), ..self }.with(problems)
    }

    /// How safe writes can be, in a line.
    pub(crate) fn levels(&self) -> String {
        durability::line(&self.durability)
    }

    /// Why no more than that.
    pub(crate) fn gaps(&self) -> Vec<String> {
        durability::gaps(&self.durability).collect()
    }

    /// For programs.
    pub(super) fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let took = self.round_trip_ms.map(|ms| format!("{ms:.1} ms")).unwrap_or_default();
        let mut parts = vec![facts([
            ("redis", self.redis.clone()),
            ("from", self.from.clone()),
            ("server", self.server.clone().unwrap_or_default()),
            ("answers in", took),
            ("writes", self.levels()),
        ])];
        parts.extend(durability::gaps(&self.durability).map(|gap| format!("· {gap}")));
        for problem in &self.problems {
            parts.push(format!("✗ {}\n  {}", problem.message, problem.cure));
        }
        parts.extend(self.notes.iter().map(|note| format!("note: {note}")));
        if self.ok {
            parts.push("✓ nothing is wrong".to_owned());
        }
        parts.join("\n")
    }

    /// How the command ends, if not well.
    pub(super) fn failure(&self) -> Option<Failure> {
        self.problems.first().map(|worst| Failure::Found(worst.exit))
    }
}

/// Looks at the Redis that the configuration names, or at the private one of this machine.
pub(crate) async fn examine(settings: &Settings) -> Report {
    match settings.redis() {
        Ok(Some(given)) => {
            let report = Report::new(settings, redis::masked(&given.url), given.origin.to_string());
            examine_server(report, &given.url).await
        }
        Ok(None) => examine_private(settings).await,
        Err(error) => {
            let report = Report::new(settings, String::new(), String::new());
            let cure = "`reef config show --origin` lists what is set".to_owned();
            report.with(vec![Problem { code: "config", message: error.to_string(), cure, exit: 2 }])
        }
    }
}

/// Without an address `reef up` runs a server of its own.
async fn examine_private(settings: &Settings) -> Report {
    let state_dir = settings.value("state_dir").map(|value| value.text).unwrap_or_default();
    let socket = private::socket_in(Path::new(&state_dir));
    let mut report = Report::new(
        settings,
        "a private Redis of `reef up`".to_owned(),
        "no address is given".to_owned(),
    );
    if let Some(socket) = socket {
        let url = address::of_socket(&socket);
        report.redis = url.clone();
        report.from = format!("the private Redis of `reef up` in {state_dir}");
        return examine_server(report, &url).await;
    }
    match private::find_program() {
        Ok(program) => {
            report.notes.push(format!("`reef up` will start {}", program.display()));
            report
        }
        Err(error) => report.with(vec![Problem {
            code: "no_server_program",
            message: "no Redis is given, and this machine has none".to_owned(),
            cure: error.to_string(),
            exit: 2,
        }]),
    }
}

async fn examine_server(mut report: Report, url: &str) -> Report {
    if let Err(fault) = probe(url, STEP_TIMEOUT).await {
        return report.with(vec![problem_of(&fault)]);
    }
    let timeouts = Timeouts { call: STEP_TIMEOUT, connect: STEP_TIMEOUT };
    let connection = match Connections::new(timeouts).open(url) {
        Ok(connection) => connection,
        Err(error) => return report.with(vec![problem_of(&Fault::Address(error.to_string()))]),
    };
    report.round_trip_ms = round_trip(&connection).await;
    report.durability = durability::given(&connection, Duration::ZERO).await.unwrap_or_default();
    match inspect::look(&connection).await {
        Ok(Ok(inspection)) => {
            report.server = Some(inspection.server);
            report.with(inspection.warnings.into_iter().map(Problem::from).collect())
        }
        Ok(Err(Unusable::Unfit(message) | Unusable::Unreachable(message))) => {
            let cure = "upgrade it, or give the address of another".to_owned();
            report.with(vec![Problem { code: "too_old", message, cure, exit: 2 }])
        }
        Err(error) => {
            let reason = error.to_string();
            report.with(vec![problem_of(&Fault::Refusal { place: "the server".into(), reason })])
        }
    }
}

async fn round_trip(connection: &Connection) -> Option<f64> {
    let asked = Instant::now();
    connection.execute("PING", Vec::new()).await.ok()?;
    Some(asked.elapsed().as_secs_f64() * 1000.0)
}

impl From<Warning> for Problem {
    fn from(warning: Warning) -> Self {
        let (message, cure) = match warning.words.split_once("; ") {
            Some((message, cure)) => (message.to_owned(), cure.to_owned()),
            None => (warning.words, "ask whoever runs it".to_owned()),
        };
        Self { code: warning.code, message, cure, exit: 1 }
    }
}

/// What to do about a fault.
fn problem_of(fault: &Fault) -> Problem {
    let (code, exit, cure) = match fault {
        Fault::Address(_) => (
            "address",
            2,
            "it should look like redis://:PASSWORD@HOST:PORT/DB, rediss://… with TLS, \
             redis+cluster://HOST:PORT,HOST:PORT, redis+sentinel://HOST:PORT,HOST:PORT/SERVICE, or \
             redis+unix:///PATH",
        ),
        Fault::Name { .. } => (
            "name_not_resolved",
            3,
            "look for a slip in the host's name; else ask whoever runs this network's DNS",
        ),
        Fault::Refused(_) => (
            "refused",
            3,
            "start it, or correct host and port; a Redis listens to other machines only if its \
             setting bind says so",
        ),
        Fault::TimedOut { .. } => (
            "timed_out",
            3,
            "a firewall that drops what is sent looks like this, and so does a server that hangs",
        ),
        Fault::TlsExpected(_) => {
            ("tls_expected", 2, "write rediss:// instead of redis://, or set REDIS_TLS=true")
        }
        Fault::TlsUnexpected(_) => (
            "tls_unexpected",
            2,
            "write redis:// instead of rediss://, or remove REDIS_TLS; or correct the port",
        ),
        Fault::Certificate { .. } => (
            "certificate",
            2,
            "let this machine trust who signed it, or name that certificate with \
             SSL_CERT_FILE=FILE; the host's name must be the certificate's",
        ),
        Fault::NoPassword(_) => {
            ("password_missing", 2, "set REDIS_PASSWORD, or redis.password in config/secrets.json")
        }
        Fault::Password(_) => (
            "password_wrong",
            2,
            "correct it; `reef config show --origin` says where it comes from",
        ),
        Fault::Refusal { reason, .. } if reason.to_ascii_lowercase().contains("loading") => {
            ("loading", 3, "wait until it has loaded its data")
        }
        Fault::Refusal { .. } => ("refusal", 1, "ask whoever runs it"),
        Fault::Unreachable { .. } => ("unreachable", 3, "look whether it is a Redis at all"),
        _ => ("unknown", 1, "ask whoever runs it"),
    };
    Problem { code, message: fault.to_string(), cure: cure.to_owned(), exit }
}
