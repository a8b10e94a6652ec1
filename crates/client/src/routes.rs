//! The routes of a hub, and what each takes and answers.

use reef_api::agent::{
    AgentBody, AgentChange, AgentList, AgentRegistered, AgentRemoved, CallerAnswer, InviteAnswer,
    InviteBody, InviteList, KeyAnswer, KeyBody, KeyList, ShownAgent,
};
use reef_api::audit::{AuditList, AuditSeals};
use reef_api::cluster::{ClusterHealth, ClusterState, Readiness};
use reef_api::heartbeat::{HeartbeatAnswer, HeartbeatBody};
use reef_api::leader::{
    CampaignAnswer, CampaignBody, LeaderHistoryEntry, Leadership, ResignAnswer, ResignBody,
};
use reef_api::ledger::{
    AuditPage, Balance, BalanceChange, EntryIndex, EntryList, HoldAnswer, HoldBody, HoldList,
    HoldPostBody, IntentBody, IntentList, IntentSubmitted, MatchAnswer, MatchBody, MoneyBody,
    PositionClosed, PositionList, PositionMarked, PriceBody, SealList, TransferAnswer,
    TransferBody,
};
use reef_api::mail::{
    AcceptAnswer, AcceptBody, AcknowledgeAnswer, AcknowledgeBody, MailAnswer, MailBody, MailList,
    MailRedriveAnswer, MailRedriveBody, ReceiveAnswer, ReceiveBody,
};
use reef_api::message::{
    AddBlockAnswer, AppendAnswer, AppendBody, Message, MessageAnswer, MessageBody,
    MessageCleanupAnswer, MessageCompleteAnswer, MessageCompleteBody, MessageList,
};
use reef_api::node::{Node, NodeChange, NodeDone, NodeHealth, Registered, Registration};
use reef_api::session::{Session, SessionAnswer, SessionBody, SessionClosed};
use reef_api::task::{
    SessionTaskAnswer, SessionTaskBody, SubmittedTask, Task, TaskBody, TaskClaimAnswer,
    TaskClaimBody, TaskCleanupAnswer, TaskCleanupBody, TaskProgressAnswer, TaskProgressBody,
    TaskRedriveAnswer, TaskRedriveBody, TaskRemoved, TaskStats, WhyAnswer,
};
use reef_api::{MessageId, NodeId, SessionId, TaskId};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Hub, Request};

/// Nodes.
impl Hub {
    /// Registers a node.
    pub fn register_node(&self, form: &Registration) -> Request<Registered<'static>> {
        self.post(["nodes", "register"]).json(form).answering()
    }

    /// Lists nodes, newest registration first. What is asked for is in the query.
    pub fn nodes(&self) -> Request<Vec<Node>> {
        self.get(["nodes"]).answering()
    }

    /// Lists nodes that are online.
    pub fn online_nodes(&self) -> Request<Vec<Node>> {
        self.get(["nodes", "online"]).answering()
    }

    /// Shows a node.
    pub fn node(&self, node_id: &NodeId) -> Request<Node> {
        self.get(["nodes", node_id.as_str()]).answering()
    }

    /// Changes a node.
    pub fn change_node(&self, node_id: &NodeId, change: &NodeChange) -> Request<Node> {
        self.patch(["nodes", node_id.as_str()]).json(change).answering()
    }

    /// Forgets a node.
    pub fn remove_node(&self, node_id: &NodeId) -> Request<NodeDone> {
        self.delete(["nodes", node_id.as_str()]).answering()
    }

    /// Marks a node offline by its own wish.
    pub fn shut_down_node(&self, node_id: &NodeId) -> Request<NodeDone> {
        self.post(["nodes", node_id.as_str(), "shutdown"]).answering()
    }

    /// Says that a node lives.
    pub fn beat(
        &self,
        node_id: &NodeId,
        body: &HeartbeatBody,
    ) -> Request<HeartbeatAnswer<'static>> {
        self.post(["nodes", node_id.as_str(), "heartbeat"]).json(body).answering()
    }

    /// Asks whether a node is healthy.
    pub fn node_health(&self, node_id: &NodeId) -> Request<NodeHealth> {
        self.get(["nodes", node_id.as_str(), "health"]).answering()
    }
}

/// The cluster and its leadership.
impl Hub {
    /// Asks how the cluster is.
    pub fn cluster_health(&self) -> Request<ClusterHealth> {
        self.get(["cluster", "health"]).answering()
    }

    /// Counts nodes and tasks.
    pub fn cluster_state(&self) -> Request<ClusterState> {
        self.get(["cluster", "state"]).answering()
    }

