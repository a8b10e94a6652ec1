//! Fair shares of the queue (`contract.md` §5).

use std::collections::BTreeMap;

use reef_api::fairness::FairnessBody;

use crate::invalid::Invalid;
use crate::limits::{FAIR_WEIGHTS_MAX, FAIRNESS_KEY_CHARS_MAX, FAIRNESS_WEIGHT};
use crate::name;

/// Which share of the queue a task is of.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// With whose tasks it shares it.
    pub key: String,
    /// How large it is; `None`: as one that says nothing.
    pub weight: Option<f64>,
}

fn check_key(invalid: &mut Invalid, field: &str, key: &str) {
    let fits = !key.trim().is_empty() && key.chars().count() <= FAIRNESS_KEY_CHARS_MAX;
    invalid.require(fits, field, "must not be blank and must have at most 64 characters");
    if fits {
        name::check(invalid, field, key);
    }
}

impl Share {
    /// Reads the share of a task, and adds every broken rule.
    pub fn read(key: Option<String>, weight: Option<f64>, invalid: &mut Invalid) -> Option<Self> {
        if let Some(weight) = weight {
            invalid.within("fairness_weight", weight, &FAIRNESS_WEIGHT);
            invalid.require(key.is_some(), "fairness_weight", "is only for a fairness_key");
        }
        let key = key?;
        check_key(invalid, "fairness_key", &key);
        Some(Self { key, weight })
    }
}

/// Reads the weights of keys.
///
/// # Errors
/// Every broken rule.
pub fn read_weights(body: FairnessBody) -> Result<BTreeMap<String, f64>, Invalid> {
    let mut invalid = Invalid::new();
    let Some(weights) = body.weights else {
        return Err(Invalid::one("weights", "is required"));
    };
    let rule = "must have at most 1000 members";
    invalid.require(weights.len() <= FAIR_WEIGHTS_MAX, "weights", rule);
    for (key, weight) in weights.iter().take(FAIR_WEIGHTS_MAX) {
        check_key(&mut invalid, "weights", key);
        invalid.within(&format!("weights.{key}"), *weight, &FAIRNESS_WEIGHT);
    }
    invalid.finish(weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(key: Option<&str>, weight: Option<f64>) -> Vec<String> {
        let mut invalid = Invalid::new();
        Share::read(key.map(str::to_owned), weight, &mut invalid);
        invalid.errors().iter().map(|error| error.field.clone()).collect()
    }

    #[test]
    fn every_broken_rule_names_its_field() {
        assert_eq!(faults(Some("t"), Some(0.001)), Vec::<String>::new());
        assert_eq!(faults(None, None), Vec::<String>::new());
        assert_eq!(faults(Some(" "), None), ["fairness_key"]);
        assert_eq!(faults(Some(&"k".repeat(65)), None), ["fairness_key"]);
        for weight in [0.0, -1.0, 1000.1, f64::NAN, f64::INFINITY] {
            assert_eq!(faults(Some("t"), Some(weight)), ["fairness_weight"], "{weight}");
        }
        assert_eq!(faults(None, Some(1.0)), ["fairness_weight"]);
    }

    #[test]
    fn weights_are_bounded() {
        let weights = |weights| read_weights(FairnessBody { weights: Some(weights) });
        assert!(weights(BTreeMap::from([("a".to_owned(), 3.0)])).is_ok());
        let many = (0..1001).map(|n| (n.to_string(), 1.0)).collect();
        assert!(weights(many).is_err());
        let fault = weights(BTreeMap::from([("a".to_owned(), 0.0)])).unwrap_err();
        assert_eq!(fault.errors()[0].field, "weights.a");
        assert!(read_weights(FairnessBody::default()).is_err());
    }
}
