//! The limit under simulated load.

use super::*;

/// A service that answers `rate` requests a second, each after `fixed` and its turn, under
/// far more load than that: its permits after `seconds`.
fn overload(adaptive: &mut Adaptive, fixed: Duration, rate: f64, seconds: f64) -> usize {
    let mut now = adaptive.window.began;
    let end = now + Duration::from_secs_f64(seconds);
    while now < end {
        assert!((0..=MAX_LIMIT).any(|_| !adaptive.acquire()), "there is a most");
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let turn = Duration::from_secs_f64(adaptive.under_way as f64 / rate);
        let took = fixed + turn;
        now += took;
        for _ in 0..adaptive.under_way {
            adaptive.release(Some(took), now);
        }
    }
    adaptive.permits()
}

#[test]
fn under_overload_it_settles_where_answers_take_the_target() {
    let mut adaptive = Adaptive::new(Instant::now());
    let permits = overload(&mut adaptive, Duration::from_millis(2), 20_000.0, 10.0);
    assert!((330..=380).contains(&permits), "{permits}: 18 ms of 20 000 a second are 360");
    let permits = overload(&mut adaptive, Duration::from_millis(2), 10_000.0, 10.0);
    assert!((160..=200).contains(&permits), "{permits}: half as fast, half the permits");
    let permits = overload(&mut adaptive, Duration::from_millis(2), 100.0, 10.0);
    assert_eq!(permits, MIN_LIMIT, "never fewer");
}

/// Requests one after the other that take so long each.
fn calm(adaptive: &mut Adaptive, took: Duration, requests: u32) {
    let start = adaptive.window.began;
    for number in 1..=requests {
        assert!(adaptive.acquire());
        adaptive.release(Some(took), start + took * number);
    }
}

#[test]
fn a_slow_disk_is_not_overload() {
    let mut adaptive = Adaptive::new(Instant::now());
    let slow = Duration::from_millis(60);
    calm(&mut adaptive, slow, 2_000);
    assert_eq!(adaptive.permits(), INITIAL_LIMIT, "what is not used does not move");
    let permits = overload(&mut adaptive, slow, 10_000.0, 60.0);
    assert!((550..=650).contains(&permits), "{permits}: 60 ms more of 10 000 a second");
}

#[test]
fn permits_come_back_once_no_request_is_turned_away() {
    let mut adaptive = Adaptive::new(Instant::now());
    overload(&mut adaptive, Duration::from_millis(2), 1_000.0, 10.0);
    assert_eq!(adaptive.permits(), MIN_LIMIT);
    calm(&mut adaptive, Duration::from_millis(2), 10_000);
    assert!(adaptive.permits() > INITIAL_LIMIT * 9 / 10, "{}", adaptive.permits());
}

#[test]
fn the_target_does_not_follow_a_queue() {
    let mut adaptive = Adaptive::new(Instant::now());
    calm(&mut adaptive, Duration::from_millis(2), 1_000);
    let mut now = adaptive.window.began;
    for _ in 0..1_000 {
        while adaptive.under_way < INITIAL_LIMIT * 3 / 4 {
            assert!(adaptive.acquire());
        }
        now += Duration::from_millis(2);
        adaptive.release(Some(Duration::from_millis(500)), now);
    }
    assert_eq!(adaptive.base, Some(Duration::from_millis(2)));
}