    /// Asks whether the hub can write to Redis.
    pub fn readiness(&self) -> Request<Readiness<'static>> {
        self.get_own(["readyz"]).answering()
    }

    /// Asks who leads.
    pub fn leader(&self) -> Request<Leadership> {
        self.get(["cluster", "leader"]).answering()
    }

    /// Lets a node lead, or go on leading. An old answer that came again would speak of a lease that
    /// may be over, so this is not for an idempotency key.
    pub fn campaign(&self, body: &CampaignBody) -> Request<CampaignAnswer> {
        self.post(["cluster", "leader", "campaign"]).json(body).answering()
    }

    /// Hands the leadership back.
    pub fn resign(&self, node_id: &NodeId, term: i64) -> Request<ResignAnswer> {
        let body = ResignBody { node_id: Some(node_id.clone()), term: Some(term) };
        self.post(["cluster", "leader", "resign"]).json(&body).answering()
    }

    /// Lists what has happened to the leadership, newest first.
    pub fn leaders(&self) -> Request<Vec<LeaderHistoryEntry>> {
        self.get(["cluster", "leader", "history"]).answering()
    }
}

/// Tasks.
impl Hub {
    /// Queues a task.
    pub fn submit_task<J: Serialize>(&self, body: &TaskBody<J>) -> Request<SubmittedTask> {
        self.post(["tasks"]).json(body).answering()
    }

    /// Queues a task whose progress a message of a session shows.
    pub fn submit_session_task(
        &self,
        session_id: &SessionId,
        body: &SessionTaskBody,
    ) -> Request<SessionTaskAnswer> {
        self.post(["sessions", session_id.as_str(), "tasks"]).json(body).answering()
    }

    /// Lists tasks, newest first. What is asked for is in the query.
    pub fn tasks(&self) -> Request<Vec<Task>> {
        self.get(["tasks"]).answering()
    }

    /// Lists dead letters.
    pub fn dead_tasks(&self) -> Request<Vec<Task>> {
        self.get(["tasks", "dead"]).answering()
    }

    /// Shows a task.
    pub fn task(&self, task_id: &TaskId) -> Request<Task> {
        self.get(["tasks", task_id.as_str()]).answering()
    }

    /// Asks why a task is not running.
    pub fn why(&self, task_id: &TaskId) -> Request<WhyAnswer> {
        self.get(["tasks", task_id.as_str(), "why"]).answering()
    }

    /// Claims tasks for a node. Each is read as `T`.
    pub fn claim<T>(&self, body: &TaskClaimBody) -> Request<TaskClaimAnswer<T>> {
        self.post(["tasks", "claim"]).json(body).answering()
    }

    /// Renews a claim, and says how far its task is.
    pub fn progress(
        &self,
        task_id: &TaskId,
        body: &TaskProgressBody<serde_json::Value>,
    ) -> Request<TaskProgressAnswer> {
        self.post(["tasks", task_id.as_str(), "progress"]).json(body).answering()
    }

    /// Cancels a task.
    pub fn cancel_task(&self, task_id: &TaskId) -> Request<Task> {
        self.post(["tasks", task_id.as_str(), "cancel"]).answering()
    }

    /// Forgets a task that has ended.
    pub fn remove_task(&self, task_id: &TaskId) -> Request<TaskRemoved> {
        self.delete(["tasks", task_id.as_str()]).answering()
    }

    /// Lets a task wait again.
    pub fn retry_task(&self, task_id: &TaskId) -> Request<Task> {
        self.post(["tasks", task_id.as_str(), "retry"]).answering()
    }

    /// Lets dead letters wait again.
    pub fn redrive_tasks(&self, body: &TaskRedriveBody) -> Request<TaskRedriveAnswer> {
        self.post(["tasks", "dead", "redrive"]).json(body).answering()
    }

    /// Forgets old tasks: a bounded number of them.
    pub fn clean_up_tasks(&self, body: &TaskCleanupBody) -> Request<TaskCleanupAnswer> {
        self.post(["tasks", "cleanup"]).json(body).answering()
    }

    /// Counts tasks by status, and the queue.
    pub fn task_stats(&self) -> Request<TaskStats> {
        self.get(["tasks", "stats"]).answering()
    }
}

/// Sessions.
impl Hub {
    /// Begins a session, or finds it as it is.
    pub fn create_session(&self, body: &SessionBody) -> Request<SessionAnswer> {
        self.post(["sessions"]).json(body).answering()
    }

    /// Lists sessions, newest first. What is asked for is in the query.
    pub fn sessions(&self) -> Request<Vec<Session>> {
        self.get(["sessions"]).answering()
    }

    /// Shows a session.
    pub fn session(&self, session_id: &SessionId) -> Request<Session> {
        self.get(["sessions", session_id.as_str()]).answering()
    }

