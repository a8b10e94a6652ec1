//! Session tasks that a crash leaves between two steps: the monitor goes on with them, or removes
//! them. Each step is done as the hub does it, by its own script, and then nothing more.

use reef_api::Token;
use reef_api::session::IfBusy;
use reef_api::{MessageId, SessionId, TaskId};
use reef_domain::json::Json;
use reef_domain::task::{Submission, Wants};
use reef_store::Store;
use reef_store::node::Writer;
use reef_store::task::{Complete, Draft, Drafted, Fail, GivenTask, Place, Placed, place};
use serde_json::{Value, json};

use crate::contract::Desk;
use crate::harness::{Blocking, Hub, PATIENCE, eventually, now, store};

const TASK: &str = "task_half";
const MESSAGE: &str = "msg_half";
const TTL_MS: i64 = 86_400_000;

/// A hub, its scripts, and one session.
struct Scene {
    scripts: Store<Blocking>,
    desk: Desk,
    session: String,
    _hub: Hub,
}

impl Scene {
    fn new() -> Self {
        let hub = Hub::start();
        let desk = Desk::new(&hub.admin());
        let opened = desk.client.post_empty("/sessions").ok();
        let session = opened["session_id"].as_str().unwrap().to_owned();
        Self { scripts: store(hub.private_redis()), desk, session, _hub: hub }
    }

