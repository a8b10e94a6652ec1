//! What tasks use and cost, and what they may.

use reef_api::usage::{
    BudgetBody, BudgetRemoved, BudgetScope, ModelPriceBody, ModelPriceRemoved, UsageAnswer,
    UsageBy, UsageRow, Used,
};
use reef_api::{AgentId, Word as _};
use reef_domain::limits::{BUDGETS_MAX, PAGE_DEFAULT, PRICES_MAX};
use reef_domain::usage::{Bounds, Budget, Days, Price, check_budget_id, check_price_name};
use reef_domain::{Invalid, Money, id};
use reef_store::Redis;
use reef_store::steps::Step;
use reef_store::task::Written;
use reef_store::usage::budget::{self, BudgetPut};
use reef_store::usage::price::{self, PricePut};
use reef_store::usage::{Day, Spent, plus, roll_up};
use reef_web::extract::object;
use reef_web::route::{Answer, mark_replayed};
use reef_web::{Code, Context, Problem, Response, page};

/// Steps of 100 in which what was used lately is added up before it is shown: all that there may be.
const ROLL_UPS: usize = 110;

/// `GET /usage`
pub(crate) async fn show<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let query = cx.query();
    let by = query.get("by").filter(|by| !by.is_empty()).unwrap_or(UsageBy::Model.as_str());
    let Some(by) = UsageBy::parse(by) else {
        let rule = format!("must be one of {}", UsageBy::names().join(", "));
        return Err(Problem::parameter("by", &rule));
    };
    let owner = match query.get("owner").filter(|owner| !owner.is_empty()) {
        Some(owner) if cx.caller.may_see(&[owner]) => owner,
        Some(_) => return Err(Problem::foreign("usage")),
        None => cx.caller.writer().as_argument(),
    };
    // An owner's own sums know no owners: what was used for its users is all of it.
    let dimension = match by {
        UsageBy::Model => "m",
        UsageBy::User => "u",
        UsageBy::Node => "n",
        UsageBy::Group => "g",
        UsageBy::Owner if owner.is_empty() => "o",
        UsageBy::Owner => "u",
    };
    let spent_on = async |day: &str| cx.store.call(&Day { day, owner, by: dimension }).await;
    let to = match query.get("to").filter(|to| !to.is_empty()) {
        Some(to) => to.to_owned(),
        None => spent_on("").await?.day,
    };
    let from = query.get("from").filter(|from| !from.is_empty());
    let days = Days::read(from, &to).map_err(|(name, rule)| Problem::parameter(name, &rule))?;
    let mut answer = UsageAnswer {
        from: from.unwrap_or(&to).to_owned(),
        to: to.clone(),
        by: by.into(),
        total: Used::default(),
        rows: Vec::new(),
    };
    roll_up(cx.store, ROLL_UPS).await?;
    for day in days.each() {
        let mut spent = spent_on(&day).await?.spent;
        if by == UsageBy::Owner && !owner.is_empty() && !spent.is_empty() {
            let used = spent.iter().fold(Used::default(), |sum, spent| plus(sum, spent.used));
            spent = vec![Spent { key: owner.to_owned(), used }];
        }
        spent.sort_by(|a, b| (b.used.cost, &a.key).cmp(&(a.used.cost, &b.key)));
        for Spent { key, used } in spent {
            answer.total = plus(answer.total, used);
            answer.rows.push(UsageRow { day: day.clone(), key, used });
        }
    }
    Ok(Response::json(&answer))
}

/// `GET /prices`
pub(crate) async fn list_prices<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let mut prices = cx.store.call(&price::List).await?;
    prices.sort_by(|a, b| a.model.cmp(&b.model));
    Ok(Response::json(&prices))
}

/// The segment `{model}`: the name under which a price stands.
fn priced_model<R>(cx: &Context<'_, R>) -> Result<String, Problem> {
    let model = cx.segment("model")?;
    let mut invalid = Invalid::new();
    check_price_name(&mut invalid, &model);
    invalid.finish(())?;
    Ok(model)
}

/// `PUT /prices/{model}`
pub(crate) async fn put_price<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let model = priced_model(cx)?;
    let Price { input, output, cached } = Price::read(&object::<ModelPriceBody>(cx.request)?)?;
    let price = format!("{}/{}/{}", input.micros(), output.micros(), cached.micros());
    let call = price::Put { model: &model, price: &price, by: cx.caller.name() };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = match answered.value {
        PricePut::Ok { price } => Ok(Response::json(&price)),
        PricePut::TooMany => {
            let detail = format!("There are {PRICES_MAX} prices already; remove some.");
            Err(Problem::new(Code::Conflict, detail))
        }
    };
    mark_replayed(answer, answered.replayed)
}

/// `DELETE /prices/{model}`
pub(crate) async fn remove_price<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let model = priced_model(cx)?;
    let answered = cx.store.call_once(&price::Remove { model: &model }, cx.once.as_ref()).await?;
    let answer = match answered.value {
        Written::Ok(()) => Ok(Response::json(&ModelPriceRemoved { success: true, model })),
        _ => Err(Problem::new(Code::NotFound, format!("There is no price of {model}."))),
    };
    mark_replayed(answer, answered.replayed)
}

