//! What is done to flows, waits and groups.

use reef_api::flow::On;
use reef_api::wait::{OnExpire, Until, WaitOption};
use reef_api::{GroupId, TaskId, Token, WaitId, Word as _};
use reef_domain::flow::Edge;
use reef_domain::json::Json;
use reef_domain::task::Submission;
use reef_domain::wait::{Approval, Wait as Asked};
use reef_store::group::Change;
use reef_store::node::Writer;
use reef_store::task::{
    Batch, BeginWait, Begun, GivenTask, SendSignal, Submit, SubmitBatch, Submitted, Written,
};
use reef_store::wait::{Answer, Answering, WaitSpec};

use super::super::flow::{Kind, WAIT, Wait};
use super::super::group::{Member, Tasks};
use super::super::model::ANSWERED;
use super::{Driver, outcome, submission};
use crate::harness::now;

/// A member as the scripts take it.
struct Given {
    id: TaskId,
    wait: Option<WaitId>,
    submission: Submission,
    follows_group: bool,
}

impl Given {
    fn of(member: &Member, delay_ms: i64, joins: Option<&str>) -> Self {
        let Member { id, wants, priority, retries, timeout_ms, .. } = member;
        let submission = Submission {
            delay_ms,
            after: member
                .after
                .iter()
                .map(|(what, on)| Edge { what: what.clone(), on: On::parse(on).unwrap() })
                .collect(),
            approval: member.asks.as_ref().map(|_| approval("reject", None)),
            group_id: joins.map(GroupId::from),
            ..submission(id, wants, *priority, *retries, *timeout_ms)
        };
        Self {
            id: member.id.as_str().into(),
            wait: member.asks.as_deref().map(WaitId::from),
            submission,
            follows_group: member.follows_group,
        }
    }

    fn as_task<'a>(&'a self, nothing: &'a Json) -> GivenTask<'a> {
        GivenTask {
            task_id: &self.id,
            submission: &self.submission,
            parameters: nothing,
            metadata: nothing,
            owner: "o",
            approval: self.wait.as_ref().map(|wait_id| (wait_id, None)),
            follows_group: self.follows_group,
            charge: None,
        }
    }
}

impl Driver {
    fn rank_of(&self, id: &str) -> i64 {
        self.ask(redis::cmd("HGET").arg(format!("reef:task:{id}")).arg("rank"))
    }

    /// Whether a node could run it, and its place in the queue; nothing where its group takes no more.
    pub fn submit(
        &self,
        member: &Member,
        delay_ms: i64,
        joins: Option<&str>,
    ) -> Option<(bool, i64)> {
        let (given, nothing) = (Given::of(member, delay_ms, joins), Json::empty_object());
        let quotas = Some(&self.settings.quotas);
        let call = Submit { task: given.as_task(&nothing), quotas };
        match now(self.store.call(&call)).unwrap() {
            Submitted::Ok { routable, doomed, .. } => {
                self.tell_followers(doomed);
                Some((routable, self.rank_of(&member.id)))
            }
            Submitted::Sealed => None,
            other => panic!("{}: {other:?}", member.id),
        }
    }

    /// Submits tasks that nothing bounds, and looks at none of them.
    pub fn fill(&self, members: &[Member]) {
        let nothing = Json::empty_object();
        let given: Vec<_> = members.iter().map(|member| Given::of(member, 0, None)).collect();
        let tasks: Vec<_> = given.iter().map(|given| given.as_task(&nothing)).collect();
        let (writer, owner) = (Writer::Any, "o");
        let (group, parent, quotas) = (None, None, None);
        let call =
            SubmitBatch { tasks: &tasks, group, seals: false, parent, writer, owner, quotas };
        let taken = now(self.store.call(&call)).unwrap();
        assert!(matches!(taken, Batch::Ok { .. }), "{taken:?}");
    }

