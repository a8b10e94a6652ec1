//! Numbers as the older services took them.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};

/// Reads a whole number as the older services did: `5`, `5.0` and `"5"`; `null` is none.
///
/// # Errors
/// For everything else.
pub fn int<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let Some(number) = deserializer.deserialize_any(LaxNumber)? else { return Ok(None) };
    match number {
        Number::Int(int) => Ok(Some(int)),
        // Every whole number of this range is exact as a fraction.
        Number::Fraction(f) if f.fract() == 0.0 && f.abs() < 9e15 =>
        {
            #[allow(clippy::cast_possible_truncation, reason = "checked to be whole and to fit")]
            Ok(Some(f as i64))
        }
        Number::Fraction(f) => Err(D::Error::custom(format!("{f} is not a whole number"))),
    }
}

/// Reads a number as the older services did: `12.5` and `"12.5"`; `null` is none.
///
/// # Errors
/// For everything else.
pub fn float<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    Ok(deserializer.deserialize_any(LaxNumber)?.map(|number| match number {
        #[allow(clippy::cast_precision_loss, reason = "percentages and seconds are small")]
        Number::Int(int) => int as f64,
        // Adding zero makes 0 of -0, which nobody means.
        Number::Fraction(f) => f + 0.0,
    }))
}

enum Number {
    Int(i64),
    Fraction(f64),
}

struct LaxNumber;

impl Visitor<'_> for LaxNumber {
    type Value = Option<Number>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(Number::Int(value)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        i64::try_from(value).map(|v| Some(Number::Int(v))).map_err(|_| E::custom("is too large"))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Some(Number::Fraction(value)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let text = text.trim();
        if let Ok(int) = text.parse() {
            return Ok(Some(Number::Int(int)));
        }
        match text.parse::<f64>() {
            Ok(f) if f.is_finite() => Ok(Some(Number::Fraction(f))),
            _ => Err(E::custom(format!("{text:?} is not a number"))),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}
