//! Proposals: mail that asks an agent to take work on, accepted once (contract.md §4).

use serde_json::{Value, json};

use super::caller;
use super::idempotency::{assert_replayed, is_replay, keyed};
use crate::harness::{Answer, Client, Hub, race, unique};

const FIELDS: [&str; 5] = ["success", "msg_id", "executor", "task_ids", "reply_id"];

/// Two agents, one of whom proposes work to the other.
struct Pair<'a> {
    client: &'a Client,
    proposer: String,
    agent: String,
}

impl<'a> Pair<'a> {
    fn new(client: &'a Client) -> Self {
        Self { client, proposer: unique("proposer"), agent: unique("agent") }
    }

    /// Proposes these sub-tasks, of which those that are a name alone want a skill that nobody has:
    /// what stays behind is for no other test. Returns the message's id.
    #[track_caller]
    fn propose(&self, mut tasks: Value) -> String {
        for task in tasks.as_array_mut().unwrap().iter_mut().filter(|task| task.is_string()) {
            *task = json!({"name": task, "required_skills": [self.proposer]});
        }
        self.propose_just(tasks)
    }

    #[track_caller]
    fn propose_just(&self, tasks: Value) -> String {
        let body = json!({"from": self.proposer, "topic": "task_proposal", "content": {
            "idea": "tidy up", "tasks": tasks, "difficulty": 5, "value": 8,
        }});
        self.send(&body)
    }

    #[track_caller]
    fn send(&self, body: &Value) -> String {
        let sent = self.client.post(&format!("/inbox/{}", self.agent), body).ok();
        sent["msg_id"].as_str().unwrap().to_owned()
    }

    fn path(&self, message: &str) -> String {
        format!("/inbox/{}/proposals/{message}/accept", self.agent)
    }

    fn accept(&self, message: &str) -> Answer {
        self.client.post_empty(&self.path(message))
    }

    fn mail_of(&self, agent: &str) -> Vec<Value> {
        let seen = self.client.get(&format!("/inbox/{agent}")).ok();
        seen["messages"].as_array().unwrap().clone()
    }

    /// Takes the proposal under a lease and acknowledges it.
    #[track_caller]
    fn acknowledge(&self) {
        let path = format!("/inbox/{}", self.agent);
        let taken = self.client.post_empty(&format!("{path}/receive")).ok();
        let body = json!({"receipts": [taken["messages"][0]["receipt"]]});
        let done = self.client.post(&format!("{path}/ack"), &body).ok();
        assert_eq!(done["acknowledged"], 1);
    }
}

#[test]
fn an_accepted_proposal_is_acknowledged_answered_and_queued() {
    let (_hub, client) = caller();
    let pair = Pair::new(&client);
    let skill = unique("skill");
    let mop = json!({"name": "mop", "required_skills": [skill], "priority": 1, "timeout": 5,
        "parameters": {"room": [1]}, "metadata": {"colour": "blue"}});
    let proposal = pair.propose(json!(["sweep the floor", mop]));
    let accepted = pair.accept(&proposal).has_fields(&FIELDS);
    assert_eq!((&accepted["success"], &accepted["msg_id"]), (&json!(true), &json!(proposal)));
    assert_eq!(accepted["executor"], pair.agent);
    assert_eq!(pair.mail_of(&pair.agent), Vec::<Value>::new(), "acknowledged");

    let tasks = accepted["task_ids"].as_array().unwrap();
    assert_eq!(tasks.len(), 2);
    let task = |n: usize| client.get(&format!("/tasks/{}", tasks[n].as_str().unwrap())).ok();
    let first = task(0);
    assert_eq!(
        (&first["name"], &first["required_skills"]),
        (&json!("sweep the floor"), &json!([pair.proposer]))
    );
    let second = task(1);
    assert_eq!((&second["name"], &second["priority"]), (&json!("mop"), &json!(1)));
    assert_eq!((&second["timeout"], &second["required_skills"]), (&json!(5), &json!([skill])));
    assert_eq!(second["parameters"], json!({"room": [1]}));
    let origin = json!({"colour": "blue", "proposal_id": proposal, "executor": pair.agent,
        "proposed_by": pair.proposer});
    assert_eq!(second["metadata"], origin);

    let answers = pair.mail_of(&pair.proposer);
    assert_eq!(answers.len(), 1, "{answers:?}");
    let answer = &answers[0];
    assert_eq!(answer["msg_id"], accepted["reply_id"]);
    assert_eq!(
        (&answer["topic"], &answer["from"]),
        (&json!("task_assignment"), &json!(pair.agent))
    );
    let content = json!({"proposal_id": proposal, "idea": "tidy up", "status": "accepted",
        "executor": pair.agent, "task_count": 2, "task_ids": tasks});
    assert_eq!(answer["content"], content);
}

