//! Exact amounts of money (`contract.md` §6): decimal text at the edge, integers in millionths inside.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// Most millionths, and fewest below zero: Lua's numbers are doubles, exact up to 2^53.
pub const MONEY_MAX: i64 = (1 << 53) - 1;

/// Millionths in one unit.
const MICROS: i64 = 1_000_000;

/// Places behind the point.
const PLACES: i32 = 6;

/// What a caller is told about a text that is no amount.
pub const RULE: &str = "must be a decimal number with at most 6 places, such as \"12.5\"";

/// What a caller is told about an amount that is out of range.
pub const RANGE_RULE: &str = "must not be larger than 9007199254.740991";

/// An amount in millionths, at most [`MONEY_MAX`] of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// An amount of millionths, if it is in range.
    #[must_use]
    pub fn from_micros(micros: i64) -> Option<Self> {
        (-MONEY_MAX..=MONEY_MAX).contains(&micros).then_some(Self(micros))
    }

    /// The amount in millionths.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Reads a decimal number: a sign, digits, a point, an exponent of ten. Never through a
    /// fraction of the machine, so that what is read is what was written.
    ///
    /// # Errors
    /// The rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (negative, digits) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
            // An exponent that no amount can have is out of range whatever it is.
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (digits, 0),
        };
        let (whole, places) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let has_point = mantissa.contains('.');
        if whole.is_empty()
            || (has_point && places.is_empty())
            || !all_digits(whole)
            || !all_digits(places)
        {
            return Err(RULE);
        }
        let digits = [whole, places].concat();
        let significant = digits.trim_start_matches('0').trim_end_matches('0');
        if significant.is_empty() {
            return Ok(Self::ZERO);
        }
        let dropped = digits.len() - digits.trim_end_matches('0').len();
        let length = |digits: usize| i64::try_from(digits).map_err(|_| RANGE_RULE);
        let shift =
            i64::from(exponent) + i64::from(PLACES) + length(dropped)? - length(places.len())?;
        if shift < 0 {
            return Err(RULE);
        }
        let scale = u32::try_from(shift).ok().and_then(|shift| 10i64.checked_pow(shift));
        let value = significant.parse::<i64>().ok().zip(scale);
        let micros = value.and_then(|(value, scale)| value.checked_mul(scale)).ok_or(RANGE_RULE)?;
        Self::from_micros(if negative { -micros } else { micros }).ok_or(RANGE_RULE)
    }
}

fn read_exponent(text: &str) -> Result<i32, &'static str> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.is_empty() || !unsigned.bytes().all(|b| b.is_ascii_digit()) {
        return Err(RULE);
    }
    Ok(text.parse::<i32>().map_or(i32::from(i16::MAX), |exponent| exponent.clamp(-9999, 9999)))
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, places) = (self.0.unsigned_abs() / MICROS as u64, self.0 % MICROS);
        let places = format!("{:06}", places.unsigned_abs());
        match places.trim_end_matches('0') {
            "" => write!(f, "{sign}{whole}"),
            places => write!(f, "{sign}{whole}.{places}"),
        }
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// From a text or a JSON number, either to the letter. Works with `serde_json` only, since no other
/// reader tells how a number was written.
impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        let parsed = if text.starts_with('"') {
            let text: String = serde_json::from_str(text).map_err(|_| D::Error::custom(RULE))?;
            // An exponent is how machines write numbers, not how people write amounts.
            if text.contains(['e', 'E']) { Err(RULE) } else { Self::parse(&text) }
        } else {
            Self::parse(text)
        };
        parsed.map_err(D::Error::custom)
    }
}

#[cfg(feature = "openapi")]
impl schemars::JsonSchema for Money {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": r"^-?[0-9]{1,10}(\.[0-9]{1,6})?$",
            "description": "A decimal number with at most 6 places. JSON numbers are taken too, to \
                            the letter.",
            "examples": ["12.5"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_read_to_the_letter() {
        for (text, micros) in [
            ("12.5", 12_500_000),
            ("0", 0),
            ("-0", 0),
            ("0.000001", 1),
            ("1.10", 1_100_000),
            ("007", 7_000_000),
            ("-3", -3_000_000),
            ("1e2", 100_000_000),
            ("25E-6", 25),
            ("1.5000000", 1_500_000),
            ("0e99999999999", 0),
            ("9007199254.740991", MONEY_MAX),
        ] {
            assert_eq!(Money::parse(text), Ok(Money(micros)), "{text}");
        }
        let no_number = ["", "-", ".5", "5.", "1,5", "+1", " 1", "NaN", "inf", "1e", "0x1", "١"];
        for text in no_number.into_iter().chain(["0.0000001", "1e-7", "1e-99999999999"]) {
            assert!(Money::parse(text).is_err(), "{text}");
        }
        for text in ["9007199254.740992", "1e30", "1e99999999999", "99999999999999999999"] {
            assert_eq!(Money::parse(text), Err(RANGE_RULE), "{text}");
        }
    }

    #[test]
    fn json_brings_amounts_as_texts_or_numbers() {
        let read = |json: &str| serde_json::from_str::<Money>(json);
        assert_eq!(read("\"0.1\"").unwrap(), read("0.1").unwrap());
        assert_eq!(read("1e2").unwrap().to_string(), "100");
        for bad in ["null", "true", "[1]", "\"1e2\"", "\"\"", "\" 1\"", "0.0000001"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(micros in -MONEY_MAX..=MONEY_MAX) {
            let money = Money(micros);
            prop_assert_eq!(Money::parse(&money.to_string()), Ok(money));
        }
    }
}
