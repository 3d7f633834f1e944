//! The limit under simulated load.

use super::*;

/// A service that answers `rate` requests a second, each after `fixed` and its turn, under
/// far more load than that: its permits after `seconds`.
fn overload(adaptive: &mut Adaptive, fixed: Duration, rate: f64, seconds: f64) -> usize {
    let mut now = adaptive.window.began;
    let end = now + Duration::from_secs_f64(seconds);
    while now < end {
        while adaptive.acquire() {}
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
