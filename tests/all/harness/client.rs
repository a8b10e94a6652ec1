//! Requests: through an HTTP client as callers use one, and byte by byte.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use ureq::http;

use super::answer::Answer;
use super::stream::EventStream;
use super::unique;

/// Longer than the hub may take for anything, so that a hang is told as one.
const TIMEOUT: Duration = Duration::from_secs(15);

/// One caller of a hub: an address and perhaps a key. Connections are kept and reused.
#[derive(Clone)]
pub struct Client {
    /// `http://host:port`
    base: String,
    headers: Vec<(String, String)>,
    agent: ureq::Agent,
}

impl Client {
    /// A caller without a key.
    pub fn new(base: &str) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(TIMEOUT))
            .build();
        let base = base.trim_end_matches('/').to_owned();
        Self { base, headers: Vec::new(), agent: config.into() }
    }

    /// The same caller, sending this header with every request.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// The same caller with a key.
    pub fn with_key(&self, key: &str) -> Self {
        self.with("authorization", &format!("Bearer {key}"))
    }

    /// The key that it brings, if any.
    pub fn key(&self) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(name, _)| name == "authorization")?;
        value.strip_prefix("Bearer ")
    }

    /// The same hub, asked by nobody in particular.
    pub fn anonymous(&self) -> Self {
        Self { headers: Vec::new(), ..self.clone() }
    }

    /// Registers an agent, which this caller must be allowed to: with the admin key, say.
    #[track_caller]
    pub fn new_agent(&self) -> NewAgent {
        let made = self.post("/agents/register", &json!({"agent_id": unique("agent")})).ok();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (id, key) = (text(&made["agent"]["agent_id"]), text(&made["api_key"]));
        NewAgent { id, client: self.anonymous().with_key(&key), key }
    }

    /// `host:port`, for requests that a well-behaved client cannot make.
    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None)
    }

    /// Opens an event stream below `/api/v1`.
    #[track_caller]
    pub fn stream(&self, path: &str) -> EventStream {
        EventStream::open(self.address(), &format!("/api/v1{path}"), &self.headers)
    }

    /// The same over a connection that breaks after so many bytes; nothing if it breaks before
    /// the hub's answer has begun.
    #[track_caller]
    pub fn stream_and_cut(&self, path: &str, bytes: u64) -> Option<EventStream> {
        let target = format!("/api/v1{path}");
        EventStream::open_and_cut(self.address(), &target, &self.headers, bytes)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send_json("POST", path, body)
    }

    /// Posts nothing at all.
    pub fn post_empty(&self, path: &str) -> Answer {
        self.send("POST", path, None)
    }

    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.send_json("PUT", path, body)
    }

    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send_json("PATCH", path, body)
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None)
    }

    pub fn send_json(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.with("content-type", "application/json").send(
            method,
            path,
            Some(&serde_json::to_vec(body).unwrap()),
        )
    }

    /// Sends a request below `/api/v1` (or, with a path that begins with `//`, at the root).
    #[track_caller]
    pub fn send(&self, method: &str, path: &str, body: Option<&[u8]>) -> Answer {
        match self.try_send(method, path, body) {
            Ok(answer) => answer,
            Err(error) => panic!("{method} {path}: no answer: {error}"),
        }
    }

    /// Sends a request that may find nobody to answer it.
    ///
    /// # Errors
    /// What kept the answer away: nobody listens, the connection broke, or it took too long.
    #[track_caller]
    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        body: Option<&[u8]>,
    ) -> Result<Answer, ureq::Error> {
        let target = match path.strip_prefix("//") {
            Some(at_root) => format!("/{at_root}"),
            None => format!("/api/v1{path}"),
        };
        let mut request =
            http::Request::builder().method(method).uri(format!("{}{target}", self.base));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let response = match body {
            Some(body) => self.agent.run(request.body(body).unwrap())?,
            None => self.agent.run(request.body(()).unwrap())?,
        };
        let (parts, mut body) = response.into_parts();
        let headers = parts.headers.iter().map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let answer = Answer {
            request: format!("{method} {target}"),
            status: parts.status.as_u16(),
            headers: headers.collect(),
            body: body.with_config().limit(64 << 20).read_to_vec()?,
        };
        answer.check_frame();
        Ok(answer)
    }

    /// Registers a node under a hostname of its own and returns its id.
    #[track_caller]
    pub fn new_node(&self, name: &str) -> String {
        self.new_node_with(name, &["build"])["node_id"].as_str().unwrap().to_owned()
    }

    /// Registers a node with these skills under a hostname of its own and returns it.
    #[track_caller]
    pub fn new_node_with(&self, name: &str, skills: &[&str]) -> Value {
        let mut body = registration(&unique(name));
        body["available_skills"] = skills.into();
        self.post("/nodes/register", &body).ok()["node_info"].clone()
    }

    /// The node as it is now.
    #[track_caller]
    pub fn node(&self, id: &str) -> Value {
        self.get(&format!("/nodes/{id}")).ok()
    }

    /// Sends a heartbeat that must succeed.
    #[track_caller]
    pub fn beat(&self, id: &str, body: &Value) -> Value {
        self.post(&format!("/nodes/{id}/heartbeat"), body).ok()
    }
}

/// An agent that was registered for a test.
#[derive(Clone)]
pub struct NewAgent {
    pub id: String,
    /// Its first key.
    pub key: String,
    /// With that key.
    pub client: Client,
}

/// A registration with the least that it needs.
pub fn registration(hostname: &str) -> Value {
    serde_json::json!({
        "hostname": hostname,
        "platform": "linux",
        "arch": "x64",
        "available_skills": ["build"],
    })
}

/// Sends these bytes on a connection of their own and returns all that comes back.
///
/// The request should ask for the connection to be closed; else this waits for its timeout.
pub fn raw(address: &str, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    // The hub may answer and close before it has read everything, which is its right.
    let _ = stream.write_all(request);
    read_answer(&mut stream, &String::from_utf8_lossy(request))
}

/// Reads one answer to the end of the connection.
pub fn read_answer(stream: &mut TcpStream, request: &str) -> Answer {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let request = request.lines().next().unwrap_or_default().to_owned();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| {
        panic!("{request}: not an HTTP answer: {:?}", String::from_utf8_lossy(&bytes))
    });
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap().parse().unwrap();
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    Answer { request, status, headers: headers.collect(), body: bytes[end + 4..].to_vec() }
}
