use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

use super::*;

/// How much runs of one system differ by chance: a part of the value.
const NOISE: f64 = 0.05;
const ALL: [Metric; 5] = Metric::ALL;

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
    Comparison::of(&ALL, &a, &b, Vec::new()).decision
}

fn how_often(runs: usize, slower: f64, comparisons: usize, decision: Decision) -> usize {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(2026);
    (0..comparisons).filter(|_| simulate(&mut random, runs, slower) == decision).count()
}

#[test]
fn a_system_compared_with_itself_does_not_differ() {
    // Twenty hundreds: a single one may be lucky or not, what the method promises is a rate.
    for runs in [5, 6] {
        let same = how_often(runs, 1.0, 2000, Decision::Same);
        assert!(same >= 1900, "{runs} runs a side: {same} of 2000");
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
        Comparison::of(metrics, &a, &b, Vec::new())
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
