//! How the rate of an open loop goes over time: stages that hold a rate or move it evenly, and when the
//! n-th request is due. Pure.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::parse::error::ParseError;
use crate::parse::token::Token;

/// Lowest rate of a run, in requests per second.
pub const LOWEST_RATE: f64 = 0.01;
/// Highest rate of a run, in requests per second.
pub const HIGHEST_RATE: f64 = 10_000_000.0;
/// Most stages of one run; each keeps its own distributions.
pub const MAX_STAGES: usize = 64;

/// A stretch of a run with one rate, or with one that rises or falls evenly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// Requests per second when it begins.
    pub from: f64,
    /// Requests per second when it ends.
    pub to: f64,
    /// How long it lasts.
    pub lasts: Duration,
}

/// Stages one after the other; at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Stages(Vec<Stage>);

impl Stages {
    /// The stages in their order.
    #[must_use]
    pub fn list(&self) -> &[Stage] {
        &self.0
    }

    /// How long all of them last.
    #[must_use]
    pub fn lasts(&self) -> Duration {
        self.0.iter().map(|stage| stage.lasts).sum()
    }
}

impl FromStr for Stages {
    type Err = String;

    /// Reads `100/s:10s,100..500/s:30s`: ten seconds with 100 requests per second, then thirty in which
    /// they rise to 500.
    fn from_str(text: &str) -> Result<Self, String> {
        Token::read(text, |all| {
            let stages = all.split(',').map(stage).collect::<Result<Vec<_>, _>>()?;
            if stages.len() > MAX_STAGES {
                Err(all.wrong(format!("at most {MAX_STAGES} stages")))
            } else {
                Ok(Self(stages))
            }
        })
    }
}

fn stage(token: Token<'_>) -> Result<Stage, ParseError> {
    let form = "a stage is RATE:TIME or RATE..RATE:TIME, such as 100/s:10s or 100..500/s:30s";
    let (rates, time) = token.split_once(":").ok_or_else(|| token.missing(form))?;
    let (from, to) = match rates.split_once("..") {
        Some((from, to)) => (rate(from, 0.0)?, rate(to, 0.0)?),
        None => (rate(rates, LOWEST_RATE)?, rate(rates, LOWEST_RATE)?),
    };
    if from.max(to) < LOWEST_RATE {
        return Err(rates.wrong("a rate that stays at zero sends nothing"));
    }
    Ok(Stage { from, to, lasts: time.time()? })
}

/// A rate, with or without `/s`.
fn rate(token: Token<'_>, least: f64) -> Result<f64, ParseError> {
    token.without("/s").unwrap_or(token).number("a rate per second", least, HIGHEST_RATE)
}

/// Reads one rate of an option.
///
/// # Errors
/// What is wrong, with a caret.
pub fn read_rate(text: &str) -> Result<f64, String> {
    Token::read(text, |token| rate(token, LOWEST_RATE))
}

impl Stage {
    /// The rate as it is written, such as `100/s` or `100..500/s`.
    #[must_use]
    pub fn rate(&self) -> String {
        #[expect(clippy::float_cmp, reason = "both were read, neither was computed")]
        if self.from == self.to {
            format!("{}/s", self.from)
        } else {
            format!("{}..{}/s", self.from, self.to)
        }
    }
}

impl fmt::Display for Stages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, stage) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(f, "{comma}{}:{}", stage.rate(), humantime::format_duration(stage.lasts))?;
        }
        Ok(())
    }
}

/// When the n-th request is due, and how many are due until then: the rate summed up over time.
#[derive(Debug, Clone)]
pub struct RateCurve {
    legs: Vec<Leg>,
}

#[derive(Debug, Clone, Copy)]
struct Leg {
    /// When it begins, in seconds.
    start: f64,
    /// Requests due before it.
    before: f64,
    /// Requests per second when it begins.
    rate: f64,
    /// How much the rate changes per second.
    slope: f64,
}

impl RateCurve {
    /// The same rate for ever.
    #[must_use]
    pub fn steady(rate: f64) -> Self {
        Self { legs: vec![Leg { start: 0.0, before: 0.0, rate, slope: 0.0 }] }
    }

    /// A warm-up with the rate the first stage begins with, then the stages; the last rate goes on.
    #[must_use]
    pub fn staged(warmup: Duration, stages: &Stages) -> Self {
        let list = stages.list();
        let first = list.first().map_or(LOWEST_RATE, |stage| stage.from);
        let last = list.last().map_or(LOWEST_RATE, |stage| stage.to);
        let warmup = Stage { from: first, to: first, lasts: warmup };
        let (mut legs, mut start, mut before) = (Vec::new(), 0.0, 0.0);
        for stage in std::iter::once(&warmup).chain(list).filter(|stage| !stage.lasts.is_zero()) {
            let seconds = stage.lasts.as_secs_f64();
            legs.push(Leg { start, before, rate: stage.from, slope: (stage.to - stage.from) / seconds });
            start += seconds;
            before += f64::midpoint(stage.from, stage.to) * seconds;
        }
        legs.push(Leg { start, before, rate: last, slope: 0.0 });
        Self { legs }
    }

