//! Invites, by which somebody without a key registers: a part of `reef agents`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use reef_client::{Error, Secret};
use serde_json::{Value, json};

use crate::Context;
use crate::failure::Failure;
use crate::keys::{SaveArgs, scopes};
use crate::table::{columns, facts, text, time};

/// `reef agents invite`.
#[derive(Debug, Args)]
pub(crate) struct InviteArgs {
    /// How many agents it lets in, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 1)]
    uses: u32,
    /// For how long it is good: 90s, 30m, 12h or 1d, at most 30d
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = read_seconds)]
    expires_in: u64,
    /// What the agents' first keys allow: read, write, trade, admin; repeatable. The first three, if
    /// none is given
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    #[command(flatten)]
    save: SaveArgs,
}

/// `reef agents revoke-invite`.
#[derive(Debug, Args)]
pub(crate) struct RevokeInviteArgs {
    /// Which: invite_…, as `reef agents invites` shows it
    pub(crate) invite_id: String,
}

/// A time such as `12h`, in seconds.
fn read_seconds(text: &str) -> Result<u64, String> {
    let rule = || "use a number with s, m, h or d, such as 12h".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(rule)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(rule()),
    };
    let number: u64 = number.parse().map_err(|_| rule())?;
    number.checked_mul(seconds).ok_or_else(rule)
}

pub(crate) async fn make(cx: &Context, args: InviteArgs) -> Result<(), Failure> {
    let file = args.save.reserve()?;
    let scopes_asked = (!args.scopes.is_empty()).then_some(args.scopes);
    let body = json!({ "uses": args.uses, "expires_in": args.expires_in, "scopes": scopes_asked });
    let answer = cx.hub.post(["invites"]).json(&body).once().send().await?;
    let mut made: Value = answer.json()?;
    let invite = text(&made, "invite");
    let about = made.get("invite_info").cloned().unwrap_or_default();
    let Some(file) = file else {
        return cx.out.answer(&answer, |_| {
            facts([
                ("invite", invite),
                ("id", text(&about, "invite_id")),
                ("scopes", scopes(&about)),
                ("uses", text(&about, "uses")),
                ("expires", time(&about, "expires_at")),
            ])
        });
    };
    let path: PathBuf = file.write(&invite)?;
    if cx.out.is_json() {
        if let Some(members) = made.as_object_mut() {
            members.insert("invite".to_owned(), Value::Null);
        }
        return Ok(cx.out.line(&made.to_string())?);
    }
    Ok(cx.out.line(&format!(
        "{} (agents: {}, {}) is in {}",
        text(&about, "invite_id"),
        text(&about, "uses"),
        scopes(&about),
        path.display()
    ))?)
}

pub(crate) async fn list(cx: &Context, limit: u32) -> Result<(), Failure> {
    let answer = cx.hub.get(["invites"]).query("limit", limit).send().await?;
    cx.out.answer(&answer, |found| {
        let invites = found.get("invites").and_then(Value::as_array).cloned().unwrap_or_default();
        let rows = invites.iter().map(|invite| {
            [
                text(invite, "invite_id"),
                format!("{} of {}", text(invite, "used"), text(invite, "uses")),
                scopes(invite),
                text(invite, "created_by"),
                time(invite, "created_at"),
                time(invite, "expires_at"),
            ]
        });
        columns(["invite", "used", "scopes", "by", "made", "expires"], rows)
    })
}

pub(crate) async fn revoke(cx: &Context, invite_id: &str) -> Result<(), Failure> {
    let answer = cx.hub.delete(["invites", invite_id]).send().await?;
    cx.out.answer(&answer, |_| format!("revoked {invite_id}"))
}

/// Reads an invite from a file that holds nothing else, or from standard input.
pub(crate) fn read(file: &Path) -> Result<Secret, Failure> {
    if file != Path::new("-") {
        return Ok(Secret::read(file)?);
    }
    let mut typed = String::new();
    let read = std::io::stdin().read_to_string(&mut typed);
    read.map_err(|error| Failure::Usage(format!("standard input cannot be read: {error}")))?;
    Ok(Secret::new(&typed)?)
}

/// A refused registration. That of an invite has nothing to do with the keys that lie about.
pub(crate) fn refused(error: Error) -> Failure {
    match error.problem() {
        Some(problem) if problem.status == 401 => Failure::Failed(problem.to_string()),
        _ => Failure::Hub(error),
    }
}

#[cfg(test)]
mod tests {
    use super::read_seconds;

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(read_seconds("90s"), Ok(90));
        assert_eq!(read_seconds("30m"), Ok(1800));
        assert_eq!(read_seconds("1d"), Ok(86_400));
        for bad in ["", "d", "1", "1w", "-1d", "1.5h", "1ä", "99999999999999999999d"] {
            assert!(read_seconds(bad).is_err(), "{bad}");
        }
    }
}
