//! Why a task is not running.

use reef_api::Open;
use reef_api::limit::ShutBy;
use reef_api::task::{WhyAnswer, WhyNodes, WhySkill};
use reef_api::wait::WaitKind;
use reef_domain::task::USUAL_TYPE;
use reef_domain::time::UnixMillis;
use reef_store::Redis;
use reef_store::queue::paused_state;
use reef_store::task::{AskWhy, Obstacles};
use reef_web::route::Answer;
use reef_web::{Context, Response};

use crate::owners::{is_end, unknown_task};

/// `GET /tasks/{id}/why`
pub(crate) async fn explain<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let task_id = cx.id("id", "task_id")?;
    let found = cx.store.call(&AskWhy { task_id: &task_id }).await?;
    let obstacles = found.filter(|found| cx.caller.may_see(&[&found.owner]));
    let obstacles = obstacles.ok_or_else(|| unknown_task(&task_id))?;
    let (reason, message) = first_obstacle(&obstacles);
    let skills = obstacles.skills.into_iter();
    Ok(Response::json(&WhyAnswer {
        task_id,
        status: obstacles.status,
        reason: reason.into(),
        message,
        due_at: obstacles.due.or(obstacles.opens),
        fair_delay_ms: obstacles.fair_ms,
        ahead: obstacles.ahead,
        nodes: WhyNodes { able: obstacles.able, online: obstacles.online, free: obstacles.free },
        skills: skills.map(|(skill, nodes, online)| WhySkill { skill, nodes, online }).collect(),
    }))
}

