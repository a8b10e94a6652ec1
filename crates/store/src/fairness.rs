//! Calls on fair shares: `lua/fairness/`.

include!(concat!(env!("OUT_DIR"), "/calls_fairness.rs"));
