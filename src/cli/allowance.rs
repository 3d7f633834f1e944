//! The flags for a service that strangers reach: what they may do, and what is kept of what they were refused.

use std::num::NonZeroU32;
use std::time::Duration;

use ordersys_order::Allowance;
use ordersys_store::retention::{MOST, Retention};

/// Shortest time that refused orders are kept.
const SHORTEST: Duration = Duration::from_mins(10);
/// Longest time that refused orders are kept: a hundred years.
const LONGEST: Duration = Duration::from_hours(100 * 366 * 24);
/// Most refused orders that are kept.
const MOST_KEPT: i64 = 1_000_000;

#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Callers without an account")]
pub(super) struct AllowanceArgs {
    /// Orders that one address may post in a minute [default: no limit]
    #[arg(long, env = "ORDERSYS_ORDERS_PER_ADDRESS", value_name = "N")]
    orders_per_address: Option<NonZeroU32>,
    /// Orders that may be placed for one guest in a minute [default: no limit]
    #[arg(long, env = "ORDERSYS_ORDERS_PER_GUEST", value_name = "N")]
    orders_per_guest: Option<NonZeroU32>,
    /// Units that may be ordered for one guest in a minute, and so at once [default: no limit]
    #[arg(long, env = "ORDERSYS_UNITS_PER_GUEST", value_name = "N")]
    units_per_guest: Option<NonZeroU32>,
    /// Guests that one address may make in a minute [default: 30000, and 10000 at once]
    #[arg(long, env = "ORDERSYS_GUESTS_PER_ADDRESS", value_name = "N")]
    pub(super) guests_per_address: Option<NonZeroU32>,
    /// How long refused and abandoned orders are kept, with their keys
    #[arg(long, env = "ORDERSYS_KEEP_REFUSED", default_value = "1d", value_name = "TIME", value_parser = keep)]
    keep_refused: Duration,
    /// How many of them are kept: the oldest go first
    #[arg(long, env = "ORDERSYS_KEEP_REFUSED_ORDERS", default_value_t = MOST, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MOST_KEPT))]
    keep_refused_orders: u32,
}

impl AllowanceArgs {
    pub(super) fn orders(&self) -> Allowance {
        Allowance {
            orders_per_address: self.orders_per_address,
            orders_per_guest: self.orders_per_guest,
            units_per_guest: self.units_per_guest,
        }
    }

    pub(super) fn retention(&self) -> Retention {
        Retention { keep: self.keep_refused, most: self.keep_refused_orders, ..Retention::default() }
    }
}

fn keep(text: &str) -> Result<Duration, String> {
    let usable = |time: &Duration| (SHORTEST..=LONGEST).contains(time);
    let time = humantime::parse_duration(text).ok().filter(usable);
    time.ok_or_else(|| "a time such as 12h or 7d, from 10m to 100years".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        allowance: AllowanceArgs,
    }

    #[test]
    fn nothing_is_limited_unless_asked_for_and_nonsense_is_refused() {
        let parse = |args: &[&str]| Cli::try_parse_from(["ordersys"].iter().chain(args));
        let usual = parse(&[]).expect("parses").allowance;
        assert_eq!((usual.orders(), usual.retention()), (Allowance::default(), Retention::default()));
        for wrong in ["--orders-per-guest=0", "--keep-refused=9m", "--keep-refused-orders=0"] {
            assert!(parse(&[wrong]).is_err(), "{wrong}");
        }
    }
}
