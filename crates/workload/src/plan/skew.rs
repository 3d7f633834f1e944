//! Which products are ordered more than others: read from `--skew`, drawn in constant time. Pure.

use std::fmt;
use std::str::FromStr;

use rand::{Rng, RngExt as _};
use rand_distr::Distribution as _;
use rand_distr::weighted::WeightedAliasIndex;

use crate::parse::error::ParseError;
use crate::parse::token::Token;

/// Steepest skew; beyond it nearly everything goes to one product.
const MAX_EXPONENT: f64 = 10.0;
/// What the hot products get unless it is said.
const HOT_PERCENT: f64 = 90.0;

/// How demand is spread over products.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Skew {
    /// Every product as often as any other.
    Uniform,
    /// The k-th product in proportion to 1 / k to this power.
    Zipf(f64),
    /// A few products get most of it; both in per cent.
    Hot {
        /// How many of the products, rounded up.
        products: f64,
        /// How much of the demand.
        demand: f64,
    },
}

impl Skew {
    /// The weight of each of so many products.
    fn weights(self, products: u32) -> Vec<f64> {
        match self {
            Self::Uniform => vec![1.0; products as usize],
            Self::Zipf(exponent) => (1..=products).map(|rank| f64::from(rank).powf(-exponent)).collect(),
            Self::Hot { products: hot, demand } => {
                let hot = (f64::from(products) * hot / 100.0).ceil().max(1.0);
                let cold = f64::from(products) - hot;
                let weight = |rank: u32| {
                    if f64::from(rank) < hot { demand / hot } else { (100.0 - demand) / cold }
                };
                (0..products).map(weight).collect()
            }
        }
    }
}

impl FromStr for Skew {
    type Err = String;

    /// Reads `uniform`, `zipf:0.99`, `hot:1%` and `hot:1%:80%`.
    fn from_str(text: &str) -> Result<Self, String> {
        Token::read(text, |all| {
            let (name, rest) = all.split_once(":").map_or((all, None), |(name, rest)| (name, Some(rest)));
            match (name.text, rest) {
                ("uniform", None) => Ok(Self::Uniform),
                ("uniform", Some(rest)) => Err(rest.wrong("uniform takes nothing more")),
                ("zipf", Some(rest)) => Ok(Self::Zipf(rest.number("the exponent", 0.0, MAX_EXPONENT)?)),
                ("hot", Some(rest)) => hot(rest),
                ("zipf", None) => Err(all.missing("zipf takes its exponent, such as zipf:0.99")),
                ("hot", None) => Err(all.missing("hot takes the share of products, such as hot:1%")),
                _ => Err(name.wrong("a skew is uniform, zipf:EXPONENT or hot:PERCENT%")),
            }
        })
    }
}

fn hot(rest: Token<'_>) -> Result<Skew, ParseError> {
    let (products, demand) =
        rest.split_once(":").map_or((rest, None), |(products, demand)| (products, Some(demand)));
    let products = percent(products)?;
    let demand = demand.map_or(Ok(HOT_PERCENT), percent)?;
    Ok(Skew::Hot { products, demand })
}

fn percent(token: Token<'_>) -> Result<f64, ParseError> {
    let number = token.without("%").ok_or_else(|| token.missing("a share in per cent ends with %"))?;
    number.number("a share in per cent", 0.001, 99.999)
}

impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uniform => f.write_str("uniform"),
            Self::Zipf(exponent) => write!(f, "zipf:{exponent}"),
            Self::Hot { products, demand } => write!(f, "hot:{products}%:{demand}%"),
        }
    }
}

/// Draws products.
#[derive(Debug)]
pub struct Demand {
    products: u32,
    /// None where all weigh the same.
    skewed: Option<WeightedAliasIndex<f64>>,
    skew: Skew,
}

impl Demand {
    /// The demand for so many products, at least one.
    #[must_use]
    pub fn new(skew: Skew, products: u32) -> Self {
        let skewed = match skew {
            Skew::Uniform => None,
            _ => WeightedAliasIndex::new(skew.weights(products)).ok(),
        };
        Self { products, skewed, skew }
    }

    /// The place of a product.
    #[must_use]
    pub fn draw(&self, random: &mut impl Rng) -> u32 {
        match &self.skewed {
            None => random.random_range(0..self.products),
            Some(skewed) => u32::try_from(skewed.sample(random)).unwrap_or(0),
        }
    }

    /// How likely each product is drawn; they add up to 1.
    #[must_use]
    pub fn shares(&self) -> Vec<f64> {
        let weights = self.skew.weights(self.products);
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / sum).collect()
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::Xoshiro256PlusPlus;

    use super::*;
    use crate::parse::token::caret;

    #[test]
    fn skews_are_read_and_written() {
        let cases = [
            ("uniform", "uniform"),
            ("zipf:0.99", "zipf:0.99"),
            ("hot:1%", "hot:1%:90%"),
            ("hot: 20% : 80%", "hot:20%:80%"),
        ];
        for (text, written) in cases {
            assert_eq!(text.parse::<Skew>().expect(text).to_string(), written);
        }
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        let cases = [
            ("", 0),
            ("zip:1", 0),
            ("zipf", 4),
            ("hot", 3),
            ("zipf:", 5),
            ("zipf:0,9", 6),
            ("zipf:11", 5),
            ("hot:1", 5),
            ("hot:0%", 4),
            ("hot:1%:x%", 7),
            ("uniform:1", 8),
        ];
        for (text, at) in cases {
            let said = text.parse::<Skew>().expect_err(text);
            assert_eq!(caret(&said), Some(at), "{said}");
        }
    }

    #[test]
    fn products_are_drawn_as_often_as_asked() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
        for text in ["uniform", "zipf:0.99", "zipf:2", "hot:1%", "hot:20%:80%"] {
            let demand = Demand::new(text.parse().expect(text), 100);
            let mut drawn = vec![0_u32; 100];
            (0..200_000).for_each(|_| drawn[demand.draw(&mut random) as usize] += 1);
            let shares = demand.shares();
            assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            for (found, asked) in drawn.into_iter().zip(&shares) {
                assert!((f64::from(found) / 2e5 - asked).abs() < 0.006, "{text}: {found} for {asked}");
            }
        }
        let hot = Demand::new(Skew::Hot { products: 1.0, demand: 90.0 }, 100).shares();
        assert!((hot[0] - 0.9).abs() < 1e-9 && (hot[1] - 0.1 / 99.0).abs() < 1e-9);
        assert_eq!(Demand::new(Skew::Hot { products: 1.0, demand: 90.0 }, 1).shares(), [1.0]);
    }

    #[test]
    fn shares_are_what_the_skew_says() {
        for (skew, products, expected) in [
            (Skew::Uniform, 4, vec![0.25; 4]),
            (Skew::Zipf(1.0), 2, vec![2.0 / 3.0, 1.0 / 3.0]),
            (Skew::Zipf(2.0), 2, vec![0.8, 0.2]),
            (Skew::Hot { products: 40.0, demand: 80.0 }, 5, vec![0.4, 0.4, 0.2 / 3.0, 0.2 / 3.0, 0.2 / 3.0]),
            (Skew::Hot { products: 1.0, demand: 50.0 }, 3, vec![0.5, 0.25, 0.25]),
        ] {
            let shares = Demand::new(skew, products).shares();
            assert_eq!(shares.len(), expected.len());
            let close = shares.iter().zip(&expected).all(|(found, asked)| (found - asked).abs() < 1e-9);
            assert!(close, "{skew}: {shares:?}");
        }
    }
}
