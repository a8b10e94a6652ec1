//! Batches of tasks, and groups.

use reef_api::flow::{
    BatchAnswer, BatchBody, BatchedTask, GroupBody, GroupChanged, GroupStatus, ParentBody,
};
use reef_api::task::TaskBody;
use reef_api::{GroupId, TaskId, Token, WaitId};
use reef_domain::flow::Edge;
use reef_domain::json::Json;
use reef_domain::limits::{
    BATCH_EDGES_MAX, BATCH_TASKS_MAX, BODY_BYTES_MAX, CLAIM_TOKEN_CHARS_MAX, PAGE_DEFAULT,
    TASK_NAME_CHARS_MAX,
};
use reef_domain::task::{Submission, check_task_id};
use reef_domain::{Invalid, id, name};
use reef_store::Redis;
use reef_store::group::{Change, Following, Get, Tasks};
use reef_store::message::Owned;
use reef_store::steps::Step;
use reef_store::task::{Batch, GivenTask, SubmitBatch, Written, ask_for_room};
use reef_web::extract::{json_object, object};
use reef_web::once::made_id;
use reef_web::route::{Answer, mark_replayed};
use reef_web::task::{exhausted, too_many_classes, unknown_followed};
use reef_web::{Code, Context, Problem, Response, page};

use crate::owners::{check_wait_ms, tell_followers};
use crate::waits::details_json;

/// Most tasks of a batch that is not atomic: ten scripts.
const TASKS_MAX: usize = 10 * BATCH_TASKS_MAX;

/// Steps of 25 that one change of a group takes: it stays well inside a request's time.
const CHANGE_STEPS: usize = 800;

fn unknown_group(group_id: &str) -> Problem {
    Problem::new(Code::NotFound, format!("There is no group {group_id}."))
}

/// `POST /tasks/batch`, with what it keeps as it is.
pub(crate) type SubmitBody = BatchBody<Json>;

/// A task of a batch, read.
struct Given {
    task_id: TaskId,
    submission: Submission,
    parameters: Json,
    metadata: Json,
    wait_id: WaitId,
    details: Option<Json>,
    follows_group: bool,
}

impl Given {
    fn read(
        mut body: TaskBody<Json>,
        (task_id, wait_id): (TaskId, WaitId),
        earlier: &[TaskId],
        group: Option<&GroupId>,
    ) -> Result<Self, Problem> {
        let mut invalid = Invalid::new();
        let submission = Submission::read_in_batch(&mut body, earlier, &mut invalid)?;
        check_task_id(&mut invalid, body.task_id.as_deref().filter(|given| !given.is_empty()));
        let rule = "is given for the batch as a whole";
        invalid.require(submission.group_id.is_none(), "group_id", rule);
        let rule = "is for tasks that are submitted one by one: POST /api/v1/tasks";
        invalid.require(submission.charge.is_none(), "charge", rule);
        submission.check_group(group, &mut invalid);
        invalid.finish(())?;
        let details = body.approval.take().and_then(|asked| asked.details);
        Ok(Self {
            wait_id,
            parameters: json_object("parameters", body.parameters.take(), BODY_BYTES_MAX)?,
            metadata: json_object("metadata", body.metadata.take(), BODY_BYTES_MAX)?,
            details: details_json("approval.details", details)?,
            task_id,
            submission,
            follows_group: false,
        })
    }

    fn as_task<'a>(&'a self, owner: &'a str) -> GivenTask<'a> {
        let asks = self.submission.approval.is_some();
        GivenTask {
            task_id: &self.task_id,
            submission: &self.submission,
            parameters: &self.parameters,
            metadata: &self.metadata,
            owner,
            approval: asks.then_some((&self.wait_id, self.details.as_ref())),
            follows_group: self.follows_group,
            charge: None,
        }
    }
}

/// A batch, read.
struct Asked {
    tasks: Vec<Given>,
    has_on_end: bool,
    group: Option<(GroupId, String)>,
    seals: bool,
    parent: Option<(TaskId, Token)>,
}

