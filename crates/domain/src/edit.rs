//! Editing a task that waits.

use reef_api::task::{Task, TaskEditBody};

use crate::fairness::Share;
use crate::invalid::Invalid;
use crate::limit::Under;
use crate::retry;
use crate::task::{Audience, Submission, Wants};
use crate::usage::Bounds;

/// What a task that is there would be submitted as.
///
/// # Errors
/// What its audience should be, if it is none.
pub fn submission_of(task: &Task) -> Result<Submission, Invalid> {
    #[allow(clippy::cast_precision_loss, reason = "a week of milliseconds is exact")]
    let timeout = task.timeout.ms as f64 / 1000.0;
    Ok(Submission {
        name: task.name.clone(),
        task_type: task.task_type.clone(),
        description: task.description.clone(),
        wants: Wants {
            required_skills: task.required_skills.clone(),
            optional_skills: task.optional_skills.clone(),
            affinity_tags: task.affinity_tags.clone(),
            audience: Some(Audience::read(&task.audience)?),
            target_node: task.target_node.clone(),
            limits: task.limits.iter().cloned().map(Under::from).collect(),
        },
        priority: task.priority,
        timeout,
        max_retries: task.max_retries,
        user_id: task.user_id.clone(),
        keep_completed_ms: task.keep_completed_ms,
        keep_failed_ms: task.keep_failed_ms,
        labels: task.labels.clone(),
        retry: task.retry,
        budget: task.budget.as_ref().and_then(Bounds::of_shown),
        share: task.fairness_key.clone().map(|key| Share { key, weight: task.fairness_weight }),
        ..Submission::default()
    })
}

/// Takes what an edit changes into a submission, and adds every broken rule. What is kept as it is stays
/// behind. The names of what it changes.
pub fn apply<J>(
    edit: &mut TaskEditBody<J>,
    to: &mut Submission,
    invalid: &mut Invalid,
) -> Vec<&'static str> {
    let mut fields = Vec::new();
    let wants = &mut to.wants;
    put(&mut fields, "name", edit.name.take(), &mut to.name);
    put(&mut fields, "task_type", edit.task_type.take(), &mut to.task_type);
    put(&mut fields, "description", edit.description.take(), &mut to.description);
    put(&mut fields, "required_skills", edit.required_skills.take(), &mut wants.required_skills);
    put(&mut fields, "optional_skills", edit.optional_skills.take(), &mut wants.optional_skills);
    put(&mut fields, "affinity_tags", edit.affinity_tags.take(), &mut wants.affinity_tags);
    put(&mut fields, "priority", edit.priority, &mut to.priority);
    put(&mut fields, "timeout", edit.timeout, &mut to.timeout);
    put(&mut fields, "max_retries", edit.max_retries, &mut to.max_retries);
    put(&mut fields, "labels", edit.labels.take(), &mut to.labels);
    put(&mut fields, "delay_ms", edit.delay_ms, &mut to.delay_ms);
    if let Some(given) = edit.retry.take() {
        put(&mut fields, "retry", Some(Some(retry::read(&given, invalid))), &mut to.retry);
    }
    for (name, is_given) in
        [("parameters", edit.parameters.is_some()), ("metadata", edit.metadata.is_some())]
    {
        fields.extend(is_given.then_some(name));
    }
    to.check(invalid);
    invalid.require(!fields.is_empty(), "body", "must change something");
    fields
}

fn put<T>(fields: &mut Vec<&'static str>, name: &'static str, given: Option<T>, to: &mut T) {
    if let Some(given) = given {
        fields.push(name);
        *to = given;
    }
}
