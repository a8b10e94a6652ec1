//! Tasks as the benchmark submits, claims and completes them, over HTTP and by their scripts.

use anyhow::{Context, Result, bail};
use reef_api::TaskId;
use reef_api::Token;
use reef_domain::json::Json;
use reef_domain::task::{Submission, Wants};
use reef_store::node::Writer;
use reef_store::task::{Claim, Claims, Complete, GivenTask, Submit, Submitted, Written};
use reef_store::{Redis, Store};
use serde::Deserialize;

use crate::call::Call;
use crate::template::{NUMBER, Numbers};

/// How long a claim is held, in milliseconds: longer than any measurement.
const LEASE_MS: i64 = 3_600_000;

/// Who submits and claims in scripts.
const OWNER: &str = "@admin";

/// A submission of a task of any name that the benchmark's nodes have the skill for.
pub(crate) fn submit() -> Call {
    Call {
        method: "POST",
        target: "/api/v1/tasks".to_owned(),
        body: r#"{"name":"bench","required_skills":["python"]}"#.to_owned(),
        numbers: Numbers { below: 1 },
    }
}

/// The same, with an id that holds the number.
pub(crate) fn submit_named() -> Call {
    let body = format!(
        r#"{{"name":"bench","required_skills":["python"],"task_id":"{}"}}"#,
        name_of(NUMBER)
    );
    Call { body, ..submit() }
}

/// The id of a task that was submitted with a number.
pub(crate) fn name_of(number: &str) -> String {
    format!("d-{number}")
}

/// Asks for one task, for as long as it takes.
pub(crate) fn claim(node_id: &str, wait_ms: u64) -> Call {
    Call {
        method: "POST",
        target: "/api/v1/tasks/claim".to_owned(),
        body: format!(r#"{{"node_id":"{node_id}","wait_ms":{wait_ms}}}"#),
        numbers: Numbers { below: 1 },
    }
}

/// Says that a task is done.
pub(crate) fn complete(held: &Held) -> Call {
    Call {
        method: "POST",
        target: format!("/api/v1/tasks/{}/complete", held.task_id),
        body: format!(r#"{{"token":"{}","result":{{}}}}"#, held.token),
        numbers: Numbers { below: 1 },
    }
}

/// A task that somebody holds.
#[derive(Debug, Deserialize)]
pub(crate) struct Held {
    pub(crate) task_id: String,
    /// Under which token.
    pub(crate) token: String,
}

/// Reads what a claim got, which is one task or none.
pub(crate) fn held(answer: &[u8]) -> Result<Option<Held>> {
    #[derive(Deserialize)]
    struct Answer {
        tasks: Vec<Held>,
    }
    let answer: Answer = serde_json::from_slice(answer).context("the answer to a claim")?;
    Ok(answer.tasks.into_iter().next())
}

/// Submits a task by its script.
pub(crate) async fn submit_by_script<R: Redis>(
    store: &Store<R>,
    task_id: &TaskId,
    required_skills: &[&str],
) -> Result<()> {
    let required_skills = required_skills.iter().map(|skill| (*skill).to_owned()).collect();
    let submission = Submission {
        name: "bench".to_owned(),
        wants: Wants { required_skills, ..Wants::default() },
        ..Submission::default()
    };
    let nothing = Json::empty_object();
    let call = Submit {
        task: GivenTask {
            task_id,
            submission: &submission,
            parameters: &nothing,
            metadata: &nothing,
            owner: OWNER,
            approval: None,
            follows_group: false,
            charge: None,
        },
        quotas: None,
    };
    match store.call(&call).await? {
        Submitted::Ok { .. } => Ok(()),
        other => bail!("{task_id} was not submitted: {other:?}"),
    }
}

/// Claims a task by its script.
pub(crate) async fn claim_by_script<R: Redis>(store: &Store<R>, node_id: &str) -> Result<Held> {
    let node_id = &node_id.into();
    let call = Claim {
        node_id,
        writer: Writer::Any,
        limit: 1,
        spent_by: 0,
        lease_ms: LEASE_MS,
        task_id: None,
        random: "bench",
    };
    match store.call(&call).await? {
        Written::Ok(Claims { tasks, reason }) => {
            let first = tasks.into_iter().next();
            let first = first.with_context(|| format!("{node_id} got no task: {reason}"))?;
            Ok(Held { task_id: first.task.task_id.into(), token: first.token.into() })
        }
        other => bail!("{node_id} may not claim: {other:?}"),
    }
}

/// Completes a task by its script.
pub(crate) async fn complete_by_script<R: Redis>(store: &Store<R>, held: &Held) -> Result<()> {
    let call = Complete {
        task_id: &TaskId::from(held.task_id.as_str()),
        writer: Writer::Any,
        token: &Token::from(held.token.as_str()),
        result: Some(&Json::empty_object()),
        content: None,
        usage: "",
        amount: None,
    };
    match store.call(&call).await? {
        Written::Ok(_) => Ok(()),
        other => bail!("{} was not completed: {other:?}", held.task_id),
    }
}
