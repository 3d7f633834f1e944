//! The Mann-Whitney U test (Wilcoxon's rank sum), exact also with ties: the probability is counted over
//! all ways to deal the observed values to the two groups.
//!
//! Source: H. B. Mann, D. R. Whitney, "On a test of whether one of two random variables is stochastically
//! larger than the other", Annals of Mathematical Statistics 18 (1947).

/// How likely groups that differ only by chance are to lie as far apart as `a` and `b` or farther, in either
/// direction. 1 if a group is empty.
#[must_use]
pub fn p_value(a: &[f64], b: &[f64]) -> f64 {
    let ranks = doubled_ranks(a, b);
    let observed: usize = ranks[..a.len()].iter().sum();
    let ways = ways(&ranks, a.len());
    let all: f64 = ways.iter().sum();
    // Twice the mean of the doubled sum: whole, so that distances are compared exactly.
    let mean = a.len() * (ranks.len() + 1) * 2;
    let distance = |sum: usize| (2 * sum).abs_diff(mean);
    let far = ways.iter().enumerate().filter(|(sum, _)| distance(*sum) >= distance(observed));
    (far.map(|(_, count)| count).sum::<f64>() / all).min(1.0)
}

/// The smallest p-value that groups of these sizes can have: 2 / C(a + b, a).
#[must_use]
pub fn smallest_p(a: usize, b: usize) -> f64 {
    (2.0 / u_ways(a, b).iter().sum::<f64>()).min(1.0)
}

/// In how many ways each value of U from 0 to `a * b` comes about, without ties.
#[must_use]
pub fn u_ways(a: usize, b: usize) -> Vec<f64> {
    let ranks: Vec<_> = (1..=a + b).collect();
    let least = a * (a + 1) / 2;
    ways(&ranks, a).into_iter().skip(least).take(a * b + 1).collect()
}

/// Twice the rank of each value among all, those of `a` first; equal values share the mean of their ranks.
fn doubled_ranks(a: &[f64], b: &[f64]) -> Vec<usize> {
    let all: Vec<f64> = a.iter().chain(b).copied().collect();
    let rank = |value: &f64| {
        let below = all.iter().filter(|other| other.total_cmp(value).is_lt()).count();
        let equal = all.iter().filter(|other| other.total_cmp(value).is_eq()).count();
        2 * below + equal + 1
    };
    all.iter().map(rank).collect()
}

/// In how many ways `chosen` of the ranks add up to each sum.
fn ways(ranks: &[usize], chosen: usize) -> Vec<f64> {
    let most: usize = ranks.iter().sum();
    let mut ways = vec![vec![0.0; most + 1]; chosen + 1];
    ways[0][0] = 1.0;
    for rank in ranks {
        for count in (1..=chosen).rev() {
            let (fewer, same) = ways.split_at_mut(count);
            let sums = same[0][*rank..].iter_mut().zip(&fewer[count - 1]);
            sums.for_each(|(sum, without)| *sum += without);
        }
    }
    ways.swap_remove(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64, digits: f64) {
        assert!((found - expected).abs() < digits, "found {found}, expected {expected}");
    }

    #[test]
    fn published_examples_come_out() {
        // Hollander, Wolfe: Nonparametric Statistical Methods (1973), table 4.1, permeability of the
        // chorioamnion; also the example of R's wilcox.test, one-sided p 0.1272 for W = 35.
        let term = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
        let early = [1.15, 0.88, 0.90, 0.74, 1.21];
        close(p_value(&term, &early), 2.0 * 0.127_206, 1e-5);
        // The example of scipy.stats.mannwhitneyu: U = 17, p = 1/9.
        close(p_value(&[19.0, 22.0, 16.0, 29.0, 24.0], &[20.0, 11.0, 17.0, 12.0]), 1.0 / 9.0, 1e-12);
    }

    #[test]
    fn the_printed_table_of_critical_values_comes_out() {
        // Largest U that is significant at 5 % on two sides, from the tables printed in statistics books.
        let table =
            [(4, 0), (5, 2), (6, 5), (7, 8), (8, 13), (9, 17), (10, 23), (12, 37), (15, 64), (20, 127)];
        for (runs, critical) in table {
            let ways = u_ways(runs, runs);
            let all: f64 = ways.iter().sum();
            let tail = |u: usize| 2.0 * ways[..=u].iter().sum::<f64>() / all;
            assert!(tail(critical) <= 0.05, "{runs} a side: {}", tail(critical));
            assert!(tail(critical + 1) > 0.05, "{runs} a side: {}", tail(critical + 1));
        }
    }

    #[test]
    fn ties_are_counted_exactly() {
        // 1 1 against 1 2: of six ways to deal three 1 and one 2, all are equally far from the middle.
        close(p_value(&[1.0, 1.0], &[1.0, 2.0]), 1.0, 1e-12);
        close(p_value(&[1.0; 5], &[1.0; 5]), 1.0, 1e-12);
        // 1 1 1 against 2 2 2: two of twenty ways are as far apart.
        close(p_value(&[1.0; 3], &[2.0; 3]), 0.1, 1e-12);
    }

    #[test]
    fn few_runs_cannot_show_a_difference() {
        // 2/20, 2/70, 2/252: the values that benchstat documents for 3, 4 and 5 runs a side.
        for (runs, expected) in [(3, 0.1), (4, 0.028_571), (5, 0.007_937)] {
            close(smallest_p(runs, runs), expected, 1e-6);
        }
        for (a, b) in [(&[][..], &[1.0][..]), (&[1.0, 2.0], &[]), (&[], &[])] {
            close(p_value(a, b), 1.0, 1e-12);
        }
    }
}
