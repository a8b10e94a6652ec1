//! What operators and owners do to tasks: cancel, retry, remove, clean up, redrive.

use reef_domain::limits::TASK_BATCH;

use super::{Task, Written};
use crate::node::Writer;
use crate::port::Redis;
use crate::script::{
    Answered, Arguments, Call, Malformed, Once, Reader, Script, Store, StoreError, TASK_CANCEL,
    TASK_CLEANUP, TASK_REDRIVE, TASK_REMOVE, TASK_RETRY, unknown_status,
};

/// Cancels a task that has not ended.
#[derive(Debug)]
pub struct Cancel<'a> {
    /// Which.
    pub task_id: &'a str,
    /// Who asks.
    pub writer: Writer<'a>,
}

impl Call for Cancel<'_> {
    type Reply = Written<Box<Task>>;

    fn script(&self) -> &'static Script {
        &TASK_CANCEL
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.task_id).text(self.writer.as_argument());
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        Written::read(status, reply, |reply| Ok(Box::new(Task::read(reply)?.value)))
    }
}

/// Puts a task that went wrong back into the queue.
#[derive(Debug)]
pub struct Retry<'a> {
    /// Which.
    pub task_id: &'a str,
    /// Who asks.
    pub writer: Writer<'a>,
}

impl Call for Retry<'_> {
    type Reply = Written<Box<Task>>;

    fn script(&self) -> &'static Script {
        &TASK_RETRY
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.task_id).text(self.writer.as_argument());
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        Written::read(status, reply, |reply| Ok(Box::new(Task::read(reply)?.value)))
    }
}

/// Forgets a task that has ended.
#[derive(Debug)]
pub struct Remove<'a> {
    /// Which.
    pub task_id: &'a str,
    /// Who asks.
    pub writer: Writer<'a>,
}

impl Call for Remove<'_> {
    type Reply = Written<()>;

    fn script(&self) -> &'static Script {
        &TASK_REMOVE
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.text(self.task_id).text(self.writer.as_argument());
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Self::Reply, Malformed> {
        Written::read(status, reply, |_| Ok(()))
    }
}

/// Forgets some tasks that ended long ago. [`clean_up`] repeats it.
#[derive(Debug)]
struct Cleanup {
    age_ms: i64,
}

impl Call for Cleanup {
    /// How many.
    type Reply = i64;

    fn script(&self) -> &'static Script {
        &TASK_CLEANUP
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments.number(self.age_ms).number(TASK_BATCH);
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<i64, Malformed> {
        if status == "ok" { reply.int() } else { unknown_status(status) }
    }
}

/// Forgets tasks that ended longer ago than this, in at most so many steps of 100. Returns how many.
///
/// # Errors
/// [`StoreError`]; what was forgotten until then stays so.
pub async fn clean_up<R: Redis>(
    store: &Store<R>,
    age_ms: i64,
    steps: usize,
    once: Option<&Once>,
) -> Result<Answered<i64>, StoreError> {
    let mut all = Answered { value: 0, replayed: false };
    for step in 0..steps {
        let once = once.map(|once| once.part(step));
        let some = store.call_once(&Cleanup { age_ms }, once.as_ref()).await?;
        all.replayed |= some.replayed;
        all.value += some.value;
        if some.value < TASK_BATCH {
            break;
        }
    }
    Ok(all)
}

/// Which dead letters are put back into the queue.
#[derive(Debug, Clone, Default)]
pub struct Letters {
    /// These; empty: all that the filters let through.
    pub task_ids: Vec<String>,
    /// `failed` or `timeout`; empty: both.
    pub status: String,
    /// Whose; empty: everybody's.
    pub user_id: String,
}

/// Puts dead letters back into the queue, some at a time. [`redrive`] repeats it.
#[derive(Debug)]
struct Redrive<'a> {
    writer: Writer<'a>,
    letters: &'a Letters,
    dry_run: bool,
    below: String,
}

#[derive(Debug)]
struct Redriven {
    next: String,
    task_ids: Vec<String>,
}

impl Call for Redrive<'_> {
    type Reply = Redriven;

    fn script(&self) -> &'static Script {
        &TASK_REDRIVE
    }

    fn arguments(&self, arguments: &mut Arguments) {
        arguments
            .text(self.writer.as_argument())
            .number(i32::from(self.dry_run))
            .text(&self.letters.status)
            .text(&self.letters.user_id)
            .text(&self.below)
            .number(TASK_BATCH);
        for task_id in &self.letters.task_ids {
            arguments.text(task_id);
        }
    }

    fn read(&self, status: &str, reply: &mut Reader) -> Result<Redriven, Malformed> {
        if status != "ok" {
            return unknown_status(status);
        }
        let next = reply.text()?;
        let mut task_ids = Vec::with_capacity(reply.left());
        while !reply.is_at_end() {
            task_ids.push(reply.text()?);
        }
        Ok(Redriven { next, task_ids })
    }
}

/// Puts dead letters back into the queue, in at most so many steps of 100; returns their ids. A dry
/// run only says which.
///
/// # Errors
/// [`StoreError`]; what was put back until then stays so.
pub async fn redrive<R: Redis>(
    store: &Store<R>,
    writer: Writer<'_>,
    letters: &Letters,
    dry_run: bool,
    steps: usize,
    once: Option<&Once>,
) -> Result<Answered<Vec<String>>, StoreError> {
    let mut all = Answered { value: Vec::new(), replayed: false };
    let named: Vec<Letters> = letters
        .task_ids
        .chunks(usize::try_from(TASK_BATCH).unwrap_or(1))
        .map(|some| Letters { task_ids: some.to_vec(), ..letters.clone() })
        .collect();
    let mut below = String::new();
    for step in 0..steps {
        let some = if letters.task_ids.is_empty() { Some(letters) } else { named.get(step) };
        let Some(letters) = some else { break };
        let call = Redrive { writer, letters, dry_run, below: below.clone() };
        let once = once.map(|once| once.part(step));
        let answered = store.call_once(&call, once.as_ref()).await?;
        all.replayed |= answered.replayed;
        all.value.extend(answered.value.task_ids);
        below = answered.value.next;
        if below.is_empty() && letters.task_ids.is_empty() {
            break;
        }
    }
    Ok(all)
}
