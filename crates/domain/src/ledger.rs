//! Money that moves: what a caller may ask of the ledger, and the words for it (`contract.md` §6).

use reef_api::Word as _;
use reef_api::ledger::{IntentBody, Side};

use crate::invalid::Invalid;
use crate::limits::{
    ASSET_CHARS_MAX, HOLD_MS, LEVERAGE_MAX, MEMO_CHARS_MAX, REASON_CHARS_MAX, SLIPPAGE_MAX_MICROS,
};
use crate::money::Money;
use crate::name;

/// Where deposits come from and withdrawals go to.
pub const EXTERNAL: &str = "@external";

/// Whether an account is one of the system's own, which may be below zero.
#[must_use]
pub fn is_system(account: &str) -> bool {
    account.starts_with('@')
}

/// Takes an amount that must be there and more than nothing.
pub fn require_positive(invalid: &mut Invalid, field: &str, given: Option<Money>) -> Money {
    match given {
        None => invalid.push(field, "is required"),
        Some(amount) => invalid.require(amount > Money::ZERO, field, "must be more than 0"),
    }
    given.unwrap_or_default()
}

/// Checks the words that go with a transfer.
pub fn check_memo(invalid: &mut Invalid, memo: &str) {
    invalid.at_most_chars("memo", memo, MEMO_CHARS_MAX);
    name::check(invalid, "memo", memo);
}

/// Checks how long a hold is to last, if it is to end by itself.
pub fn check_expiry(invalid: &mut Invalid, expires_in_ms: Option<i64>) {
    invalid.within("expires_in_ms", expires_in_ms, &HOLD_MS);
}

/// An intent that keeps the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// In which direction.
    pub side: Side,
    /// On what.
    pub asset: String,
    /// How much.
    pub size: Money,
    /// 1–20.
    pub leverage: i64,
    /// 0–0.1.
    pub max_slippage: Money,
    /// For people; may be empty.
    pub reason: String,
}

/// Reads a direction in whatever case.
fn side_of(text: &str) -> Option<Side> {
    Side::ALL.iter().copied().find(|side| text.eq_ignore_ascii_case(side.as_str()))
}

impl Intent {
    /// Reads what a caller says who wants to take a position, and fills in the defaults.
    ///
    /// # Errors
    /// The fields that break a rule.
    pub fn read(form: IntentBody, mut invalid: Invalid) -> Result<Self, Invalid> {
        let given = form.intent_type.as_deref();
        let side = given.and_then(side_of);
        match given {
            None => invalid.push("intent_type", "is required"),
            Some(_) => invalid.require(side.is_some(), "intent_type", "must be long or short"),
        }
        let asset = form.asset.unwrap_or_default();
        invalid.require(is_asset(&asset), "asset", "must be 1-32 of A-Z a-z 0-9 . _ -");
        let size = require_positive(&mut invalid, "size", form.size);
        let leverage = form.leverage.unwrap_or(1);
        let rule = "must be a whole number from 1 to 20";
        invalid.require((1..=LEVERAGE_MAX).contains(&leverage), "leverage", rule);
        let max_slippage = form.max_slippage.or(Money::from_micros(5_000)).unwrap_or_default();
        let range = Money::ZERO..=Money::from_micros(SLIPPAGE_MAX_MICROS).unwrap_or_default();
        invalid.within("max_slippage", max_slippage, &range);
        let reason = form.reason.unwrap_or_default();
        invalid.at_most_chars("reason", &reason, REASON_CHARS_MAX);
        name::check(&mut invalid, "reason", &reason);
        let side = side.unwrap_or(Side::Long);
        invalid.finish(Self { side, asset, size, leverage, max_slippage, reason })
    }
}

/// Whether a text may name what is traded: it becomes part of a key.
#[must_use]
pub fn is_asset(text: &str) -> bool {
    (1..=ASSET_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    fn form() -> IntentBody {
        IntentBody {
            intent_type: Some("LONG".into()),
            asset: Some("BTC-USD".into()),
            size: Some(money("100")),
            ..IntentBody::default()
        }
    }

    fn blamed(form: IntentBody) -> Vec<String> {
        let refused = Intent::read(form, Invalid::new()).unwrap_err();
        refused.errors().iter().map(|error| error.field.clone()).collect()
    }

    #[test]
    fn an_intent_has_the_defaults_of_the_contract() {
        let intent = Intent::read(form(), Invalid::new()).unwrap();
        assert_eq!((intent.side, intent.leverage), (Side::Long, 1));
        assert_eq!(
            (intent.max_slippage.to_string().as_str(), intent.reason.as_str()),
            ("0.005", "")
        );
    }

    #[test]
    fn what_breaks_a_rule_is_named() {
        assert_eq!(blamed(IntentBody::default()), ["intent_type", "asset", "size"]);
        assert_eq!(
            blamed(IntentBody { intent_type: Some("up".into()), ..form() }),
            ["intent_type"]
        );
        for leverage in [0, -1, 21, 101] {
            assert_eq!(blamed(IntentBody { leverage: Some(leverage), ..form() }), ["leverage"]);
        }
        for size in ["0", "-100"] {
            assert_eq!(blamed(IntentBody { size: Some(money(size)), ..form() }), ["size"]);
        }
        for slippage in ["0.100001", "-0.000001", "1"] {
            let form = IntentBody { max_slippage: Some(money(slippage)), ..form() };
            assert_eq!(blamed(form), ["max_slippage"]);
        }
        for asset in ["", "a b", "a:b", "é", &"x".repeat(33)] {
            assert_eq!(blamed(IntentBody { asset: Some(asset.into()), ..form() }), ["asset"]);
        }
        for reason in ["x".repeat(2001), "up\rdown".to_owned(), "\u{2066}up".to_owned()] {
            assert_eq!(blamed(IntentBody { reason: Some(reason), ..form() }), ["reason"]);
        }
        for (leverage, slippage) in [(1, "0"), (20, "0.1")] {
            let max_slippage = Some(money(slippage));
            let form = IntentBody { leverage: Some(leverage), max_slippage, ..form() };
            assert!(Intent::read(form, Invalid::new()).is_ok());
        }
    }

    #[test]
    fn a_hold_ends_within_bounds_or_never() {
        for (given, faults) in
            [(None, 0), (Some(1000), 0), (Some(999), 1), (Some(30 * 86_400_000 + 1), 1)]
        {
            let mut invalid = Invalid::new();
            check_expiry(&mut invalid, given);
            assert_eq!(invalid.errors().len(), faults, "{given:?}");
        }
    }
}
