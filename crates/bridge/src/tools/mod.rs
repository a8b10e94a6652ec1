//! What an agent can do: a table of operations, in no protocol's words.
//!
//! An operation is a type: its fields are the arguments, their comments and bounds the schema. It makes
//! requests of the contract and turns their answers into one object. What all of them share is here:
//! who acts, repeats, and the renewal of what the agent holds.

mod agents;
mod bulk;
mod flow;
mod lead;
mod limits;
mod logs;
mod mail;
mod money;
mod operate;
mod schedules;
mod stream;
mod tasks;
mod usage;
mod work;

use reef_api::agent::Scope;
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::caller::Caller;
use crate::renewal::Renewal;
use crate::{Hub, Problem, Request, schema};

/// Lease of a claim where the agent names none: a model may think for minutes between two calls.
pub(crate) const LEASE_MS: u64 = 300_000;

/// What an operation answers.
pub type Answer = Result<Map<String, Value>, Problem>;

/// Operations that are offered together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Toolset {
    /// Agents, mail and tasks: what is offered where nothing else is said.
    Core,
    /// Tasks that wait for people, for signals and for each other.
    Flow,
    /// Messages that are read while they are written.
    Stream,
    /// Leadership.
    Lead,
    /// Money.
    Money,
    /// What an operator does.
    Operate,
}

impl Toolset {
    /// All, in the order in which they are listed.
    pub const ALL: [Self; 6] =
        [Self::Core, Self::Flow, Self::Stream, Self::Lead, Self::Money, Self::Operate];

    /// Its name in a selection.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Flow => "flow",
            Self::Stream => "stream",
            Self::Lead => "lead",
            Self::Money => "money",
            Self::Operate => "operate",
        }
    }
}

/// Which toolsets are offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection(BTreeSet<Toolset>);

impl Default for Selection {
    fn default() -> Self {
        Self(BTreeSet::from([Toolset::Core]))
    }
}

impl Selection {
    /// Reads names with commas between them; `all` is all of them.
    ///
    /// # Errors
    /// A sentence that says which names there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut chosen = BTreeSet::new();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if name == "all" {
                chosen.extend(Toolset::ALL);
            } else if let Some(set) = Toolset::ALL.into_iter().find(|set| set.name() == name) {
                chosen.insert(set);
            } else {
                let known = Toolset::ALL.map(Toolset::name).join(", ");
                return Err(format!("There is no toolset {name:?}; there are {known}, and all."));
            }
        }
        Ok(if chosen.is_empty() { Self::default() } else { Self(chosen) })
    }
}

/// What is known of an operation before it is called.
#[derive(Debug, Clone)]
pub struct About {
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    pub toolset: Toolset,
    /// What the key must allow.
    pub scope: Scope,
    /// Somebody does it: an operator's key, or none, has to say who.
    pub acts: bool,
    pub effect: Effect,
    /// The members of its answer, and their types.
    pub answers: &'static [(&'static str, &'static str)],
}

/// What calling it may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Reads,
    /// Something, once, however often it is called with the same arguments.
    Sets,
    /// Something each time, unless it is given an idempotency key.
    Adds,
    /// It takes something away that does not come back.
    Ends,
    /// The same, each time.
    Spends,
}

impl Effect {
    /// Whether a repeat may have an effect of its own, so that a key helps.
    fn takes_key(self) -> bool {
        matches!(self, Self::Adds | Self::Spends)
    }
}

/// An operation with its arguments.
pub(crate) trait Operation: DeserializeOwned + JsonSchema + Send {
    const ABOUT: About;

    /// Longest wait that it asks for, in milliseconds.
    fn wait_ms(&self) -> u64 {
        0
    }

    /// Does it.
    fn run<H: Hub>(self, cx: &Context<'_, H>) -> impl Future<Output = Answer> + Send;
}

/// What an operation works with.
pub(crate) struct Context<'a, H> {
    pub(crate) hub: &'a H,
    /// Who acts; empty where nobody does.
    agent: String,
    key: Option<String>,
}

impl<H: Hub> Context<'_, H> {
    /// Who acts.
    pub(crate) fn me(&self) -> &str {
        &self.agent
    }

    /// Sends a request whose answer is an object.
    pub(crate) async fn ask(&self, request: Request) -> Answer {
        self.hub.call(request).await.read()
    }

    /// Sends a request that has its effect once, if the call has a key.
    pub(crate) async fn ask_once(&self, request: Request) -> Answer {
        self.ask(request.once(self.key.as_deref())).await
    }

    /// Sends a request whose answer is a list, and says how it goes on.
    pub(crate) async fn list(
        &self,
        request: Request,
    ) -> Result<(Vec<Value>, Option<String>), Problem> {
        let answer = self.hub.call(request).await;
        Ok((answer.read()?, answer.next_cursor))
    }
}

