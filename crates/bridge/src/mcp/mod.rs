//! The Model Context Protocol: JSON-RPC over one endpoint or over a pipe, without sessions, in the
//! revision 2026-07-28 and in those before it that begin with `initialize`.
//!
//! - [`answer`]: a message and what is answered to it.
//! - [`Offer`]: what is offered; the envelope knows nothing of it.
//! - [`Reef`]: a hub as such an offer.

mod envelope;
mod offer;
mod reef;

use serde_json::{Map, Value, json};

use self::envelope::{Era, Message};
pub use self::envelope::{Headers, LATEST, Transport};
pub use self::offer::{About, Call, Fault, Offer, Refused};
pub use self::reef::{Reef, list};

/// Longest time for which a client may keep a list, in milliseconds.
const LISTS_TTL_MS: u64 = 300_000;
/// The same for what was read.
const READ_TTL_MS: u64 = 1000;

/// What is answered to a message.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply {
    /// The status code, where the transport is HTTP.
    pub status: u16,
    /// A response of JSON-RPC; none for a notification.
    pub body: Option<Value>,
    /// When to ask again, in seconds.
    pub retry_after: Option<u64>,
    /// Whoever sent it was let in.
    pub admitted: bool,
}

/// Answers a message.
pub async fn answer<O: Offer>(offer: &O, transport: Transport<'_>, message: &[u8]) -> Reply {
    // Over HTTP nobody hears anything without a good key. A client on a pipe has been started by its
    // user, and keeps a server only if it greets it, also while the hub is away.
    let guest = match transport {
        Transport::Http(_) => match offer.admit().await {
            Ok(guest) => Some(guest),
            Err(refused) => return refused.reply(envelope::id_of(message)),
        },
        Transport::Pipe => None,
    };
    let message = match Message::read(message, transport) {
        Ok(message) => message,
        Err((id, fault)) => return fault.reply(id, true),
    };
    let Some(id) = message.id.clone() else {
        return Reply { status: 202, admitted: true, ..Reply::default() };
    };
    let outcome = match message.greeting(&offer.about()) {
        Some(result) => Ok(result),
        None => {
            let guest = match guest {
                Some(guest) => guest,
                None => match offer.admit().await {
                    Ok(guest) => guest,
                    Err(refused) => return refused.reply(id),
                },
            };
            Box::pin(dispatch(offer, &guest, &message)).await
        }
    };
    match outcome {
        Ok(result) => {
            let body = json!({"jsonrpc": "2.0", "id": id, "result": message.finish(result)});
            Reply { status: 200, body: Some(body), admitted: true, ..Reply::default() }
        }
        // Before 2026-07-28 a status told of the transport alone.
        Err(fault) => fault.reply(id, message.era == Era::Stateless),
    }
}

async fn dispatch<O: Offer>(
    offer: &O,
    guest: &O::Guest,
    message: &Message,
) -> Result<Map<String, Value>, Fault> {
    let list = |name: &str, items: Vec<Value>| Map::from_iter([(name.to_owned(), items.into())]);
    match message.method.as_str() {
        "tools/list" => Ok(list("tools", offer.tools(guest))),
        "tools/call" => {
            let call = Call::read(&message.params)?;
            offer.call(guest, call).await
        }
        "resources/list" => Ok(list("resources", offer.resources(false))),
        "resources/templates/list" => Ok(list("resourceTemplates", offer.resources(true))),
        "resources/read" => {
            let uri = message.text("uri")?;
            let contents = offer.read(guest, uri).await.map_err(|fault| match message.era {
                Era::Handshake => fault.before_2026(),
                Era::Stateless => fault,
            })?;
            Ok(list("contents", contents))
        }
        "prompts/list" => Ok(list("prompts", offer.prompts())),
        "prompts/get" => offer.prompt(message.text("name")?, &message.params),
        method => Err(Fault::no_such_method(method)),
    }
}

#[cfg(test)]
mod tests;
