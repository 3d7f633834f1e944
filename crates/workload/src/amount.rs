//! Amounts of money as any system of the article's contract writes them, in thousandths of their currency's unit.

use std::fmt;

use ordersys_contract::Money;
use ordersys_contract::money::MAX_DECIMALS;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// How far a floating-point amount may lie from a whole part.
const FLOAT_NOISE: f64 = 1e-3;
/// Parts of one unit of any currency: as fine as the finest of them.
const PARTS: i64 = 10_i64.pow(MAX_DECIMALS as u32);
/// Largest whole number a 64-bit float holds exactly.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// An amount in thousandths of its currency's unit, whichever that is, as a JSON number wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(pub i64);

/// Reads an amount in thousandths: exactly where it is written exactly, else rounded, for systems
/// that compute money in floating point.
#[must_use]
pub fn read_amount(text: &str) -> Option<i64> {
    if let Ok(amount) = text.parse::<Money>() {
        return parts(amount);
    }
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let parts = text.parse::<f64>().ok()? * PARTS as f64;
    let whole = parts.round();
    let exact = (parts - whole).abs() < FLOAT_NOISE && whole.abs() <= MAX_EXACT;
    #[expect(clippy::cast_possible_truncation, reason = "whole and within the exact range")]
    exact.then_some(whole as i64)
}

/// An amount of ours in thousandths; `None` beyond 64 bits.
#[must_use]
pub fn parts(amount: Money) -> Option<i64> {
    amount.minor().checked_mul(10_i64.pow(u32::from(MAX_DECIMALS - amount.decimals())))
}

/// An amount in thousandths for people: with two decimals, and the third if there is one.
#[must_use]
pub fn show_amount(parts: i64) -> String {
    let sign = if parts < 0 { "-" } else { "" };
    let (units, rest) =
        (parts.unsigned_abs() / PARTS.unsigned_abs(), parts.unsigned_abs() % PARTS.unsigned_abs());
    if rest.is_multiple_of(10) {
        format!("{sign}{units}.{:02}", rest / 10)
    } else {
        format!("{sign}{units}.{rest:03}")
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        read_amount(raw.get()).map(Self).ok_or_else(|| serde::de::Error::custom("not an amount"))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&show_amount(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_where_written_exactly() {
        let cases = [
            ("149.99", Some(149_990)),
            ("500", Some(500_000)),
            ("0.125", Some(125)),
            ("9223372036854775.807", Some(i64::MAX)),
            ("9223372036854775.81", None),
            ("449.96999999999997", Some(449_970)),
            ("4.5e2", Some(450_000)),
            ("-1.5", Some(-1_500)),
            ("1.0005", None),
            ("1e-6", None),
            ("-9007199254740.992", Some(-9_007_199_254_740_992)),
            ("1e13", None),
            ("\"1\"", None),
            ("null", None),
        ];
        for (text, expected) in cases {
            assert_eq!(read_amount(text), expected, "{text}");
        }
        assert_eq!([-50, 0, 125, 500_000].map(show_amount), ["-0.05", "0.00", "0.125", "500.00"]);
        let read: Amount = serde_json::from_str("149.99").expect("an amount");
        assert_eq!((read, read.to_string().as_str()), (Amount(149_990), "149.99"));
        assert!(serde_json::from_str::<Amount>("null").is_err());
    }
}
