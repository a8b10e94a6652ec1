//! `reef usage`, `reef budgets` and `reef prices`: what tasks use and cost, and what they may.

use clap::{Args, Subcommand};
use reef_api::usage::{
    Budget, BudgetBody, BudgetRemoved, BudgetScope, ModelPrice, ModelPriceBody, ModelPriceRemoved,
    UsageAnswer, UsageBy, Used,
};
use reef_api::{AgentId, Money, Word as _};
use reef_client::Answer;

use crate::connection::HubArgs;
use crate::failure::Failure;
use crate::table::{columns, facts, or_empty, shortened, shown};
use crate::{Context, EXIT_CODES, time};

/// Shown above `reef usage --help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  reef usage
  reef usage --by user --from 2026-03-01 --to 2026-03-31
";

/// Shown above `reef budgets --help`.
pub(crate) const BUDGET_EXAMPLES: &str = "\
Examples:
  reef budgets set user u42 --cost 5 --period day --on-exceed wait
  reef budgets list
  reef budgets show user u42
";

/// Shown above `reef prices --help`.
pub(crate) const PRICE_EXAMPLES: &str = "\
Examples:
  reef prices set gpt-5 --input 1.25 --output 10 --cached 0.125
  reef prices list
";

/// `reef usage`.
#[derive(Debug, Args)]
pub struct Usage {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    /// By what it is added up: model, owner, user, node or group
    #[arg(long, default_value = "model", value_parser = by)]
    by: UsageBy,
    /// The first day, in UTC; else the last
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// The last day, at most 30 later; else today
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
    /// Whose tasks; for an admin
    #[arg(long, value_name = "AGENT")]
    owner: Option<AgentId>,
}

/// `reef budgets`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Budgets {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(subcommand)]
    verb: BudgetVerb,
}

