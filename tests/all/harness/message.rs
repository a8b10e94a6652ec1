//! Messages that tests write.

use serde_json::{Value, json};

use super::{Client, unique};

/// A message of a caller's, and where it is.
#[derive(Clone)]
pub struct Message {
    pub client: Client,
    pub session: String,
    pub id: String,
}

/// Opens a session and returns its id.
#[track_caller]
pub fn new_session(client: &Client) -> String {
    let session = client.post("/sessions", &json!({})).ok();
    session["session_id"].as_str().unwrap().to_owned()
}

impl Message {
    /// Makes one to write to, in a session of its own.
    #[track_caller]
    pub fn begin(client: &Client) -> Self {
        Self::begin_in(client, &new_session(client))
    }

    #[track_caller]
    pub fn begin_in(client: &Client, session: &str) -> Self {
        let id = unique("msg");
        let role = json!({"role": "assistant"});
        client.send_json("PUT", &format!("/sessions/{session}/messages/{id}"), &role).ok();
        Self { client: client.clone(), session: session.to_owned(), id }
    }

    #[track_caller]
    pub fn post(&self, what: &str, body: &Value) {
        self.client.post(&format!("/messages/{}/{what}", self.id), body).ok();
    }

    #[track_caller]
    pub fn append(&self, delta: &str) {
        self.post("append", &json!({"delta": delta}));
    }

    #[track_caller]
    pub fn complete(&self) {
        self.post("complete", &json!({}));
    }

    /// The message as it is now.
    #[track_caller]
    pub fn now(&self) -> Value {
        self.client.get(&format!("/messages/{}", self.id)).ok()
    }

    /// All its events, as they were published.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        let page = self.client.get(&format!("/messages/{}/events?limit=1000", self.id)).ok();
        assert_eq!(page["gap"], Value::Null);
        page["events"].as_array().unwrap().clone()
    }

    /// Where its stream is.
    pub fn stream(&self) -> String {
        format!("/sessions/{}/messages/{}/stream", self.session, self.id)
    }
}
