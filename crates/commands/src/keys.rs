//! `reef keys`: the keys of an agent.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use reef_api::AgentId;
use reef_api::Open;
use reef_api::agent::{CallerAnswer, KeyAnswer, KeyBody, KeyInfo, Scope};
use reef_client::Answer;
use serde_json::{Map, Value};

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::table::{columns, facts, or_empty, shown};
use crate::{Context, EXIT_CODES, time};

/// Shown above the group's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef keys create --name ci --scope read --save ci.key
  reef keys list
  reef keys revoke KEY_ID
";

/// `reef keys`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Keys {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a key; it is shown this once
    #[command(before_help = "Examples:\n  reef keys create --name ci --scope read --scope write --expires-in-days 30 --save ci.key\n  reef keys create --agent alice --certificate alice.fleet.example\n", after_help = EXIT_CODES)]
    Create(CreateArgs),
    /// List keys: all about them but the keys
    #[command(before_help = "Examples:\n  reef keys list\n  reef keys list --agent alice\n", after_help = EXIT_CODES)]
    List(ListArgs),
    /// Put a new key in the place of another, which is no longer good
    #[command(before_help = "Examples:\n  reef keys rotate KEY_ID --save alice.key\n", after_help = EXIT_CODES)]
    Rotate(RotateArgs),
    /// Revoke a key: at once, everywhere
    #[command(before_help = "Examples:\n  reef keys revoke KEY_ID\n", after_help = EXIT_CODES)]
    Revoke(RevokeArgs),
    /// Say whose the key in use is, and what it allows
    #[command(before_help = "Examples:\n  reef keys me --key-file alice.key\n", after_help = EXIT_CODES)]
    Me,
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// What it is for
    #[arg(long)]
    name: Option<String>,
    /// What it allows: read, write, trade, admin; repeatable. All that the key in use has, if none is
    /// given
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// How long it is good, 1 to 365; for as long as the key in use, if not given
    #[arg(long, value_name = "DAYS")]
    expires_in_days: Option<i64>,
    /// For whom: the admin says it
    #[arg(long)]
    agent: Option<String>,
    /// Make no key, but let client certificates of this name (the first URI, else the first DNS name)
    /// act as it would: the admin says it
    #[arg(long, value_name = "NAME", conflicts_with = "save")]
    certificate: Option<String>,
    #[command(flatten)]
    save: SaveArgs,
}

/// Where a new key, or another secret, goes.
#[derive(Debug, Args)]
pub(crate) struct SaveArgs {
    /// Write it to this new file, for its owner only, instead of showing it
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Whose: the admin says it
    #[arg(long)]
    agent: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    /// Which
    key_id: String,
    #[command(flatten)]
    save: SaveArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// Which
    pub(crate) key_id: String,
}

impl Keys {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Create(args) => create(cx, args).await,
            Verb::List(args) => list(cx, args.agent).await,
            Verb::Rotate(args) => rotate(cx, args).await,
            Verb::Revoke(args) => revoke(cx, &args.key_id).await,
            Verb::Me => me(cx).await,
        }
    }
}

async fn create(cx: &Context, args: CreateArgs) -> Result<(), Failure> {
    let asked = (!args.scopes.is_empty()).then_some(args.scopes);
    let body = KeyBody {
        name: args.name,
        scopes: asked,
        expires_in_days: args.expires_in_days,
        agent_id: args.agent.map(AgentId::from),
        certificate: args.certificate,
    };
    make(cx, body, args.save).await
}

/// Makes a key.
pub(crate) async fn make(cx: &Context, body: KeyBody, save: SaveArgs) -> Result<(), Failure> {
    let file = save.reserve()?;
    let answer = cx.hub.create_key(&body).once().send().await?;
    let KeyAnswer { api_key, key_info, .. } = cx.out.read(&answer)?;
    if let Some(name) = body.certificate {
        return cx.out.shown(&answer, || {
            let (key_id, scopes) = (shown(key_info.key_id), scopes(&key_info.scopes));
            format!("certificates of {name} act by {key_id} ({scopes})")
        });
    }
    tell(cx, &answer, api_key, key_info, file)
}

/// Puts a new key in the place of another.
pub(crate) async fn rotate(cx: &Context, args: RotateArgs) -> Result<(), Failure> {
    let file = args.save.reserve()?;
    let answer = cx.hub.rotate_key(&args.key_id).once().send().await?;
    let KeyAnswer { api_key, key_info, .. } = cx.out.read(&answer)?;
    tell(cx, &answer, api_key, key_info, file)
}

