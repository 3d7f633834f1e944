use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

use super::*;
use crate::profile::Profile;
use crate::result::RunResult;
use crate::result::sample::{Simulated, report};

/// How much runs of one system differ by chance: a part of the value.
const NOISE: f64 = 0.05;
const ALL: [Metric; 5] = Metric::ALL;
const MARGIN: Margin = Margin(0.05);

/// One simulated run: what happens to the machine meets all its metrics, the tail more than the median.
fn run(random: &mut Xoshiro256PlusPlus, slower: f64) -> Sample {
    let mut luck = || {
        // The sum of twelve even numbers is nearly normal with the variance 1.
        let sum: f64 = (0..12).map(|_| random.random::<f64>()).sum();
        sum - 6.0
    };
    let shared = luck();
    let mut value = |base: f64, noise: f64| base * ((0.7 * shared + 0.7 * luck()) * noise).exp();
    Sample::new(&[
        (Metric::Throughput, value(10_000.0, -NOISE) / slower),
        (Metric::P50, value(5.0, NOISE) * slower),
        (Metric::P99, value(25.0, 2.0 * NOISE) * slower),
        (Metric::P999, value(40.0, 3.0 * NOISE) * slower),
        (Metric::ServerCpu, value(100.0, NOISE) * slower),
    ])
}

fn simulate(random: &mut Xoshiro256PlusPlus, runs: usize, slower: f64) -> Decision {
    let a: Vec<_> = (0..runs).map(|_| run(random, 1.0)).collect();
    let b: Vec<_> = (0..runs).map(|_| run(random, slower)).collect();
    Comparison::of(&ALL, &a, &b, MARGIN, Vec::new()).decision
}

fn how_often(runs: usize, slower: f64, comparisons: usize, decision: Decision) -> usize {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(2026);
    (0..comparisons).filter(|_| simulate(&mut random, runs, slower) == decision).count()
}

#[test]
fn a_system_compared_with_itself_does_not_differ() {
    // Twenty hundreds: a single one may be lucky or not, what the method promises is a rate.
    for runs in [5, 6] {
        let different = how_often(runs, 1.0, 2000, Decision::Different);
        assert!(different <= 100, "{runs} runs a side: {different} of 2000");
        // Noise of 5 % and more hides a difference of 5 %: nothing is claimed.
        let same = how_often(runs, 1.0, 200, Decision::Same);
        assert!(same <= 2, "{runs} runs a side: {same} of 200");
    }
}

#[test]
fn a_fifth_slower_is_found_with_ten_runs() {
    let found = how_often(10, 1.2, 100, Decision::Different);
    assert!(found >= 99, "{found} of 100");
}

#[test]
fn few_runs_cannot_decide_however_far_apart() {
    let sample = |value: f64| Sample::new(&[(Metric::P50, value), (Metric::P99, value)]);
    let groups = |runs: usize| (vec![sample(1.0); runs], vec![sample(100.0); runs]);
    let decide = |runs: usize, metrics: &[Metric]| {
        let (a, b) = groups(runs);
        Comparison::of(metrics, &a, &b, MARGIN, Vec::new())
    };
    assert_eq!(decide(3, &[Metric::P50]).decision, Decision::Undecided);
    assert_eq!(decide(4, &[Metric::P50]).decision, Decision::Different);
    let two = decide(4, &ALL);
    assert_eq!(two.decision, Decision::Undecided, "0.029 twice is more than 0.05");
    assert!(two.reason.is_some_and(|reason| reason.contains("--metric")));
    assert_eq!(decide(5, &ALL).decision, Decision::Different);
    assert_eq!(decide(0, &ALL).decision, Decision::Undecided);
}

#[test]
fn sides_take_turns_and_lead_equally_often() {
    let letters = |runs| order(runs).into_iter().map(Side::letter).collect::<String>();
    assert_eq!(letters(4), "abbaabba");
    assert_eq!(letters(1), "ab");
}