/// The table: what is known of each operation, and the call by its name.
macro_rules! table {
    ($($operation:ty),* $(,)?) => {
        static ALL: LazyLock<Vec<Tool>> = LazyLock::new(|| vec![$(Tool::of::<$operation>()),*]);

        async fn run<H: Hub>(name: &str, arguments: Value, cx: &Context<'_, H>) -> Finished {
            $(if name == <$operation>::ABOUT.name {
                return Box::pin(finish::<$operation, H>(arguments, cx)).await;
            })*
            Finished { answer: Err(unknown(name)), renewal: None }
        }
    };
}

table! {
    agents::CheckIn,
    agents::FindAgents,
    mail::SendMessage,
    mail::ReadInbox,
    mail::AckMessages,
    tasks::SubmitTask,
    tasks::GetTask,
    tasks::ListTasks,
    work::ClaimTask,
    work::UpdateTask,
    work::FinishTask,
    tasks::CancelTask,
    flow::AskApproval,
    flow::ListWaits,
    flow::AnswerWait,
    flow::SignalTask,
    flow::SubmitFlow,
    flow::GetGroup,
    logs::TaskLog,
    bulk::FindTasks,
    bulk::EditTask,
    limits::ListLimits,
    limits::ShutLimit,
    schedules::ListSchedules,
    schedules::ShowSchedule,
    schedules::SetSchedule,
    schedules::PauseSchedule,
    schedules::TriggerSchedule,
    schedules::BackfillSchedule,
    schedules::RemoveSchedule,
    usage::ShowUsage,
    usage::ListBudgets,
    usage::SetBudget,
    usage::RemoveBudget,
    usage::ListPrices,
    stream::OpenSession,
    stream::StartMessage,
    stream::AppendMessage,
    stream::AddBlock,
    stream::CompleteMessage,
    stream::ReadMessage,
    lead::Campaign,
    lead::Resign,
    lead::Leader,
    money::Balance,
    money::Pay,
    money::Hold,
    money::SettleHold,
    money::Entries,
    operate::ClusterHealth,
    operate::DrainAgent,
    operate::Redrive,
    bulk::ChangeTasks,
    limits::SetLimit,
    limits::PauseQueue,
    usage::SetPrice,
    operate::Events,
    operate::History,
}

/// All operations, in the order in which they are listed.
#[must_use]
pub fn all() -> &'static [Tool] {
    &ALL
}

/// An operation and its schemas.
#[derive(Debug, Clone)]
pub struct Tool {
    pub about: About,
    input: Map<String, Value>,
}

impl Tool {
    fn of<O: Operation>() -> Self {
        Self { about: O::ABOUT, input: schema::of::<O>() }
    }

    /// The schema of its arguments, for this caller.
    #[must_use]
    pub fn input(&self, caller: &Caller) -> Map<String, Value> {
        let mut input = self.input.clone();
        input.remove("description");
        input.insert("additionalProperties".to_owned(), false.into());
        let properties = input.entry("properties").or_insert_with(|| json!({}));
        if self.about.effect.takes_key() {
            properties["idempotency_key"] = json!({"type": "string", "minLength": 1,
                "maxLength": 255, "description": "A repeat with the same key has no effect."});
        }
        if self.about.acts && caller.agent.is_none() {
            properties["agent_id"] = json!({"type": "string", "minLength": 1, "maxLength": 128,
                "description": "Who acts: this key is no agent's."});
            if let Value::Array(required) = input.entry("required").or_insert_with(|| json!([])) {
                required.push("agent_id".into());
            }
        }
        input
    }

    /// The schema of its answer.
    #[must_use]
    pub fn output(&self) -> Value {
        let mut properties = Map::new();
        for (name, of_type) in self.about.answers {
            properties.insert((*name).to_owned(), json!({"type": of_type}));
        }
        json!({"type": "object", "properties": properties})
    }
}

/// What this caller is offered.
#[must_use]
pub fn offered(caller: &Caller, selection: &Selection) -> Vec<&'static Tool> {
    let is_offered =
        |tool: &&Tool| selection.0.contains(&tool.about.toolset) && caller.may(tool.about.scope);
    all().iter().filter(is_offered).collect()
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The answer as an object; where it failed, `problem` is among its members.
    pub value: Map<String, Value>,
    /// What went wrong, and what to do next.
    pub failure: Option<String>,
}

