//! What `openapi.json` says of usage, prices, budgets and charges.

use reef_api::Word as _;
use reef_api::usage::{
    Budget, BudgetBody, BudgetPeriod, BudgetRemoved, BudgetScope, ChargeBody, ModelPrice,
    ModelPriceBody, ModelPriceRemoved, OnExceed, TaskBudget, TaskBudgetBody, UsageAnswer,
    UsageBody, UsageBy,
};
use reef_domain::limits::{
    BUDGET_NOTE_CHARS_MAX, BUDGET_TOKENS_MAX, MODEL_CHARS_MAX, PAGE_DEFAULT, PROVIDER_CHARS_MAX,
    USAGE_MODELS_MAX, USAGE_TOKENS_MAX,
};
use reef_web::Code;
use reef_web::openapi::Api;
use reef_web::openapi::schema::{between, default, id, list_of, name, number_cursor, one_of};
use serde_json::{Value, json};

/// What a try has used, in a body.
pub(super) fn reports() -> Value {
    json!({ "maxItems": USAGE_MODELS_MAX })
}

/// Describes the routes.
pub(super) fn routes(api: &mut Api) {
    let day = || json!({ "type": "string", "format": "date" });
    let scope = || one_of(&BudgetScope::names());
    api.get("/api/v1/usage", "show_usage", "Show what tasks have used")
        .says("An agent sees its own tasks', the admin everybody's. At most 31 days.")
        .query("by", "By what it is added up; left out, `model`.", one_of(&UsageBy::names()))
        .query("from", "The first day, in UTC; left out, `to`.", day())
        .query("to", "The last day; left out, today.", day())
        .query("owner", "Whose tasks; for the admin.", id())
        .answers::<UsageAnswer>("What was used, by day.");
    api.get("/api/v1/prices", "list_prices", "List what models cost")
        .answers_schema("The prices, by name.", list_of("ModelPrice"));
    api.put("/api/v1/prices/{model}", "set_price", "Set what a model costs")
        .segment("model", "What it is called.", model())
        .says(
            "`model` is the name of a model, or `provider/model` (encoded as `%2F`), which comes first. It \
             counts from the next report on, for all that the try has used.",
        )
        .takes::<ModelPriceBody>()
        .example(json!({ "input": "1.25", "output": "10", "cached": "0.125" }))
        .answers::<ModelPrice>("The price.")
        .refuses(&[Code::Conflict]);
    api.delete("/api/v1/prices/{model}", "remove_price", "Forget what a model costs")
        .segment("model", "What it is called.", model())
        .answers::<ModelPriceRemoved>("It is gone.")
        .refuses(&[Code::NotFound]);
    api.get("/api/v1/budgets", "list_budgets", "List budgets, newest first")
        .says("An agent sees its own, the admin everybody's.")
        .pages(PAGE_DEFAULT, number_cursor())
        .answers_schema("The budgets.", list_of("Budget"));
    api.get("/api/v1/budgets/{scope}/{id}", "show_budget", "Show a budget")
        .segment(
            "scope",
            "For what it is: all of an agent's tasks, those for a user, or those of a group.",
            scope(),
        )
        .query("owner", "Whose user or group; for the admin.", id())
        .answers::<Budget>("The budget, and how much of it is used.")
        .refuses(&[Code::NotFound]);
    api.put("/api/v1/budgets/{scope}/{id}", "set_budget", "Make a budget, or set it anew")
        .segment("scope", "For what it is: all of an agent's tasks, those for a user, or those of a group.", scope())
        .says(
            "For the users and groups of the caller; `owner` budgets are the admin's. What is used of it stays \
             used, unless `period` becomes another one. It counts what is reported from then on.",
        )
        .takes::<BudgetBody>()
        .example(json!({ "cost": "5", "period": "day", "on_exceed": "wait" }))
        .answers::<Budget>("The budget.")
        .refuses(&[Code::Conflict]);
    api.delete("/api/v1/budgets/{scope}/{id}", "remove_budget", "Remove a budget")
        .segment(
            "scope",
            "For what it is: all of an agent's tasks, those for a user, or those of a group.",
            scope(),
        )
        .query("owner", "Whose user or group; for the admin.", id())
        .answers::<BudgetRemoved>("It is gone.")
        .refuses(&[Code::NotFound]);
}

/// The name under which a price stands. What stands for a folder is no segment of a path.
fn model() -> Value {
    let mut schema = name(1, MODEL_CHARS_MAX);
    if let Some(rules) = schema.as_object_mut() {
        rules.insert("type".to_owned(), json!("string"));
        rules.insert("not".to_owned(), json!({ "pattern": r"^([@/]|\.{1,2}$)" }));
    }
    schema
}

/// Describes what they take and answer.
pub(super) fn schemas(api: &mut Api) {
    let tokens = || between(0, USAGE_TOKENS_MAX);
    api.body::<UsageBody>()
        .require(&["model"])
        .set("provider", name(0, PROVIDER_CHARS_MAX))
        .set("model", name(1, MODEL_CHARS_MAX))
        .set("input", tokens())
        .set("output", tokens())
        .set("cached", tokens())
        .set("reasoning", tokens())
        .set("requests", tokens());
    api.body::<TaskBudgetBody>()
        .set("tokens", between(1, BUDGET_TOKENS_MAX))
        .set("on_exceed", default(one_of(&OnExceed::names()), "wait"));
    api.body::<ChargeBody>().require(&["max"]).set("to", id()).set("from", id());
    api.body::<ModelPriceBody>().require(&["input", "output"]);
    api.body::<BudgetBody>()
        .set("tokens", between(1, BUDGET_TOKENS_MAX))
        .set("period", default(one_of(&BudgetPeriod::names()), "total"))
        .set("on_exceed", default(one_of(&OnExceed::names()), "flag"))
        .set("owner", id())
        .set("note", name(0, BUDGET_NOTE_CHARS_MAX));
    api.answer::<ModelPrice>();
    api.answer::<Budget>()
        .set("scope", one_of(&BudgetScope::names()))
        .set("period", one_of(&BudgetPeriod::names()))
        .set("on_exceed", one_of(&OnExceed::names()));
    api.answer::<TaskBudget>().set("on_exceed", one_of(&OnExceed::names()));
    api.answer::<UsageAnswer>().set("by", one_of(&UsageBy::names()));
}
