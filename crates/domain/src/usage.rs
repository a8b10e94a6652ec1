//! What tasks use and cost: what may be reported, set and asked for (`contract.md` §5).

use jiff::ToSpan as _;
use jiff::civil::Date;
use reef_api::usage::{
    BudgetBody, BudgetPeriod, BudgetScope, ChargeBody, ModelPriceBody, OnExceed, TaskBudget,
    TaskBudgetBody, UsageBody,
};
use reef_api::{AgentId, Word as _};
use serde::Serialize;

use crate::id;
use crate::invalid::Invalid;
use crate::ledger::require_positive;
use crate::limits::{
    BUDGET_NOTE_CHARS_MAX, BUDGET_TOKENS_MAX, MODEL_CHARS_MAX, PRICE_MAX, PROVIDER_CHARS_MAX,
    USAGE_COST_MAX, USAGE_DAYS_MAX, USAGE_MODELS_MAX, USAGE_TOKENS_MAX, USER_CHARS_MAX,
};
use crate::money::Money;
use crate::name;

/// What a try has used of one model so far, as the scripts read it: `provider/model`, the model alone,
/// input, output, cached, reasoning, requests, and the cost in millionths or a negative number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report(pub String, pub String, pub i64, pub i64, pub i64, pub i64, pub i64, pub i64);

impl Report {
    /// Reads what is reported of a try, and adds every broken rule.
    pub fn read_all(given: Option<Vec<UsageBody>>, invalid: &mut Invalid) -> Vec<Self> {
        let given = given.unwrap_or_default();
        invalid.at_most_items("usage", &given, USAGE_MODELS_MAX);
        let mut all: Vec<Self> = Vec::new();
        for (n, given) in given.into_iter().take(USAGE_MODELS_MAX).enumerate() {
            let field = |part: &str| format!("usage[{n}].{part}");
            let provider = given.provider.unwrap_or_default();
            invalid.at_most_chars(&field("provider"), &provider, PROVIDER_CHARS_MAX);
            name::check(invalid, &field("provider"), &provider);
            let is_plain = !provider.contains('/');
            invalid.require(is_plain, &field("provider"), "must not contain a slash");
            let model = given.model.unwrap_or_default();
            check_model(invalid, &field("model"), &model);
            let mut count = |part: &str, given: Option<i64>| {
                let count = given.unwrap_or_default();
                invalid.within(&field(part), count, &(0..=USAGE_TOKENS_MAX));
                count
            };
            let (input, output) = (count("input", given.input), count("output", given.output));
            let (cached, reasoning) =
                (count("cached", given.cached), count("reasoning", given.reasoning));
            let requests = count("requests", given.requests);
            let rule = "must not be more than input, of which it is a part";
            invalid.require(cached <= input, &field("cached"), rule);
            let rule = "must not be more than output, of which it is a part";
            invalid.require(reasoning <= output, &field("reasoning"), rule);
            let cost = given.cost.map_or(-1, Money::micros);
            let is_cost = given.cost.is_none() || (0..=USAGE_COST_MAX).contains(&cost);
            invalid.require(is_cost, &field("cost"), "must be from 0 to 1000000");
            let key = format!("{provider}/{model}");
            let is_new = all.iter().all(|other| other.0 != key);
            invalid.require(is_new, &field("model"), "must not be given twice");
            all.push(Self(key, model, input, output, cached, reasoning, requests, cost));
        }
        all
    }
}

/// Adds what is wrong with the name of a model.
pub fn check_model(invalid: &mut Invalid, field: &str, model: &str) {
    let fits = !model.trim().is_empty() && model.chars().count() <= MODEL_CHARS_MAX;
    invalid.require(fits, field, "is required and must have at most 128 characters");
    name::check(invalid, field, model);
    invalid.require(!model.starts_with('@'), field, "must not begin with @");
}

/// What may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// What it may cost; `None`: whatever it costs.
    pub cost: Option<Money>,
    /// Tokens that are read and written; `None`: any number.
    pub tokens: Option<i64>,
    /// What becomes of the task that goes over it.
    pub on_exceed: OnExceed,
}

impl Bounds {
    /// As it is shown.
    #[must_use]
    pub fn shown(self) -> TaskBudget {
        let Self { cost, tokens, on_exceed } = self;
        TaskBudget { cost, tokens, on_exceed: on_exceed.into() }
    }

    /// What was shown; `None` where a newer hub has written it.
    #[must_use]
    pub fn of_shown(shown: &TaskBudget) -> Option<Self> {
        let on_exceed = shown.on_exceed.known()?;
        Some(Self { cost: shown.cost, tokens: shown.tokens, on_exceed })
    }

    fn read(
        (cost, tokens): (Option<Money>, Option<i64>),
        (on_exceed, otherwise): (Option<String>, OnExceed),
        prefix: &str,
        invalid: &mut Invalid,
    ) -> Self {
        let field = |part: &str| format!("{prefix}{part}");
        let rule = "is required, or tokens";
        invalid.require(cost.is_some() || tokens.is_some(), &field("cost"), rule);
        if cost.is_some() {
            require_positive(invalid, &field("cost"), cost);
        }
        if let Some(tokens) = tokens {
            invalid.within(&field("tokens"), tokens, &(1..=BUDGET_TOKENS_MAX));
        }
        let word = on_exceed.unwrap_or_else(|| otherwise.as_str().to_owned());
        invalid.one_of(&field("on_exceed"), &word, &OnExceed::names());
        Self { cost, tokens, on_exceed: OnExceed::parse(&word).unwrap_or(otherwise) }
    }

