//! What is shown, step by step.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reef_api::agent::AgentBody;
use reef_api::ledger::{Balance, MoneyBody, TransferBody};
use reef_api::message::{AppendBody, MessageBody, MessageCompleteBody, MessageEventPayload};
use reef_api::session::SessionBody;
use reef_api::task::{Task, TaskBody, TaskStatus};
use reef_api::{MessageId, Money};
use reef_client::Hub;
use serde::Deserialize;
use serde_json::Value;

use super::fleet::{Fleet, cannot};
use super::stage::Stage;
use crate::Context;
use crate::events::Followed;
use crate::failure::Failure;
use crate::output::Output;
use crate::table::{columns, or_empty, shown, text, time};

const AGENTS: [&str; 5] = ["ada", "bob", "cleo", "dan", "eve"];
/// How long something may take that should happen soon.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often is looked whether it has.
const LOOK: Duration = Duration::from_millis(100);
/// How many times the task says how far it is.
const TASK_STEPS: u32 = 10;
/// The answer that is streamed.
const ANSWER: &str = "The log holds two faults and a remedy. The first fault is a disk that filled \
                      up at dawn; the second is the alarm that nobody had set. The remedy is known.";

/// Shows all steps.
pub(super) async fn play(fleet: &mut Fleet, stage: &Stage) -> Result<(), Failure> {
    let hub = start_hub(fleet, stage).await?;
    let nodes = start_agents(fleet, stage, &hub).await?;
    kill_one(fleet, stage, &hub, &nodes).await?;
    stream_a_message(stage, &hub).await?;
    move_money(stage, &hub).await?;
    stage.say("\nThat was all. Next: README.md, or docs/index.md.")?;
    stage.linger().await
}

async fn start_hub(fleet: &mut Fleet, stage: &Stage) -> Result<Hub, Failure> {
    stage.step("A hub, with a Redis of its own")?;
    stage.say("  starting; the first time compiles the components, which takes half a minute")?;
    let hub = fleet.start_hub().await?;
    stage.say(&format!("  it serves {}", hub.address()))?;
    stage.look(&format!(
        "open {}/ and sign in with the key in {}",
        hub.address(),
        fleet.admin_key().display()
    ))?;
    stage.pause().await?;
    Ok(hub)
}

/// Registers the agents and starts their workers; returns their nodes' ids by name.
async fn start_agents(
    fleet: &mut Fleet,
    stage: &Stage,
    hub: &Hub,
) -> Result<BTreeMap<String, String>, Failure> {
    stage.step("Five agents, each with a key and a worker")?;
    // Long enough for the kill to come in its middle.
    let pause = stage.pace(Duration::from_millis(1600)).as_secs_f64();
    let script = format!(
        "n=1; while [ $n -le {TASK_STEPS} ]; do \
           if [ $n -lt 10 ]; then echo '{{\"progress\": 0.'$n'}}'; fi; sleep {pause}; n=$((n + 1)); \
         done; echo '{{\"result\": {{\"done_by\": \"'$REEF_NODE_ID'\"}}}}'"
    );
    for agent in AGENTS {
        let body = AgentBody {
            agent_id: Some(agent.into()),
            display_name: Some(agent.to_owned()),
            ..AgentBody::default()
        };
        let made = hub.register_agent(&body).once().fetch().await?;
        std::fs::write(fleet.key_of(agent), made.api_key.unwrap_or_default()).map_err(cannot)?;
        fleet.start_worker(hub, agent, &script)?;
    }
    let nodes = until("five nodes online", async || {
        let online = hub.online_nodes().fetch().await?.into_iter();
        let names = online.map(|node| (node.hostname, node.node_id.to_string()));
        let nodes: BTreeMap<_, _> = names.collect();
        Ok((nodes.len() == AGENTS.len()).then_some(nodes))
    });
    let nodes = nodes.await?;
    let rows = nodes.iter().map(|(name, id)| [format!("  {name}"), id.clone()]);
    stage.say(&columns(["  agent", "node"], rows))?;
    stage.look("five nodes online, with their load; a node is as old as its last heartbeat")?;
    stage.pause().await?;
    Ok(nodes)
}