impl Asked {
    /// Reads a batch. Ids that nobody gives are numbered parts of `made`.
    fn read(body: SubmitBody, made: &str) -> Result<Self, Problem> {
        let given = body.tasks.unwrap_or_default();
        let most = if body.atomic == Some(false) { TASKS_MAX } else { BATCH_TASKS_MAX };
        if !(1..=most).contains(&given.len()) {
            let rule = "must be 1 to 100 tasks; with atomic: false, at most 1000";
            return Err(Problem::field("tasks", rule));
        }
        let asks_for_group = body.group.is_some();
        let GroupBody { group_id, name, sealed, on_end } = body.group.unwrap_or_default();
        let group = asks_for_group.then(|| group_of(group_id, name, made)).transpose()?;
        let mut ids: Vec<TaskId> = Vec::with_capacity(given.len());
        let mut tasks = Vec::with_capacity(given.len() + 1);
        let mut edges = 0;
        for (n, body) in given.into_iter().enumerate() {
            let made = made_ids(&body, made, &n.to_string());
            let task_id = made.0.clone();
            let task = Given::read(body, made, &ids, group.as_ref().map(|(group_id, _)| group_id))
                .map_err(|problem| problem.within(&format!("tasks[{n}].")))?;
            edges += task.submission.after.len();
            ids.push(task_id);
            tasks.push(task);
        }
        if edges > BATCH_EDGES_MAX * tasks.len().div_ceil(BATCH_TASKS_MAX) {
            let rule = "may follow at most 400 others together, in each hundred";
            return Err(Problem::field("tasks", rule));
        }
        let on_end = on_end.zip(group.as_ref());
        let has_on_end = on_end.is_some();
        if let Some((body, (group_id, _))) = on_end {
            let made = made_ids(&body, made, "end");
            let mut task = Given::read(body, made, &ids, None)
                .map_err(|problem| problem.within("group.on_end."))?;
            task.submission.after.push(Edge::group(group_id, reef_api::flow::On::Ended));
            task.follows_group = true;
            tasks.push(task);
        }
        let parent = body.parent.map(parent_of).transpose()?;
        Ok(Self { tasks, has_on_end, group, seals: sealed.unwrap_or(true), parent })
    }
}

/// The ids of a part of a batch: of the task, unless it brings its own, and of the wait for its approval.
fn made_ids(body: &TaskBody<Json>, made: &str, part: &str) -> (TaskId, WaitId) {
    let own = body.task_id.clone().filter(|own| !own.is_empty());
    let task_id = own.unwrap_or_else(|| format!("task_{made}_{part}").into());
    (task_id, format!("wait_{made}_{part}").into())
}

fn parent_of(parent: ParentBody) -> Result<(TaskId, Token), Invalid> {
    let mut invalid = Invalid::new();
    let task_id = parent.task_id.unwrap_or_default();
    invalid.require(id::is_valid(&task_id), "parent.task_id", id::RULE);
    let token = parent.token.unwrap_or_default();
    let fits = (1..=CLAIM_TOKEN_CHARS_MAX).contains(&token.len())
        && token.bytes().all(|byte| byte.is_ascii_graphic());
    let rule = "must be the token of the parent's claim, unchanged";
    invalid.require(fits, "parent.token", rule);
    invalid.finish((task_id, token))
}

fn group_of(
    group_id: Option<GroupId>,
    name: Option<String>,
    made: &str,
) -> Result<(GroupId, String), Problem> {
    let mut invalid = Invalid::new();
    let name = name.unwrap_or_default();
    invalid.at_most_chars("group.name", &name, TASK_NAME_CHARS_MAX);
    name::check(&mut invalid, "group.name", &name);
    let group_id = group_id.filter(|group_id| !group_id.is_empty());
    let is_id = group_id.as_ref().is_none_or(|group_id| id::is_valid(group_id));
    invalid.require(is_id, "group.group_id", id::RULE);
    invalid.finish(())?;
    Ok((group_id.unwrap_or_else(|| format!("group_{made}").into()), name))
}

/// `POST /tasks/batch`
pub(crate) async fn submit<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let made: TaskId = made_id("task", cx.once.as_ref(), false);
    let made = made.strip_prefix("task_").unwrap_or(&made);
    let mut asked = Asked::read(object(cx.request)?, made)?;
    let default = &cx.config.settings.task_audience;
    for task in &mut asked.tasks {
        task.submission.wants.audience.get_or_insert_with(|| default.clone());
    }
    let owner = cx.caller.name();
    let tasks: Vec<GivenTask<'_>> = asked.tasks.iter().map(|task| task.as_task(owner)).collect();
    // What follows the group goes with the last of its tasks.
    let room = if asked.has_on_end { BATCH_TASKS_MAX + 1 } else { BATCH_TASKS_MAX };
    let parts: Vec<&[GivenTask<'_>]> =
        if tasks.len() <= room { vec![&tasks] } else { tasks.chunks(BATCH_TASKS_MAX).collect() };
    let last = parts.len().saturating_sub(1);
    let (mut taken, mut replayed) = (Vec::with_capacity(tasks.len()), false);
    for (n, part) in parts.into_iter().enumerate() {
        let once = cx.once.as_ref().map(|once| if last == 0 { once.clone() } else { once.part(n) });
        // One whose claim is over must hear that, whatever room there is.
        if asked.parent.is_none() {
            let room = ask_for_room(cx.store, part, cx.quotas(), once.as_ref()).await;
            room.map_err(|error| and_taken(error.into(), taken.len()))?;
        }
        let call = SubmitBatch {
            tasks: part,
            group: asked.group.as_ref().map(|(group_id, name)| (group_id, name.as_str())),
            seals: asked.seals && n == last,
            parent: asked.parent.as_ref().map(|(task_id, token)| (task_id, token)),
            writer: cx.caller.writer(),
            owner,
            quotas: cx.quotas(),
        };
        let answered = cx.store.call_once(&call, once.as_ref()).await;
        let answered = answered.map_err(|error| and_taken(error.into(), taken.len()))?;
        replayed |= answered.replayed;
        match answered.value {
            Batch::Ok { doomed, tasks } => {
                tell_followers(cx, doomed).await;
                taken.extend(tasks);
            }
            refused => {
                let problem = and_taken(refusal(&refused), taken.len());
                return mark_replayed(Err(problem), answered.replayed);
            }
        }
    }
    mark_replayed(Ok(Response::json(&answer(asked, taken))), replayed)
}

