//! Service-level objectives: `p99<50ms,errors<0.1%`, read and judged.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use ordersys_loadgen::measure::distribution::Quantile;
use ordersys_workload::parse::error::ParseError;
use ordersys_workload::parse::token::Token;

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

/// What objectives are judged by.
pub trait Measured {
    /// A quantile of the response time.
    fn response(&self, quantile: f64) -> Quantile;
    /// Share of planned requests without a right answer, from 0 to 1.
    fn error_share(&self) -> f64;
    /// Orders placed per second.
    fn throughput(&self) -> f64;
}

impl Objective {
    /// `None` if the objective is met, else what was found instead.
    #[must_use]
    pub fn missed(&self, run: &impl Measured) -> Option<String> {
        let (found, certain) = match self.metric {
            Metric::Response(quantile) => millis(run.response(quantile)),
            Metric::LongestResponse => millis(run.response(1.0)),
            Metric::Errors => (run.error_share(), true),
            Metric::Throughput => (run.throughput(), true),
        };
        let met = match self.bound {
            // A time that is only known to be at least this long proves nothing below a limit.
            Bound::Below => certain && found < self.limit,
            Bound::AtMost => certain && found <= self.limit,
            Bound::Above => found > self.limit,
            Bound::AtLeast => found >= self.limit,
        };
        let prefix = if certain { "" } else { ">=" };
        (!met).then(|| format!("{self} was missed: {prefix}{}", self.amount(found)))
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
fn millis(quantile: Quantile) -> (f64, bool) {
    (quantile.nanos as f64 / 1e6, !quantile.at_least)
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

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.metric {
            Metric::Response(quantile) => write!(f, "p{}", trimmed(quantile * 100.0))?,
            Metric::LongestResponse => f.write_str("max")?,
            Metric::Errors => f.write_str("errors")?,
            Metric::Throughput => f.write_str("throughput")?,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    struct Run {
        nanos: u64,
        at_least: bool,
        errors: f64,
    }

    impl Measured for Run {
        fn response(&self, _: f64) -> Quantile {
            Quantile { nanos: self.nanos, at_least: self.at_least, above: 100 }
        }
        fn error_share(&self) -> f64 {
            self.errors
        }
        fn throughput(&self) -> f64 {
            1000.0
        }
    }

    #[test]
    fn objectives_are_read_and_written() {
        let cases = [
            ("p99<50ms", Some("p99<50ms")),
            ("p99.9 <= 1s", Some("p99.9<=1000ms")),
            ("p999<2ms", Some("p99.9<2ms")),
            ("max<1500us", Some("max<1.5ms")),
            ("errors<0.1%", Some("errors<0.1%")),
            ("throughput>1000", Some("throughput>1000/s")),
            ("throughput>=10/s", Some("throughput>=10/s")),
            ("p100<1ms", None),
            ("p99<50", None),
            ("errors<0.1", None),
            ("p9999<2ms", Some("p99.99<2ms")),
            ("p0<1ms", None),
            ("errors<-1%", None),
            ("throughput>inf", None),
            ("p99=50ms", None),
            ("latency<1ms", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let read = text.parse::<Objective>().ok().map(|objective| objective.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
        assert_eq!(parse("p99<50ms, errors<1%").map(|list| list.len()), Ok(2));
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        let cases = [
            ("p99", 3),
            ("p99<50ms,", 9),
            ("p99<50ms,p100<1s", 9),
            ("p99<50", 4),
            ("errors<1", 7),
            ("throughput> x", 12),
            ("", 0),
        ];
        for (text, at) in cases {
            let said = parse(text).expect_err(text);
            let caret = said.lines().last().and_then(|line| line.find('^')?.checked_sub(2));
            assert_eq!(caret, Some(at), "{said}");
        }
    }

    #[test]
    fn a_time_that_is_only_a_lower_bound_meets_no_upper_limit() {
        let missed = |text: &str, run: &Run| text.parse::<Objective>().expect("parses").missed(run).is_some();
        let known = Run { nanos: 40_000_000, at_least: false, errors: 0.001 };
        let open = Run { at_least: true, ..known };
        assert!(!missed("p99<50ms", &known));
        assert!(missed("p99<40ms", &known), "strictly below");
        assert!(!missed("p99<=40ms", &known));
        assert!(missed("p99<50ms", &open));
        assert!(missed("errors<0.1%", &known));
        assert!(!missed("errors<=0.1%", &known));
        assert!(missed("throughput>1000", &known));
        assert!(!missed("throughput>999", &known));
        assert!(!missed("throughput>=1000", &known) && missed("throughput>=1001", &known));
        assert!(!missed("max<50ms", &known) && missed("max<50ms", &open));
    }

    #[test]
    fn what_was_found_instead_is_said_in_the_unit_of_the_limit() {
        let run = Run { nanos: 40_500_000, at_least: false, errors: 0.25 };
        let open = Run { at_least: true, ..run };
        for (text, run, said) in [
            ("p99<40ms", &run, "p99<40ms was missed: 40.500 ms"),
            ("max<=40ms", &open, "max<=40ms was missed: >=40.500 ms"),
            ("errors<1%", &run, "errors<1% was missed: 25.000 %"),
            ("throughput>1000", &run, "throughput>1000/s was missed: 1000.0/s"),
        ] {
            let objective: Objective = text.parse().expect(text);
            assert_eq!(objective.missed(run).as_deref(), Some(said));
            assert_eq!(objective.is_about_throughput(), text.starts_with("throughput"), "{text}");
        }
    }
}
