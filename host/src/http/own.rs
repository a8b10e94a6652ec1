//! The routes that the host answers itself: how it is, what it counts, what its problems mean.
//!
//! They come before the manifest's routes. `/health` is not among them: it belongs to the hub's
//! contract, and a component answers it under Spin as well.

mod assets;
mod reference;
mod ui;

use std::sync::Arc;

use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode};
use reef_api::Word;
use reef_api::durability::LevelGiven;
use reef_runtime::Component;
use reef_web::auth::Access;
use reef_web::{Code, Problem};
use serde::Serialize;
use serde_json::json;

use super::{Answer, problem, whole};
use crate::carried::{BUILT, Built, VERSION};
use crate::debug::Debug;
use crate::manifest::Manifest;
use crate::metrics::Metrics;
use crate::redis::readiness::{Readiness, Status};

/// The page of a problem, with the places that are filled in between `{` and `}`.
const PROBLEM_PAGE: &str = include_str!("own/problem.html");
/// That page carries its own style and does nothing.
const PROBLEM_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
                              form-action 'none'; frame-ancestors 'none'";

/// One of the host's own routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Own<'p> {
    /// `/`
    Start,
    /// `/ui/<name>`: what that page loads.
    Asset(&'static assets::Asset),
    /// `/healthz`: this process serves.
    Health,
    /// `/readyz`: Redis can be written.
    Ready,
    /// `/metrics`
    Metrics,
    /// `/debug`: what whoever helps from afar wants to know.
    Debug,
    /// `/problems/<code>`
    Problem(&'p str),
    /// `/openapi.json`
    Document,
    /// `/docs` or `/redoc`, which show it.
    Reference,
    /// `/.well-known/<name>`: nothing. Clients of MCP ask there whether they shall sign in elsewhere.
    Absent,
}

impl<'p> Own<'p> {
    /// Whether somebody without a key may see it, where keys are asked for (`contract.md` §1).
    pub(super) fn is_open(self) -> bool {
        self.access() == Access::Open
    }

    /// What it asks of its caller. What shows the configuration and the log is the admin's in every
    /// mode.
    pub(super) fn access(self) -> Access {
        match self {
            Self::Metrics => Access::Read,
            Self::Debug => Access::LedgerAdmin,
            _ => Access::Open,
        }
    }

    /// The routes that are one path each.
    const EXACT: [(&'static str, Self); 6] = [
        ("/", Self::Start),
        ("/healthz", Self::Health),
        ("/readyz", Self::Ready),
        ("/metrics", Self::Metrics),
        ("/debug", Self::Debug),
        ("/openapi.json", Self::Document),
    ];

    /// The host's route for a path.
    pub(super) fn of(path: &'p str) -> Option<Self> {
        if let Some((_, own)) = Self::EXACT.iter().find(|(known, _)| *known == path) {
            return Some(*own);
        }
        if let Some(code) = path.strip_prefix("/problems/") {
            return Some(Self::Problem(code));
        }
        if reference::is_page(path) {
            return Some(Self::Reference);
        }
        if path.starts_with("/.well-known/") {
            return Some(Self::Absent);
        }
        ui::asset(path).map(Self::Asset)
    }
}

/// What the host's own routes show.
#[derive(Debug)]
pub(crate) struct OwnRoutes {
    readiness: Arc<Readiness>,
    metrics: Metrics,
    components: Vec<Component>,
    start_page: String,
    debug: Debug,
}

impl OwnRoutes {
    /// `role` is the subcommand.
    pub(crate) fn new(
        manifest: &Manifest,
        role: &str,
        readiness: Arc<Readiness>,
        metrics: Metrics,
        components: Vec<Component>,
        debug: Debug,
    ) -> Self {
        let version = manifest.version.as_deref().unwrap_or_default();
        let start_page = ui::page()
            .replace("{role}", role)
            .replace("{host_version}", VERSION)
            .replace("{name}", &escape(&manifest.name))
            .replace("{version}", &escape(version));
        Self { readiness, metrics, components, start_page, debug }
    }

    pub(super) async fn answer(&self, own: Own<'_>, parts: &Parts, request_id: &str) -> Answer {
        if !matches!(parts.method, Method::GET | Method::HEAD) && own != Own::Absent {
            let problem = Problem::new(Code::MethodNotAllowed, "This route can only be read.");
            let mut answer = problem::answer(problem, request_id);
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        match own {
            Own::Start => uncached(page(self.start_page.clone(), ui::POLICY)),
            Own::Asset(asset) => asset.answer(&parts.headers),
            Own::Health => {
                let healthy = Health { status: "healthy", service: "reef", built: &BUILT };
                uncached(json(&healthy, request_id))
            }
            Own::Ready => uncached(self.ready(request_id).await),
            Own::Metrics => uncached(whole(
                StatusCode::OK,
                "text/plain; version=0.0.4; charset=utf-8",
                self.metrics.render(&self.components),
            )),
            Own::Debug => uncached(self.debug(request_id).await),
            Own::Problem(code) => match Code::parse(code) {
                Some(code) => page(problem_page(code), PROBLEM_POLICY),
                None => problem::no_route(request_id),
            },
            Own::Document => reference::document(),
            Own::Reference => reference::page(),
            Own::Absent => problem::no_route(request_id),
        }
    }

    async fn debug(&self, request_id: &str) -> Answer {
        let (is_ready, why) = match self.readiness.status().await {
            Status::Ready => (true, None),
            Status::NotReady { code, reason, cause } => {
                (false, Some(json!({ "code": code.as_str(), "detail": reason, "cause": cause })))
            }
        };
        let readiness = json!({
            "ready": is_ready,
            "why": why,
            "warnings": self.readiness.warnings(),
            "durability": self.readiness.levels(),
        });
        let metrics = self.metrics.render(&self.components);
        json(&self.debug.bundle(readiness, &metrics).await, request_id)
    }

    async fn ready(&self, request_id: &str) -> Answer {
        let warnings = self.readiness.warnings();
        match self.readiness.status().await {
            Status::Ready => {
                let durability = self.readiness.levels();
                json(&Ready { status: "ready", service: "reef", warnings, durability }, request_id)
            }
            Status::NotReady { code, reason, .. } => {
                let mut problem = Problem::new(code, reason);
                problem.members.push(("warnings", json!(warnings)));
                problem::answer(problem, request_id)
            }
        }
    }
}

/// The answer of `/healthz`.
#[derive(Serialize)]
struct Health {
    status: &'static str,
    service: &'static str,
    #[serde(flatten)]
    built: &'static Built,
}

/// A good answer of `/readyz`.
#[derive(Serialize)]
struct Ready {
    status: &'static str,
    service: &'static str,
    warnings: Vec<String>,
    durability: Vec<LevelGiven<'static>>,
}

fn json(answer: &impl Serialize, request_id: &str) -> Answer {
    match serde_json::to_vec(answer) {
        Ok(body) => whole(StatusCode::OK, "application/json", body),
        Err(error) => problem::answer(Problem::internal(error.to_string()), request_id),
    }
}

fn page(html: String, policy: &'static str) -> Answer {
    let mut answer = whole(StatusCode::OK, "text/html; charset=utf-8", html);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    answer
}

fn uncached(mut answer: Answer) -> Answer {
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

fn problem_page(code: Code) -> String {
    PROBLEM_PAGE
        .replace("{code}", code.as_str())
        .replace("{status}", &code.status().to_string())
        .replace("{title}", &escape(code.title()))
        .replace("{advice}", &escape(code.advice()))
        .replace("{example}", &escape(&example(code)))
}

/// An answer of this code, as it is read by programs.
fn example(code: Code) -> String {
    let problem = match code {
        Code::ValidationFailed => Problem::field("cpu_usage", "must be between 0 and 100"),
        Code::InvalidParameter => {
            Problem::parameter("limit", "must be a whole number from 1 to 1000")
        }
        other => Problem::new(other, format!("{}.", other.title())),
    };
    let response = problem.into_response("01a1fd6d-9a8f-76f9-b21c-0ddc6cb80d30");
    let headers = response
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value)));
    let headers: String = headers.collect();
    let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
    format!("HTTP/1.1 {}\n{headers}\n{body:#}", response.status)
}

/// A text for HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_routes_are_exact() {
        assert_eq!(Own::of("/"), Some(Own::Start));
        assert_eq!(Own::of("/readyz"), Some(Own::Ready));
        assert_eq!(Own::of("/problems/fenced"), Some(Own::Problem("fenced")));
        for other in ["", "/health", "/readyz/", "/metrics/x", "/problems", "/api"] {
            assert_eq!(Own::of(other), None, "{other}");
        }
    }

    #[test]
    fn every_problem_has_a_page_that_loads_nothing() {
        for &code in Code::ALL {
            let html = problem_page(code);
            assert!(html.contains(code.as_str()) && html.contains(&code.status().to_string()));
            assert!(!html.contains("{code}") && !html.contains("{example}"));
        }
        assert!(!PROBLEM_PAGE.contains("https://") && !PROBLEM_PAGE.contains("//cdn"));
        assert!(PROBLEM_PAGE.contains("prefers-color-scheme: dark"));
        assert_eq!(escape("<a & \"b\">"), "&lt;a &amp; &quot;b&quot;&gt;");
    }
}