fn answer(asked: Asked, mut tasks: Vec<BatchedTask>) -> BatchAnswer {
    let on_end = if asked.has_on_end { tasks.pop() } else { None };
    BatchAnswer { group_id: asked.group.map(|(group_id, _)| group_id), tasks, on_end }
}

/// Why a batch was not taken, of which so many tasks were.
/// A problem with a part of a batch, which says how many tasks of the parts before stay.
fn and_taken(mut problem: Problem, taken: usize) -> Problem {
    if taken > 0 {
        problem.detail += &format!(" The first {taken} tasks of the batch were taken.");
    }
    problem
}

fn refusal(refused: &Batch) -> Problem {
    let conflict = |detail: String| Problem::new(Code::Conflict, detail);
    match refused {
        Batch::TooManyClasses => conflict(too_many_classes()),
        Batch::Exhausted { what } => exhausted(what),
        Batch::Exists(task_id) => conflict(format!("The task id {task_id} is in use.")),
        Batch::Unknown { what } => conflict(unknown_followed(what)),
        Batch::Forbidden => Problem::foreign("task"),
        Batch::Fenced => {
            Problem::new(Code::Fenced, "This token does not hold the parent any more.".to_owned())
        }
        Batch::Sealed | Batch::Ok { .. } => {
            conflict("The group takes no further tasks.".to_owned())
        }
    }
}

/// `GET /groups/{id}`. `wait_ms` is the host's: it asks again once the group has ended.
pub(crate) async fn show<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let group_id: GroupId = cx.id("id", "group_id")?;
    check_wait_ms(&cx.query())?;
    match cx.store.call(&Get { group_id: &group_id }).await?.map(|found| *found) {
        Some(Owned { owner, value }) if cx.caller.may_see(&[&owner]) => {
            let is_open = value.status == GroupStatus::Open;
            Ok(Response::json(&value).pending(is_open))
        }
        _ => Err(unknown_group(&group_id)),
    }
}

/// `GET /groups/{id}/tasks`
pub(crate) async fn tasks<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let group_id: GroupId = cx.id("id", "group_id")?;
    let owner = cx.caller.writer().as_argument();
    let mut steps = page::steps(&cx.query(), PAGE_DEFAULT)?;
    while let Some(Step { limit, from: after, filled }) = steps.step() {
        let call = Tasks { group_id: &group_id, owner, limit, after, filled };
        steps.add(cx.store.call(&call).await?.ok_or_else(|| unknown_group(&group_id))?);
    }
    let tasks: Vec<_> = steps.rows.iter().map(|Following(task)| task).collect();
    Ok(page::with_next(Response::json(&tasks), cx.request, steps.next))
}

/// `POST /groups/{id}/cancel`
pub(crate) async fn cancel<R: Redis>(cx: &Context<'_, R>) -> Answer {
    change(cx, false).await
}

/// `POST /groups/{id}/retry`
pub(crate) async fn retry<R: Redis>(cx: &Context<'_, R>) -> Answer {
    change(cx, true).await
}

async fn change<R: Redis>(cx: &Context<'_, R>, retries: bool) -> Answer {
    let group_id: GroupId = cx.id("id", "group_id")?;
    let (mut changed, mut replayed, mut after) = (0, false, 0);
    // One entry of the audit says what all of the steps do.
    let unaudited = cx.store.unaudited();
    for step in 0..CHANGE_STEPS {
        let store = if step == 0 { cx.store } else { &unaudited };
        let call = Change { group_id: &group_id, writer: cx.caller.writer(), retries, after };
        let once = cx.once.as_ref().map(|once| once.part(step));
        let answered = store.call_once(&call, once.as_ref()).await?;
        replayed |= answered.replayed;
        let some = match answered.value {
            Written::Ok(some) => some,
            Written::Forbidden => return Err(Problem::foreign("group")),
            _ => return Err(unknown_group(&group_id)),
        };
        changed += some.changed;
        tell_followers(cx, some.follows).await;
        match some.next {
            Some(next) => after = next,
            None => break,
        }
    }
    let answer = GroupChanged { success: true, group_id, changed };
    mark_replayed(Ok(Response::json(&answer)), replayed)
}
