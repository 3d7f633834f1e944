//! The flags of the order service's circuit breakers.

use std::time::Duration;

use ordersys_chassis::resilience::breaker::Settings;

/// Longest window and cool-down: more would be a service that never tries again.
const LONGEST: Duration = Duration::from_hours(1);

#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Circuit breakers of the order service")]
pub(super) struct BreakerArgs {
    /// Calls to another service within the window before a breaker may open
    #[arg(long = "breaker-calls", env = "ORDERSYS_BREAKER_CALLS", default_value_t = Settings::default().calls, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    calls: u32,
    /// Part of them that has to fail: above 0, at most 1
    #[arg(long = "breaker-ratio", env = "ORDERSYS_BREAKER_RATIO", default_value_t = Settings::default().ratio, value_name = "RATIO", value_parser = ratio)]
    ratio: f64,
    /// How far back calls count
    #[arg(long = "breaker-window", env = "ORDERSYS_BREAKER_WINDOW", default_value = "10s", value_name = "TIME", value_parser = time)]
    window: Duration,
    /// How long at most an open breaker refuses before it tries again
    #[arg(long = "breaker-cool-down", env = "ORDERSYS_BREAKER_COOL_DOWN", default_value = "1s", value_name = "TIME", value_parser = time)]
    cool_down: Duration,
}

impl BreakerArgs {
    pub(super) fn settings(&self) -> Settings {
        Settings { calls: self.calls, ratio: self.ratio, window: self.window, cool_down: self.cool_down }
    }
}

fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio: &f64| *ratio > 0.0 && *ratio <= 1.0);
    ratio.ok_or_else(|| "a number above 0 and at most 1, such as 0.5".to_owned())
}

fn time(text: &str) -> Result<Duration, String> {
    let usable = |time: &Duration| (Duration::from_millis(10)..=LONGEST).contains(time);
    let time = humantime::parse_duration(text).ok().filter(usable);
    time.ok_or_else(|| "a time with its unit, from 10ms to 1h".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        breaker: BreakerArgs,
    }

    #[test]
    fn the_defaults_are_those_of_the_library_and_nonsense_is_refused() {
        let parse = |args: &[&str]| Cli::try_parse_from(["ordersys"].iter().chain(args));
        assert_eq!(parse(&[]).expect("parses").breaker.settings(), Settings::default());
        for wrong in
            ["--breaker-ratio=0", "--breaker-ratio=1.1", "--breaker-calls=0", "--breaker-cool-down=0s"]
        {
            assert!(parse(&[wrong]).is_err(), "{wrong}");
        }
    }
}
