//! An answer of the hub, and what holds for every one of them.

use serde_json::Value;

use super::json::field_names;

/// What came back for one request.
#[derive(Clone)]
pub struct Answer {
    /// The request's method and target, for messages.
    pub request: String,
    pub status: u16,
    /// Names in lower case, in the order of arrival.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header, if there is one.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap_or_else(|_| panic!("{self}: not UTF-8"))
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{self}: not JSON: {error}"))
    }

    /// The body of a success.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{self}");
        let content_type = self.header("content-type").unwrap_or_default();
        assert!(content_type.starts_with("application/json"), "{self}: {content_type}");
        self.json()
    }

    /// The body of a success that is an array.
    #[track_caller]
    pub fn list(&self) -> Vec<Value> {
        let body = self.ok();
        body.as_array().unwrap_or_else(|| panic!("{self}: not an array")).clone()
    }

    /// Checks that the success has exactly these fields, in this order.
    #[track_caller]
    pub fn has_fields(&self, expected: &[&str]) -> Value {
        let body = self.ok();
        assert_eq!(field_names(&self.text()), expected, "{self}");
        body
    }

    /// Checks that this is the problem that contract.md §1 describes, and returns it.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{self}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self}");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{self}");
        assert_eq!(problem["status"], status, "{self}");
        assert_eq!(problem["type"], format!("/problems/{code}"), "{self}");
        for field in ["title", "detail", "request_id"] {
            let text = problem[field].as_str().unwrap_or_default();
            assert!(!text.trim().is_empty(), "{self}: no {field}");
        }
        assert_eq!(
            problem["request_id"].as_str(),
            self.header("x-request-id"),
            "{self}: the problem and the header name different requests"
        );
        problem
    }

    /// Checks that this is that problem and blames exactly that field (among others perhaps).
    #[track_caller]
    pub fn problem_with(&self, status: u16, code: &str, field: &str) -> Value {
        let problem = self.problem(status, code);
        let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("{self}: no errors"));
        let blamed = errors.iter().find(|error| error["field"] == field);
        let blamed = blamed.unwrap_or_else(|| panic!("{self}: {field} is not blamed"));
        assert!(blamed["message"].as_str().is_some_and(|text| !text.is_empty()), "{self}");
        problem
    }

    /// What holds for every answer: it says its own length (without which an answer through Spin
    /// takes 40 ms on a connection that is kept), and under which id the log knows it.
    #[track_caller]
    pub(super) fn check_frame(&self) {
        let is_head = self.request.starts_with("HEAD ");
        let length = self.header("content-length");
        let length = length.unwrap_or_else(|| panic!("{self}: no content-length"));
        if !is_head {
            assert_eq!(length, self.body.len().to_string(), "{self}: a wrong content-length");
        }
        assert!(self.header("transfer-encoding").is_none(), "{self}: chunked");
        assert!(self.header("x-request-id").is_some_and(|id| !id.is_empty()), "{self}: no id");
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = String::from_utf8_lossy(&self.body);
        let body: String = body.chars().take(2000).collect();
        write!(formatter, "{} -> {} {body}", self.request, self.status)
    }
}

/// Whether this is a time as the hub writes it: `2026-02-04T04:58:14.123Z`.
///
/// All times have this one form, so they can be compared as text.
pub fn is_timestamp(value: &Value) -> bool {
    let pattern = b"dddd-dd-ddTdd:dd:dd.dddZ";
    value.as_str().is_some_and(|text| {
        text.len() == pattern.len()
            && text.bytes().zip(pattern).all(|(byte, expected)| match expected {
                b'd' => byte.is_ascii_digit(),
                literal => byte == *literal,
            })
    })
}
