//! Finding tasks.

use reef_api::find::TaskFilter;
use reef_domain::Invalid;
use reef_domain::filter::Filter;
use reef_domain::label;
use reef_domain::limits::PAGE_DEFAULT;
use reef_store::Redis;
use reef_store::steps::Step;
use reef_store::task::List;
use reef_web::extract::Query;
use reef_web::route::Answer;
use reef_web::{Context, Problem, page};

/// How many tasks a list has looked at.
const SCANNED: &str = "reef-scanned";

fn filter(query: &Query) -> Result<Filter, Problem> {
    let text = |name: &str| query.get(name).map(str::to_owned);
    let labels = query.get("label").map(label::read).transpose();
    let labels = labels.map_err(|rule| Problem::parameter("label", rule))?;
    let given = TaskFilter {
        status: text("status").or_else(|| text("status_filter")),
        name: text("name"),
        labels,
        assigned_node: text("assigned_node"),
        user_id: text("user_id"),
        session_id: text("session_id"),
        since: text("since"),
        until: text("until"),
        error: text("error~"),
        error_key: text("error_key"),
    };
    let mut invalid = Invalid::new();
    let filter = Filter::read(given, "", &mut invalid);
    match invalid.errors().first() {
        None => Ok(filter),
        Some(fault) => {
            let name = match fault.field.as_str() {
                "status" if query.get("status").is_none() => "status_filter",
                "error" => "error~",
                field if field.starts_with("labels") => "label",
                field => field,
            };
            Err(Problem::parameter(name, &fault.message))
        }
    }
}

/// `GET /tasks`. A page may be short when filters are combined; its `Link` says where to go on.
pub(crate) async fn list<R: Redis>(cx: &Context<'_, R>) -> Answer {
    let query = cx.query();
    let mut filter = filter(&query)?;
    filter.owner = Some(cx.caller.writer().as_argument().to_owned()).filter(|it| !it.is_empty());
    let (mut steps, mut scanned) = (page::steps(&query, PAGE_DEFAULT)?, 0);
    while let Some(Step { limit, from: below, filled }) = steps.step() {
        let found = cx.store.call(&List { filter: &filter, limit, below, filled }).await?;
        scanned += found.scanned;
        steps.add(found.page);
    }
    Ok(page::answer(cx.request, &steps).with(SCANNED, scanned.to_string()))
}