/// The first thing that keeps a task from running: a word for programs, a sentence for people.
fn first_obstacle(obstacles: &Obstacles) -> (&'static str, String) {
    let Obstacles { status, due, able, able_of_all, online, free, skills, ahead, .. } = obstacles;
    let Obstacles { target, target_status, .. } = obstacles;
    if let (Some(node), "pending", None) = (target, status.as_str(), due)
        && (*able == 0 || *online == 0)
    {
        return match target_status {
            None => ("no_node", format!("It is for the node {node}, which is not registered.")),
            Some(_) if *able == 0 => (
                "target_node_unfit",
                format!(
                    "It is for the node {node}, which lacks a skill or is not of its audience."
                ),
            ),
            Some(_) => {
                ("no_node_online", format!("It is for the node {node}, which is not online."))
            }
        };
    }
    let missing = |of: fn(&(String, i64, i64)) -> i64| {
        let names =
            skills.iter().filter(move |skill| of(skill) == 0).map(|(name, ..)| name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    let unknown = missing(|(_, nodes, _)| *nodes);
    let asleep = missing(|(_, _, online)| *online);
    let kept = kept_back(obstacles);
    match (status.as_str(), due) {
        ("running", _) => ("running", "It is running.".to_owned()),
        ("scheduled", Some(due)) => ("delayed", format!("It is kept back until {due}.")),
        ("pending", Some(due)) => {
            ("waiting_for_retry", format!("Its last try failed; it waits for retry until {due}."))
        }
        ("waiting", due) => waits_for(obstacles, due),
        (status, _) if is_end(status) => ("ended", format!("It has ended: {status}.")),
        _ if !unknown.is_empty() => {
            ("no_node_with_skill", format!("No node has the skill {unknown}."))
        }
        _ if *able == 0 && skills.is_empty() && able_of_all.is_none_or(|nodes| nodes == 0) => {
            ("no_node", "No node is registered.".to_owned())
        }
        _ if *able == 0 && able_of_all.is_some_and(|nodes| nodes > 0) => (
            "no_node_in_audience",
            "Nodes have its skills, but none of them is one of its audience's.".to_owned(),
        ),
        _ if *able == 0 => (
            "no_node_with_all_skills",
            "Each of its skills is there, but no node has all of them.".to_owned(),
        ),
        _ if !asleep.is_empty() => {
            ("no_node_online", format!("No node with the skill {asleep} is online."))
        }
        _ if *online == 0 => ("no_node_online", "No node that could run it is online.".to_owned()),
        _ if kept.is_some() => kept.unwrap_or_default(),
        _ if *free == 0 => {
            ("all_full", format!("All {online} online nodes that could run it are full."))
        }
        _ => (
            "waiting_for_claim",
            format!(
                "It waits for one of {free} nodes with room to claim it; {ahead} tasks are before it."
            ),
        ),
    }
}

/// What keeps back all tasks of its kind: a pause, or a limit.
fn kept_back(obstacles: &Obstacles) -> Option<(&'static str, String)> {
    let paused = paused_state(obstacles.paused.as_deref().unwrap_or_default());
    if paused.all {
        return Some(("paused", "The queue is paused: GET /api/v1/queue.".to_owned()));
    }
    let is_paused = |skill: &&str| paused.skills.iter().any(|paused| paused == skill);
    if let Some(skill) = obstacles.skills.iter().map(|(skill, ..)| skill.as_str()).find(is_paused) {
        return Some((
            "paused",
            format!("Tasks that require {skill} are paused: GET /api/v1/queue."),
        ));
    }
    let kind = obstacles.kind.as_deref().unwrap_or(USUAL_TYPE);
    if paused.types.iter().any(|paused| paused == kind) {
        return Some((
            "paused",
            format!("Tasks of the type {kind} are paused: GET /api/v1/queue."),
        ));
    }
    let limit = obstacles.limit.as_ref()?;
    let until = obstacles.opens.map(|opens| format!(" until {opens}")).unwrap_or_default();
    let by = match obstacles.shut_by.as_ref().and_then(Open::known) {
        Some(ShutBy::Paused) => "is paused",
        Some(ShutBy::Concurrency) | None => "is full: as many run as may",
        Some(ShutBy::Rate) => "is used up",
        Some(ShutBy::Penalty) => "is shut, since the provider wants to be left alone",
    };
    Some(("limited", format!("The limit {limit} {by}{until}.")))
}

/// What a task waits for that is no node.
fn waits_for(obstacles: &Obstacles, due: &Option<UnixMillis>) -> (&'static str, String) {
    let until = due.map(|due| format!(", until {due} at most")).unwrap_or_default();
    match obstacles.waits_for.as_ref().and_then(Open::known) {
        Some(WaitKind::Approval) => {
            ("waiting_for_approval", format!("Somebody has to decide{until}: GET /api/v1/waits."))
        }
        Some(WaitKind::Signal) => ("waiting_for_signal", format!("It waits for a signal{until}.")),
        Some(WaitKind::Tasks) => {
            ("waiting_for_tasks", format!("It waits for the end of other tasks{until}."))
        }
        Some(WaitKind::Sleep) => {
            let until = due.map(|due| format!(" until {due}")).unwrap_or_default();
            ("waiting_for_time", format!("It sleeps{until}."))
        }
        None => ("waiting_for_tasks", "What it follows has not ended.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use reef_api::task::TaskStatus;

    use super::*;

    fn obstacles() -> Obstacles {
        Obstacles {
            owner: String::new(),
            status: TaskStatus::Pending.into(),
            due: None,
            ahead: 0,
            able: 1,
            able_of_all: None,
            online: 1,
            free: 1,
            target: None,
            target_status: None,
            waits_for: None,
            limit: None,
            shut_by: None,
            opens: None,
            paused: None,
            kind: None,
            fair_ms: None,
            skills: vec![("gpu".into(), 1, 1)],
        }
    }

    #[test]
    fn the_first_obstacle_is_named() {
        let gpu = |nodes, online| vec![("gpu".to_owned(), nodes, online)];
        let for_node = |status: Option<&str>| Obstacles {
            able: i64::from(status.is_some()),
            online: 0,
            free: 0,
            target: Some("n".into()),
            target_status: status.map(str::to_owned),
            ..obstacles()
        };
        for (obstacles, reason) in [
            (obstacles(), "waiting_for_claim"),
            (Obstacles { free: 0, ..obstacles() }, "all_full"),
            (Obstacles { online: 0, free: 0, ..obstacles() }, "no_node_online"),
            (Obstacles { able: 0, online: 0, ..obstacles() }, "no_node_with_all_skills"),
            (Obstacles { able: 0, skills: gpu(0, 0), ..obstacles() }, "no_node_with_skill"),
            (Obstacles { able: 0, skills: Vec::new(), ..obstacles() }, "no_node"),
            (
                Obstacles { able: 0, able_of_all: Some(1), skills: Vec::new(), ..obstacles() },
                "no_node_in_audience",
            ),
            (for_node(Some("offline")), "no_node_online"),
            (for_node(None), "no_node"),
            (Obstacles { able: 0, ..for_node(Some("online")) }, "target_node_unfit"),
            (Obstacles { due: Some(UnixMillis(0)), ..obstacles() }, "waiting_for_retry"),
            (Obstacles { paused: Some("*".into()), ..obstacles() }, "paused"),
            (Obstacles { paused: Some("[\"gpu\"]".into()), ..obstacles() }, "paused"),
            (Obstacles { paused: Some("[\"cpu\"]".into()), ..obstacles() }, "waiting_for_claim"),
            (Obstacles { limit: Some("openai".into()), free: 0, ..obstacles() }, "limited"),
            (Obstacles { status: TaskStatus::Timeout.into(), ..obstacles() }, "ended"),
        ] {
            assert_eq!(first_obstacle(&obstacles).0, reason, "{obstacles:?}");
        }
        let missing = Obstacles { able: 0, skills: gpu(0, 0), ..obstacles() };
        assert_eq!(first_obstacle(&missing).1, "No node has the skill gpu.");
    }
}
