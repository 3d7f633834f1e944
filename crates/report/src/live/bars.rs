//! Charts of letters: a bar for each second, the last one at the right edge, and marks below them.

/// From nothing to a whole letter.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Steps of one letter.
const STEPS: u16 = 8;

/// Something that begins in a second of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    /// In which second after the warm-up.
    pub(super) second: u64,
    /// What it is.
    pub(super) name: String,
}

/// A bar for each value that fits, the highest for the largest of these, in so many lines from top to bottom.
pub(super) fn chart(values: &[f64], width: usize, height: u16) -> Vec<String> {
    let shown = &values[values.len().saturating_sub(width)..];
    let most = shown.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let line = |below: u16| {
        let bar = |value: &f64| {
            BARS[usize::from(step(*value / most, height).saturating_sub(below * STEPS).min(STEPS))]
        };
        let bars: String = shown.iter().map(bar).collect();
        format!("{}{bars}", " ".repeat(width - shown.len()))
    };
    (0..height).rev().map(line).collect()
}

/// How high a bar is that has this part of the highest: what is not nothing is seen.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part of at most 1 of a few lines"
)]
fn step(part: f64, height: u16) -> u16 {
    (part * f64::from(height * STEPS)).ceil() as u16
}

/// What began in which of the shown seconds; `last` is the newest of them, at the right edge.
pub(super) fn marks(marks: &[Mark], last: u64, width: usize) -> Option<String> {
    let mut line = vec![' '; width];
    for mark in marks.iter().filter(|mark| mark.second <= last) {
        let ago = usize::try_from(last - mark.second).unwrap_or(usize::MAX);
        let Some(column) = width.checked_sub(1).and_then(|right| right.checked_sub(ago)) else { continue };
        let name = format!("▲{}", mark.name);
        // At the right edge the name stands before its mark.
        let (from, text) = if column + name.chars().count() <= width {
            (column, name)
        } else {
            let name = format!("{}▲", mark.name);
            ((column + 1).saturating_sub(name.chars().count()), name)
        };
        line.iter_mut().skip(from).zip(text.chars()).for_each(|(place, letter)| *place = letter);
    }
    let line: String = line.into_iter().collect();
    (!line.trim().is_empty()).then(|| line.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_seconds_stand_at_the_right_edge() {
        assert_eq!(chart(&[0.0, 1.0, 50.0, 100.0], 6, 1), ["   ▁▄█"]);
        assert_eq!(chart(&[50.0, 100.0], 1, 2), ["█", "█"]);
        assert_eq!(chart(&[25.0, 75.0, 100.0], 3, 2), [" ▄█", "▄██"]);
        assert_eq!(chart(&[], 2, 1), ["  "]);
        assert_eq!(chart(&[0.0; 2], 2, 1), ["  "]);
    }

    #[test]
    fn marks_stand_below_their_second() {
        let mark = |second, name: &str| Mark { second, name: name.to_owned() };
        let all = [mark(2, "kill"), mark(9, "heal"), mark(30, "late")];
        // Ten columns are the seconds 0 to 9.
        assert_eq!(marks(&all[..1], 9, 10).as_deref(), Some("  ▲kill"));
        assert_eq!(marks(&all, 9, 10).as_deref(), Some("  ▲kiheal▲"));
        assert_eq!(
            marks(&all[1..], 9, 10).as_deref(),
            Some("     heal▲"),
            "at the edge the name stands before"
        );
        assert_eq!(marks(&all[2..], 9, 10), None);
        assert_eq!(marks(&all[..1], 9, 5), None, "too long ago");
    }
}