async fn kill_one(
    fleet: &mut Fleet,
    stage: &Stage,
    hub: &Hub,
    nodes: &BTreeMap<String, String>,
) -> Result<(), Failure> {
    stage.step("A task outlives the worker that ran it")?;
    let body = TaskBody::<Value> {
        name: Some("count to ten".to_owned()),
        required_skills: Some(vec!["demo".to_owned()]),
        ..TaskBody::default()
    };
    let task_id = hub.submit_task(&body).once().fetch().await?.task.task_id;
    let id = shown(&task_id);
    let running = until("a worker with the task", async || {
        let Task { status, assigned_node, .. } = hub.task(&task_id).fetch().await?;
        Ok((status == TaskStatus::Running).then(|| or_empty(assigned_node)))
    });
    let node = running.await?;
    let owner = nodes.iter().find(|(_, its)| **its == node).map(|(name, _)| name.clone());
    let owner = owner.ok_or_else(|| Failure::Failed(format!("{node} is no node of the demo")))?;
    stage.say(&format!("  {id} runs on {node}"))?;
    stage.look("the task is running; its node has one task")?;
    // For a person to see it run. A key press might come after its end.
    tokio::time::sleep(stage.pace(Duration::from_secs(4))).await;

    let mut events = Followed(hub.stream(["events", "stream"]).after("0").open());
    let process = fleet.kill_worker(&owner).await?;
    let killed = Instant::now();
    stage.say(&format!("  kill -9 {process}: the worker of {owner} is gone, without a word"))?;
    stage.look(&format!("{owner} goes offline after 3 s of silence, and the task moves on"))?;
    loop {
        let next = tokio::time::timeout(PATIENCE, events.next(&stage.out)).await;
        let next = next.map_err(|_| Failure::Failed("the task has not moved on".to_owned()))?;
        let event = next.ok_or_else(|| Failure::Failed("the events have ended".to_owned()))??;
        let told: Value = event.json()?;
        let about = told.get("payload").unwrap_or(&Value::Null);
        let is_ours = text(about, "task_id") == id || text(about, "node_id") == node;
        if is_ours && event.event != "node_registered" {
            stage.say(&format!("    {}", in_words(&told)))?;
        }
        if event.event == "task_completed" && text(about, "task_id") == id {
            break;
        }
    }
    let end = or_empty(hub.task(&task_id).fetch().await?.assigned_node);
    if end == node {
        return Err(Failure::Failed(format!("{id} has been done by the node that was killed")));
    }
    let took = killed.elapsed().as_secs_f32();
    stage.say(&format!(
        "  {end} has done it, {took:.1} s after the kill; nobody had to ask again"
    ))?;
    stage.pause().await
}

/// `12:00:05  task_pending  node_ada_6a25183d (timeout)`
fn in_words(event: &Value) -> String {
    let about = event.get("payload").unwrap_or(&Value::Null);
    let said = [text(about, "node_id"), format!("({})", text(about, "reason"))];
    let said: Vec<_> = said.into_iter().filter(|it| !it.is_empty()).collect();
    format!("{}  {:<14}  {}", time(event, "timestamp"), text(event, "event_type"), said.join(" "))
}

async fn stream_a_message(stage: &Stage, hub: &Hub) -> Result<(), Failure> {
    stage.step("A message that is read while it is written")?;
    let wish = SessionBody { session_id: Some("demo".into()), ..SessionBody::default() };
    let session = hub.create_session(&wish).once().fetch().await?.session_id;
    let question =
        MessageBody { content: Some("What is in the log?".to_owned()), ..MessageBody::default() };
    let sent = hub.send_message(&session, &question).once().fetch().await?;
    let message = sent.assistant_message_id;
    stage.look(&format!("follow session {session}, message {message}"))?;
    stage.pause().await?;
    let path = ["sessions", session.as_str(), "messages", message.as_str(), "stream"];
    let events = Followed(hub.stream(path).open());
    // The writer ends first: its last word is what ends the reader.
    let (written, read) = tokio::join!(
        write(hub, &message, stage.pace(Duration::from_millis(160))),
        read(events, &stage.out)
    );
    written?;
    let read = read?;
    if read != ANSWER {
        return Err(Failure::Failed(format!("what was read is not what was written: {read}")));
    }
    stage.say("  every word arrived once, in order, while it was written")?;
    stage.pause().await
}

