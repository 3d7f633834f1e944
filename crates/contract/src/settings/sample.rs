//! The part of something, from none to all of it.

use std::fmt;
use std::str::FromStr;

use rand::RngExt as _;
use serde::{Deserialize, Serialize};

/// What a part is counted in.
const WHOLE: u32 = 1_000_000;

/// A part from 0 to 1, to the millionth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sample(u32);

/// Not a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a number from 0 to 1, such as 0.01")]
pub struct NotASample;

impl Sample {
    /// One in a hundred.
    pub const HUNDREDTH: Self = Self(WHOLE / 100);

    /// Whether this time it is one of the part.
    #[must_use]
    pub fn hits(self) -> bool {
        rand::rng().random_range(0..WHOLE) < self.0
    }
}

impl FromStr for Sample {
    type Err = NotASample;

    fn from_str(text: &str) -> Result<Self, NotASample> {
        let part: f64 = text.parse().map_err(|_| NotASample)?;
        if !(0.0..=1.0).contains(&part) {
            return Err(NotASample);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to a million")]
        let millionths = (part * f64::from(WHOLE)).round() as u32;
        Ok(Self(millionths))
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (f64::from(self.0) / f64::from(WHOLE)).fmt(f)
    }
}

impl TryFrom<String> for Sample {
    type Error = NotASample;

    fn try_from(text: String) -> Result<Self, NotASample> {
        text.parse()
    }
}

impl From<Sample> for String {
    fn from(sample: Sample) -> Self {
        sample.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_from_none_to_all() {
        let hits = |text: &str| {
            let sample: Sample = text.parse().expect("a part");
            assert_eq!(sample.to_string(), text);
            (0..10_000).filter(|_| sample.hits()).count()
        };
        assert_eq!((hits("0"), hits("1")), (0, 10_000));
        assert!((3_000..7_000).contains(&hits("0.5")));
        assert_eq!("0.01".parse(), Ok(Sample::HUNDREDTH));
        for wrong in ["", "-0.1", "1.01", "NaN", "inf", "half"] {
            assert_eq!(wrong.parse::<Sample>(), Err(NotASample), "{wrong}");
        }
    }
}