/// Revokes a key.
pub(crate) async fn revoke(cx: &Context, key_id: &str) -> Result<(), Failure> {
    let answer = cx.hub.delete(["auth", "keys", key_id]).send().await?;
    cx.out.answer(&answer, |_| format!("revoked {key_id}"))
}

/// Lists the keys of an agent, or the caller's own.
pub(crate) async fn list(cx: &Context, agent: Option<String>) -> Result<(), Failure> {
    let request = cx.hub.keys().maybe_query("agent_id", agent);
    let answer = request.send().await?;
    cx.out.answer(&answer, |found| {
        let rows = found.keys.into_iter().map(|key| {
            [
                key.key_id.into(),
                key.name,
                scopes(&key.scopes),
                time::of(key.created_at),
                key.last_used.map(time::of).unwrap_or_default(),
                key.expires_at.map(time::of).unwrap_or_default(),
            ]
        });
        columns(["key", "name", "scopes", "made", "last used", "expires"], rows)
    })
}

async fn me(cx: &Context) -> Result<(), Failure> {
    let answer = cx.hub.caller().send().await?;
    cx.out.answer(&answer, |CallerAnswer { auth, .. }| {
        facts([
            ("agent", auth.agent_id.into()),
            ("key", or_empty(auth.key_id)),
            ("scopes", scopes(&auth.scopes)),
        ])
    })
}

/// The scopes of a key, on one line.
pub(crate) fn scopes(scopes: &[Open<Scope>]) -> String {
    shown(scopes.iter().map(Open::as_str).collect::<Vec<_>>().join(" "))
}

/// A file that was made for a key before the key was: a key that cannot be kept must not be made.
#[derive(Debug)]
pub(crate) struct KeyFile {
    path: PathBuf,
    file: std::fs::File,
    holds_a_key: bool,
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        if !self.holds_a_key {
            // It is empty, and ours; if it stays, nothing is lost but tidiness.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl SaveArgs {
    /// Makes the file, for its owner only.
    pub(crate) fn reserve(self) -> Result<Option<KeyFile>, Failure> {
        let Some(path) = self.save else { return Ok(None) };
        let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        match made {
            Ok(file) => Ok(Some(KeyFile { path, file, holds_a_key: false })),
            Err(error) => {
                Err(Failure::Failed(format!("{} cannot be made: {error}", path.display())))
            }
        }
    }
}

impl KeyFile {
    /// Writes what the file was made for.
    pub(crate) fn write(mut self, key: &str) -> Result<PathBuf, Failure> {
        match writeln!(self.file, "{key}").and_then(|()| self.file.sync_all()) {
            Ok(()) => {
                self.holds_a_key = true;
                Ok(self.path.clone())
            }
            // Better on the screen than lost.
            Err(error) => Err(Failure::Failed(format!(
                "{} cannot be written: {error}; it is {key}",
                self.path.display()
            ))),
        }
    }
}

/// Shows a new key, or keeps it in its file.
pub(crate) fn tell<T>(
    cx: &Context,
    answer: &Answer<T>,
    key: Option<String>,
    about: KeyInfo,
    file: Option<KeyFile>,
) -> Result<(), Failure> {
    let key = shown(or_empty(key));
    let Some(file) = file else {
        return cx.out.shown(answer, || {
            facts([
                ("api key", key),
                ("key", about.key_id.into()),
                ("scopes", scopes(&about.scopes)),
                ("expires", about.expires_at.map(time::of).unwrap_or_default()),
            ])
        });
    };
    let path = file.write(&key)?;
    let (key_id, scopes) = (shown(about.key_id), scopes(&about.scopes));
    say_saved(cx, answer, "api_key", &format!("{key_id} ({scopes}) is in {}", path.display()))
}

/// Says where a secret is; programs get the answer without it.
pub(crate) fn say_saved<T>(
    cx: &Context,
    answer: &Answer<T>,
    secret: &str,
    sentence: &str,
) -> Result<(), Failure> {
    if !cx.out.is_json() {
        return Ok(cx.out.line(sentence)?);
    }
    let mut members: Map<String, Value> = answer.json()?;
    members.insert(secret.to_owned(), Value::Null);
    Ok(cx.out.line(&serde_json::to_string(&members)?)?)
}