#[test]
fn a_permit_that_says_nothing_is_free_again_and_does_not_count() {
    let mut adaptive = Adaptive::new(Instant::now());
    for _ in 0..1_000 {
        assert!(adaptive.acquire());
        adaptive.release(None, Instant::now());
    }
    assert_eq!((adaptive.under_way, adaptive.window.samples), (0, 0));
    assert_eq!((0..10_000).take_while(|_| adaptive.acquire()).count(), INITIAL_LIMIT);
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// About a thousand requests, none of which is under way.
fn idle() -> Adaptive {
    Adaptive { limit: 1_000.0, ..Adaptive::new(Instant::now()) }
}

#[test]
fn the_limit_moves_to_where_answers_take_what_they_may() {
    for (base, mean, limit) in [
        (None, 20, 1_001.0),
        (None, 10, 1_051.0),
        (None, 0, 1_101.0),
        (None, 25, 800.0),
        (None, 40, 700.0),
        (Some(5), 25, 800.0),
        (Some(20), 50, 800.0),
    ] {
        let mut adaptive = Adaptive { base: base.map(ms), ..idle() };
        adaptive.follow(ms(mean));
        let moved = adaptive.limit;
        assert!((moved - limit).abs() < 1e-6, "{moved} after {mean} ms with a base of {base:?} ms");
    }
}

#[test]
fn what_answers_take_while_there_is_room_is_known_by_the_latest_most() {
    for (before, peak, base) in [(None, 500, Some(20)), (Some(10), 500, Some(11)), (Some(10), 501, Some(10))]
    {
        let mut adaptive = Adaptive { base: before.map(ms), ..idle() };
        adaptive.window = Window { samples: 2, total: ms(40), peak, ..adaptive.window };
        adaptive.adjust();
        assert_eq!(adaptive.base, base.map(ms), "{before:?} ms, {peak} under way");
    }
}

#[test]
fn the_limit_goes_back_after_twenty_quiet_windows() {
    let mut adaptive = Adaptive { limit: bound(MIN_LIMIT), ..idle() };
    adaptive.window.samples = 1;
    for _ in 1..QUIET_WINDOWS {
        adaptive.adjust();
    }
    assert_eq!(adaptive.permits(), MIN_LIMIT);
    adaptive.adjust();
    assert!((adaptive.limit - 147.2).abs() < 1e-6, "{}: a twentieth of the way to 512", adaptive.limit);
    adaptive.window.full = true;
    adaptive.adjust();
    assert_eq!(adaptive.quiet, 0);
}

#[test]
fn a_window_ends_with_enough_answers_after_enough_time() {
    for (answers, after, ends) in
        [(SAMPLES, WINDOW, true), (SAMPLES - 1, WINDOW, false), (SAMPLES, ms(49), false)]
    {
        let mut adaptive = idle();
        let now = adaptive.window.began + after;
        assert!((0..answers + 4).all(|_| adaptive.acquire()));
        for _ in 0..answers {
            adaptive.release(Some(ms(1)), now);
        }
        let window = adaptive.window;
        assert_eq!((window.samples == 0, window.began == now), (ends, ends), "{answers} after {after:?}");
        assert!(!ends || window.peak == 4, "those under way are in the next window: {}", window.peak);
    }
}

#[test]
fn permits_are_counted_and_free_again_when_dropped() {
    let now = Instant::now();
    let metrics = Metrics::new("test", crate::Counting::On);
    let limit = ConcurrencyLimit::new(now, &metrics);
    let shows = |permits: usize, under_way: usize| {
        let text = metrics.encode();
        for (name, value) in [("limit", permits), ("in_flight", under_way)] {
            let line = format!("ordersys_admission_{name}{{service=\"test\"}} {value}\n");
            assert!(text.contains(&line), "{line}{text}");
        }
        assert_eq!((limit.in_flight(), limit.is_full()), (under_way, under_way >= permits));
    };
    drop(limit.try_acquire(now).expect("free"));
    shows(INITIAL_LIMIT, 0);
    let permits: Vec<_> = (0..INITIAL_LIMIT).map(|_| limit.try_acquire(now).expect("free")).collect();
    assert!(limit.try_acquire(now).is_none());
    shows(INITIAL_LIMIT, INITIAL_LIMIT);
    for permit in permits {
        permit.done(now + WINDOW);
    }
    shows(358, 0); // 0.7 of what it was: each took far too long
}
