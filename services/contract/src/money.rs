//! Money: exact minor units inside, a JSON number with two decimals on the wire, never a float.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::Quantity;

/// An amount in minor units (hundredths), never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Cents(i64);

/// Why a text is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotMoney {
    /// Not digits with an optional point and decimals.
    #[error("an amount is a plain number such as 149.99")]
    Malformed,
    /// Below zero.
    #[error("an amount must not be negative")]
    Negative,
    /// Finer than a hundredth.
    #[error("an amount has at most two decimals")]
    TooFine,
    /// More minor units than 64 bits hold.
    #[error("the amount is too large")]
    TooLarge,
}

impl Cents {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The amount of that many minor units, unless negative.
    #[must_use]
    pub fn from_minor(minor: i64) -> Option<Self> {
        (minor >= 0).then_some(Self(minor))
    }

    /// The amount in minor units.
    #[must_use]
    pub fn minor(self) -> i64 {
        self.0
    }

    /// The price of `quantity` units, unless 64 bits cannot hold it.
    #[must_use]
    pub fn times(self, quantity: Quantity) -> Option<Self> {
        self.0.checked_mul(i64::from(quantity.get())).map(Self)
    }

    /// Most characters of an amount with its point and decimals.
    const MOST_DIGITS: usize = 20;

    /// Writes the amount with two decimals to the end of the buffer, without any allocation: the answer
    /// to each order has several.
    fn digits(self, buffer: &mut [u8; Self::MOST_DIGITS]) -> &str {
        let mut rest = self.0.unsigned_abs();
        let mut start = buffer.len();
        for (place, byte) in buffer.iter_mut().enumerate().rev() {
            if place == Self::MOST_DIGITS - 3 {
                *byte = b'.';
            } else if rest > 0 || place >= Self::MOST_DIGITS - 4 {
                *byte = b'0' + u8::try_from(rest % 10).unwrap_or_default();
                rest /= 10;
            } else {
                break;
            }
            start = place;
        }
        std::str::from_utf8(&buffer[start..]).unwrap_or_default()
    }

    /// Gives its text, without an allocation.
    pub(crate) fn with_text<T>(self, to: impl FnOnce(&str) -> T) -> T {
        to(self.digits(&mut [0; Self::MOST_DIGITS]))
    }

    /// The sum, unless 64 bits cannot hold it.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

impl FromStr for Cents {
    type Err = NotMoney;

    fn from_str(text: &str) -> Result<Self, NotMoney> {
        if text.starts_with('-') {
            return Err(NotMoney::Negative);
        }
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(decimals) {
            return Err(NotMoney::Malformed);
        }
        if decimals.len() > 2 {
            return Err(NotMoney::TooFine);
        }
        format!("{whole}{decimals:0<2}").parse().map(Self).map_err(|_| NotMoney::TooLarge)
    }
}

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_text(|text| f.pad(text))
    }
}

impl Serialize for Cents {
    /// Writes the digits themselves, so this works with JSON only.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_text(|text| {
            let digits: &RawValue = serde_json::from_str(text).map_err(serde::ser::Error::custom)?;
            digits.serialize(serializer)
        })
    }
}

impl<'de> Deserialize<'de> for Cents {
    /// Reads the digits themselves, so this works with JSON only.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        raw.get().parse().map_err(serde::de::Error::custom)
    }
}

/// Money as a whole number of minor units: between services and in stored rows.
pub mod minor {
    use super::{Cents, Deserialize, Deserializer, Serializer};

    /// Writes minor units.
    pub fn serialize<S: Serializer>(cents: &Cents, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(cents.minor())
    }

    /// Reads minor units.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cents, D::Error> {
        let minor = i64::deserialize(deserializer)?;
        Cents::from_minor(minor).ok_or_else(|| serde::de::Error::custom("negative amount"))
    }
}

/// A currency by its ISO 4217 code. Prices of different currencies are never added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// US dollars, the currency where none is named.
    pub const USD: Self = Self(*b"USD");

    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl Default for Currency {
    fn default() -> Self {
        Self::USD
    }
}

/// The text is not three capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a currency is three capital letters such as USD")]
pub struct NotACurrency;

impl FromStr for Currency {
    type Err = NotACurrency;

    fn from_str(text: &str) -> Result<Self, NotACurrency> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(letters) if letters.iter().all(u8::is_ascii_uppercase) => Ok(Self(letters)),
            _ => Err(NotACurrency),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_from_their_digits() {
        let cases: &[(&str, Result<i64, NotMoney>)] = &[
            ("149.99", Ok(14_999)),
            ("0.1", Ok(10)),
            ("7", Ok(700)),
            ("0", Ok(0)),
            ("92233720368547758.07", Ok(i64::MAX)),
            ("92233720368547758.08", Err(NotMoney::TooLarge)),
            ("1.005", Err(NotMoney::TooFine)),
            ("-1", Err(NotMoney::Negative)),
            ("1e2", Err(NotMoney::Malformed)),
            ("NaN", Err(NotMoney::Malformed)),
            ("\"1\"", Err(NotMoney::Malformed)),
            ("1.", Err(NotMoney::Malformed)),
            ("", Err(NotMoney::Malformed)),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<Cents>().map(Cents::minor), *expected, "{text}");
        }
    }

    #[test]
    fn the_wire_has_two_decimals_and_no_float() {
        let amount = Cents::from_minor(14_990).expect("not negative");
        assert_eq!(serde_json::to_string(&amount).expect("serializes"), "149.90");
        let text = |minor| Cents::from_minor(minor).expect("not negative").to_string();
        assert_eq!([0, 5, 100, 1_234_567].map(text), ["0.00", "0.05", "1.00", "12345.67"]);
        assert_eq!(text(i64::MAX), "92233720368547758.07");
        let back: Cents = serde_json::from_str("90071992547409.93").expect("parses");
        assert_eq!(back.minor(), 9_007_199_254_740_993, "not representable as a float");
    }
}
