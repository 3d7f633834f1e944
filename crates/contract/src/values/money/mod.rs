//! Money: exact minor units inside, a JSON number with the decimals of its currency on the wire, never a float.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::Quantity;
pub use crate::currency::{Currency, NotACurrency};

/// Most decimals of any currency.
pub const MAX_DECIMALS: u8 = 3;

/// An exact amount in minor units, never negative: cents of a dollar, whole yen, fils of a dinar.
#[derive(Debug, Clone, Copy)]
pub struct Money {
    minor: i64,
    /// How many decimals the minor units are; at most [`MAX_DECIMALS`].
    decimals: u8,
}

/// Why a text is not an amount, or not one of its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotMoney {
    /// Not digits with an optional point and decimals.
    #[error("an amount is a plain number such as 149.99")]
    Malformed,
    /// Below zero.
    #[error("an amount must not be negative")]
    Negative,
    /// Finer than any currency.
    #[error("an amount has at most {MAX_DECIMALS} decimals")]
    TooFine,
    /// Finer than its currency.
    #[error("an amount in {0} has {count}", count = decimals_text(*.0))]
    TooFineFor(Currency),
    /// More minor units than 64 bits hold.
    #[error("the amount is too large")]
    TooLarge,
}

fn decimals_text(currency: Currency) -> String {
    match currency.decimals() {
        0 => "no decimals".to_owned(),
        most => format!("at most {most} decimals"),
    }
}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self { minor: 0, decimals: 2 };

    /// The amount of that many hundredths, as dollars and most currencies have them, unless negative.
    #[must_use]
    pub fn from_minor(minor: i64) -> Option<Self> {
        Self::of(minor, Currency::USD)
    }

    /// The amount of that many minor units of a currency, unless negative.
    #[must_use]
    pub fn of(minor: i64, currency: Currency) -> Option<Self> {
        (minor >= 0).then_some(Self { minor, decimals: currency.decimals() })
    }

    /// The amount of that many minor units as fine as those of `other`, unless negative.
    #[must_use]
    pub fn as_fine_as(minor: i64, other: Self) -> Option<Self> {
        (minor >= 0).then_some(Self { minor, ..other })
    }

    /// The amount in minor units.
    #[must_use]
    pub fn minor(self) -> i64 {
        self.minor
    }

    /// How many decimals its minor units are; at most [`MAX_DECIMALS`].
    #[must_use]
    pub fn decimals(self) -> u8 {
        self.decimals
    }

    /// The same amount in minor units of a currency: refused if it was written finer than these.
    pub fn in_currency(self, currency: Currency) -> Result<Self, NotMoney> {
        let more = currency.decimals().checked_sub(self.decimals).ok_or(NotMoney::TooFineFor(currency))?;
        let minor = self.minor.checked_mul(10_i64.pow(more.into())).ok_or(NotMoney::TooLarge)?;
        Ok(Self { minor, decimals: currency.decimals() })
    }

    /// The amount in minor units of a currency, rounded where it is finer: what earlier versions stored may be.
    #[must_use]
    pub fn rounded_to(self, currency: Currency) -> Self {
        let decimals = currency.decimals();
        let unit = 10_i128.pow(MAX_DECIMALS.saturating_sub(decimals).into());
        let minor = i64::try_from((self.value() + unit / 2) / unit).unwrap_or(i64::MAX);
        Self { minor, decimals }
    }

    /// The price of `quantity` units, unless 64 bits cannot hold it.
    #[must_use]
    pub fn times(self, quantity: Quantity) -> Option<Self> {
        Some(Self { minor: self.minor.checked_mul(i64::from(quantity.get()))?, ..self })
    }

    /// Its text: with as many decimals as its minor units have.
    pub(crate) fn text(self) -> String {
        let (mut text, decimals) = (self.minor.to_string(), usize::from(self.decimals));
        if decimals > 0 {
            let zeros = (decimals + 1).saturating_sub(text.len());
            text.insert_str(0, &"0000"[..zeros]);
            text.insert(text.len() - decimals, '.');
        }
        text
    }

    /// The sum, unless 64 bits cannot hold it. Nothing is nothing in any currency.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        match (self.minor, other.minor) {
            (0, _) => Some(other),
            (_, 0) => Some(self),
            (one, two) if self.decimals == other.decimals => {
                Some(Self { minor: one.checked_add(two)?, ..self })
            }
            _ => None,
        }
    }

    /// The value in the smallest units there are, whatever its own are.
    fn value(self) -> i128 {
        i128::from(self.minor) * 10_i128.pow(u32::from(MAX_DECIMALS - self.decimals))
    }
}

impl Default for Money {
    fn default() -> Self {
        Self::ZERO
    }
}

impl PartialEq for Money {
    fn eq(&self, other: &Self) -> bool {
        self.value() == other.value()
    }
}
impl Eq for Money {}
impl PartialOrd for Money {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Money {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value().cmp(&other.value())
    }
}
impl Hash for Money {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value().hash(state);
    }
}

impl FromStr for Money {
    type Err = NotMoney;

    /// Reads an amount as fine as it is written.
    fn from_str(text: &str) -> Result<Self, NotMoney> {
        if text.starts_with('-') {
            return Err(NotMoney::Negative);
        }
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let ends = whole.is_empty() || text.ends_with('.');
        if ends || !digits(whole) || !digits(decimals) {
            return Err(NotMoney::Malformed);
        }
        let count = u8::try_from(decimals.len()).ok().filter(|count| *count <= MAX_DECIMALS);
        let decimals_count = count.ok_or(NotMoney::TooFine)?;
        let minor = format!("{whole}{decimals}").parse().map_err(|_| NotMoney::TooLarge)?;
        Ok(Self { minor, decimals: decimals_count })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text())
    }
}

impl Serialize for Money {
    /// Writes the digits themselves, so this works with JSON only.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.text();
        serde_json::from_str::<&RawValue>(&text).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    /// Reads the digits themselves, so this works with JSON only.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        raw.get().parse().map_err(serde::de::Error::custom)
    }
}

/// Money as a whole number of minor units: between services and in stored rows.
pub mod minor {
    use super::{Deserialize, Deserializer, Money, Serializer};

    /// Writes minor units.
    pub fn serialize<S: Serializer>(amount: &Money, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(amount.minor())
    }

    /// Reads minor units.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
        let minor = i64::deserialize(deserializer)?;
        Money::from_minor(minor).ok_or_else(|| serde::de::Error::custom("negative amount"))
    }
}

#[cfg(test)]
mod tests;
