//! How many units of a product: a whole number from 1 to 10 000.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Deserializer, Serialize};

/// A number of units, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Quantity(NonZeroU32);

impl Quantity {
    /// Most units of one line of an order.
    pub const MAX: u32 = 10_000;
    /// One unit.
    pub const ONE: Self = Self(NonZeroU32::MIN);

    /// That many units, if from 1 to [`Quantity::MAX`].
    #[must_use]
    pub fn new(units: u64) -> Option<Self> {
        let units = u32::try_from(units).ok().filter(|units| *units <= Self::MAX)?;
        NonZeroU32::new(units).map(Self)
    }

    /// The number of units.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Quantity;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number from 1 to {}", Quantity::MAX)
            }
            fn visit_u64<E: serde::de::Error>(self, units: u64) -> Result<Quantity, E> {
                let unexpected = serde::de::Unexpected::Unsigned(units);
                Quantity::new(units).ok_or_else(|| E::invalid_value(unexpected, &self))
            }
        }
        deserializer.deserialize_u64(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_in_range_are_quantities() {
        for good in ["1", "10000"] {
            let quantity: Quantity = serde_json::from_str(good).expect(good);
            assert_eq!((quantity.to_string().as_str(), quantity.get().to_string().as_str()), (good, good));
        }
        for bad in ["0", "-1", "1.5", "1.0", "1e9", "10001", "\"2\"", "null", "true", "[1]"] {
            assert!(serde_json::from_str::<Quantity>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_mistake_says_what_is_expected() {
        for bad in ["0", "10001", "1.5", "\"2\""] {
            let error = serde_json::from_str::<Quantity>(bad).expect_err(bad).to_string();
            assert!(error.contains("expected a whole number from 1 to 10000"), "{error}");
        }
    }
}
