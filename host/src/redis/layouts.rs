//! Data of a hub under the same prefix and the other layout: whoever reads one does not see the other,
//! so that two hubs seem to be healthy where there should be one.

use reef_redis::Connection;
use reef_store::{Keys, Layout, Reply};

/// How what is said of it begins.
const BEGINNING: &str = "this Redis also holds a hub's data under key_layout";

/// Whether this is about two layouts.
pub(crate) fn is_about(words: &str) -> bool {
    words.starts_with(BEGINNING)
}

/// Says that there are data under both layouts, if so.
pub(crate) async fn find(redis: &Connection, keys: &Keys) -> Option<String> {
    let other = keys.in_other_layout();
    if !holds_data(redis, &other).await {
        return None;
    }
    let (theirs, ours) = (name(other.layout()), name(keys.layout()));
    // Written each second by a hub that is ready, and gone after ten.
    Some(if is_there(redis, other.ready()).await {
        format!(
            "{BEGINNING} {theirs}, and a hub works on them now: hosts and components of one hub \
             must have one key_layout (here it is {ours}); stop one of them, and give it the \
             other's layout, or another key_prefix"
        )
    } else {
        format!(
            "{BEGINNING} {theirs}, which this hub does not see (here it is {ours}): if they are \
             left from before, remove them; if not, `reef backup` and `reef restore` move them"
        )
    })
}

/// Why a hub must not begin here: it would begin empty beside the data of another layout.
pub(crate) async fn refusal(redis: &Connection, keys: &Keys) -> Option<String> {
    let other = keys.in_other_layout();
    if holds_data(redis, keys).await || !holds_data(redis, &other).await {
        return None;
    }
    let (theirs, ours) = (name(other.layout()), name(keys.layout()));
    Some(format!(
        "Redis holds a hub's data under key_layout {theirs}, and this hub is set to {ours}: it would \
         begin empty beside them. Set key_layout to {theirs}; or move the data with `reef backup` \
         and `reef restore --key-layout {ours}` into another Redis; or set another key_prefix for \
         a hub of its own"
    ))
}

async fn holds_data(redis: &Connection, keys: &Keys) -> bool {
    is_there(redis, keys.schema()).await || is_there(redis, keys.cluster()).await
}

/// Whether a key is there. One that cannot be asked for (another shard has it, or the ACL does not let
/// the hub) is none of this hub's.
async fn is_there(redis: &Connection, key: String) -> bool {
    let reply = redis.execute("EXISTS", vec![key.into()]).await;
    matches!(reply.as_deref(), Ok([Reply::Int(1)]))
}

fn name(layout: Layout) -> &'static str {
    match layout {
        Layout::Plain => "plain",
        Layout::Cluster => "cluster",
    }
}
