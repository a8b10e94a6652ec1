//! What went wrong, and what an agent does next.

use serde_json::{Map, Value, json};

use crate::Response;

/// A problem of the contract (RFC 9457), or of this side of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// The status code of the answer.
    pub status: u16,
    /// When to ask again, in seconds.
    pub retry_after: Option<u64>,
    members: Map<String, Value>,
}

impl Problem {
    /// With a code of the contract and a sentence.
    #[must_use]
    pub fn new(status: u16, code: &str, detail: &str) -> Self {
        let mut members = Map::new();
        members.insert("status".to_owned(), status.into());
        members.insert("code".to_owned(), code.into());
        members.insert("detail".to_owned(), detail.into());
        Self { status, retry_after: None, members }
    }

    /// The arguments of a call cannot be used.
    #[must_use]
    pub fn of_arguments(detail: &str) -> Self {
        Self::new(422, "validation_failed", detail)
    }

    /// Fields that break a rule, with the rules.
    #[must_use]
    pub fn of_fields(fields: &[(String, String)]) -> Self {
        let said: Vec<_> = fields.iter().map(|(field, rule)| format!("{field}: {rule}")).collect();
        let mut problem = Self::of_arguments(&said.join("; "));
        let errors: Vec<_> =
            fields.iter().map(|(field, rule)| json!({"field": field, "message": rule})).collect();
        problem.members.insert("errors".to_owned(), errors.into());
        problem
    }

    /// What has answered is no hub, or one that this program does not understand.
    #[must_use]
    pub fn unreadable() -> Self {
        Self::new(502, "unreadable", "The hub's answer is not understood.")
    }

    /// Reads what a hub answered in place of a success. Whatever it is, its status says what it means.
    #[must_use]
    pub fn read(response: &Response) -> Self {
        let members = match serde_json::from_slice(&response.body) {
            Ok(Value::Object(members)) => members,
            _ => Map::new(),
        };
        let mut problem =
            Self { status: response.status, retry_after: response.retry_after, members };
        if !problem.members.get("code").is_some_and(Value::is_string) {
            let detail = format!("The hub answered {}.", response.status);
            problem.members.insert("code".to_owned(), "unknown".into());
            problem.members.insert("detail".to_owned(), detail.into());
        }
        problem
    }

    /// Which problem it is.
    #[must_use]
    pub fn code(&self) -> &str {
        self.text("code")
    }

    /// What is wrong, in one sentence.
    #[must_use]
    pub fn detail(&self) -> &str {
        self.text("detail")
    }

    fn text(&self, name: &str) -> &str {
        self.members.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The problem as an object.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::Object(self.members.clone())
    }

    /// Code, what is wrong, and what to do next.
    #[must_use]
    pub fn advise(&self) -> String {
        let said = format!("{}: {}", self.code(), self.detail());
        let pause = self.retry_after.unwrap_or(1);
        match self.next_step() {
            Some(step) => format!("{said} {step}"),
            None => format!(
                "{said} Wait {pause} s, then call again with the same arguments and the same \
                 idempotency_key, if you gave one."
            ),
        }
    }

    /// What an agent does next; `None`: wait and repeat.
    fn next_step(&self) -> Option<&'static str> {
        Some(match self.code() {
            "fenced" => {
                "You no longer hold it: do not repeat this call. Drop the work, and call claim_task \
                 if you want another task."
            }
            "not_found" => {
                "Check the id. If it is your own agent that is not known, call check_in first."
            }
            "unauthenticated" => "Ask the person who set up this connection for a good key.",
            "forbidden" | "act_required" => {
                "This key may not do that: act on what is yours, or ask for a key with the scope."
            }
            "validation_failed"
            | "invalid_parameter"
            | "invalid_registration"
            | "malformed_json" => "Correct the arguments that are named, then call again.",
            "conflict" => "Look at its present state before you decide what to do.",
            "insufficient_balance" => "Pay less, or wait until money comes in.",
            "idempotency_mismatch" => {
                "That idempotency_key belongs to another call: use a new one for a new call."
            }
            "signals_full" => "Wait until the task has taken some of its signals.",
            "inbox_full" => "Wait until the other agent has read its mail, or ask another one.",
            "quota_exceeded" => "Finish or remove some of what you have, then call again.",
            "payload_too_large" => "Send less: put large data elsewhere and send where it is.",
            "store_full" => {
                "Finish or remove something; the operator must give the hub more memory."
            }
            "durability_not_reached" => {
                "It is done. Call again with the same arguments and the same idempotency_key, if \
                 you gave one, to have it waited for anew."
            }
            "deadline_exceeded" | "hub_unavailable" | "internal" | "unreadable" | "unknown" => {
                "It may have had its effect: look before you repeat it. If it goes on, tell the \
                 operator the request_id."
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Problem {
        Problem::read(&Response { status, body: body.into(), ..Response::default() })
    }

    #[test]
    fn a_problem_says_what_to_do_next() {
        let fenced = read(409, r#"{"code":"fenced","detail":"Not yours.","expected":7}"#);
        assert!(fenced.advise().starts_with("fenced: Not yours. You no longer hold it: do not"));
        assert_eq!(fenced.to_value()["expected"], 7);
        let busy = Response {
            status: 503,
            body: br#"{"code":"overloaded","detail":"Too much."}"#.to_vec(),
            retry_after: Some(3),
            ..Response::default()
        };
        assert!(Problem::read(&busy).advise().contains("Wait 3 s, then call again"));
    }

    #[test]
    fn whatever_else_answers_is_known_by_its_status() {
        for body in ["<html>Bad gateway</html>", "", "[1]", r#"{"code":5}"#] {
            let problem = read(502, body);
            assert_eq!((problem.code(), problem.detail()), ("unknown", "The hub answered 502."));
        }
    }
}
