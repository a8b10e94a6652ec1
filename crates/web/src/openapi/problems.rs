//! Which problems a route may answer, and how they are shown.

use std::collections::BTreeMap;

use reef_api::Word;
use serde_json::{Value, json};

use super::Line;
use super::operation::Takes;
use crate::auth::Access;
use crate::problem::Code;

/// The codes of requests that go no further than the edge.
pub(super) fn of_the_edge(line: &Line) -> Vec<Code> {
    let mut codes = vec![Code::MalformedRequest, Code::Misdirected, Code::Overloaded];
    if line.method != "GET" {
        // From a page of another origin.
        codes.push(Code::Forbidden);
    }
    codes
}

/// The codes that follow from the table and from what a route takes.
pub(super) fn usual(line: &Line, takes: &Takes) -> Vec<Code> {
    let mut codes = vec![
        Code::Unauthenticated,
        Code::RateLimited,
        Code::Internal,
        Code::DeadlineExceeded,
        Code::StoreUnavailable,
        Code::StoreFull,
        Code::StoreResharding,
        Code::Overloaded,
    ];
    if line.access != Access::Open {
        codes.push(Code::Forbidden);
    }
    if takes.path {
        // A word that is a route of its own may stand where an id is expected.
        codes.extend([Code::InvalidParameter, Code::ValidationFailed, Code::MethodNotAllowed]);
    }
    if takes.query {
        codes.push(Code::InvalidParameter);
    }
    if takes.body {
        codes.extend([
            Code::RequestTimeout,
            Code::MalformedJson,
            Code::PayloadTooLarge,
            Code::UnsupportedMediaType,
            Code::ValidationFailed,
        ]);
    }
    if line.method != "GET" {
        codes.extend([Code::InvalidParameter, Code::DurabilityNotReached]);
    }
    if line.method == "POST" {
        codes.extend([Code::InvalidParameter, Code::IdempotencyMismatch, Code::QuotaExceeded]);
    }
    codes
}

/// The codes of each status.
pub(super) fn by_status(codes: &[Code]) -> BTreeMap<u16, Vec<Code>> {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in Code::ALL.iter().copied().filter(|code| codes.contains(code)) {
        by_status.entry(code.status()).or_default().push(code);
    }
    by_status
}

/// What a response with one of these codes is called.
pub(super) fn name(codes: &[Code]) -> String {
    codes.iter().map(|code| code.as_str()).collect::<Vec<_>>().join(".")
}

/// A response with one of these codes.
pub(super) fn response(codes: &[Code]) -> Value {
    let lines = codes.iter().map(|code| {
        let name = code.as_str();
        format!("[`{name}`](/problems/{name}): {}.", code.title())
    });
    let names: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    let mut headers = json!({ "X-Request-Id": { "$ref": "#/components/headers/X-Request-Id" } });
    if let Some(headers) = headers.as_object_mut() {
        if codes.contains(&Code::Unauthenticated) {
            let header = json!({ "$ref": "#/components/headers/WWW-Authenticate" });
            headers.insert("WWW-Authenticate".to_owned(), header);
        }
        if codes.contains(&Code::MethodNotAllowed) {
            let header = json!({ "$ref": "#/components/headers/Allow" });
            headers.insert("Allow".to_owned(), header);
        }
        let later = [
            Code::RateLimited,
            Code::StoreUnavailable,
            Code::StoreFull,
            Code::StoreResharding,
            Code::DurabilityNotReached,
            Code::Overloaded,
        ];
        if codes.iter().any(|code| later.contains(code)) {
            let header = json!({ "$ref": "#/components/headers/Retry-After" });
            headers.insert("Retry-After".to_owned(), header);
        }
    }
    json!({
        "description": lines.collect::<Vec<_>>().join(" "),
        "headers": headers,
        "content": { "application/problem+json": { "schema": {
            "allOf": [
                { "$ref": "#/components/schemas/Problem" },
                { "properties": { "code": { "enum": names } } },
            ],
        } } },
    })
}
