//! How far stored times may lie apart, and ahead of the clock.

use std::time::Duration;

use ordersys_contract::{OrderId, Timestamp};

use crate::audit::report::Mismatch;

/// How far a stored time may lie ahead of the clock of the machine that checks: clocks differ a little.
pub(crate) const AHEAD: Duration = Duration::from_mins(1);
/// How long after the moment in its id a row may say it was made: both are taken at one moment.
const LATE: Duration = Duration::from_mins(1);
/// How long before the moment in its id a row may say it was made: when a clock was ahead and is set back,
/// ids go on from the latest time they had.
pub(super) const EARLY: Duration = Duration::from_hours(24);

/// A time, by its name in its row, that lies ahead of the clock.
pub(crate) fn ahead(times: &[(&str, Timestamp)], now: Timestamp) -> Option<Mismatch> {
    let latest = times.iter().max_by_key(|(_, at)| *at)?;
    let (name, at) = *latest;
    (at > now.after(AHEAD)).then(|| (format!("no time ahead of the clock, {now}"), format!("{name} {at}")))
}

/// A row that says it was made at another time than its id says.
pub(crate) fn made(id: Option<Timestamp>, created_at: Timestamp) -> Option<Mismatch> {
    let Some(made) = id else {
        return Some(("an id that tells when it was made".to_owned(), "one that does not".to_owned()));
    };
    let fits = created_at <= made.after(LATE) && created_at >= made.before(EARLY);
    (!fits).then(|| (format!("created about {made}, as its id says"), format!("created {created_at}")))
}

/// The moment an id says it was made at, for [`ahead`].
pub(crate) fn id_time(id: OrderId) -> Timestamp {
    id.made().unwrap_or(Timestamp::from_millis(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_may_differ_as_far_as_clocks_do() {
        let at = Timestamp::from_millis(1_700_000_000_000);
        let (second, day) = (Duration::from_secs(1), Duration::from_hours(24));
        assert_eq!(made(Some(at), at), None);
        assert_eq!(made(Some(at), at.after(LATE)), None);
        assert!(made(Some(at), at.after(LATE + second)).is_some());
        assert_eq!(made(Some(at), at.before(day)), None, "the clock was ahead");
        assert!(made(Some(at), at.before(day + second)).is_some());
        assert!(made(None, at).is_some());
        assert_eq!(ahead(&[("a", at), ("b", at.after(AHEAD))], at), None);
        let (_, found) = ahead(&[("a", at), ("b", at.after(AHEAD + second))], at).expect("is ahead");
        assert_eq!(found, "b 2023-11-14T22:14:21.000Z");
        assert_eq!(ahead(&[], at), None);
    }
}