#[derive(Debug, Subcommand)]
enum BudgetVerb {
    /// List budgets, and how much of them is used
    #[command(before_help = "Examples:\n  reef budgets list\n", after_help = EXIT_CODES)]
    List(ListArgs),
    /// Show a budget, and how much of it is used
    #[command(before_help = "Examples:\n  reef budgets show user u42\n", after_help = EXIT_CODES)]
    Show(BudgetArgs),
    /// Make a budget, or replace it: what is used of it stays used
    #[command(before_help = "Examples:\n  reef budgets set user u42 --cost 5 --period day --on-exceed wait\n  reef budgets set owner acme --cost 500 --period month --on-exceed cancel\n", after_help = EXIT_CODES)]
    Set(SetArgs),
    /// Remove a budget: its tasks may use as much as they like
    #[command(before_help = "Examples:\n  reef budgets remove user u42\n", after_help = EXIT_CODES)]
    Remove(BudgetArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Most of them, 1 to 1000
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Go on where an earlier list ended
    #[arg(long)]
    cursor: Option<String>,
}

#[derive(Debug, Args)]
struct BudgetArgs {
    /// Whose tasks it is for: owner, user or group
    #[arg(value_parser = scope)]
    scope: BudgetScope,
    /// Which agent, user or group
    id: String,
    /// Whose user or group; for an admin
    #[arg(long, value_name = "AGENT")]
    owner: Option<AgentId>,
}

#[derive(Debug, Args)]
struct SetArgs {
    #[command(flatten)]
    budget: BudgetArgs,
    /// What may be spent
    #[arg(long, value_name = "AMOUNT", value_parser = money, required_unless_present = "tokens")]
    cost: Option<Money>,
    /// How many tokens models may read and write
    #[arg(long, value_name = "N")]
    tokens: Option<i64>,
    /// After how long it begins anew, in UTC: day, month or total
    #[arg(long)]
    period: Option<String>,
    /// What becomes of the task that goes over it: flag, cancel or wait
    #[arg(long)]
    on_exceed: Option<String>,
    /// For people
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

/// `reef prices`.
#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Prices {
    #[command(flatten)]
    pub(crate) hub: HubArgs,
    #[command(subcommand)]
    verb: PriceVerb,
}

#[derive(Debug, Subcommand)]
enum PriceVerb {
    /// List what a million tokens of each model cost
    #[command(before_help = "Examples:\n  reef prices list\n", after_help = EXIT_CODES)]
    List,
    /// Say what a million tokens of a model cost
    #[command(before_help = "Examples:\n  reef prices set gpt-5 --input 1.25 --output 10 --cached 0.125\n", after_help = EXIT_CODES)]
    Set(PriceArgs),
    /// Forget what a model costs: it costs nothing, unless whoever uses it says what
    #[command(before_help = "Examples:\n  reef prices remove gpt-5\n", after_help = EXIT_CODES)]
    Remove {
        /// The model, or provider/model
        model: String,
    },
}

#[derive(Debug, Args)]
struct PriceArgs {
    /// The model, or provider/model
    model: String,
    /// For what it reads
    #[arg(long, value_name = "AMOUNT", value_parser = money)]
    input: Money,
    /// For what it writes
    #[arg(long, value_name = "AMOUNT", value_parser = money)]
    output: Money,
    /// For what it reads from its cache; else as --input
    #[arg(long, value_name = "AMOUNT", value_parser = money)]
    cached: Option<Money>,
}

/// Reads an amount.
pub(crate) fn money(text: &str) -> Result<Money, String> {
    Money::parse(text).map_err(str::to_owned)
}

fn by(text: &str) -> Result<UsageBy, String> {
    UsageBy::parse(text).ok_or_else(|| format!("there are {}", UsageBy::names().join(", ")))
}

fn scope(text: &str) -> Result<BudgetScope, String> {
    let names = || format!("there are {}", BudgetScope::names().join(", "));
    BudgetScope::parse(text).ok_or_else(names)
}

impl Usage {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        let request = cx.hub.usage().query("by", self.by.as_str()).maybe_query("from", self.from);
        let request = request.maybe_query("to", self.to).maybe_query("owner", self.owner);
        let answer = request.send().await?;
        let usage: UsageAnswer = cx.out.read(&answer)?;
        if !cx.out.is_json() && usage.rows.is_empty() {
            cx.out.note(&format!("nothing was used from {} to {}", usage.from, usage.to));
            return Ok(());
        }
        cx.out.shown(&answer, || {
            let all = ("total".to_owned(), String::new(), usage.total);
            let rows = usage.rows.iter().map(|it| (it.day.clone(), it.key.clone(), it.used));
            let rows = rows.chain([all]).map(|(day, key, used)| {
                let Used { input, output, cached, requests, cost, .. } = used;
                let numbers = [input, cached, output, requests].map(|number| number.to_string());
                let [input, cached, output, requests] = numbers;
                [day, key, input, cached, output, requests, cost.to_string()]
            });
            let by = self.by.as_str();
            columns(["day", by, "input", "cached", "output", "requests", "cost"], rows)
        })
    }
}

impl Budgets {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        match self.verb {
            BudgetVerb::List(args) => list(cx, args).await,
            BudgetVerb::Show(BudgetArgs { scope, id, owner }) => {
                let request = cx.hub.budget(scope, &id).maybe_query("owner", owner);
                cx.out.answer(&request.send().await?, |budget| budget_facts(&budget))
            }
            BudgetVerb::Set(args) => {
                let BudgetArgs { scope, id, owner } = args.budget;
                let body = BudgetBody {
                    cost: args.cost,
                    tokens: args.tokens,
                    period: args.period,
                    on_exceed: args.on_exceed,
                    owner,
                    note: args.note,
                };
                let answer = cx.hub.put_budget(scope, &id, &body).once().send().await?;
                cx.out.answer(&answer, |budget| budget_facts(&budget))
            }
            BudgetVerb::Remove(BudgetArgs { scope, id, owner }) => {
                let request = cx.hub.remove_budget(scope, &id).maybe_query("owner", owner);
                let answer = request.once().send().await?;
                cx.out.answer(&answer, |BudgetRemoved { scope, id, .. }| {
                    format!("{scope} {}: removed", shown(&id))
                })
            }
        }
    }
}