/// Calls an operation.
///
/// # Errors
/// There is none of this name among those that the caller is offered.
pub async fn call<H: Hub>(
    hub: &H,
    caller: &Caller,
    selection: &Selection,
    name: &str,
    arguments: Map<String, Value>,
) -> Result<Outcome, Problem> {
    let mut offered = offered(caller, selection).into_iter();
    let tool = offered.find(|tool| tool.about.name == name).ok_or_else(|| unknown(name))?;
    let mut arguments = Value::Object(arguments);
    let broken = schema::broken(&tool.input(caller), &arguments);
    let text = |arguments: &mut Value, name: &str| match arguments.as_object_mut()?.remove(name)? {
        Value::String(text) => Some(text),
        _ => None,
    };
    let key = text(&mut arguments, "idempotency_key");
    let named = text(&mut arguments, "agent_id");
    let agent = caller.agent.clone().or(named).unwrap_or_default();
    let cx = Context { hub, agent, key };
    let finished = if broken.is_empty() {
        run(name, arguments, &cx).await
    } else {
        Finished { answer: Err(Problem::of_fields(&broken)), renewal: None }
    };
    Ok(told(finished, &cx).await)
}

/// Renews what the agent holds, and says so beside what the operation has answered.
async fn told<H: Hub>(finished: Finished, cx: &Context<'_, H>) -> Outcome {
    let renewal = match cx.agent.as_str() {
        "" => None,
        // Who has not checked in holds nothing.
        agent => Renewal::send(cx.hub, agent).await.ok(),
    };
    let (mut value, failure) = match finished.answer {
        Ok(value) => (value, None),
        Err(problem) => {
            let value = Map::from_iter([("problem".to_owned(), problem.to_value())]);
            (value, Some(problem.advise()))
        }
    };
    if let Some(renewal) = renewal.map(|renewal| renewal.after(finished.renewal)) {
        if let Some(Value::Array(tasks)) = value.get_mut("tasks") {
            for task in tasks.iter_mut().filter(|task| task.get("token").is_some()) {
                let lease = task["task_id"].as_str().and_then(|id| renewal.lease_of(id));
                if let (Some(lease), Value::Object(task)) = (lease, task) {
                    task.insert("lease_expires_in_ms".to_owned(), lease.into());
                }
            }
        }
        value.insert("agent".to_owned(), Value::Object(renewal.shown(cx.me())));
    }
    Outcome { value, failure }
}

/// An operation's own answer, and what a renewal before it has found.
struct Finished {
    answer: Answer,
    renewal: Option<Renewal>,
}

async fn finish<O: Operation, H: Hub>(arguments: Value, cx: &Context<'_, H>) -> Finished {
    let operation: O = match serde_json::from_value(arguments) {
        Ok(operation) => operation,
        Err(error) => {
            let answer = Err(Problem::of_arguments(&format!("{error}.")));
            return Finished { answer, renewal: None };
        }
    };
    // What it holds must not run out while it waits.
    let renewal = if operation.wait_ms() > 0 && !cx.agent.is_empty() {
        Renewal::send(cx.hub, &cx.agent).await.ok()
    } else {
        None
    };
    Finished { answer: operation.run(cx).await, renewal }
}

fn unknown(name: &str) -> Problem {
    Problem::new(404, "not_found", &format!("There is no tool {name:?} for this key here."))
}

/// Some members of an object, in this order.
fn brief(value: &Value, names: &[&str]) -> Value {
    let shown = names.iter().filter_map(|name| {
        let member = value.get(name).filter(|member| !member.is_null())?;
        Some(((*name).to_owned(), member.clone()))
    });
    Value::Object(shown.collect())
}

/// A list and how it goes on, as an answer.
fn listed(name: &str, items: Vec<Value>, next_cursor: Option<String>) -> Map<String, Value> {
    let mut answer = Map::from_iter([(name.to_owned(), items.into())]);
    answer.extend(next_cursor.map(|cursor| ("next_cursor".to_owned(), cursor.into())));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_is_read_by_its_names() {
        let all = Selection::parse("all").unwrap();
        assert_eq!(all, Selection::parse("core,flow,stream, lead,money,operate").unwrap());
        assert_eq!(Selection::parse(" ").unwrap(), Selection::default());
        assert!(Selection::parse("core,monney").unwrap_err().contains("flow, stream, lead, money"));
    }

    #[test]
    fn every_operation_can_be_told_from_others_and_says_what_it_does() {
        let all = all();
        let names: BTreeSet<_> = all.iter().map(|tool| tool.about.name).collect();
        assert_eq!(names.len(), all.len());
        assert_eq!(all.iter().filter(|it| it.about.toolset == Toolset::Core).count(), 12);
        for Tool { about, input } in all {
            let fits = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(about.name.len() <= 32 && about.name.chars().all(fits), "{}", about.name);
            assert!(about.description.ends_with('.') && !about.title.is_empty(), "{}", about.name);
            let properties = input.get("properties").and_then(Value::as_object);
            for (name, property) in properties.into_iter().flatten() {
                assert!(property.get("description").is_some(), "{}: {name}", about.name);
            }
        }
    }
}
