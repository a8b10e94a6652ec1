//! A proposal whose acceptance is cut between any two of its steps: either nothing was done, or the
//! monitor does the rest, once. The steps are those that the hub takes, by its own scripts.

use reef_api::MailId;
use std::cell::Cell;

use reef_store::proposal::{Accept, Accepted, Note, Progress, noted_name, settle};
use reef_store::variables::Given;
use reef_store::{Keys, Redis, RedisError, Reply, Settings, Store};
use serde_json::{Value, json};

use crate::harness::{Blocking, Client, Hub, PATIENCE, eventually, now, store};

/// A connection that breaks after some commands.
struct Cut<'a> {
    whole: &'a Blocking,
    left: Cell<usize>,
}

impl Redis for Cut<'_> {
    async fn execute(&self, command: &str, args: Vec<Vec<u8>>) -> Result<Vec<Reply>, RedisError> {
        let Some(left) = self.left.get().checked_sub(1) else {
            return Err(RedisError::Unavailable("cut".to_owned()));
        };
        self.left.set(left);
        self.whole.execute(command, args).await
    }
}

/// Accepts as the hub does, through a connection that breaks after some commands. `true`: it came to
/// its end.
fn accept(scripts: &Store<Blocking>, agent: &str, message_id: &str, commands: usize) -> bool {
    let cut = Cut { whole: scripts.redis(), left: Cell::new(commands) };
    let cut = Store::new(cut, Keys::default());
    let settings = Settings::read(&Given::new(|_| String::new())).unwrap();
    let steps = async {
        cut.call(&Note { name: &noted_name(agent, &MailId::from(message_id)) }).await?;
        let call = Accept {
            agent,
            message_id: &MailId::from(message_id),
            executor: agent,
            owner: "@admin",
        };
        assert!(matches!(cut.call(&call).await?, Accepted::Ok { .. }));
        settle(&cut, agent, &MailId::from(message_id), &settings).await
    };
    match now(steps) {
        Ok(progress) => {
            assert!(matches!(progress, Progress::Done(_)), "{progress:?}");
            true
        }
        Err(_) => false,
    }
}

fn propose(client: &Client, agent: &str, proposer: &str) -> String {
    let content = json!({"idea": "tidy up", "tasks": ["one", "two"]});
    let body = json!({"from": proposer, "topic": "task_proposal", "content": content});
    let sent = client.post(&format!("/inbox/{agent}"), &body).ok();
    sent["msg_id"].as_str().unwrap().to_owned()
}

fn inbox(client: &Client, agent: &str) -> Vec<Value> {
    client.get(&format!("/inbox/{agent}")).ok()["messages"].as_array().unwrap().clone()
}

