//! Whatever is sent, there is an answer: what somebody could not read is refused by its field, and
//! all that was taken can be read by everybody.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::document::{Operation, document, operations};
use super::fields::{Field, Place, fields_of};
use super::grounds::{Asked, Grounds};
use super::reading::read_all;
use super::values::{BLANKS, Odd, jsons, texts};
use super::who_may::is_done;
use crate::contract::Subject;
use crate::harness::{Answer, Hub, raw};

/// After which there is nothing left to do the same to.
const ENDS: [&str; 12] = [
    "complete", "fail", "shutdown", "rotate", "void", "post", "close", "match", "ack", "accept",
    "cancel", "retry",
];

fn ends_something(operation: &Operation) -> bool {
    let last = operation.path.rsplit('/').next().unwrap();
    let is_verb = ENDS.contains(&last) && operation.path.contains('{');
    operation.method == "DELETE" || is_verb || operation.name() == "PATCH /api/v1/agents/{id}"
}

/// A request with a value in one place.
fn send(grounds: &Grounds, operation: &Operation, field: &Field, odd: &Odd) -> Option<Answer> {
    let client = &grounds.owner.client;
    let asked = grounds.asked(operation, &grounds.owner);
    if matches!(field.place, Place::Text | Place::Json) {
        let body = field.put(&asked.body, &odd.json);
        let client = client.with("content-type", "application/json");
        return client.try_send(&operation.method, &asked.path, Some(body.as_bytes())).ok();
    }
    let (target, header) = placed(operation, field, odd, &asked);
    if operation.is_stream() {
        let value = String::from_utf8_lossy(&odd.bytes).into_owned();
        let client = match field.place {
            Place::Header => client.with(&field.way[0], &value),
            _ => client.clone(),
        };
        let stream = client.stream(target.strip_prefix("/api/v1").unwrap());
        if stream.status == 200 {
            let (request, status) = (operation.name(), stream.status);
            return Some(Answer { request, status, headers: Vec::new(), body: Vec::new() });
        }
    }
    let body = match &asked.body {
        Value::Null => String::new(),
        body => body.to_string(),
    };
    let mut bytes = format!("{} {target} HTTP/1.1\r\n", operation.method).into_bytes();
    let host = client.address();
    let key = client.key().unwrap();
    let length = body.len();
    bytes.extend_from_slice(
        format!("host: {host}\r\nauthorization: Bearer {key}\r\nconnection: close\r\n").as_bytes(),
    );
    if length > 0 {
        let head = format!("content-type: application/json\r\ncontent-length: {length}\r\n");
        bytes.extend_from_slice(head.as_bytes());
    }
    bytes.extend_from_slice(&header);
    bytes.extend_from_slice(format!("\r\n{body}").as_bytes());
    Some(raw(host, &bytes))
}

/// The target and the header of a request with a value among its parameters.
fn placed(operation: &Operation, field: &Field, odd: &Odd, asked: &Asked) -> (String, Vec<u8>) {
    let name = &field.way[0];
    let encoded = odd.bytes.iter().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() {
            text.push(char::from(*byte));
        } else {
            write!(text, "%{byte:02x}").unwrap();
        }
        text
    });
    let whole = |path: &str| match path.strip_prefix("//") {
        Some(at_root) => format!("/{at_root}"),
        None => format!("/api/v1{path}"),
    };
    match field.place {
        Place::Path => {
            let here = format!("{{{name}}}");
            let path = whole(&asked.path);
            let segments = operation.path.split('/').zip(path.split('/'));
            let segments = segments.map(|(name, it)| if name == here { &encoded } else { it });
            (segments.collect::<Vec<_>>().join("/"), Vec::new())
        }
        Place::Query => {
            let path = whole(&asked.path);
            let joint = if path.contains('?') { '&' } else { '?' };
            (format!("{path}{joint}{name}={encoded}"), Vec::new())
        }
        _ => {
            let mut header = format!("{name}: ").into_bytes();
            header.extend_from_slice(String::from_utf8_lossy(&odd.bytes).as_bytes());
            header.extend_from_slice(b"\r\n");
            (whole(&asked.path), header)
        }
    }
}

/// What is wrong with an answer, if anything is.
fn fault(field: &Field, odd: &Odd, answer: &Answer) -> Option<String> {
    let status = answer.status;
    if matches!(status, 200 | 204) {
        return None;
    }
    if status == 431 || (status == 400 && answer.body.is_empty()) {
        // What is no HTTP is refused before anybody knows what was asked.
        let is_no_http = status == 431 || odd.bytes.iter().any(|byte| *byte < b' ');
        let may_be = is_no_http && !matches!(field.place, Place::Text | Place::Json);
        return (!may_be).then(|| "it was no problem".to_owned());
    }
    if !(400..500).contains(&status) {
        return Some("it was no refusal".to_owned());
    }
    if answer.header("content-type") != Some("application/problem+json") {
        return Some("it was no problem".to_owned());
    }
    let problem = answer.json();
    // The blanks at the ends of a header are none of its value.
    let is_repeat = field.place == Place::Header && problem["code"] == "idempotency_mismatch";
    if is_repeat && odd.what == BLANKS {
        return None;
    }
    if matches!(status, 400 | 422) && !blames(&problem, field) {
        return Some(format!("{} was not blamed", field.name()));
    }
    let refused = [400, 422, 404, 409, 403, 405, 413];
    (!refused.contains(&status)).then(|| "it was refused strangely".to_owned())
}

