//! Whether things happened as often as they should: Pearson's test with a bound that chance passes once in a
//! million. Pure.

use crate::finding::{Check, Finding, Samples, Witness};

/// The normal deviate that one in a million exceeds.
const DEVIATE: f64 = 4.753_424;
/// Fewer requests than this say little.
pub(crate) const FEWEST: u64 = 1000;
/// Expected requests that a class of a chi-square test needs.
const FEWEST_EXPECTED: f64 = 10.0;

/// A class of a chi-square test.
pub(crate) struct Class {
    /// What it counts.
    pub(crate) name: String,
    /// How many are expected.
    pub(crate) expected: f64,
    /// How many there were.
    pub(crate) found: u64,
}

/// Judges whether classes were met as often as expected.
pub(crate) fn chi_square(check: Check, sum: u64, classes: Vec<Class>) -> Finding {
    if sum < FEWEST {
        return too_few(check, sum);
    }
    let mut cases = Samples::default();
    if let Some(wrong) = classes.iter().find(|class| class.expected <= 0.0 && class.found > 0) {
        cases.add(|| witness(wrong));
        return cases.into_finding(check);
    }
    let classes = pooled(classes);
    let distance = |class: &Class| (count(class.found) - class.expected).powi(2) / class.expected;
    let statistic: f64 = classes.iter().map(distance).sum();
    if classes.len() > 1 && statistic > limit(classes.len() - 1) {
        let worst = classes.iter().max_by(|one, other| distance(one).total_cmp(&distance(other)));
        if let Some(worst) = worst {
            cases.add(|| witness(worst));
        }
    }
    cases.into_finding(check)
}

/// Neighbours joined until each class has enough requests to be expected.
fn pooled(classes: Vec<Class>) -> Vec<Class> {
    let mut pooled: Vec<Class> = Vec::new();
    for class in classes.into_iter().filter(|class| class.expected > 0.0) {
        match pooled.last_mut() {
            Some(last) if last.expected < FEWEST_EXPECTED => last.join(&class),
            _ => pooled.push(class),
        }
    }
    if pooled.last().is_some_and(|last| last.expected < FEWEST_EXPECTED)
        && let (Some(rest), Some(last)) = (pooled.pop(), pooled.last_mut())
    {
        last.join(&rest);
    }
    pooled
}

impl Class {
    fn join(&mut self, other: &Self) {
        if !self.name.ends_with("and neighbours") {
            self.name = format!("{} and neighbours", self.name);
        }
        self.expected += other.expected;
        self.found += other.found;
    }
}

fn witness(class: &Class) -> Witness {
    Witness {
        expected: format!("about {:.0} {}", class.expected, class.name),
        found: class.found.to_string(),
        ..Witness::default()
    }
}

/// A check of which there is too little to say.
pub(crate) fn too_few(check: Check, found: u64) -> Finding {
    Finding::skipped(check, format!("needs {FEWEST} requests, had {found}"))
}

/// What chi-square with so many degrees of freedom exceeds once in a million, after Wilson and Hilferty
/// (1931); for few degrees a little more than that.
fn limit(degrees: usize) -> f64 {
    let degrees = count(degrees as u64);
    let part = 2.0 / (9.0 * degrees);
    degrees * DEVIATE.mul_add(part.sqrt(), 1.0 - part).powi(3)
}

/// A count to compute with.
#[expect(clippy::cast_precision_loss, reason = "counts of requests")]
pub(crate) fn count(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_what_tables_say() {
        // Upper quantiles of chi-square at one millionth: 23.93, 35.89 and 181.0 or so.
        for (degrees, table) in [(1, 23.93), (5, 35.89), (99, 178.9)] {
            let found = limit(degrees);
            assert!(found > table * 0.98 && found < table * 1.16, "{degrees}: {found}");
        }
    }
}
