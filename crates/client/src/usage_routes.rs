//! A method for each route of usage, prices and budgets.

use reef_api::Word as _;
use reef_api::usage::{
    Budget, BudgetBody, BudgetRemoved, BudgetScope, ModelPrice, ModelPriceBody, ModelPriceRemoved,
    UsageAnswer,
};

use crate::{Hub, Request};

/// What tasks use and cost, and what they may.
impl Hub {
    /// Shows what was used. By what, from when to when, and whose is in the query.
    pub fn usage(&self) -> Request<UsageAnswer> {
        self.get(["usage"]).answering()
    }

    /// Lists what models cost.
    pub fn prices(&self) -> Request<Vec<ModelPrice>> {
        self.get(["prices"]).answering()
    }

    /// Sets what a model costs.
    pub fn put_price(&self, model: &str, body: &ModelPriceBody) -> Request<ModelPrice> {
        self.put(["prices", model]).json(body).answering()
    }

    /// Forgets what a model costs.
    pub fn remove_price(&self, model: &str) -> Request<ModelPriceRemoved> {
        self.delete(["prices", model]).answering()
    }

    /// Lists budgets, newest first.
    pub fn budgets(&self) -> Request<Vec<Budget>> {
        self.get(["budgets"]).answering()
    }

    /// Shows a budget, and how much of it is used.
    pub fn budget(&self, scope: BudgetScope, id: &str) -> Request<Budget> {
        self.get(["budgets", scope.as_str(), id]).answering()
    }

    /// Sets a budget, whole.
    pub fn put_budget(&self, scope: BudgetScope, id: &str, body: &BudgetBody) -> Request<Budget> {
        self.put(["budgets", scope.as_str(), id]).json(body).answering()
    }

    /// Removes a budget.
    pub fn remove_budget(&self, scope: BudgetScope, id: &str) -> Request<BudgetRemoved> {
        self.delete(["budgets", scope.as_str(), id]).answering()
    }
}
