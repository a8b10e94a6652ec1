//! Asks a hub's handlers for everything that they do, over a Redis that is watched.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::Location;

use anyhow::{Context, Result, ensure};
use reef_store::Store;
use reef_web::{App, Config, Request};
use serde_json::Value;

use super::watched::{Asked, Case, Sample, Watched};
use crate::servers::native_server;

/// Who administers.
const ADMIN_KEY: &str = "reef_bench000_0123456789abcdefghijklmnopqrstuv";

/// What the routes need: what users have, but no limit of requests, and room for what is made here.
const VARIABLES: [(&str, &str); 4] = [
    ("admin_key", ADMIN_KEY),
    ("rate_limit_per_second", "0"),
    ("heartbeat_timeout_seconds", "86400"),
    ("legacy_task_queue", "true"),
];

/// The handlers, and what they have cost.
pub(crate) struct Driver {
    app: App<Watched>,
    watched: Watched,
    /// How many of everything.
    pub(crate) many: usize,
    /// What reads have asked, by route and case; the least of all times.
    reads: RefCell<BTreeMap<Case, Asked>>,
    /// Method and path of each route.
    routes: Vec<(&'static str, &'static str)>,
    asked_for: RefCell<BTreeMap<(&'static str, &'static str), u64>>,
}

/// What has been seen.
#[derive(Debug)]
pub(crate) struct Seen {
    /// What calls of scripts have cost.
    pub(crate) samples: BTreeMap<Case, Vec<Sample>>,
    /// What reads have asked, by route and case.
    pub(crate) reads: BTreeMap<Case, Asked>,
    /// Routes that nothing was asked of.
    pub(crate) untouched: Vec<String>,
}

impl Driver {
    pub(crate) fn new(watched: Watched, many: usize) -> Result<Self> {
        let config = Config::read(|name| {
            let set = VARIABLES.iter().find(|(variable, _)| *variable == name);
            set.map_or_else(String::new, |(_, value)| (*value).to_owned())
        });
        let config = config.map_err(anyhow::Error::msg)?;
        let store = Store::new(watched.clone(), config.settings.keys.clone());
        let routes = native_server::routes::<Watched>();
        let known = routes.iter().map(|route| (route.method, route.path)).collect();
        let app = App::new(store, config, routes).map_err(anyhow::Error::msg)?;
        Ok(Self {
            app,
            watched,
            many,
            reads: RefCell::default(),
            routes: known,
            asked_for: RefCell::default(),
        })
    }

    pub(crate) fn store(&self) -> &Store<Watched> {
        &self.app.store
    }

    pub(crate) fn config(&self) -> &Config {
        &self.app.config
    }

    /// Says with which arguments scripts are called from now on; empty for those that are usual.
    pub(crate) fn case(&self, case: &'static str) {
        self.watched.notes.borrow_mut().case = case;
    }

    /// As the admin. A path goes on behind `/api/v1`, or from the root where it begins with `//`.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        self.ask_as(ADMIN_KEY, method, path, body).await
    }

    /// The same without a body.
    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        self.ask("GET", path, &Value::Null).await
    }

    /// The same with somebody's key.
    pub(crate) async fn ask_as(
        &self,
        key: &str,
        method: &str,
        path: &str,
        body: &Value,
    ) -> Result<Value> {
        let mut headers = vec![("x-api-key", key)];
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body)? };
        if !body.is_empty() {
            headers.push(("content-type", "application/json"));
        }
        let target = match path.strip_prefix("//") {
            Some(from_root) => format!("/{from_root}"),
            None => format!("/api/v1{path}"),
        };
        let request = Request {
            method: method.to_owned(),
            target: target.clone(),
            headers: headers.into_iter().collect(),
            body,
        };
        self.watched.notes.borrow_mut().asked = Asked::default();
        let response = self.app.answer(&request).await;
        let text = String::from_utf8_lossy(&response.body);
        ensure!(response.status < 300, "{method} {target}: {} {text}", response.status);
        let route =
            self.route_of(method, &target).with_context(|| format!("{target}: no route"))?;
        *self.asked_for.borrow_mut().entry(route).or_default() += 1;
        if method == "GET" {
            let notes = self.watched.notes.borrow();
            let mut reads = self.reads.borrow_mut();
            let least = reads.entry((route.1, notes.case)).or_insert(notes.asked);
            *least = notes.asked.min(*least);
        }
        if text.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&text)?) }
    }

    /// Of the routes that fit, the one that says the most.
    fn route_of(&self, method: &str, target: &str) -> Option<(&'static str, &'static str)> {
        let path = target.split('?').next().unwrap_or_default();
        let fits = |pattern: &str| {
            let (asked, known) = (path.split('/'), pattern.split('/'));
            asked.clone().count() == known.clone().count()
                && asked.zip(known).all(|(asked, known)| known.starts_with('{') || asked == known)
        };
        let found = self.routes.iter().filter(|route| route.0 == method && fits(route.1));
        found.min_by_key(|route| route.1.matches('{').count()).copied()
    }

    pub(crate) fn seen(&self) -> Seen {
        let asked_for = self.asked_for.borrow();
        let untouched = self.routes.iter().filter(|route| !asked_for.contains_key(route));
        Seen {
            samples: self.watched.notes.borrow().samples.clone(),
            reads: self.reads.borrow().clone(),
            untouched: untouched.map(|(method, path)| format!("{method} {path}")).collect(),
        }
    }
}

/// A text of an answer.
#[track_caller]
pub(crate) fn text(value: &Value) -> Result<String> {
    let at = Location::caller();
    Ok(value.as_str().with_context(|| format!("{at}: {value} is no text"))?.to_owned())
}