async fn write(hub: &Hub, message: &MessageId, pause: Duration) -> Result<(), Failure> {
    for (delta, seq) in ANSWER.split_inclusive(' ').zip(0..) {
        let body = AppendBody::numbered(delta, "demo", 0, seq);
        hub.append(message, &body).repeatable().send().await?;
        tokio::time::sleep(pause).await;
    }
    hub.complete_message(message, &MessageCompleteBody::default()).once().send().await?;
    Ok(())
}

/// What an event of a message says.
#[derive(Debug, Deserialize)]
struct Told {
    payload: MessageEventPayload,
}

/// Shows a message's text as it arrives, and returns it.
async fn read(mut events: Followed, out: &Output) -> Result<String, Failure> {
    let mut text_so_far = String::new();
    out.text("  ")?;
    while let Some(event) = events.next(out).await {
        let event = event?;
        if event.event == "text_delta" {
            let Told { payload: MessageEventPayload { delta, .. } } = event.json()?;
            out.text(&delta)?;
            text_so_far.push_str(&delta);
        }
    }
    out.text("\n")?;
    Ok(text_so_far)
}

async fn move_money(stage: &Stage, hub: &Hub) -> Result<(), Failure> {
    stage.step("Money that adds up")?;
    let [payer, payee, ..] = AGENTS;
    let deposit =
        MoneyBody { agent_id: Some(payer.into()), amount: Money::from_micros(100_000_000) };
    hub.deposit(&deposit).once().send().await?;
    let payment = TransferBody {
        from_agent: Some(payer.into()),
        to_agent: Some(payee.into()),
        amount: Money::from_micros(12_500_000),
        memo: Some("for the count to ten".to_owned()),
    };
    // Twice under one key, as by somebody who has not heard the first answer.
    for _ in 0..2 {
        hub.transfer(&payment).idempotency_key("demo").send().await?;
    }
    stage.say(&format!(
        "  {payer} has deposited 100 and paid 12.5 to {payee}; the request was sent"
    ))?;
    stage.say("  twice under one idempotency key, and paid once")?;
    let mut rows = Vec::new();
    for agent in [payer, payee] {
        let Balance { balance, available, .. } = hub.balance(agent).fetch().await?;
        rows.push([format!("  {agent}"), balance.to_string(), available.to_string()]);
    }
    let balances: Vec<_> = rows.iter().map(|[_, balance, _]| balance.clone()).collect();
    if balances != ["87.5", "12.5"] {
        return Err(Failure::Failed(format!("the balances are {balances:?}")));
    }
    stage.say(&columns(["  agent", "balance", "available"], rows))?;
    stage.say("  reef ledger verify: every entry again, and every balance from the entries")?;
    let cx = Context { hub: hub.clone(), out: Output::new(false) };
    crate::ledger::verify_hub(&cx).await?;
    stage.look("both balances, under Money")
}

/// Waits until `probe` yields something.
async fn until<T>(
    what: &str,
    mut probe: impl AsyncFnMut() -> Result<Option<T>, Failure>,
) -> Result<T, Failure> {
    let begin = Instant::now();
    loop {
        if let Some(found) = probe().await? {
            return Ok(found);
        }
        if begin.elapsed() > PATIENCE {
            return Err(Failure::Failed(format!("not within {PATIENCE:?}: {what}")));
        }
        tokio::time::sleep(LOOK).await;
    }
}
