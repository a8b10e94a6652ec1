//! Calls on proposals (`lua/inbox/`, `lua/proposal/`), and what follows from one that is accepted.
//!
//! An acceptance spans the inbox, the queue and the proposer's inbox. It is noted in the cluster's
//! partition, then decided in the inbox, in the script that acknowledges the mail; then the sub-tasks
//! are queued and the proposer is answered, under ids that follow from the decision. Every step can
//! be cut anywhere and repeated; the monitor goes on with what the note names.

use reef_api::mail::Priority;
use reef_api::{MailId, TaskId, Word as _};
use reef_domain::json::{Json, cut};
use reef_domain::proposal::{ANSWER_TOPIC, Proposal, SubTask};
use reef_domain::task::Audience;
use serde_json::{Map, Value, json};

pub use crate::inbox::{Accept, Accepted, Show, Shown};
use crate::inbox::{Letter, Send, Sent, Settled};
use crate::node::NoteDepth;
use crate::port::Redis;
use crate::quota::Quotas;
use crate::script::{Once, Store, StoreError, rows};
use crate::settings::Settings;
use crate::task::{GivenTask, Submit, Submitted};

include!(concat!(env!("OUT_DIR"), "/calls_proposal.rs"));

/// How much of an idea its answer repeats, in bytes.
const IDEA_BYTES_ANSWERED: usize = 32_768;

/// A message as it is in an inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its members as JSON, without braces; or what an old client pushed.
    text: String,
    is_old: bool,
}

impl Kept {
    /// What it proposes; `None` if it is no proposal.
    ///
    /// # Errors
    /// What is wrong with its sub-tasks.
    #[must_use]
    pub fn proposal(&self) -> Option<Result<Proposal, reef_domain::Invalid>> {
        let members: Map<String, Value> = if self.is_old {
            serde_json::from_str(&self.text).ok()?
        } else {
            serde_json::from_str(&format!("{{{}}}", self.text)).ok()?
        };
        Proposal::read(&members)
    }

    fn sound_proposal(&self) -> Option<Proposal> {
        self.proposal()?.ok()
    }
}

/// That a proposal was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// The ids of what is made follow from it.
    seed: String,
    /// Who is to do it.
    pub executor: String,
    /// Whose tasks its sub-tasks become.
    owner: String,
    mail: Kept,
    is_settled: bool,
    tasks: i64,
    is_answered: bool,
}

impl Acceptance {
    fn task_id(&self, number: usize) -> TaskId {
        TaskId::from(format!("task_{}_{number}", self.seed))
    }

    fn reply_id(&self) -> MailId {
        MailId::from(format!("msg_{}", self.seed))
    }

    fn done(&self, tasks: usize, is_answered: bool) -> Done {
        Done {
            executor: self.executor.clone(),
            task_ids: (1..=tasks).map(|number| self.task_id(number)).collect(),
            reply_id: is_answered.then(|| self.reply_id()),
        }
    }
}

rows! {
    Kept { text, is_old }
    Acceptance { seed, executor, owner, mail, is_settled, tasks, is_answered }
}

/// The name as which the acceptance of a proposal is noted.
#[must_use]
pub fn noted_name(agent: &str, message_id: &MailId) -> String {
    format!("{agent}/{message_id}")
}

/// All that followed from an acceptance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// Who is to do it.
    pub executor: String,
    /// The sub-tasks' tasks, in the proposal's order.
    pub task_ids: Vec<TaskId>,
    /// The answer in the proposer's inbox; none if the proposal named nobody.
    pub reply_id: Option<MailId>,
}

/// How far it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// All is done.
    Done(Done),
    /// The queue or the proposer's inbox is full. The monitor tries again.
    NoRoom,
    /// The proposal is not accepted.
    NotAccepted,
}

/// Does what follows from an acceptance, as far as it is not done yet: queues the sub-tasks, answers
/// the proposer.
///
/// # Errors
/// [`StoreError`].
pub async fn settle<R: Redis>(
    store: &Store<R>,
    agent: &str,
    message_id: &MailId,
    settings: &Settings,
) -> Result<Progress, StoreError> {
    let name = noted_name(agent, message_id);
    let Shown::Accepted(acceptance) = store.call(&Show { agent, message_id }).await? else {
        store.call(&Forget { name: &name }).await?;
        return Ok(Progress::NotAccepted);
    };
    if acceptance.is_settled {
        store.call(&Forget { name: &name }).await?;
        let tasks = usize::try_from(acceptance.tasks).unwrap_or_default();
        return Ok(Progress::Done(acceptance.done(tasks, acceptance.is_answered)));
    }
    // Only what can be read is accepted, so that there is one.
    let proposal = acceptance.mail.sound_proposal();
    let (mut tasks, mut is_answered) = (0, false);
    if let Some(proposal) = &proposal {
        for (n, sub_task) in proposal.sub_tasks.iter().enumerate() {
            let quotas = Quotas::of(&acceptance.owner, settings);
            let audience = &settings.task_audience;
            let origin = Origin { acceptance: &acceptance, proposal, message_id, quotas, audience };
            if !queue(store, &origin, n + 1, sub_task).await? {
                return Ok(Progress::NoRoom);
            }
        }
        tasks = proposal.sub_tasks.len();
        if let Some(proposer) = &proposal.proposer {
            let done = acceptance.done(tasks, true);
            let answer = Answer { agent, message_id, proposer, proposal, done: &done };
            if !answer.send(store, &acceptance, settings).await? {
                return Ok(Progress::NoRoom);
            }
            is_answered = true;
        }
    }
    let count = i64::try_from(tasks).unwrap_or_default();
    store.call(&Settled { agent, message_id, tasks: count, is_answered }).await?;
    store.call(&Forget { name: &name }).await?;
    Ok(Progress::Done(acceptance.done(tasks, is_answered)))
}

