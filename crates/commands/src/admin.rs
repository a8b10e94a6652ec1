//! `reef admin`: what only who runs a hub does.

use clap::{Args, Subcommand};
use reef_api::agent::KeyBody;
use reef_domain::access::ADMIN;

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::keys::{self, SaveArgs};
use crate::{Context, EXIT_CODES};

/// Shown above the group's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef admin keys create ops-laptop --expires-in-days 90 --save ops.key
  reef admin keys list
  reef admin keys revoke KEY_ID
";

/// `reef admin`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Admin {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(subcommand)]
    group: Group,
}

#[derive(Debug, Subcommand)]
enum Group {
    /// Admin keys beside the deployment's own, which is the variable admin_key
    #[command(subcommand, before_help = EXAMPLES, after_help = EXIT_CODES, disable_help_subcommand = true)]
    Keys(Verb),
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make an admin key; it is shown this once
    #[command(before_help = "Examples:\n  reef admin keys create ops-laptop --expires-in-days 90 --save ops.key\n", after_help = EXIT_CODES)]
    Create(CreateArgs),
    /// List admin keys: all about them but the keys
    #[command(before_help = "Examples:\n  reef admin keys list\n", after_help = EXIT_CODES)]
    List,
    /// Put a new admin key in the place of another, which is no longer good
    #[command(before_help = "Examples:\n  reef admin keys rotate KEY_ID --save ops.key\n", after_help = EXIT_CODES)]
    Rotate(keys::RotateArgs),
    /// Revoke an admin key: at once, everywhere
    #[command(before_help = "Examples:\n  reef admin keys revoke KEY_ID\n", after_help = EXIT_CODES)]
    Revoke(keys::RevokeArgs),
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// Who or what it is for
    name: String,
    /// How long it is good, 1 to 365; for as long as the key in use, if not given
    #[arg(long, value_name = "DAYS")]
    expires_in_days: Option<i64>,
    #[command(flatten)]
    save: SaveArgs,
}

impl Admin {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        let Group::Keys(verb) = self.group;
        match verb {
            Verb::Create(args) => {
                let body = KeyBody {
                    agent_id: Some(ADMIN.into()),
                    name: Some(args.name),
                    expires_in_days: args.expires_in_days,
                    ..KeyBody::default()
                };
                keys::make(cx, body, args.save).await
            }
            Verb::List => keys::list(cx, Some(ADMIN.to_owned())).await,
            Verb::Rotate(args) => keys::rotate(cx, args).await,
            Verb::Revoke(args) => keys::revoke(cx, &args.key_id).await,
        }
    }
}
