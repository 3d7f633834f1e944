//! What share of the requests does what: read from `--mix`, drawn in constant time. Pure.

use std::fmt;
use std::str::FromStr;

use rand::{Rng, RngExt as _};

use crate::endpoint::Endpoint;
use crate::parse::error::ParseError;
use crate::parse::token::Token;

/// Largest share that can be given.
const MAX_SHARE: f64 = 100_000.0;
/// Shares are kept in thousandths.
const SHARE_DIGITS: f64 = 1000.0;

/// Shares of the endpoints; they need not add up to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix([u32; Endpoint::ALL.len()]);

impl Default for Mix {
    /// Orders alone.
    fn default() -> Self {
        let mut shares = [0; Endpoint::ALL.len()];
        shares[Endpoint::Order as usize] = 1;
        Self(shares)
    }
}

impl Mix {
    /// Whether it has any of these.
    #[must_use]
    pub fn has(&self, endpoint: Endpoint) -> bool {
        self.0[endpoint as usize] > 0
    }

    /// Whether every request places an order.
    #[must_use]
    pub fn is_orders_alone(&self) -> bool {
        Endpoint::ALL.into_iter().all(|endpoint| self.has(endpoint) == (endpoint == Endpoint::Order))
    }

    /// Whether any request names an order that was acknowledged.
    #[must_use]
    pub fn names_orders(&self) -> bool {
        self.has(Endpoint::Track) || self.has(Endpoint::Cancel)
    }

    /// Whether any request goes to the product service.
    #[must_use]
    pub fn needs_products(&self) -> bool {
        self.has(Endpoint::Read) || self.has(Endpoint::Restock)
    }

    /// The share of these, from 0 to 1.
    #[must_use]
    pub fn share(&self, endpoint: Endpoint) -> f64 {
        f64::from(self.0[endpoint as usize]) / f64::from(self.sum())
    }

    fn sum(&self) -> u32 {
        self.0.iter().sum()
    }

    /// What a request does.
    #[must_use]
    pub fn draw(&self, random: &mut impl Rng) -> Endpoint {
        let mut place = random.random_range(0..self.sum());
        for endpoint in Endpoint::ALL {
            match place.checked_sub(self.0[endpoint as usize]) {
                Some(rest) => place = rest,
                None => return endpoint,
            }
        }
        Endpoint::Order // not reached: the place is below the sum
    }
}

impl FromStr for Mix {
    type Err = String;

    /// Reads `order:80,read:10,cancel:5`.
    fn from_str(text: &str) -> Result<Self, String> {
        Token::read(text, |all| {
            let mut shares = [0; Endpoint::ALL.len()];
            for token in all.split(',') {
                let (endpoint, share) = entry(token)?;
                if shares[endpoint as usize] > 0 {
                    return Err(token.wrong(format!("`{}` is there twice", endpoint.name())));
                }
                shares[endpoint as usize] = share;
            }
            let mix = Self(shares);
            let needs_orders = [Endpoint::Repeat, Endpoint::Track, Endpoint::Cancel];
            match needs_orders.into_iter().find(|endpoint| mix.has(*endpoint)) {
                Some(endpoint) if !mix.has(Endpoint::Order) => {
                    Err(all.missing(format!("`{}` needs orders: add order:SHARE", endpoint.name())))
                }
                _ => Ok(mix),
            }
        })
    }
}

fn entry(token: Token<'_>) -> Result<(Endpoint, u32), ParseError> {
    let (name, share) =
        token.split_once(":").ok_or_else(|| token.missing("a share is NAME:NUMBER, such as order:80"))?;
    let endpoint =
        Endpoint::ALL.into_iter().find(|endpoint| endpoint.name() == name.text).ok_or_else(|| {
            let names: Vec<_> = Endpoint::ALL.iter().map(|endpoint| endpoint.name()).collect();
            name.wrong(format!("`{}` is none of {}", name.text, names.join(", ")))
        })?;
    let number = share.number("a share", 1.0 / SHARE_DIGITS, MAX_SHARE)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, at most a hundred million"
    )]
    Ok((endpoint, (number * SHARE_DIGITS).round() as u32))
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used = Endpoint::ALL.into_iter().filter(|endpoint| self.has(*endpoint));
        for (place, endpoint) in used.enumerate() {
            let (comma, percent) = (if place == 0 { "" } else { "," }, self.share(endpoint) * 100.0);
            write!(f, "{comma}{}:{}", endpoint.name(), (percent * SHARE_DIGITS).round() / SHARE_DIGITS)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::Xoshiro256PlusPlus;

    use super::*;
    use crate::parse::token::caret;

    #[test]
    fn a_mix_is_read_written_and_drawn_as_asked() {
        let mix: Mix = "order:80, read:10,cancel:5,restock:3,bad:2".parse().expect("reads");
        assert_eq!(mix.to_string(), "order:80,bad:2,read:10,cancel:5,restock:3");
        assert_eq!("order:2,repeat:0.5".parse::<Mix>().expect("reads").to_string(), "order:80,repeat:20");
        assert_eq!(Mix::default().to_string(), "order:100");
        let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut drawn = [0_u32; Endpoint::ALL.len()];
        (0..100_000).for_each(|_| drawn[mix.draw(&mut random) as usize] += 1);
        for endpoint in Endpoint::ALL {
            let (found, asked) = (f64::from(drawn[endpoint as usize]) / 1e5, mix.share(endpoint));
            assert!((found - asked).abs() < 0.005, "{}: {found} for {asked}", endpoint.name());
        }
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        let cases = [
            ("order", 5),
            ("order:", 6),
            ("order:80,raed:10", 9),
            ("order:80,read:1O", 15),
            ("order:80,read:0", 14),
            ("order:80,order:5", 9),
            ("order:80,,read:1", 9),
            ("read:80,cancel:20", 17),
            ("", 0),
        ];
        for (text, at) in cases {
            let said = text.parse::<Mix>().expect_err(text);
            assert_eq!(caret(&said), Some(at), "{said}");
        }
    }

    #[test]
    fn a_mix_knows_what_it_needs() {
        for (text, orders_alone, names_orders, needs_products) in [
            ("order:1", true, false, false),
            ("order:1,bad:1", false, false, false),
            ("live:1", false, false, false),
            ("order:1,track:1", false, true, false),
            ("order:1,cancel:1", false, true, false),
            ("read:1", false, false, true),
            ("order:1,restock:0.001", false, false, true),
        ] {
            let mix: Mix = text.parse().expect(text);
            let knows = (mix.is_orders_alone(), mix.names_orders(), mix.needs_products());
            assert_eq!(knows, (orders_alone, names_orders, needs_products), "{text}");
        }
    }
}
