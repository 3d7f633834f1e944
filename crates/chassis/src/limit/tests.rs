use super::*;

/// A service that answers `rate` requests a second, each after `fixed` and its turn, under
/// far more load than that: the places it was given after `seconds`.
fn overload(adaptive: &mut Adaptive, (fixed, rate): (Duration, f64), seconds: f64) -> usize {
    let mut now = adaptive.window.began;
    let end = now + Duration::from_secs_f64(seconds);
    while now < end {
        while adaptive.enter() {}
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let turn = Duration::from_secs_f64(adaptive.under_way as f64 / rate);
        let took = fixed + turn;
        now += took;
        for _ in 0..adaptive.under_way {
            adaptive.leave(Some(took), now);
        }
    }
    adaptive.places()
}

#[test]
fn under_overload_it_settles_where_answers_take_the_target() {
    let mut adaptive = Adaptive::new(Instant::now());
    let places = overload(&mut adaptive, (Duration::from_millis(2), 20_000.0), 10.0);
    assert!((330..=380).contains(&places), "{places}: 18 ms of 20 000 a second are 360");
    let places = overload(&mut adaptive, (Duration::from_millis(2), 10_000.0), 10.0);
    assert!((160..=200).contains(&places), "{places}: half as fast, half the places");
    let places = overload(&mut adaptive, (Duration::from_millis(2), 100.0), 10.0);
    assert_eq!(places, LEAST, "never fewer");
}

/// Requests one after the other that take so long each.
fn calm(adaptive: &mut Adaptive, took: Duration, requests: u32) {
    let start = adaptive.window.began;
    for number in 1..=requests {
        assert!(adaptive.enter());
        adaptive.leave(Some(took), start + took * number);
    }
}

#[test]
fn a_slow_disk_is_not_overload() {
    let mut adaptive = Adaptive::new(Instant::now());
    let slow = Duration::from_millis(60);
    calm(&mut adaptive, slow, 2_000);
    assert_eq!(adaptive.places(), FIRST, "what is not used does not move");
    let places = overload(&mut adaptive, (slow, 10_000.0), 60.0);
    assert!((550..=650).contains(&places), "{places}: 60 ms more of 10 000 a second");
}

#[test]
fn places_come_back_once_nobody_is_turned_away() {
    let mut adaptive = Adaptive::new(Instant::now());
    overload(&mut adaptive, (Duration::from_millis(2), 1_000.0), 10.0);
    assert_eq!(adaptive.places(), LEAST);
    calm(&mut adaptive, Duration::from_millis(2), 10_000);
    assert!(adaptive.places() > FIRST * 9 / 10, "{}", adaptive.places());
}

#[test]
fn the_target_does_not_follow_a_queue() {
    let mut adaptive = Adaptive::new(Instant::now());
    calm(&mut adaptive, Duration::from_millis(2), 1_000);
    let mut now = adaptive.window.began;
    for _ in 0..1_000 {
        while adaptive.under_way < FIRST * 3 / 4 {
            assert!(adaptive.enter());
        }
        now += Duration::from_millis(2);
        adaptive.leave(Some(Duration::from_millis(500)), now);
    }
    assert_eq!(adaptive.base, Some(Duration::from_millis(2)));
}

#[test]
fn a_place_that_says_nothing_is_free_again_and_does_not_count() {
    let mut adaptive = Adaptive::new(Instant::now());
    for _ in 0..1_000 {
        assert!(adaptive.enter());
        adaptive.leave(None, Instant::now());
    }
    assert_eq!((adaptive.under_way, adaptive.window.samples), (0, 0));
    assert_eq!((0..10_000).take_while(|_| adaptive.enter()).count(), FIRST);
}