    /// Whether a node could run each, and their places in the queue; or why they are not taken.
    pub fn batch(&self, batch: &Tasks) -> Result<Vec<(bool, i64)>, &'static str> {
        let nothing = Json::empty_object();
        let given: Vec<_> = batch.members.iter().map(|member| Given::of(member, 0, None)).collect();
        let tasks: Vec<_> = given.iter().map(|given| given.as_task(&nothing)).collect();
        let group = batch.group.as_deref().map(GroupId::from);
        let parent = batch.parent.as_ref();
        let parent = parent.map(|(id, token)| (TaskId::from(&**id), Token::from(&**token)));
        let call = SubmitBatch {
            tasks: &tasks,
            group: group.as_ref().map(|group| (group, "")),
            seals: batch.seals,
            parent: parent.as_ref().map(|(id, token)| (id, token)),
            writer: Writer::Any,
            owner: "o",
            quotas: Some(&self.settings.quotas),
        };
        match now(self.store.call(&call)).unwrap() {
            Batch::Ok { doomed, tasks } => {
                self.tell_followers(doomed);
                let taken = tasks.iter().map(|task| (task.routable, self.rank_of(&task.task_id)));
                Ok(taken.collect())
            }
            Batch::Unknown { .. } => Err("unknown"),
            Batch::Fenced => Err("fenced"),
            Batch::Sealed => Err("sealed"),
            other => panic!("{other:?}"),
        }
    }

    /// Cancels a group, or tries it again; how many of its tasks were changed.
    pub fn change_group(&self, id: &str, retries: bool) -> Result<i64, &'static str> {
        let call = Change { group_id: &id.into(), writer: Writer::Any, retries, after: 0 };
        match now(self.store.call(&call)).unwrap() {
            Written::Ok(changed) => {
                assert_eq!(changed.next, None);
                self.tell_followers(changed.follows);
                Ok(changed.changed)
            }
            Written::NotFound => Err("not_found"),
            other => panic!("{other:?}"),
        }
    }

    pub fn first_failure(&self, group: &str) -> Option<String> {
        self.ask(redis::cmd("HGET").arg(format!("reef:group:{group}")).arg("first_failure"))
    }

    /// Type and payload of every event since the beginning.
    pub fn events(&self) -> Vec<(String, serde_json::Value)> {
        let log: Vec<(String, Vec<String>)> =
            self.ask(redis::cmd("XRANGE").arg("reef:events").arg("-").arg("+"));
        let event = |fields: Vec<String>| {
            let field = |name| {
                let at = fields.iter().step_by(2).position(|field| field == name).unwrap();
                fields[2 * at + 1].clone()
            };
            (field("type"), serde_json::from_str(&field("payload")).unwrap())
        };
        log.into_iter().map(|(_, fields)| event(fields)).collect()
    }

    pub fn wait(&self, task_id: &str, token: &str, wait: &Wait, checkpoint: bool) -> String {
        let expires_in_ms = wait.due.map(|_| WAIT);
        let asked = match &wait.kind {
            Kind::Approval(on_expire) => Asked::Approval(approval(on_expire, expires_in_ms)),
            Kind::Signal(name) => Asked::Signal { name: name.clone(), expires_in_ms },
            Kind::Sleep => Asked::Sleep { for_ms: WAIT },
            Kind::Tasks(until, followed) => {
                let on = if *until == "completed" { On::Completed } else { On::Ended };
                let edges = followed.keys().map(|what| Edge { what: what.clone(), on }).collect();
                Asked::Tasks { edges, until: Until::parse(until).unwrap(), expires_in_ms }
            }
        };
        let left = Json::read("{\"step\":1}").unwrap();
        let call = BeginWait {
            task_id: &task_id.into(),
            writer: Writer::Any,
            token: &token.into(),
            wait_id: &wait.id.as_str().into(),
            wait: WaitSpec::of(&asked, None),
            checkpoint: checkpoint.then_some(&left),
        };
        match now(self.store.call(&call)).unwrap() {
            Written::Ok(Begun::Ready { .. }) => "ready".to_owned(),
            Written::Ok(Begun::Unknown { .. }) => "unknown".to_owned(),
            other => outcome(other),
        }
    }

    pub fn signal(&self, task_id: &str, name: &str) -> String {
        let payload = Json::read("7").unwrap();
        let call = SendSignal {
            task_id: &task_id.into(),
            writer: Writer::Any,
            name,
            payload: Some(&payload),
            bytes_max: None,
        };
        outcome(now(self.store.call(&call)).unwrap())
    }

    pub fn answer(&self, wait_id: &str, by: &str, decision: &str) -> &'static str {
        let call = Answer {
            wait_id: &wait_id.into(),
            writer: Writer::Any,
            by,
            decision,
            value: None,
            comment: "",
        };
        match now(self.store.call(&call)).unwrap() {
            Answering::Ok { .. } => ANSWERED,
            Answering::Kind { .. } | Answering::Ended { .. } | Answering::NotFound => "refused",
            other => panic!("{other:?}"),
        }
    }
}

fn approval(on_expire: &str, expires_in_ms: Option<i64>) -> Approval {
    let option = |value: &str| WaitOption { value: value.to_owned(), label: String::new() };
    Approval {
        question: "?".to_owned(),
        options: vec![option("approve"), option("reject")],
        assignees: Vec::new(),
        approvals: 1,
        by_other: false,
        expires_in_ms,
        on_expire: OnExpire::parse(on_expire).unwrap(),
    }
}