    /// Closes a session.
    pub fn close_session(&self, session_id: &SessionId) -> Request<SessionClosed> {
        self.delete(["sessions", session_id.as_str()]).answering()
    }
}

/// Messages.
impl Hub {
    /// Says something in a session: makes a complete message, and an open one for the answer.
    pub fn send_message(
        &self,
        session_id: &SessionId,
        body: &MessageBody,
    ) -> Request<MessageAnswer> {
        self.post(["sessions", session_id.as_str(), "messages"]).json(body).answering()
    }

    /// Lists a session's messages, oldest first. What is asked for is in the query.
    pub fn messages(&self, session_id: &SessionId) -> Request<MessageList> {
        self.get(["sessions", session_id.as_str(), "messages"]).answering()
    }

    /// Removes a session's old messages. How old they are is in the query.
    pub fn clean_up_messages(&self, session_id: &SessionId) -> Request<MessageCleanupAnswer> {
        self.delete(["sessions", session_id.as_str(), "messages"]).answering()
    }

    /// Shows a message.
    pub fn message(&self, message_id: &MessageId) -> Request<Message> {
        self.get(["messages", message_id.as_str()]).answering()
    }

    /// Appends to a message's text. A producer's numbers make it safe to repeat.
    pub fn append(&self, message_id: &MessageId, body: &AppendBody) -> Request<AppendAnswer> {
        self.post(["messages", message_id.as_str(), "append"]).json(body).answering()
    }

    /// Adds a content block to a message.
    pub fn add_block(
        &self,
        message_id: &MessageId,
        block: &Map<String, Value>,
    ) -> Request<AddBlockAnswer> {
        self.post(["messages", message_id.as_str(), "content"]).json(block).answering()
    }

    /// Ends a message.
    pub fn complete_message(
        &self,
        message_id: &MessageId,
        body: &MessageCompleteBody,
    ) -> Request<MessageCompleteAnswer> {
        self.post(["messages", message_id.as_str(), "complete"]).json(body).answering()
    }
}

/// Inboxes, each by the name of its agent or node.
impl Hub {
    /// Sends mail.
    pub fn send_mail(&self, agent: &str, body: &MailBody) -> Request<MailAnswer> {
        self.post(["inbox", agent]).json(body).answering()
    }

    /// Looks at what waits, without taking it.
    pub fn mail(&self, agent: &str) -> Request<MailList> {
        self.get(["inbox", agent]).answering()
    }

    /// Takes mail under a lease.
    pub fn receive_mail(&self, agent: &str, body: &ReceiveBody) -> Request<ReceiveAnswer> {
        self.post(["inbox", agent, "receive"]).json(body).answering()
    }

    /// Acknowledges mail.
    pub fn acknowledge(&self, agent: &str, body: &AcknowledgeBody) -> Request<AcknowledgeAnswer> {
        self.post(["inbox", agent, "ack"]).json(body).answering()
    }

    /// Lists dead letters.
    pub fn dead_mail(&self, agent: &str) -> Request<MailList> {
        self.get(["inbox", agent, "dead"]).answering()
    }

    /// Lets dead letters wait again.
    pub fn redrive_mail(&self, agent: &str, body: &MailRedriveBody) -> Request<MailRedriveAnswer> {
        self.post(["inbox", agent, "dead", "redrive"]).json(body).answering()
    }

    /// Accepts a proposal. Safe to repeat by itself.
    pub fn accept(&self, agent: &str, mail: &str, body: &AcceptBody) -> Request<AcceptAnswer> {
        self.post(["inbox", agent, "proposals", mail, "accept"]).json(body).answering()
    }
}

/// Agents, their keys, and invites.
impl Hub {
    /// Registers an agent, with a first key.
    pub fn register_agent(&self, body: &AgentBody) -> Request<AgentRegistered> {
        self.post(["agents", "register"]).json(body).answering()
    }

    /// Lists agents, newest first.
    pub fn agents(&self) -> Request<AgentList> {
        self.get(["agents"]).answering()
    }

    /// Shows an agent.
    pub fn agent(&self, agent: &str) -> Request<ShownAgent> {
        self.get(["agents", agent]).answering()
    }

    /// Suspends an agent, or lets it go on.
    pub fn change_agent(&self, agent: &str, body: &AgentChange) -> Request<ShownAgent> {
        self.patch(["agents", agent]).json(body).answering()
    }

    /// Removes an agent that has nothing left.
    pub fn remove_agent(&self, agent: &str) -> Request<AgentRemoved> {
        self.delete(["agents", agent]).answering()
    }

