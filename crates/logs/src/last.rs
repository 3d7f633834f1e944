//! The last lines of those that are there already.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use crate::{Entry, Shown};

/// Keeps the last lines until it is known that no earlier ones follow.
#[derive(Debug)]
pub(crate) struct Last {
    most: usize,
    began: jiff::Timestamp,
    kept: VecDeque<Entry>,
    left_out: u64,
}

impl Last {
    /// At most so many lines, of those that were written before now.
    pub(crate) fn new(most: usize, now: jiff::Timestamp) -> Self {
        Self { most, began: now, kept: VecDeque::new(), left_out: 0 }
    }

    /// Keeps a line, if it was there already.
    pub(crate) fn keeps(&mut self, entry: &Entry) -> bool {
        if entry.at > self.began {
            return false;
        }
        self.kept.push_back(entry.clone());
        if self.kept.len() > self.most {
            self.kept.pop_front();
            self.left_out += 1;
        }
        true
    }

    /// Shows what was kept, and says first how many lines were not.
    pub(crate) fn show(self, show: &mut impl FnMut(Shown<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        if self.left_out > 0 {
            show(Shown::LeftOut(self.left_out))?;
        }
        self.kept.iter().try_for_each(|entry| show(Shown::Line(entry)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_from_before_are_kept_and_new_ones_are_not() {
        let entry = |second: i64| Entry {
            at: jiff::Timestamp::from_second(second).expect("time"),
            source: "s".into(),
            text: second.to_string(),
        };
        let shown = |most, seconds: &[i64]| {
            let mut last = Last::new(most, jiff::Timestamp::from_second(10).expect("time"));
            assert!(seconds.iter().all(|second| last.keeps(&entry(*second))));
            assert!(!last.keeps(&entry(11)));
            let mut all = Vec::new();
            let _ = last.show(&mut |shown| {
                match shown {
                    Shown::LeftOut(lines) => all.push(format!("-{lines}")),
                    Shown::Line(entry) => all.push(entry.text.clone()),
                    Shown::Pause => {}
                }
                ControlFlow::Continue(())
            });
            all.join(" ")
        };
        assert_eq!(shown(2, &[1, 2, 3]), "-1 2 3");
        assert_eq!(shown(3, &[1, 2, 10]), "1 2 10");
        assert_eq!(shown(0, &[1, 2]), "-2");
        assert_eq!(shown(5, &[]), "");
    }
}