#[test]
fn a_sub_task_may_be_but_a_name() {
    // Any node may run it, those of other tests, too.
    let hub = Hub::start();
    let client = hub.admin();
    let pair = Pair::new(&client);
    let accepted = pair.accept(&pair.propose_just(json!(["sweep the floor"]))).ok();
    let task = client.get(&format!("/tasks/{}", accepted["task_ids"][0].as_str().unwrap())).ok();
    assert_eq!((&task["name"], &task["required_skills"]), (&json!("sweep the floor"), &json!([])));
}

#[test]
fn a_repeat_gets_the_same_answer_and_does_nothing() {
    let (_hub, client) = caller();
    let pair = Pair::new(&client);
    let proposal = pair.propose(json!(["one"]));
    let path = pair.path(&proposal);
    let first = assert_replayed(&client, &path, &json!({}));
    // Without a key, with another, and for the executor that it was accepted for.
    assert_eq!(pair.accept(&proposal).ok(), first);
    assert_eq!(keyed(&client, &unique("key")).post_empty(&path).ok(), first);
    assert_eq!(client.post(&path, &json!({"executor": pair.agent})).ok(), first);
    assert_eq!(pair.mail_of(&pair.proposer).len(), 1);

    // Not even when the task was removed meanwhile.
    let task = format!("/tasks/{}", first["task_ids"][0].as_str().unwrap());
    client.post_empty(&format!("{task}/cancel")).ok();
    client.delete(&task).ok();
    assert_eq!(pair.accept(&proposal).ok(), first);
    client.get(&task).problem(404, "not_found");

    client.post(&path, &json!({"executor": "else"})).problem(409, "conflict");
}

#[test]
fn a_key_that_was_used_for_another_request_accepts_nothing() {
    let (_hub, client) = caller();
    let pair = Pair::new(&client);
    let proposal = pair.propose(json!(["one"]));
    let path = pair.path(&proposal);
    let client = keyed(&client, &unique("key"));
    let accepted = client.post(&path, &json!({"executor": "first"}));
    assert!(!is_replay(&accepted), "{accepted}");
    assert_eq!(accepted.ok()["executor"], "first");
    let other = json!({"executor": "first", "more": 1});
    client.post(&path, &other).problem(422, "idempotency_mismatch");
}

#[test]
fn of_many_who_accept_at_once_one_does() {
    let (_hub, client) = caller();
    let pair = Pair::new(&client);
    let proposal = pair.propose(json!(["one", "two", "three"]));
    let answers = race(8, |_| pair.accept(&proposal).ok());
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(pair.mail_of(&pair.proposer).len(), 1);
    assert_eq!(answers[0]["task_ids"].as_array().unwrap().len(), 3);
}

#[test]
fn a_proposal_under_a_lease_is_accepted_too() {
    let (_hub, client) = caller();
    let pair = Pair::new(&client);
    let proposal = pair.propose(json!(["one"]));
    let taken = client.post_empty(&format!("/inbox/{}/receive", pair.agent)).ok();
    let executor = unique("executor");
    let accepted = client.post(&pair.path(&proposal), &json!({"executor": executor})).ok();
    assert_eq!(accepted["executor"], executor);
    let body = json!({"receipts": [taken["messages"][0]["receipt"]]});
    let late = client.post(&format!("/inbox/{}/ack", pair.agent), &body).ok();
    assert_eq!((&late["acknowledged"], &late["unknown"]), (&json!(0), &json!(1)));
}

#[test]
fn what_is_no_proposal_or_not_there_is_refused() {
    let (_hub, client) = caller();
    let pair = Pair::new(&client);
    pair.accept("msg_of_nobody").problem(404, "not_found");
    client.post_empty(&pair.path("a%20b")).problem(422, "validation_failed");
    let plain = pair.send(&json!({"from": "me", "content": {"tasks": ["x"]}}));
    pair.accept(&plain).problem(409, "conflict");
    pair.acknowledge();
    pair.accept(&plain).problem(404, "not_found");
    let declined = pair.propose(json!(["one"]));
    client
        .post(&pair.path(&declined), &json!({"executor": "@x"}))
        .problem(422, "validation_failed");
    pair.acknowledge();
    pair.accept(&declined).problem(409, "conflict");
}

#[test]
fn a_malformed_proposal_names_its_sub_tasks_and_stays() {
    let (_hub, client) = caller();
    let pair = Pair::new(&client);
    let proposal = pair.propose(json!(["good", {"name": "bad", "priority": 9}, 7]));
    let problem = pair.accept(&proposal).problem(422, "validation_failed");
    let fields = problem["errors"].as_array().unwrap().iter().map(|error| &error["field"]);
    assert_eq!(fields.collect::<Vec<_>>(), ["tasks[1].priority", "tasks[2]"]);
    assert_eq!(pair.mail_of(&pair.agent).len(), 1, "nothing was done");
    assert_eq!(pair.mail_of(&pair.proposer), Vec::<Value>::new());
    let empty = pair.propose(json!([]));
    pair.accept(&empty).problem(422, "validation_failed");
}