    /// Makes a key.
    pub fn create_key(&self, body: &KeyBody) -> Request<KeyAnswer> {
        self.post(["auth", "keys"]).json(body).answering()
    }

    /// Lists keys: the caller's own, or those of whom the query names.
    pub fn keys(&self) -> Request<KeyList> {
        self.get(["auth", "keys"]).answering()
    }

    /// Puts a new key in the place of another.
    pub fn rotate_key(&self, key_id: &str) -> Request<KeyAnswer> {
        self.post(["auth", "keys", key_id, "rotate"]).answering()
    }

    /// Asks whose the key in use is.
    pub fn caller(&self) -> Request<CallerAnswer> {
        self.get(["auth", "me"]).answering()
    }

    /// Makes an invite.
    pub fn create_invite(&self, body: &InviteBody) -> Request<InviteAnswer> {
        self.post(["invites"]).json(body).answering()
    }

    /// Lists open invites.
    pub fn invites(&self) -> Request<InviteList> {
        self.get(["invites"]).answering()
    }
}

/// The ledger.
impl Hub {
    /// Shows what an agent has.
    pub fn balance(&self, agent: &str) -> Request<Balance> {
        self.get(["balance", agent]).answering()
    }

    /// Brings money in.
    pub fn deposit(&self, body: &MoneyBody) -> Request<BalanceChange> {
        self.post(["deposit"]).json(body).answering()
    }

    /// Takes money out.
    pub fn withdraw(&self, body: &MoneyBody) -> Request<BalanceChange> {
        self.post(["withdraw"]).json(body).answering()
    }

    /// Pays another agent.
    pub fn transfer(&self, body: &TransferBody) -> Request<TransferAnswer> {
        self.post(["transfer"]).json(body).answering()
    }

    /// Reserves money.
    pub fn place_hold(&self, body: &HoldBody) -> Request<HoldAnswer> {
        self.post(["holds"]).json(body).answering()
    }

    /// Lists holds, newest first.
    pub fn holds(&self) -> Request<HoldList> {
        self.get(["holds"]).answering()
    }

    /// Pays what is reserved.
    pub fn post_hold(&self, hold: &str, body: &HoldPostBody) -> Request<HoldAnswer> {
        self.post(["holds", hold, "post"]).json(body).answering()
    }

    /// Releases what is reserved.
    pub fn void_hold(&self, hold: &str) -> Request<HoldAnswer> {
        self.post(["holds", hold, "void"]).answering()
    }

    /// Says that one would take a position.
    pub fn submit_intent(&self, body: &IntentBody) -> Request<IntentSubmitted> {
        self.post(["intents"]).json(body).answering()
    }

    /// Lists intents, newest first.
    pub fn intents(&self) -> Request<IntentList> {
        self.get(["intents"]).answering()
    }

    /// Matches two intents.
    pub fn match_intents(&self, intent: &str, body: &MatchBody) -> Request<MatchAnswer> {
        self.post(["intents", intent, "match"]).json(body).answering()
    }

    /// Lists an agent's positions.
    pub fn positions(&self, agent: &str) -> Request<PositionList> {
        self.get(["positions", agent]).answering()
    }

    /// Closes both sides of a match.
    pub fn close_position(&self, position: &str, body: &PriceBody) -> Request<PositionClosed> {
        self.post(["positions", position, "close"]).json(body).answering()
    }

    /// Sets a position's price.
    pub fn mark_position(&self, position: &str, body: &PriceBody) -> Request<PositionMarked> {
        self.post(["positions", position, "mark"]).json(body).answering()
    }

    /// Lists entries of the journal. Each is read as `E`.
    pub fn entries<E>(&self) -> Request<EntryList<E>> {
        self.get(["entries"]).answering()
    }

    /// Lists the journal's seals.
    pub fn seals(&self) -> Request<SealList> {
        self.get(["entries", "seals"]).answering()
    }

    /// Reads who has changed what. Each entry is read as `E`.
    pub fn audit_entries<E>(&self) -> Request<AuditList<E>> {
        self.get(["audit"]).answering()
    }

    /// Reads what a chain of the audit says of itself, which is read as `C`, and its seals.
    pub fn audit_seals<C>(&self, chain: &str) -> Request<AuditSeals<C>> {
        self.get(["audit", "seals"]).query("chain", chain).answering()
    }

    /// Reads the ledger's keys as they lie there. Each record is read as `R`.
    pub fn audit<R>(&self) -> Request<AuditPage<R>> {
        self.get(["entries", "audit"]).answering()
    }

    /// Lists the numbers of an agent's entries.
    pub fn entry_index(&self, agent: &str) -> Request<EntryIndex> {
        self.get(["entries", "index"]).query("agent_id", agent).answering()
    }
}