    /// The first step of a session task: a draft that nobody sees.
    fn draft(&self) {
        let submission = Submission {
            name: "say hello".to_owned(),
            wants: Wants {
                required_skills: vec![self.desk.skill.clone(), "critic".to_owned()],
                ..Wants::default()
            },
            ..Submission::default()
        };
        let object = |text: &str| Json::read(text).unwrap();
        let call = Draft {
            task: GivenTask {
                task_id: &TaskId::from(TASK),
                submission: &submission,
                parameters: &object(r#"{"workflow":"critic","max_iterations":3}"#),
                metadata: &object("{}"),
                owner: "admin",
                approval: None,
                follows_group: false,
                charge: None,
            },
            session_id: &SessionId::from(self.session.as_str()),
            message_id: &MessageId::from(MESSAGE),
            if_busy: IfBusy::Parallel,
            quotas: None,
        };
        let submitted = now(self.scripts.call(&call)).unwrap();
        assert!(matches!(submitted, Drafted::Ok { waits: false, .. }), "{submitted:?}");
    }

    /// The second: its message.
    fn place(&self) {
        let place_of_it = Place {
            task_id: &TaskId::from(TASK),
            workflow: "critic",
            session_id: &SessionId::from(self.session.as_str()),
            message_id: &MessageId::from(MESSAGE),
            writer: Writer::Any,
            ttl_ms: TTL_MS,
        };
        assert_eq!(now(place(&self.scripts, &place_of_it)).unwrap(), Placed::Ok);
    }

    /// Lets the time pass after which whoever began it must have given up.
    fn let_it_lie(&self, list: &str) {
        let mut age = redis::cmd("ZADD");
        let changed: i64 =
            self.scripts.redis().ask(age.arg(list).arg("XX").arg("CH").arg(1).arg(TASK));
        assert_eq!(changed, 1, "{list} does not hold it");
    }

    fn task(&self) -> Option<Value> {
        let answer = self.desk.client.get(&format!("/tasks/{TASK}"));
        (answer.status == 200).then(|| answer.json())
    }

    #[track_caller]
    fn told(&self) -> Vec<String> {
        let path = format!("/messages/{MESSAGE}/events");
        let events = self.desk.client.get(&path).ok()["events"].clone();
        let events = events.as_array().unwrap().iter();
        events.map(|event| event["event_type"].as_str().unwrap().to_owned()).collect()
    }

    #[track_caller]
    fn assert_in_the_queue(&self) {
        let task = eventually("the task in the queue", PATIENCE, || self.task());
        assert_eq!((&task["status"], &task["message_id"]), (&json!("pending"), &json!(MESSAGE)));
        assert_eq!(self.told(), ["message_start", "task_started", "content_added"]);
        let message = self.desk.client.get(&format!("/messages/{MESSAGE}")).ok();
        assert_eq!(message["content_blocks"][0]["is_placeholder"], true);
        assert_eq!(message["content_blocks"].as_array().unwrap().len(), 1);
        let node = self.node();
        assert_eq!(self.desk.claim_one(&node).id, TASK);
    }

    fn node(&self) -> String {
        self.desk.node_with(json!({"available_skills": [self.desk.skill, "critic"]}))
    }

    #[track_caller]
    fn assert_forgotten(&self) {
        let scripts = self.scripts.redis();
        let key = format!("reef:task:{TASK}");
        eventually("the draft's end", PATIENCE, || {
            let found: i64 = scripts.ask(redis::cmd("EXISTS").arg(&key));
            let drafts: i64 = scripts.ask(redis::cmd("ZCARD").arg("reef:tasks:drafts"));
            (found == 0 && drafts == 0).then_some(())
        });
        let messages = self.desk.client.get(&format!("/sessions/{}/messages", self.session)).ok();
        assert_eq!(messages["count"], 0);
    }
}

#[test]
fn a_draft_without_a_message_gets_one() {
    let scene = Scene::new();
    scene.draft();
    assert_eq!(scene.task(), None, "nobody sees a draft");
    assert_eq!(scene.desk.client.get("/tasks").list(), Vec::<Value>::new());
    assert_eq!(scene.desk.client.get("/tasks/stats").ok()["total"], 0);
    scene.let_it_lie("reef:tasks:drafts");
    scene.assert_in_the_queue();
}

#[test]
fn a_draft_with_a_message_comes_into_the_queue() {
    let scene = Scene::new();
    scene.draft();
    scene.place();
    scene.let_it_lie("reef:tasks:drafts");
    scene.assert_in_the_queue();
}

#[test]
fn a_draft_whose_session_was_closed_is_removed() {
    let scene = Scene::new();
    scene.draft();
    scene.desk.client.delete(&format!("/sessions/{}", scene.session)).ok();
    scene.let_it_lie("reef:tasks:drafts");
    scene.assert_forgotten();
}

#[test]
fn a_young_draft_is_left_to_whoever_began_it() {
    let scene = Scene::new();
    scene.draft();
    // Something later that the monitor has done tells that it has been there.
    let node = scene.desk.node(1);
    let other = scene.desk.submit(json!({}));
    scene.desk.claim_with(&node, json!({"lease_ms": 1500}));
    eventually("the monitor", PATIENCE, || (scene.desk.status(&other) == "pending").then_some(()));
    assert_eq!(scene.task(), None);
    let drafts: i64 = scene.scripts.redis().ask(redis::cmd("ZCARD").arg("reef:tasks:drafts"));
    assert_eq!(drafts, 1);
}

/// A session task that its worker has ended, of which the message has not heard.
fn ended(end: impl FnOnce(&Scene, &str)) -> Scene {
    let scene = Scene::new();
    scene.draft();
    scene.place();
    scene.let_it_lie("reef:tasks:drafts");
    eventually("the task in the queue", PATIENCE, || scene.task());
    let node = scene.node();
    let token = scene.desk.claim_one(&node).token;
    end(&scene, &token);
    assert_eq!(scene.told().len(), 3, "the message has not heard of it");
    scene.let_it_lie("reef:tasks:unsettled");
    eventually("the end of the message", PATIENCE, || {
        scene.told().last().is_some_and(|event| event == "message_end").then_some(())
    });
    let owed =
        || -> i64 { scene.scripts.redis().ask(redis::cmd("ZCARD").arg("reef:tasks:unsettled")) };
    eventually("nothing owed", PATIENCE, || (owed() == 0).then_some(()));
    scene
}

const BEGIN: [&str; 3] = ["message_start", "task_started", "content_added"];

#[test]
fn a_message_that_has_not_heard_of_a_result_is_told() {
    let scene = ended(|scene, token| {
        let writer = Writer::Any;
        let content = Json::read(r#"{"content_type":"code","code":{"code":"1"}}"#).unwrap();
        let result = Json::read("1").unwrap();
        let (result, content) = (Some(&result), Some(&content));
        let call = Complete {
            task_id: &TaskId::from(TASK),
            writer,
            token: &Token::from(token),
            result,
            content,
            usage: "",
            amount: None,
        };
        now(scene.scripts.call(&call)).unwrap();
    });
    let end = ["task_completed", "content_updated", "message_end"];
    assert_eq!(scene.told(), [&BEGIN[..], &end].concat());
    let message = scene.desk.client.get(&format!("/messages/{MESSAGE}")).ok();
    assert_eq!(message["content_blocks"][0]["code"]["code"], "1");
}

#[test]
fn a_message_that_has_not_heard_of_a_failure_is_told() {
    let scene = ended(|scene, token| {
        let writer = Writer::Any;
        let call = Fail {
            task_id: &TaskId::from(TASK),
            writer,
            token: &Token::from(token),
            error: "broken",
            retryable: false,
            retry_in_ms: None,
            snooze: false,
            usage: "",
        };
        now(scene.scripts.call(&call)).unwrap();
    });
    assert_eq!(scene.told(), [&BEGIN[..], &["task_failed", "error", "message_end"]].concat());
}

#[test]
fn a_message_that_hears_of_an_end_twice_is_told_once() {
    let scene = ended(|scene, token| {
        let writer = Writer::Any;
        let result = Json::read("1").unwrap();
        let result = Some(&result);
        let call = Complete {
            task_id: &TaskId::from(TASK),
            writer,
            token: &Token::from(token),
            result,
            content: None,
            usage: "",
            amount: None,
        };
        now(scene.scripts.call(&call)).unwrap();
    });
    let told = scene.told();
    // As if the step that notes it had been cut off.
    let mut owe = redis::cmd("ZADD");
    let _: i64 = scene.scripts.redis().ask(owe.arg("reef:tasks:unsettled").arg(1).arg(TASK));
    eventually("nothing owed", PATIENCE, || {
        let owed: i64 = scene.scripts.redis().ask(redis::cmd("ZCARD").arg("reef:tasks:unsettled"));
        (owed == 0).then_some(())
    });
    assert_eq!(scene.told(), told);
}

#[test]
fn a_session_task_that_timed_out_ends_its_message() {
    let scene = ended(|scene, _| {
        let mut age = redis::cmd("HSET");
        age.arg(format!("reef:task:{TASK}")).arg("retry_count").arg(3);
        let _: i64 = scene.scripts.redis().ask(&age);
        let mut lease = redis::cmd("ZADD");
        let _: i64 = scene.scripts.redis().ask(lease.arg("reef:tasks:leases").arg(1).arg(TASK));
        eventually("its end", PATIENCE, || {
            scene.task().filter(|task| task["status"] == "timeout").map(drop)
        });
    });
    assert_eq!(scene.told(), [&BEGIN[..], &["task_failed", "error", "message_end"]].concat());
}
