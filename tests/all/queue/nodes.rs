//! What nodes should be: what they hold, have lost, and whether they are heard of.

use std::collections::BTreeMap;

use super::model::{ANSWERED, Model, Node, SILENCE};

impl Model {
    /// What becomes of the claims that a heartbeat lists; nothing for an unknown node.
    pub fn beat(&mut self, id: &str, listed: &[(String, String)]) -> Option<Vec<&'static str>> {
        let clock = self.clock;
        let node = self.nodes.get_mut(id)?;
        node.beat = clock;
        if node.status == "offline" {
            node.status = "online";
        }
        let kept = listed.iter().map(|(task, token)| {
            if self.is_cancelled(task, token) {
                return "cancelled";
            }
            if self.tasks.get(task).is_none_or(|task| task.node != id) || !self.holds(task, token) {
                return "revoked";
            }
            self.renew(task);
            "renewed"
        });
        Some(kept.collect())
    }

    /// What a node holds, all of it renewed, and what it has lost since it last asked.
    pub fn renew_all(
        &mut self,
        node: &str,
    ) -> (Vec<(String, i64)>, BTreeMap<String, &'static str>) {
        let held: Vec<String> = self.held_by(node).into_iter().map(str::to_owned).collect();
        self.nodes.get_mut(node).unwrap().lost.get_or_insert_default();
        let mut renewed = Vec::new();
        for id in held {
            let token = self.tasks[&id].token.clone();
            if self.holds(&id, &token) {
                self.renew(&id);
                renewed.push((id.clone(), self.tasks[&id].until - self.clock));
            }
        }
        let lost = self.nodes.get_mut(node).unwrap().lost.replace(BTreeMap::new());
        (renewed, lost.unwrap_or_default())
    }

    pub fn register(&mut self, id: &str, skills: Vec<String>, tags: Vec<String>, max: i64) {
        let known = self.nodes.remove(id);
        let (successful, failed) =
            known.as_ref().map_or((0, 0), |node| (node.successful, node.failed));
        let (beat, lost) = (self.clock, known.and_then(|node| node.lost));
        let node = Node { skills, tags, max, status: "online", beat, successful, failed, lost };
        self.nodes.insert(id.to_owned(), node);
    }

    fn release(&mut self, node: &str) {
        let held: Vec<String> = self.held_by(node).into_iter().map(str::to_owned).collect();
        for id in held {
            self.note_lost(node, &id, "released");
            self.tasks.get_mut(&id).unwrap().put_back();
        }
    }

    /// Moves a node to a status; one that is offline holds nothing.
    pub fn leave(&mut self, id: &str, to: &'static str) -> &'static str {
        let clock = self.clock;
        let Some(node) = self.nodes.get_mut(id) else { return "not_found" };
        if to == "online" && node.status != "online" {
            node.beat = clock;
        }
        node.status = to;
        if to == "offline" {
            self.release(id);
        }
        ANSWERED
    }

    pub fn remove_node(&mut self, id: &str) -> &'static str {
        if self.nodes.remove(id).is_none() {
            return "not_found";
        }
        self.release(id);
        ANSWERED
    }

    /// Marks silent nodes offline; which.
    pub fn check(&mut self) -> Vec<String> {
        let is_silent = |node: &Node| node.status == "online" && node.beat + SILENCE < self.clock;
        let silent = self.nodes.iter().filter(|(_, node)| is_silent(node));
        let silent: Vec<_> = silent.map(|(id, _)| id.clone()).collect();
        for id in &silent {
            self.leave(id, "offline");
        }
        silent
    }
}
