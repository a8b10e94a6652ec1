//! A task as the hub hands it out.

use reef_api::Token;
use std::time::Duration;

use reef_client::Lenient;
use serde_json::Value;

/// A claimed task.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    /// As the hub told it, with all members.
    json: Value,
    id: String,
    token: Token,
    /// What of it cannot be read.
    unreadable: Option<String>,
}

/// An answer without what a claim needs.
#[derive(Debug, thiserror::Error)]
#[error("the hub handed out a task without {0}")]
pub(crate) struct Incomplete(&'static str);

impl Task {
    /// Reads one entry of a claim's answer.
    pub(crate) fn read(text: &str) -> Result<Self, Incomplete> {
        let Lenient::<Value> { value: json, unreadable } =
            Lenient::read(text.as_bytes()).map_err(|_| Incomplete("JSON"))?;
        let unreadable = unreadable.first().map(ToString::to_string);
        let member = |name| json.get(name).and_then(Value::as_str).map(str::to_owned);
        let id = member("task_id").ok_or(Incomplete("task_id"))?;
        let token = member("token").map(Token::from).ok_or(Incomplete("token"))?;
        Ok(Self { json, id, token, unreadable })
    }

    /// What of it cannot be read: nobody could run it.
    pub(crate) fn unreadable(&self) -> Option<&str> {
        self.unreadable.as_deref()
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// What proves that this claim is ours.
    pub(crate) fn token(&self) -> &Token {
        &self.token
    }

    /// The same task after a wait that was over at once: what it had left, and what came.
    pub(crate) fn resumed(&self, checkpoint: Option<&Value>, resume: Value) -> Self {
        let mut task = self.clone();
        if let Value::Object(members) = &mut task.json {
            if let Some(checkpoint) = checkpoint {
                members.insert("checkpoint".to_owned(), checkpoint.clone());
            }
            members.insert("resume".to_owned(), resume);
        }
        task
    }

    /// All of it, for the command.
    pub(crate) fn json(&self) -> &Value {
        &self.json
    }

    /// The message that it writes to, if it is a session's.
    pub(crate) fn message_id(&self) -> Option<&str> {
        self.json.get("message_id").and_then(Value::as_str).filter(|id| !id.is_empty())
    }

    /// How long it may run.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        let seconds = self.json.get("timeout").and_then(Value::as_f64)?;
        Duration::try_from_secs_f64(seconds).ok().filter(|timeout| !timeout.is_zero())
    }

    /// Which try this is, from 1.
    pub(crate) fn attempt(&self) -> u64 {
        self.json.get("retry_count").and_then(Value::as_u64).unwrap_or(0).saturating_add(1)
    }

    /// Whether it is under a limit of this name.
    pub(crate) fn is_under(&self, limit: &str) -> bool {
        let limits = self.json.get("limits").and_then(Value::as_array).into_iter().flatten();
        limits.filter_map(|it| it.get("name")?.as_str()).any(|name| name == limit)
    }

    /// One of its parameters.
    pub(crate) fn parameter(&self, name: &str) -> Option<&Value> {
        self.json.get("parameters")?.get(name)
    }

    /// The number of its claim, which grows with every claim of the task: the token begins with
    /// it. It fences what an earlier claim still appends to the message.
    pub(crate) fn epoch(&self) -> i64 {
        let digits: String = self.token.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap_or(0)
    }
}

/// A task for tests.
#[cfg(test)]
pub(crate) fn read(json: &Value) -> Task {
    Task::read(&json.to_string()).unwrap()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_task_is_read_as_the_hub_tells_it() {
        let task = read(&json!({
            "task_id": "t1", "token": "17-x", "timeout": 2.5, "retry_count": 1,
            "message_id": null, "parameters": {"workflow": "simple"},
        }));
        assert_eq!(task.unreadable(), None);
        assert_eq!(
            (task.id(), task.token().as_str(), task.epoch(), task.attempt()),
            ("t1", "17-x", 17, 2)
        );
        assert_eq!(task.timeout(), Some(Duration::from_millis(2500)));
        assert_eq!(task.message_id(), None);
        assert_eq!(task.parameter("workflow"), Some(&json!("simple")));
        assert!(Task::read(r#"{"task_id":"t1"}"#).is_err());
    }

    #[test]
    fn a_task_that_cannot_be_read_can_still_be_ended() {
        let text = r#"{"task_id":"t1","token":"1-x","parameters":{"a":"\ud800"}}"#;
        let task = Task::read(text).unwrap();
        assert_eq!((task.id(), task.token().as_str()), ("t1", "1-x"));
        assert!(task.unreadable().is_some_and(|it| it.contains("parameters.a")), "{task:?}");
    }
}
