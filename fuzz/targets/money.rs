//! Amounts: what is read is what was written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use reef_domain::Money;

fuzz_target!(|text: &str| {
    let read = Money::parse(text);
    if let Ok(amount) = read {
        let shown = amount.to_string();
        assert_eq!(Money::parse(&shown), Ok(amount), "{text:?} is shown as {shown:?}");
        assert_eq!(Money::from_micros(amount.micros()), Some(amount));
    }
    if let Some(micros) = plain(text) {
        let wanted = i64::try_from(micros).ok().and_then(Money::from_micros);
        assert_eq!(read.ok(), wanted, "{text:?}");
    }
    // Each amount is a JSON number and a JSON text, either to the letter.
    if let Ok(amount) = serde_json::from_str::<Money>(text) {
        let written = serde_json::to_string(&amount).unwrap();
        assert_eq!(serde_json::from_str::<Money>(&written).unwrap(), amount, "{text:?}");
    }
});

/// The millionths of a number that is written without an exponent, in the plainest way.
fn plain(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, places) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str| {
        !part.is_empty() && part.len() <= 18 && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !is_number(whole) || !is_number(places) || places.len() > 6 {
        return None;
    }
    let micros = format!("{whole}{places:0<6}").parse::<i128>().ok()?;
    Some(if text.starts_with('-') { -micros } else { micros })
}