    /// Reads what a task may use, and adds every broken rule.
    pub fn of_task(given: TaskBudgetBody, invalid: &mut Invalid) -> Self {
        let TaskBudgetBody { cost, tokens, on_exceed } = given;
        Self::read((cost, tokens), (on_exceed, OnExceed::Wait), "budget.", invalid)
    }
}

/// A budget as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// What may be used.
    pub bounds: Bounds,
    /// After how long it begins anew.
    pub period: BudgetPeriod,
    /// Whose it is, if the caller said so.
    pub owner: Option<AgentId>,
    /// For people.
    pub note: String,
}

impl Budget {
    /// Reads a budget.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn read(body: BudgetBody) -> Result<Self, Invalid> {
        let mut invalid = Invalid::new();
        let limits = (body.cost, body.tokens);
        let bounds = Bounds::read(limits, (body.on_exceed, OnExceed::Flag), "", &mut invalid);
        let period = body.period.unwrap_or_else(|| BudgetPeriod::Total.as_str().to_owned());
        invalid.one_of("period", &period, &BudgetPeriod::names());
        let period = BudgetPeriod::parse(&period).unwrap_or(BudgetPeriod::Total);
        let owner = body.owner.filter(|owner| !owner.is_empty());
        let is_id = owner.as_ref().is_none_or(|owner| id::is_valid(owner));
        invalid.require(is_id, "owner", id::RULE);
        let note = body.note.unwrap_or_default();
        invalid.at_most_chars("note", &note, BUDGET_NOTE_CHARS_MAX);
        name::check(&mut invalid, "note", &note);
        invalid.finish(Self { bounds, period, owner, note })
    }
}

/// Days of which usage is read, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    first: Date,
    last: Date,
}

impl Days {
    /// Reads the first and the last day; the first is the last where it is left out.
    ///
    /// # Errors
    /// The name of the one that is wrong, and the rule that it breaks.
    pub fn read(from: Option<&str>, to: &str) -> Result<Self, (&'static str, String)> {
        let rule = "must be a day, such as 2026-03-01";
        let day = |name, text: &str| {
            let is_plain = text.len() == "2026-03-01".len();
            let day = text.parse::<Date>().ok().filter(|_| is_plain);
            day.ok_or_else(|| (name, rule.to_owned()))
        };
        let last = day("to", to)?;
        let first = from.map_or(Ok(last), |from| day("from", from))?;
        let is_in_turn = first <= last && first.saturating_add((USAGE_DAYS_MAX - 1).days()) >= last;
        let rule = format!("must be at most {USAGE_DAYS_MAX} days with to, and not be after it");
        if is_in_turn { Ok(Self { first, last }) } else { Err(("from", rule)) }
    }

    /// Each of them, as `2026-03-01`.
    pub fn each(self) -> impl Iterator<Item = String> {
        self.first
            .series(1.day())
            .take_while(move |day| *day <= self.last)
            .map(|day| day.to_string())
    }
}

/// Adds what is wrong with what names an agent, a user or a group that a budget is for.
pub fn check_budget_id(invalid: &mut Invalid, scope: BudgetScope, text: &str) {
    if scope == BudgetScope::User {
        let fits = !text.trim().is_empty() && text.chars().count() <= USER_CHARS_MAX;
        invalid.require(fits, "id", "must have 1 to 128 characters");
        name::check(invalid, "id", text);
    } else {
        invalid.require(id::is_valid(text), "id", id::RULE);
    }
}

/// What a model costs for a million tokens, in millionths of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// That it reads.
    pub input: Money,
    /// That it writes.
    pub output: Money,
    /// That it reads from its cache.
    pub cached: Money,
}

impl Price {
    /// Reads a price.
    ///
    /// # Errors
    /// Every broken rule.
    pub fn read(body: &ModelPriceBody) -> Result<Self, Invalid> {
        let mut invalid = Invalid::new();
        let mut price = |field: &str, given: Option<Money>| {
            let is_there = given.is_some_and(|it| (0..=PRICE_MAX).contains(&it.micros()));
            let rule = "is required and must be from 0 to 9000 for a million tokens";
            invalid.require(is_there, field, rule);
            given.unwrap_or_default()
        };
        let (input, output) = (price("input", body.input), price("output", body.output));
        let cached = body.cached.map_or(input, |given| price("cached", Some(given)));
        invalid.finish(Self { input, output, cached })
    }
}

/// Adds what is wrong with the name under which a price stands.
pub fn check_price_name(invalid: &mut Invalid, model: &str) {
    let (provider, rest) = model.split_once('/').unwrap_or(("", model));
    invalid.at_most_chars("model", provider, PROVIDER_CHARS_MAX);
    check_model(invalid, "model", if rest.is_empty() { model } else { rest });
    name::check(invalid, "model", model);
    invalid.require(!model.starts_with(['@', '/']), "model", "must not begin with @ or /");
}

/// What whoever completes a task is paid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Charge {
    /// The most.
    pub max: Money,
    /// Who is paid; `None`: the owner of the node that completes it.
    pub to: Option<AgentId>,
    /// Who pays, if the caller said so.
    pub from: Option<AgentId>,
}

impl Charge {
    /// Reads what a task is to be paid with, and adds every broken rule.
    pub fn read(given: ChargeBody, invalid: &mut Invalid) -> Self {
        let max = require_positive(invalid, "charge.max", given.max);
        let mut agent = |field: &str, given: Option<AgentId>| {
            let agent = given.filter(|agent| !agent.is_empty());
            let is_id = agent.as_ref().is_none_or(|agent| id::is_valid(agent));
            invalid.require(is_id, field, id::RULE);
            agent
        };
        let (to, from) = (agent("charge.to", given.to), agent("charge.from", given.from));
        Self { max, to, from }
    }
}