/// Whether a problem names the field, what it is part of, or a part of it.
fn blames(problem: &Value, field: &Field) -> bool {
    let name = field.name();
    problem["errors"].as_array().into_iter().flatten().any(|error| {
        let blamed = error["field"].as_str().unwrap_or_default().replace("[0]", "");
        let is_id = field.place == Place::Path && blamed.ends_with("_id");
        let within = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        is_id || within(&name, &blamed) || within(&blamed, &name)
    })
}

/// What was sent, and what came of it.
#[derive(Default)]
pub struct Tally {
    fields: usize,
    requests: usize,
    taken: usize,
    refused: BTreeMap<u16, usize>,
    faults: Vec<String>,
    /// Everybody's things that something was done to, and by which operation.
    pub grounds: Vec<(Grounds, String)>,
    /// Tasks that were submitted.
    pub tasks: Vec<String>,
}

fn prepared(operation: &Operation, hub: &Subject) -> Grounds {
    let mut grounds = Grounds::new(hub);
    grounds.prepare(operation, hub);
    grounds
}

fn send_all(hub: &Subject, operation: &Operation, fields: &[Field], tally: &mut Tally) {
    let mut grounds = prepared(operation, hub);
    // A value is refused for itself only if the rest is right.
    if !operation.is_stream() {
        let asked = grounds.asked(operation, &grounds.owner);
        let answer = match &asked.body {
            Value::Null => grounds.owner.client.send(&operation.method, &asked.path, None),
            body => grounds.owner.client.send_json(&operation.method, &asked.path, body),
        };
        if !is_done(operation, answer.status) {
            tally.faults.push(format!("{}: {answer}", operation.name()));
        }
        if ends_something(operation) {
            grounds = prepared(operation, hub);
        }
    }
    for field in fields {
        tally.fields += 1;
        let odds = if field.place == Place::Json { jsons() } else { texts() };
        for odd in odds {
            tally.requests += 1;
            let what = format!("{}: {}: {}", operation.name(), field.name(), odd.what);
            let Some(answer) = send(&grounds, operation, field, &odd) else {
                tally.faults.push(format!("{what}: no answer"));
                continue;
            };
            if let Some(fault) = fault(field, &odd, &answer) {
                let shown: String = answer.to_string().chars().take(400).collect();
                tally.faults.push(format!("{what}: {fault}: {shown}"));
            }
            if !matches!(answer.status, 200 | 204) {
                *tally.refused.entry(answer.status).or_default() += 1;
                continue;
            }
            tally.taken += 1;
            if operation.method == "POST"
                && operation.path.ends_with("/tasks")
                && !operation.path.contains("/messages/")
            {
                tally.tasks.extend(answer.json()["task_id"].as_str().map(str::to_owned));
            }
            if grounds.is_held_anew(operation) {
                continue;
            }
            if ends_something(operation) {
                let used = std::mem::replace(&mut grounds, prepared(operation, hub));
                tally.grounds.push((used, operation.name()));
            }
        }
    }
    if operation.is_read() {
        return;
    }
    tally.grounds.push((grounds, operation.name()));
}

#[test]
fn whatever_is_sent_is_refused_by_its_field_or_can_be_read_by_all() {
    let options = Hub::options().variable("anonymous_rate_per_second", "0").timeout(3600.0);
    let server = options.variable("rate_limit_per_second", "0").start();
    let (url, key_file) = (server.url().to_owned(), server.state_dir().join("admin.key"));
    let hub = Subject::of(server);
    let (document, mut tally) = (document(), Tally::default());
    let started = std::time::Instant::now();
    for operation in operations() {
        let described = &document["paths"][&operation.path][operation.method.to_lowercase()];
        let fields = fields_of(&document, described);
        if !fields.is_empty() {
            send_all(&hub, &operation, &fields, &mut tally);
        }
    }
    println!(
        "{} fields, {} requests: {} taken, refused {:?}; {} grounds, {} tasks, {:?}",
        tally.fields,
        tally.requests,
        tally.taken,
        tally.refused,
        tally.grounds.len(),
        tally.tasks.len(),
        started.elapsed(),
    );
    // Nothing was passed over in silence: the document has so many fields, and more each day.
    assert!(tally.fields > 300 && tally.taken > 500, "{} fields", tally.fields);
    let faults = std::mem::take(&mut tally.faults);
    println!("{} faults:\n{}", faults.len(), faults.join("\n"));
    read_all(&hub, &url, &key_file, &tally);
    println!("{:?}", started.elapsed());
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
