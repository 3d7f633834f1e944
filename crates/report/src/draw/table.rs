//! Tables to read: by people, whose terminals have an end, and by `awk`, for which nothing is cut.

use std::fmt;

use ordersys_command::printable;

use crate::draw::ink;
use crate::draw::terminal;
use crate::draw::words::{cut, width, wrapped};

/// Between two columns.
const GAP: &str = "  ";
/// Before the lines that stand below a row.
const INDENT: &str = "    ";
/// Names are not shortened to less.
const SHORTEST_NAME: usize = 16;

/// A table under construction. No cell is ever broken over lines. Where a terminal is too narrow, names are shortened,
/// prose moves to lines of its own below its row, and columns are left out: those named as [`Table::least`] first, then from
/// the right. The first column always stays, and one without any text is never there.
#[derive(Debug, Default)]
pub struct Table {
    titles: Vec<String>,
    rows: Vec<Vec<String>>,
    right: Vec<usize>,
    least: Vec<usize>,
    names: Vec<usize>,
    prose: Vec<usize>,
    states: Vec<usize>,
}

/// What of a table fits.
struct Fit {
    /// Which columns, and how wide each is.
    columns: Vec<(usize, usize)>,
    /// Which prose stands below the rows.
    below: Vec<usize>,
}

impl Table {
    /// A table with these column titles.
    #[must_use]
    pub fn new<const N: usize>(titles: [&str; N]) -> Self {
        Self { titles: titles.map(str::to_owned).to_vec(), ..Self::default() }
    }

    /// The same with these columns aligned right, as numbers are.
    #[must_use]
    pub fn right(self, columns: &[usize]) -> Self {
        Self { right: columns.to_vec(), ..self }
    }

    /// The same with these columns left out first, in this order, where there is too little room.
    #[must_use]
    pub fn least(self, columns: &[usize]) -> Self {
        Self { least: columns.to_vec(), ..self }
    }

    /// The same with names in these columns: they may be shortened.
    #[must_use]
    pub fn names(self, columns: &[usize]) -> Self {
        Self { names: columns.to_vec(), ..self }
    }

    /// The same with sentences in these columns.
    #[must_use]
    pub fn prose(self, columns: &[usize]) -> Self {
        Self { prose: columns.to_vec(), ..self }
    }

    /// The same with words for states or results in these columns, which have colours.
    #[must_use]
    pub fn states(self, columns: &[usize]) -> Self {
        Self { states: columns.to_vec(), ..self }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into_iter().map(|cell| printable(&cell).into_owned()).collect());
    }

    /// The table for a terminal of this width, or for something that takes lines of any length.
    #[must_use]
    pub fn draw(&self, most: Option<usize>) -> String {
        if self.rows.is_empty() {
            return "none".to_owned();
        }
        let Fit { columns, below } = self.fit(most);
        let titles = columns.iter().map(|(index, wide)| self.padded(*index, *wide, &self.titles[*index]));
        let rule = columns.iter().map(|(_, wide)| "─".repeat(*wide));
        let mut lines = vec![joined(titles), joined(rule)];
        for row in &self.rows {
            lines.push(joined(columns.iter().map(|(index, wide)| self.padded(*index, *wide, &row[*index]))));
            let room = most.unwrap_or(usize::MAX).saturating_sub(INDENT.len());
            let sentences = below.iter().flat_map(|index| wrapped(&row[*index], room));
            lines.extend(sentences.filter(|line| !line.is_empty()).map(|line| format!("{INDENT}{line}")));
        }
        lines.join("\n")
    }

    fn fit(&self, most: Option<usize>) -> Fit {
        let with_text = |index: &usize| self.rows.iter().any(|row| !row[*index].is_empty());
        let all = (0..self.titles.len()).filter(with_text).map(|index| (index, self.widest(index)));
        let (mut columns, mut below) = (all.collect::<Vec<_>>(), Vec::new());
        let Some(most) = most else { return Fit { columns, below } };
        let is_prose = |index: &usize| self.prose.contains(index);
        let from_the_right = (1..self.titles.len()).rev();
        let prose = self.prose.iter().rev().copied();
        for next in prose.chain(self.least.iter().copied()).chain(from_the_right) {
            self.shorten(&mut columns, most);
            if whole(&columns) <= most {
                break;
            }
            columns.retain(|(index, _)| *index != next);
            below.extend(Some(next).filter(|next| is_prose(next) && !below.contains(next)));
        }
        self.shorten(&mut columns, most);
        below.sort_unstable();
        Fit { columns, below }
    }

    /// Takes from the names what is too much, as far as they can give it.
    fn shorten(&self, columns: &mut [(usize, usize)], most: usize) {
        let mut excess = whole(columns).saturating_sub(most);
        let spare = |wide: usize| wide.saturating_sub(SHORTEST_NAME);
        let names = columns.iter_mut().filter(|(index, _)| self.names.contains(index));
        let names: Vec<_> = names.collect();
        if names.iter().map(|(_, wide)| spare(*wide)).sum::<usize>() < excess {
            return; // shortened names alone do not help: a column has to go
        }
        for (_, wide) in names {
            let less = spare(*wide).min(excess);
            *wide -= less;
            excess -= less;
        }
    }

    fn widest(&self, index: usize) -> usize {
        let cells = self.rows.iter().map(|row| width(&row[index]));
        cells.chain([width(&self.titles[index])]).max().unwrap_or(0)
    }

    fn padded(&self, index: usize, wide: usize, text: &str) -> String {
        let text = if self.names.contains(&index) { cut(text, wide) } else { text.to_owned() };
        let padding = " ".repeat(wide.saturating_sub(width(&text)));
        let text = if self.states.contains(&index) { ink::state(&text) } else { text };
        if self.right.contains(&index) { padding + &text } else { text + &padding }
    }
}

