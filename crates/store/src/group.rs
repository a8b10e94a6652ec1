//! Calls on groups of tasks: `lua/group/`.

use reef_api::Open;
use reef_api::flow::Followed;
pub use reef_api::flow::Group;
use reef_api::task::Task;

use crate::message::Owned;
use crate::node::Writer;
use crate::script::{FromReply, Malformed, Reader, rows};
use crate::steps::Page;
use crate::task::Written;

include!(concat!(env!("OUT_DIR"), "/calls_group.rs"));

impl FromReply for Owned<Group> {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let (group_id, owner) = (FromReply::read(reply)?, reply.text()?);
        let value = Group {
            group_id,
            name: reply.text()?,
            status: FromReply::read(reply)?,
            sealed: reply.flag()?,
            total: reply.int()?,
            open: reply.int()?,
            completed: count(reply)?,
            failed: count(reply)?,
            cancelled: count(reply)?,
            timeout: count(reply)?,
            parent: FromReply::read(reply)?,
            first_failure: FromReply::read(reply)?,
            created_at: FromReply::read(reply)?,
            ended_at: FromReply::read(reply)?,
        };
        Ok(Self { owner, value })
    }
}

/// A count that nobody has begun is none.
fn count(reply: &mut Reader) -> Result<i64, Malformed> {
    let text = reply.filled()?;
    text.map_or(Ok(0), |text| text.parse().map_err(|_| Malformed(format!("count {text:?}"))))
}

/// What a step of a change did.
#[derive(Debug)]
pub struct Changed {
    /// How many tasks were changed.
    pub changed: i64,
    /// Some have ended, of which others are to hear.
    pub follows: bool,
    /// Where the next step goes on, while there are more.
    pub next: Option<i64>,
}

/// A task that says what it follows.
#[derive(Debug)]
pub struct Following(pub Task);

impl FromReply for Following {
    fn read(reply: &mut Reader) -> Result<Self, Malformed> {
        let task = Task::read(reply)?;
        Ok(Self(Task { after: read_followed(reply)?, ..task }))
    }
}

/// What a task follows, a line each: what, how that is to end, how it has.
///
/// # Errors
/// A line that is none such.
pub(crate) fn read_followed(reply: &mut Reader) -> Result<Vec<Followed>, Malformed> {
    let text = reply.text()?;
    let mut after = Vec::new();
    for line in text.lines() {
        let bad = || Malformed(format!("what it follows: {line:?}"));
        let (what, ends) = line.split_once(' ').ok_or_else(bad)?;
        let (on, status) = ends.split_once(' ').ok_or_else(bad)?;
        let group = what.strip_prefix("group:");
        after.push(Followed {
            task: group.is_none().then(|| what.into()),
            group: group.map(Into::into),
            on: Open::read(on),
            status: Some(status.to_owned()).filter(|status| !status.is_empty()),
        });
    }
    // Redis keeps them in no order.
    after.sort_by(|a, b| (&a.group, &a.task).cmp(&(&b.group, &b.task)));
    Ok(after)
}

rows! {
    Changed { changed, follows, next }
}