/// `GET /budgets`
pub(crate) async fn list_budgets<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let writer = cx.caller.writer();
    let mut steps = page::steps(&cx.query(), PAGE_DEFAULT)?;
    while let Some(Step { limit, from: below, filled }) = steps.step() {
        steps.add(cx.store.call(&budget::List { writer, limit, below, filled }).await?);
    }
    Ok(page::answer(cx.request, &steps))
}

/// What a budget is for: the path, and whose users or groups it speaks of.
struct Named {
    scope: BudgetScope,
    of_id: String,
    owner: AgentId,
}

impl Named {
    /// Reads the path; `owner` is whose, where the caller says so.
    fn read<R>(cx: &Context<'_, R>, owner: Option<AgentId>) -> Result<Self, Problem> {
        let word = cx.segment("scope")?;
        let scope = BudgetScope::parse(&word).ok_or_else(|| {
            Problem::field("scope", &format!("must be one of {}", BudgetScope::names().join(", ")))
        })?;
        let of_id = cx.segment("id")?;
        let mut invalid = Invalid::new();
        check_budget_id(&mut invalid, scope, &of_id);
        invalid.finish(())?;
        let owner = match scope {
            BudgetScope::Owner => of_id.as_str().into(),
            _ => owner.unwrap_or_else(|| cx.caller.name().into()),
        };
        if cx.caller.may_see(&[&owner]) {
            Ok(Self { scope, of_id, owner })
        } else {
            Err(Problem::foreign("budget"))
        }
    }

    /// Whose of the query.
    fn of_query<R>(cx: &Context<'_, R>) -> Result<Self, Problem> {
        let query = cx.query();
        let owner = query.get("owner").filter(|owner| !owner.is_empty());
        if owner.is_some_and(|owner| !id::is_valid(owner)) {
            return Err(Problem::parameter("owner", id::RULE));
        }
        Self::read(cx, owner.map(AgentId::from))
    }

    /// Refuses whoever would loosen what was set for it.
    fn for_change<R>(self, cx: &Context<'_, R>) -> Result<Self, Problem> {
        if self.scope == BudgetScope::Owner && !cx.caller.is_admin() {
            let detail = "What an agent may use as a whole is for the admin to say.";
            return Err(Problem::new(Code::Forbidden, detail));
        }
        Ok(self)
    }

    fn unknown(&self) -> Problem {
        let Self { scope, of_id, .. } = self;
        Problem::new(Code::NotFound, format!("There is no budget of the {scope} {of_id}."))
    }
}

/// `GET /budgets/{scope}/{id}`
pub(crate) async fn show_budget<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let named = match Named::of_query(cx) {
        // Whether there is one is nobody else's business.
        Err(problem) if problem.code == Code::Forbidden => {
            return Err(Problem::new(Code::NotFound, "There is no such budget of yours."));
        }
        named => named?,
    };
    let Named { scope, of_id, owner } = &named;
    let call = budget::Get { owner, scope: scope.as_str(), of_id };
    let found = cx.store.call(&call).await?;
    Ok(Response::json(&found.ok_or_else(|| named.unknown())?))
}

/// `PUT /budgets/{scope}/{id}`
pub(crate) async fn put_budget<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let Budget { bounds, period, owner, note } = Budget::read(object::<BudgetBody>(cx.request)?)?;
    let Named { scope, of_id, owner } = Named::read(cx, owner)?.for_change(cx)?;
    let Bounds { cost, tokens, on_exceed } = bounds;
    let call = budget::Put {
        owner: &owner,
        scope: scope.as_str(),
        of_id: &of_id,
        cost: cost.map(Money::micros),
        tokens,
        period: period.as_str(),
        on_exceed: on_exceed.as_str(),
        note: &note,
        by: cx.caller.name(),
    };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = match answered.value {
        BudgetPut::Ok { budget } => Ok(Response::json(&budget)),
        BudgetPut::TooMany => {
            let detail = format!("There are {BUDGETS_MAX} budgets already; remove some.");
            Err(Problem::new(Code::Conflict, detail))
        }
    };
    mark_replayed(answer, answered.replayed)
}

/// `DELETE /budgets/{scope}/{id}`
pub(crate) async fn remove_budget<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let named = Named::of_query(cx)?.for_change(cx)?;
    let Named { scope, of_id, owner } = &named;
    let call = budget::Remove { owner, scope: scope.as_str(), of_id };
    let answered = cx.store.call_once(&call, cx.once.as_ref()).await?;
    let answer = match answered.value {
        Written::Ok(()) => {
            let (scope, id) = (scope.as_str().to_owned(), of_id.clone());
            Ok(Response::json(&BudgetRemoved { success: true, scope, id }))
        }
        _ => Err(named.unknown()),
    };
    mark_replayed(answer, answered.replayed)
}
