//! The routes of a hub, and what each takes and answers.

use reef_api::cluster::{ClusterHealth, ClusterState, Readiness};
use reef_api::heartbeat::{HeartbeatAnswer, HeartbeatBody};
use reef_api::leader::{
    CampaignAnswer, CampaignBody, LeaderHistoryEntry, Leadership, ResignAnswer, ResignBody,
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
use reef_api::session::{Session, SessionAnswer, SessionBody};
use reef_api::task::{
    SessionTaskAnswer, SessionTaskBody, SubmittedTask, Task, TaskBody, TaskClaimAnswer,
    TaskClaimBody, TaskCleanupAnswer, TaskCleanupBody, TaskProgressAnswer, TaskProgressBody,
    TaskRedriveAnswer, TaskRedriveBody, TaskStats, WhyAnswer,
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
        body: &TaskProgressBody,
    ) -> Request<TaskProgressAnswer> {
        self.post(["tasks", task_id.as_str(), "progress"]).json(body).answering()
    }

    /// Cancels a task.
    pub fn cancel_task(&self, task_id: &TaskId) -> Request<Task> {
        self.post(["tasks", task_id.as_str(), "cancel"]).answering()
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