/// The tasks that came of a proposal, by the names of their sub-tasks.
fn tasks_of(client: &Client, message_id: &str) -> Vec<String> {
    let tasks = client.get("/tasks?limit=1000").list();
    let tasks = tasks.iter().filter(|task| task["metadata"]["proposal_id"] == message_id);
    let mut names: Vec<_> = tasks.map(|task| task["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

fn notes(scripts: &Store<Blocking>) -> Vec<String> {
    scripts.redis().ask(redis::cmd("ZRANGE").arg("reef:proposals:unsettled").arg(0).arg(-1))
}

/// Lets the time pass after which whoever began it must have given up.
fn let_it_lie(scripts: &Store<Blocking>, name: &str) {
    let mut age = redis::cmd("ZADD");
    let age = age.arg("reef:proposals:unsettled").arg("XX").arg("CH").arg(1).arg(name);
    let _: i64 = scripts.redis().ask(age);
}

#[test]
fn an_acceptance_that_is_cut_anywhere_is_completed_once_or_not_begun() {
    let hub = Hub::start();
    let (client, scripts) = (hub.admin(), store(hub.private_redis()));
    let (mut begun, mut finished) = (0, false);
    for commands in 0.. {
        let (agent, proposer) = (format!("agent-{commands}"), format!("proposer-{commands}"));
        let proposal = propose(&client, &agent, &proposer);
        finished = accept(&scripts, &agent, &proposal, commands);
        let name = format!("{agent}/{proposal}");
        let_it_lie(&scripts, &name);
        eventually("the monitor", PATIENCE, || (!notes(&scripts).contains(&name)).then_some(()));
        if inbox(&client, &agent).is_empty() {
            begun += 1;
            assert_eq!(tasks_of(&client, &proposal), ["one", "two"], "after {commands}");
            let answers = inbox(&client, &proposer);
            assert_eq!(answers.len(), 1, "after {commands}: {answers:?}");
            assert_eq!(answers[0]["content"]["task_count"], 2);
        } else {
            assert_eq!(tasks_of(&client, &proposal), [""; 0], "after {commands}");
            assert_eq!(inbox(&client, &proposer), Vec::<Value>::new());
        }
        // What the caller does who got no answer.
        let path = format!("/inbox/{agent}/proposals/{proposal}/accept");
        assert_eq!(client.post_empty(&path).ok()["task_ids"].as_array().unwrap().len(), 2);
        assert_eq!(tasks_of(&client, &proposal), ["one", "two"]);
        assert_eq!(inbox(&client, &proposer).len(), 1);
        if finished {
            break;
        }
    }
    assert!(finished && begun >= 6, "cut at {begun} places after it was begun");
}

#[test]
fn an_acceptance_waits_for_room_in_the_proposers_inbox() {
    let hub = Hub::start();
    let (client, scripts) = (hub.admin(), store(hub.private_redis()));
    let proposal = propose(&client, "agent", "busy");
    let letter = json!({"from": "someone", "content": "x"});
    for _ in 0..1000 {
        client.post("/inbox/busy", &letter).ok();
    }
    let path = format!("/inbox/agent/proposals/{proposal}/accept");
    client.post_empty(&path).problem(409, "conflict");
    assert_eq!(tasks_of(&client, &proposal), ["one", "two"]);
    let name = format!("agent/{proposal}");
    assert_eq!(notes(&scripts), [name.as_str()]);

    let taken = client.post("/inbox/busy/receive", &json!({"limit": 1})).ok();
    let receipts = json!({"receipts": [taken["messages"][0]["receipt"]]});
    client.post("/inbox/busy/ack", &receipts).ok();
    let_it_lie(&scripts, &name);
    eventually("the answer", PATIENCE, || notes(&scripts).is_empty().then_some(()));
    let mail = client.get("/inbox/busy?limit=1000").ok();
    let mail = mail["messages"].as_array().unwrap().iter();
    assert_eq!(mail.filter(|mail| mail["topic"] == "task_assignment").count(), 1);
    assert_eq!(client.post_empty(&path).ok()["task_ids"].as_array().unwrap().len(), 2);
}

#[test]
fn an_old_bots_proposal_is_accepted_and_answered() {
    let hub = Hub::start();
    let client = hub.admin();
    let scripts = store(hub.private_redis());
    let old = json!({"msg_id": "bot:1", "from_agent": "bot", "to_agent": "agent",
        "topic": "self_evolution", "content": "words", "timestamp": 1.5, "task_proposal": {
            "idea": "grow", "tasks": ["one", "two"], "task_count": 2, "difficulty": 5, "value": 7,
            "status": "pending"}});
    let _: i64 = scripts.redis().ask(redis::cmd("LPUSH").arg("inbox:agent").arg(old.to_string()));
    let mail = inbox(&client, "agent");
    let id = mail[0]["msg_id"].as_str().unwrap();
    let accepted = client.post_empty(&format!("/inbox/agent/proposals/{id}/accept")).ok();
    assert_eq!(accepted["task_ids"].as_array().unwrap().len(), 2, "{accepted}");
    assert_eq!(inbox(&client, "bot")[0]["content"]["idea"], "grow");
}
