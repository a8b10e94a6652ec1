//! Invites, by which somebody without a key registers: a part of `reef agents`.

use std::io::Read as _;
use std::path::Path;

use clap::Args;
use reef_api::agent::{InviteAnswer, InviteBody, InviteInfo};
use reef_client::{Error, Secret};

use crate::failure::Failure;
use crate::keys::{SaveArgs, say_saved, scopes};
use crate::table::{columns, facts, or_empty, shown};
use crate::{Context, time};

/// `reef agents invite`.
#[derive(Debug, Args)]
pub(crate) struct InviteArgs {
    /// How many agents it lets in, 1 to 1000
    #[arg(long, value_name = "N", default_value_t = 1)]
    uses: i64,
    /// For how long it is good: 90s, 30m, 12h or 1d, at most 30d
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = read_seconds)]
    expires_in: i64,
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
fn read_seconds(text: &str) -> Result<i64, String> {
    let rule = || "use a number with s, m, h or d, such as 12h".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(rule)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(rule()),
    };
    let number: u32 = number.parse().map_err(|_| rule())?;
    i64::from(number).checked_mul(seconds).ok_or_else(rule)
}

pub(crate) async fn make(cx: &Context, args: InviteArgs) -> Result<(), Failure> {
    let file = args.save.reserve()?;
    let scopes_asked = (!args.scopes.is_empty()).then_some(args.scopes);
    let body = InviteBody {
        uses: Some(args.uses),
        expires_in: Some(args.expires_in),
        scopes: scopes_asked,
    };
    let answer = cx.hub.create_invite(&body).once().send().await?;
    let InviteAnswer { invite, invite_info, .. } = cx.out.read(&answer)?;
    let InviteInfo { invite_id, uses, scopes: given, expires_at, .. } = invite_info;
    let (invite, invite_id, given) = (shown(or_empty(invite)), shown(invite_id), scopes(&given));
    let Some(file) = file else {
        return cx.out.shown(&answer, || {
            facts([
                ("invite", invite),
                ("id", invite_id),
                ("scopes", given),
                ("uses", uses.to_string()),
                ("expires", time::of(expires_at)),
            ])
        });
    };
    let path = file.write(&invite)?;
    let sentence = format!("{invite_id} (agents: {uses}, {given}) is in {}", path.display());
    say_saved(cx, &answer, "invite", &sentence)
}

pub(crate) async fn list(cx: &Context, limit: u32) -> Result<(), Failure> {
    let answer = cx.hub.invites().query("limit", limit).send().await?;
    cx.out.answer(&answer, |found| {
        let rows = found.invites.into_iter().map(|invite| {
            [
                invite.invite_id.into(),
                format!("{} of {}", invite.used, invite.uses),
                scopes(&invite.scopes),
                invite.created_by,
                time::of(invite.created_at),
                time::of(invite.expires_at),
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
