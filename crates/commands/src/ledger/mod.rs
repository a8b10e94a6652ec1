//! `reef ledger`: money, and the journal that accounts for it.

mod audit;
mod holds;
mod market;
mod money;
mod verify;

use clap::{Args, Subcommand};

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::{Context, EXIT_CODES};

pub(crate) use verify::verify_hub;

/// Shown above the group's `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef ledger deposit alice 100
  reef ledger transfer alice bob 12.50 --memo 'for the GPU'
  reef ledger balance alice
  reef ledger verify                          recomputes every balance from the journal
";

/// `reef ledger`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Ledger {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show what an agent has
    #[command(before_help = "Examples:\n  reef ledger balance alice\n", after_help = EXIT_CODES)]
    Balance(money::BalanceArgs),
    /// Bring money in
    #[command(before_help = "Examples:\n  reef ledger deposit alice 100\n", after_help = EXIT_CODES)]
    Deposit(money::AmountArgs),
    /// Take money out
    #[command(before_help = "Examples:\n  reef ledger withdraw alice 20\n", after_help = EXIT_CODES)]
    Withdraw(money::AmountArgs),
    /// Pay from one agent to another
    #[command(before_help = "Examples:\n  reef ledger transfer alice bob 12.50 --memo 'for the GPU'\n", after_help = EXIT_CODES)]
    Transfer(money::TransferArgs),
    /// List journal entries, newest first
    #[command(before_help = "Examples:\n  reef ledger entries --agent alice --limit 20\n", after_help = EXIT_CODES)]
    Entries(money::EntriesArgs),
    /// Reserve money, to be paid or released later
    #[command(before_help = "Examples:\n  reef ledger hold alice 30 --expires-in-ms 60000\n", after_help = EXIT_CODES)]
    Hold(holds::HoldArgs),
    /// List holds, newest first
    #[command(before_help = "Examples:\n  reef ledger holds --agent alice --status pending\n", after_help = EXIT_CODES)]
    Holds(holds::ListArgs),
    /// Pay what is held, all or part; the rest is released
    #[command(before_help = "Examples:\n  reef ledger post HOLD bob --amount 10\n", after_help = EXIT_CODES)]
    Post(holds::PostArgs),
    /// Release what is held
    #[command(before_help = "Examples:\n  reef ledger void HOLD\n", after_help = EXIT_CODES)]
    Void(holds::VoidArgs),
    /// Open an intent to go long or short; its margin is reserved
    #[command(before_help = "Examples:\n  reef ledger intend alice long ETH-PERP 100 --leverage 5\n", after_help = EXIT_CODES)]
    Intend(market::IntendArgs),
    /// List intents, newest first
    #[command(before_help = "Examples:\n  reef ledger intents --status open --asset ETH-PERP\n", after_help = EXIT_CODES)]
    Intents(market::IntentsArgs),
    /// Cancel an open intent; its margin comes back
    #[command(before_help = "Examples:\n  reef ledger cancel INTENT\n", after_help = EXIT_CODES)]
    Cancel(market::CancelArgs),
    /// Match two opposite intents at a price (admin)
    #[command(before_help = "Examples:\n  reef ledger match INTENT OTHER 2000\n", after_help = EXIT_CODES)]
    Match(market::MatchArgs),
    /// List an agent's positions
    #[command(before_help = "Examples:\n  reef ledger positions alice --include-closed\n", after_help = EXIT_CODES)]
    Positions(market::PositionsArgs),
    /// Close a position and its counterpart, at the mark or (admin) at a price
    #[command(before_help = "Examples:\n  reef ledger close POSITION\n", after_help = EXIT_CODES)]
    Close(market::CloseArgs),
    /// Mark a position at a price; liquidates it below 5 % of its margin (admin)
    #[command(before_help = "Examples:\n  reef ledger mark POSITION 2100\n", after_help = EXIT_CODES)]
    Mark(market::MarkArgs),
    /// Check the journal entry by entry, and all else in the ledger against it (admin); or an export
    #[command(before_help = "Examples:\n  reef ledger verify\n  reef ledger verify journal.jsonl\n  reef ledger verify --against journal.jsonl\n", after_help = EXIT_CODES)]
    Verify(verify::VerifyArgs),
    /// Write the whole journal to a file, one entry a line (admin)
    #[command(before_help = "Examples:\n  reef ledger export journal.jsonl\n  reef ledger export - | gzip > journal.gz\n", after_help = EXIT_CODES)]
    Export(verify::ExportArgs),
}

impl Ledger {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Balance(args) => money::balance(cx, args).await,
            Verb::Deposit(args) => money::change(cx, cx.hub.deposit(&args.body())).await,
            Verb::Withdraw(args) => money::change(cx, cx.hub.withdraw(&args.body())).await,
            Verb::Transfer(args) => money::transfer(cx, args).await,
            Verb::Entries(args) => money::entries(cx, args).await,
            Verb::Hold(args) => holds::place(cx, args).await,
            Verb::Holds(args) => holds::list(cx, args).await,
            Verb::Post(args) => holds::post(cx, args).await,
            Verb::Void(args) => holds::void(cx, args).await,
            Verb::Intend(args) => market::intend(cx, args).await,
            Verb::Intents(args) => market::intents(cx, args).await,
            Verb::Cancel(args) => market::cancel(cx, args).await,
            Verb::Match(args) => market::make_match(cx, args).await,
            Verb::Positions(args) => market::positions(cx, args).await,
            Verb::Close(args) => market::close(cx, args).await,
            Verb::Mark(args) => market::mark(cx, args).await,
            Verb::Verify(args) => verify::verify(cx, args).await,
            Verb::Export(args) => verify::export(cx, args).await,
        }
    }
}