#[test]
fn a_run_is_compared_by_what_it_measured() {
    let simulated = Simulated { answered: 200, millis: 5, server_cpu: Some(20), ..Simulated::default() };
    let sample = Sample::of_run(&RunResult::of(&report(&Profile::default(), simulated)));
    let found = Metric::ALL.map(|metric| sample.of(metric));
    assert_eq!(found, [Some(20.0), Some(5.0), Some(5.0), Some(5.0), Some(100.0)]);
    let titles = Metric::ALL.map(Metric::title);
    assert_eq!(titles, ["throughput /s", "p50 ms", "p99 ms", "p99.9 ms", "server CPU us"]);
    let few = Sample::new(&[(Metric::P999, 2.0), (Metric::P50, 1.0)]);
    assert_eq!(Metric::ALL.map(|metric| few.of(metric)), [None, Some(1.0), None, Some(2.0), None]);
}

/// Runs that have these medians, nothing else.
fn runs(values: &[f64]) -> Vec<Sample> {
    values.iter().map(|value| Sample::new(&[(Metric::P50, *value)])).collect()
}

fn compared(a: &[f64], b: &[f64]) -> Comparison {
    Comparison::of(&[Metric::P50], &runs(a), &runs(b), MARGIN, Vec::new())
}

#[test]
fn a_chance_of_exactly_one_in_twenty_is_no_difference() {
    let a = [0.0, 0.0, 0.0, 2.0];
    let b = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0];
    let comparison = compared(&a, &b);
    assert_eq!((comparison.metrics[0].p, comparison.decision), (LEVEL, Decision::NotShown));
}

#[test]
fn four_runs_a_side_can_decide_and_three_cannot_however_many_the_others_are() {
    let same = [1.0, 2.0, 3.0, 4.0];
    assert_eq!(compared(&same, &same).decision, Decision::NotShown);
    let three = compared(&[1.0; 3], &[2.0; 20]);
    assert_eq!((three.decision, three.metrics[0].differs), (Decision::Undecided, false));
    let words = [Decision::Different, Decision::NotShown, Decision::Same, Decision::Undecided];
    assert_eq!(words.map(Decision::words), ["different", "no difference shown", "the same", "cannot decide"]);
}

#[test]
fn a_shift_is_a_part_of_the_first_median_if_there_is_one() {
    let shift = |a: f64| compared(&[a; 4], &[a + 1.0; 4]).metrics[0].clone();
    assert_eq!((shift(4.0).medians, shift(4.0).shift, shift(4.0).relative), ([4.0, 5.0], 1.0, Some(0.25)));
    assert_eq!((shift(0.0).shift, shift(0.0).relative), (1.0, None));
}

#[test]
fn the_same_is_only_what_was_shown_to_lie_within_the_margin() {
    let quiet = [100.0, 100.5, 101.0, 99.5];
    let found = compared(&quiet, &quiet);
    assert_eq!((found.decision, found.reason, found.metrics[0].same), (Decision::Same, None, true));
    let noisy = [80.0, 95.0, 105.0, 120.0];
    let found = compared(&noisy, &noisy);
    assert_eq!((found.decision, found.metrics[0].same), (Decision::NotShown, false));
    assert_eq!(found.reason.as_deref(), Some("p50 could differ by up to 40 %"));
    // Far apart and within no margin, a small shift that is more than chance is still a difference.
    let shifted = compared(&[100.0, 100.1, 100.2, 100.3], &[101.0, 101.1, 101.2, 101.3]);
    assert_eq!((shifted.decision, shifted.metrics[0].same), (Decision::Different, true));
    let nothing = compared(&[0.0; 4], &[0.0, 0.0, 0.0, 1.0]);
    assert_eq!(nothing.reason.as_deref(), Some("nothing bounds by how much p50 differs"));
    let margin = |text: &str| text.parse::<Margin>().ok();
    assert_eq!([margin("5%"), margin("0%"), margin("5"), margin("101%")], [Some(MARGIN), None, None, None]);
    assert_eq!(MARGIN.to_string(), "5%");
}