/// Where a sub-task comes from.
struct Origin<'a> {
    acceptance: &'a Acceptance,
    proposal: &'a Proposal,
    message_id: &'a MailId,
    quotas: Option<&'a Quotas>,
    /// Whose nodes may run a sub-task that does not say.
    audience: &'a Audience,
}

/// Queues a sub-task, once. `false`: there is no room.
async fn queue<R: Redis>(
    store: &Store<R>,
    origin: &Origin<'_>,
    number: usize,
    sub_task: &SubTask,
) -> Result<bool, StoreError> {
    let Origin { acceptance, proposal, message_id, quotas, audience } = *origin;
    let mut submission = sub_task.submission.clone();
    submission.wants.audience.get_or_insert_with(|| audience.clone());
    let mut metadata = sub_task.metadata.clone();
    for (name, value) in [
        ("proposal_id", message_id.as_str().into()),
        ("proposed_by", proposal.proposer.clone().into()),
        ("executor", acceptance.executor.as_str().into()),
    ] {
        metadata.insert(name.to_owned(), value);
    }
    // What mail may hold has been checked; an old client's that does not keep the rules is left out.
    let (Ok(parameters), Ok(metadata)) = (Json::of(&sub_task.parameters), Json::of(&metadata))
    else {
        return Ok(true);
    };
    let task_id = acceptance.task_id(number);
    let task = GivenTask {
        task_id: &task_id,
        submission: &submission,
        parameters: &parameters,
        metadata: &metadata,
        owner: &acceptance.owner,
        approval: None,
        follows_group: false,
        charge: None,
    };
    let call = Submit { task, quotas };
    // Under a key besides: somebody may have removed the task already.
    let once = Once { digest: task_id.to_string(), fingerprint: acceptance.seed.clone() };
    match store.call_once(&call, Some(&once)).await {
        Ok(submitted) => Ok(!matches!(submitted.value, Submitted::TooManyClasses)),
        Err(StoreError::Quota { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What the proposer is told.
struct Answer<'a> {
    agent: &'a str,
    message_id: &'a MailId,
    proposer: &'a str,
    proposal: &'a Proposal,
    done: &'a Done,
}

impl Answer<'_> {
    /// Sends it, once. `false`: there is no room.
    async fn send<R: Redis>(
        &self,
        store: &Store<R>,
        acceptance: &Acceptance,
        settings: &Settings,
    ) -> Result<bool, StoreError> {
        let content = json!({
            "proposal_id": self.message_id,
            "idea": cut(&self.proposal.idea, IDEA_BYTES_ANSWERED),
            "status": "accepted",
            "executor": self.done.executor,
            "task_count": self.done.task_ids.len(),
            "task_ids": self.done.task_ids,
        });
        let Ok(content) = Json::of(&content) else { return Ok(true) };
        let nothing = Json::empty_object();
        let letter = Letter::new(self.agent, ANSWER_TOPIC, &content, Priority::Medium, &nothing);
        let message_id = acceptance.reply_id();
        let call = Send {
            only_repeats: false,
            agent: self.proposer,
            message_id: &message_id,
            members: &letter.members,
            priority: Priority::Medium.as_str(),
            for_old_clients: settings.legacy_inbox,
            sender: None,
        };
        let once = Once { digest: message_id.to_string(), fingerprint: acceptance.seed.clone() };
        match store.call_once(&call, Some(&once)).await?.value {
            Sent::Ok { depth, .. } => {
                store.call(&NoteDepth { agent: self.proposer, depth, shares: &[] }).await?;
                Ok(true)
            }
            Sent::New | Sent::Full { .. } | Sent::Share { .. } => Ok(false),
        }
    }
}

/// Goes on with acceptances that were left half done, some at a time; says how many came to their
/// end.
///
/// # Errors
/// [`StoreError`].
pub async fn settle_unfinished<R: Redis>(
    store: &Store<R>,
    settings: &Settings,
) -> Result<i64, StoreError> {
    let mut settled = 0;
    for name in store.call(&Unsettled {}).await? {
        let Some((agent, message_id)) = name.split_once('/') else {
            store.call(&Forget { name: &name }).await?;
            continue;
        };
        let message_id = MailId::from(message_id);
        if matches!(settle(store, agent, &message_id, settings).await?, Progress::Done(_)) {
            settled += 1;
        }
    }
    Ok(settled)
}