async fn list(cx: &Context, args: ListArgs) -> Result<(), Failure> {
    let request = cx.hub.budgets().maybe_query("limit", args.limit);
    let answer: Answer<Vec<Budget>> = request.maybe_query("cursor", args.cursor).send().await?;
    let budgets = cx.out.read(&answer)?;
    if !cx.out.is_json() && budgets.is_empty() {
        cx.out.note("there are no budgets");
    } else {
        cx.out.shown(&answer, || {
            let rows = budgets.iter().map(|budget| {
                [
                    budget.scope.to_string(),
                    budget.id.clone(),
                    budget.owner.to_string(),
                    of(budget.cost_used, budget.cost),
                    of(budget.tokens_used, budget.tokens),
                    budget.period.to_string(),
                    budget.on_exceed.to_string(),
                    if budget.exceeded { "used up".to_owned() } else { String::new() },
                    shortened(&budget.note),
                ]
            });
            let heads =
                ["scope", "id", "owner", "cost", "tokens", "period", "then", "state", "note"];
            columns(heads, rows)
        })?;
    }
    cx.out.tell_next(&answer);
    Ok(())
}

/// How much is used of what may be.
fn of<T: std::fmt::Display>(used: T, most: Option<T>) -> String {
    match most {
        Some(most) => format!("{used} of {most}"),
        None => used.to_string(),
    }
}

fn budget_facts(budget: &Budget) -> String {
    facts([
        ("budget", format!("{} {}", budget.scope, shown(&budget.id))),
        ("owner", budget.owner.to_string()),
        ("cost", of(budget.cost_used, budget.cost)),
        ("tokens", of(budget.tokens_used, budget.tokens)),
        ("period", budget.period.to_string()),
        ("then", budget.on_exceed.to_string()),
        ("state", or_empty(budget.exceeded.then_some("used up"))),
        ("note", budget.note.clone()),
        ("set by", budget.updated_by.clone()),
        ("set", time::of(budget.updated_at)),
    ])
}

impl Prices {
    pub(crate) async fn run(self, cx: &Context) -> Result<(), Failure> {
        match self.verb {
            PriceVerb::List => {
                let answer: Answer<Vec<ModelPrice>> = cx.hub.prices().send().await?;
                let prices = cx.out.read(&answer)?;
                if !cx.out.is_json() && prices.is_empty() {
                    cx.out.note("there are no prices");
                    return Ok(());
                }
                cx.out.shown(&answer, || {
                    let rows = prices.iter().map(|price| {
                        let ModelPrice { model, input, output, cached, updated_by, .. } = price;
                        let amounts = [input, cached, output].map(ToString::to_string);
                        let [input, cached, output] = amounts;
                        [model.clone(), input, cached, output, updated_by.clone()]
                    });
                    columns(["model", "input", "cached", "output", "set by"], rows)
                })
            }
            PriceVerb::Set(PriceArgs { model, input, output, cached }) => {
                let body = ModelPriceBody { input: Some(input), output: Some(output), cached };
                let answer = cx.hub.put_price(&model, &body).once().send().await?;
                cx.out.answer(&answer, |price| {
                    facts([
                        ("model", price.model),
                        ("input", price.input.to_string()),
                        ("cached", price.cached.to_string()),
                        ("output", price.output.to_string()),
                    ])
                })
            }
            PriceVerb::Remove { model } => {
                let answer = cx.hub.remove_price(&model).once().send().await?;
                cx.out.answer(&answer, |ModelPriceRemoved { model, .. }| {
                    format!("{}: removed", shown(&model))
                })
            }
        }
    }
}