fn whole(columns: &[(usize, usize)]) -> usize {
    let gaps = columns.len().saturating_sub(1) * GAP.len();
    columns.iter().map(|(_, wide)| wide).sum::<usize>() + gaps
}

fn joined(cells: impl Iterator<Item = String>) -> String {
    cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
}

/// As it fits standard output, where tables go.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.draw(terminal::stdout().width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services() -> Table {
        let titles = ["NAME", "STATE", "RESTARTS", "URL", "REASON"];
        let mut table = Table::new(titles).right(&[2]).least(&[2]).names(&[0]).prose(&[4]);
        let row = |name: &str, url: &str, why: &str| [name, "up", "3", url, why].map(str::to_owned);
        table.row(row("a\u{1b}[1m", "http://127.0.0.1:3001", ""));
        table.row(row("the second service of them", "http://127.0.0.1:3002", "it does not answer"));
        table
    }

    #[test]
    fn without_an_end_nothing_is_left_out() {
        assert_eq!(
            services().draw(None),
            "\
NAME                        STATE  RESTARTS  URL                    REASON
──────────────────────────  ─────  ────────  ─────────────────────  ──────────────────
a\\u{1b}[1m                  up            3  http://127.0.0.1:3001
the second service of them  up            3  http://127.0.0.1:3002  it does not answer"
        );
        assert_eq!(Table::new(["ID", "NAME"]).draw(Some(80)), "none");
    }

    #[test]
    fn names_are_shortened_prose_moves_below_and_columns_go() {
        for (most, expected) in [
            (
                64,
                "\
NAME                      STATE  RESTARTS  URL
────────────────────────  ─────  ────────  ─────────────────────
a\\u{1b}[1m                up            3  http://127.0.0.1:3001
the second service of t…  up            3  http://127.0.0.1:3002
    it does not answer",
            ),
            (
                50,
                "\
NAME                  STATE  URL
────────────────────  ─────  ─────────────────────
a\\u{1b}[1m            up     http://127.0.0.1:3001
the second service …  up     http://127.0.0.1:3002
    it does not answer",
            ),
            (
                20,
                "\
NAME
────────────────────
a\\u{1b}[1m
the second service …
    it does not
    answer",
            ),
        ] {
            assert_eq!(services().draw(Some(most)), expected, "{most}");
        }
    }
}
