//! Service-level objectives: `p99<50ms,errors<0.1%`, read and judged.

mod missed;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use ordersys_loadgen::measure::distribution::Quantile;
use ordersys_workload::parse::error::ParseError;
use ordersys_workload::parse::token::Token;

pub use crate::verdict::slo::missed::{Missed, Unit};

/// One thing a run has to reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Objective {
    metric: Metric,
    bound: Bound,
    limit: f64,
}

/// What is bounded.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Metric {
    /// A quantile of the response time; the limit is in milliseconds.
    Response(f64),
    /// The longest response time; the limit is in milliseconds.
    LongestResponse,
    /// Share of planned requests without a right answer; the limit is a share of 1.
    Errors,
    /// Orders placed per second.
    Throughput,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Below,
    AtMost,
    Above,
    AtLeast,
}

/// What was found of a metric.
enum Found {
    Exactly(f64),
    /// It may be larger.
    AtLeast(f64),
    Nothing,
}

/// What objectives are judged by.
pub trait Measured {
    /// A quantile of the response time; `None` if no request had one.
    fn response(&self, quantile: f64) -> Option<Quantile>;
    /// Share of planned requests without a right answer, from 0 to 1.
    fn error_share(&self) -> f64;
    /// Orders placed per second.
    fn throughput(&self) -> f64;
}

impl Objective {
    /// `None` if the objective is met, else what was found instead.
    #[must_use]
    pub fn missed(&self, run: &impl Measured) -> Option<Missed> {
        let found = match self.metric {
            Metric::Response(quantile) => millis(run.response(quantile)),
            Metric::LongestResponse => millis(run.response(1.0)),
            Metric::Errors => Found::Exactly(run.error_share()),
            Metric::Throughput => Found::Exactly(run.throughput()),
        };
        let met = |value: f64| match self.bound {
            Bound::Below => value < self.limit,
            Bound::AtMost => value <= self.limit,
            Bound::Above => value > self.limit,
            Bound::AtLeast => value >= self.limit,
        };
        let upper = matches!(self.bound, Bound::Below | Bound::AtMost);
        let (why, value) = match found {
            Found::Exactly(value) if met(value) => return None,
            Found::Exactly(value) => (self.amount(value), Some(value)),
            Found::AtLeast(value) if !upper && met(value) => return None,
            // A time that is only known to be at least this long proves nothing below a limit.
            Found::AtLeast(value) if met(value) || !upper => {
                let share = trimmed((run.error_share() * 1000.0).round() / 10.0);
                (format!("{} is not known: {share} % had no good answer", self.metric), None)
            }
            Found::AtLeast(value) => (format!("at least {}", self.amount(value)), Some(value)),
            Found::Nothing => (format!("{} is not known: no request had a good answer", self.metric), None),
        };
        Some(Missed {
            metric: self.metric.to_string(),
            limit: self.limit,
            value,
            unit: self.metric.unit(),
            objective: self.to_string(),
            statement: format!("{self} was missed: {why}"),
        })
    }

    /// The longest response time that it allows, in milliseconds, if that is what it bounds.
    #[must_use]
    pub fn time_limit(&self) -> Option<f64> {
        let upper = matches!(self.bound, Bound::Below | Bound::AtMost);
        (upper && self.metric.unit() == Unit::Milliseconds).then_some(self.limit)
    }

    /// Whether it is about orders per second.
    #[must_use]
    pub fn is_about_throughput(&self) -> bool {
        self.metric == Metric::Throughput
    }

    fn amount(&self, value: f64) -> String {
        match self.metric {
            Metric::Response(_) | Metric::LongestResponse => format!("{value:.3} ms"),
            Metric::Errors => format!("{:.3} %", value * 100.0),
            Metric::Throughput => format!("{value:.1}/s"),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "nanoseconds of at most minutes")]
fn millis(quantile: Option<Quantile>) -> Found {
    let Some(quantile) = quantile else { return Found::Nothing };
    let value = quantile.nanos as f64 / 1e6;
    if quantile.at_least { Found::AtLeast(value) } else { Found::Exactly(value) }
}

/// Reads a list of objectives separated by commas.
///
/// # Errors
/// What is wrong, shown at its character.
pub fn parse(text: &str) -> Result<Vec<Objective>, String> {
    Token::read(text, |all| all.split(',').map(objective).collect())
}

impl FromStr for Objective {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Token::read(text, objective)
    }
}

fn objective(token: Token<'_>) -> Result<Objective, ParseError> {
    let signs = [("<=", Bound::AtMost), (">=", Bound::AtLeast), ("<", Bound::Below), (">", Bound::Above)];
    let split = |(sign, bound)| token.split_once(sign).map(|(name, limit)| (name, bound, limit));
    let (name, bound, limit) = signs.into_iter().find_map(split).ok_or_else(|| {
        token.missing("an objective has <, <=, > or >=, such as p99<50ms, errors<0.1% or throughput>1000")
    })?;
    let metric = Metric::parse(name.text).ok_or_else(|| {
        name.wrong("what is bounded is a quantile such as p99, or one of max, errors, throughput")
    })?;
    let wrong = || {
        limit.wrong(match metric {
            Metric::Response(_) | Metric::LongestResponse => "its limit is a time such as 50ms",
            Metric::Errors => "its limit is a share such as 0.1%",
            Metric::Throughput => "its limit is a rate such as 1000/s",
        })
    };
    Ok(Objective { metric, bound, limit: metric.limit(limit.text).ok_or_else(wrong)? })
}

impl Metric {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "max" => Some(Self::LongestResponse),
            "errors" => Some(Self::Errors),
            "throughput" => Some(Self::Throughput),
            _ => {
                // `p999` is the way without a point that p99.9 is often written.
                let digits = name.strip_prefix('p')?;
                let percent = match digits {
                    "999" => 99.9,
                    "9999" => 99.99,
                    _ => digits.parse::<f64>().ok()?,
                };
                (percent > 0.0 && percent < 100.0).then_some(Self::Response(percent / 100.0))
            }
        }
    }

    fn unit(self) -> Unit {
        match self {
            Self::Response(_) | Self::LongestResponse => Unit::Milliseconds,
            Self::Errors => Unit::Share,
            Self::Throughput => Unit::PerSecond,
        }
    }

    fn limit(self, text: &str) -> Option<f64> {
        let limit = match self {
            Self::Response(_) | Self::LongestResponse => {
                humantime::parse_duration(text).ok().map(|limit: Duration| limit.as_secs_f64() * 1e3)?
            }
            Self::Errors => text.strip_suffix('%')?.trim().parse::<f64>().ok()? / 100.0,
            Self::Throughput => text.strip_suffix("/s").unwrap_or(text).parse().ok()?,
        };
        (limit.is_finite() && limit >= 0.0).then_some(limit)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response(quantile) => write!(f, "p{}", trimmed(quantile * 100.0)),
            Self::LongestResponse => f.write_str("max"),
            Self::Errors => f.write_str("errors"),
            Self::Throughput => f.write_str("throughput"),
        }
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.metric.fmt(f)?;
        f.write_str(match self.bound {
            Bound::Below => "<",
            Bound::AtMost => "<=",
            Bound::Above => ">",
            Bound::AtLeast => ">=",
        })?;
        match self.metric {
            Metric::Response(_) | Metric::LongestResponse => write!(f, "{}ms", trimmed(self.limit)),
            Metric::Errors => write!(f, "{}%", trimmed(self.limit * 100.0)),
            Metric::Throughput => write!(f, "{}/s", trimmed(self.limit)),
        }
    }
}

/// At most four decimals, without the zeros that floating point or formatting adds.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
