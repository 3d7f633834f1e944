//! Several tests at once: Holm's correction keeps the chance of even one false alarm below the level.
//!
//! Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
//! Statistics 6 (1979).

/// The adjusted p-values, in the order given: each is to be compared with the level itself.
#[must_use]
pub fn adjusted(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut largest = 0.0_f64;
    for (done, place) in order.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a handful of tests")]
        let left = (p_values.len() - done) as f64;
        largest = largest.max(p_values[*place] * left).min(1.0);
        adjusted[*place] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use crate::stats::holm::adjusted;

    #[test]
    fn a_published_example_comes_out() {
        // The example of the encyclopedia's article on the method: the first and the last are rejected.
        let found = adjusted(&[0.01, 0.04, 0.03, 0.005]);
        let expected = [0.03, 0.06, 0.06, 0.02];
        assert!(
            found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12),
            "{found:?}"
        );
    }

    #[test]
    fn probabilities_stay_probabilities() {
        assert_eq!(adjusted(&[0.9, 0.8]), [1.0, 1.0]);
        assert!(adjusted(&[]).is_empty());
    }
}