    /// The highest rate of all.
    #[must_use]
    pub fn highest(&self) -> f64 {
        self.legs.iter().map(|leg| leg.rate).fold(0.0, f64::max)
    }

    /// When so many requests are due, in seconds; `None` if there are never so many.
    #[must_use]
    pub fn time_of(&self, count: f64) -> Option<f64> {
        let after = self.legs.partition_point(|leg| leg.before <= count);
        let leg = self.legs.get(after.checked_sub(1)?)?;
        let rest = count - leg.before;
        if rest <= 0.0 {
            return Some(leg.start);
        }
        // The root of slope/2 t^2 + rate t = rest, in the form that loses no digits for small slopes.
        let root = 2.0_f64.mul_add(leg.slope * rest, leg.rate * leg.rate).max(0.0).sqrt();
        let time = 2.0 * rest / (leg.rate + root);
        time.is_finite().then_some(leg.start + time)
    }

    /// How many requests are due until then, in seconds.
    #[must_use]
    pub fn count_at(&self, time: f64) -> f64 {
        let after = self.legs.partition_point(|leg| leg.start <= time);
        let Some(leg) = after.checked_sub(1).and_then(|at| self.legs.get(at)) else { return 0.0 };
        let t = time - leg.start;
        leg.before + t * (leg.slope / 2.0).mul_add(t, leg.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::token::caret;

    fn stages(text: &str) -> Stages {
        text.parse().expect(text)
    }

    #[test]
    fn stages_are_read_and_written() {
        let cases = [
            ("100/s:10s,500/s:30s", "100/s:10s,500/s:30s"),
            ("100:10s", "100/s:10s"),
            ("0..500/s:1m 30s", "0..500/s:1m 30s"),
            (" 100/s..500/s : 30s , 2.5/s:1s", "100..500/s:30s,2.5/s:1s"),
            ("0.01:1s,0..0.01:1s", "0.01/s:1s,0..0.01/s:1s"),
        ];
        for (text, written) in cases {
            assert_eq!(stages(text).to_string(), written, "{text}");
        }
        let most = stages(&vec!["1/s:1s"; MAX_STAGES].join(","));
        assert_eq!((most.list().len(), most.lasts().as_secs()), (MAX_STAGES, MAX_STAGES as u64));
        assert_eq!(read_rate(" 2.5/s "), Ok(2.5));
        assert_eq!(read_rate("5x").expect_err("no rate").lines().last(), Some("   ^"));
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        let cases = [
            ("100/s", 5),
            ("100/s:10s,", 10),
            ("100/s:10s,5x0/s:30s", 11),
            ("100/s:10s,500/s:30", 18),
            ("100/s:10s,500/s:30q", 18),
            ("0/s:10s", 0),
            ("0..0/s:10s", 0),
            ("1e9/s:10s", 1),
            ("99999999/s:10s", 0),
            ("-5/s:10s", 0),
            ("5/s:0s", 4),
            ("5/s:", 4),
            ("", 0),
        ];
        for (text, at) in cases {
            let said = text.parse::<Stages>().expect_err(text);
            assert_eq!(caret(&said), Some(at), "{said}");
        }
        assert!(vec!["1/s:1s"; MAX_STAGES + 1].join(",").parse::<Stages>().is_err());
    }

    #[test]
    fn time_and_count_are_each_others_inverse() {
        let curve = RateCurve::staged(
            Duration::from_secs(2),
            &stages("100/s:10s,100..500/s:20s,500..0/s:10s,50/s:1s"),
        );
        let close =
            |found: f64, expected: f64| assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        for (time, count) in [
            (0.0, 0.0),
            (2.0, 200.0),
            (12.0, 1200.0),
            (22.0, 3200.0),
            (32.0, 7200.0),
            (42.0, 9700.0),
            (43.0, 9750.0),
            (143.0, 14_750.0),
        ] {
            close(curve.count_at(time), count);
            close(curve.time_of(count).expect("reached"), time);
        }
        for step in 0..1000 {
            let time = f64::from(step) / 20.0;
            close(curve.time_of(curve.count_at(time)).expect("reached"), time);
        }
        close(curve.highest(), 500.0);
        assert_eq!(
            RateCurve::staged(Duration::ZERO, &stages("5..0/s:2s")).time_of(5.5),
            None,
            "never so many"
        );
        close(RateCurve::staged(Duration::ZERO, &stages("0..10/s:2s")).time_of(2.5).expect("reached"), 1.0);
    }
}
