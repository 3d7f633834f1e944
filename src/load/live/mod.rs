//! What is shown of a run while it goes on: a line of progress, or a view of the whole terminal. Drawn once a
//! second, by a thread that sends nothing, from what the generator's threads hand over anyway.

mod sight;

use super::engine::Second;
use super::profile::{Extent, Profile};
use crate::ui::{Printer, Progress, Screen};
use sight::Sight;

/// What is shown.
#[derive(Debug)]
pub(super) enum Live {
    /// One line.
    Line(Progress, Extent),
    /// Everything.
    Full(Screen, Box<Sight>),
}

impl Live {
    /// Begins to show a run.
    pub(super) fn begin(profile: &Profile, printer: &Printer, screen: Option<Screen>) -> Self {
        if let Some(screen) = screen {
            let sight = Box::new(Sight::new(profile));
            screen.draw(&sight.lines(screen.size().0, None));
            return Self::Full(screen, sight);
        }
        let total = match profile.extent {
            Extent::For(duration) => duration.as_secs(),
            Extent::Count(count) => count,
        };
        let progress = printer.progress(Some(total), "load");
        progress.message("connecting and warming up");
        Self::Line(progress, profile.extent)
    }

    /// Shows one more second.
    pub(super) fn show(&mut self, second: &Second<'_>) {
        match self {
            Self::Line(progress, extent) => line(*extent, second, progress),
            Self::Full(screen, sight) => {
                let width = screen.size().0;
                sight.saw(second.row);
                screen.draw(&sight.lines(width, Some(second)));
            }
        }
    }

    /// Shows nothing any more.
    pub(super) fn end(self) {
        if let Self::Line(progress, _) = self {
            progress.finish();
        }
    }
}

fn line(extent: Extent, second: &Second<'_>, progress: &Progress) {
    let row = second.row;
    match extent {
        Extent::For(_) => progress.set(row.at + 1),
        Extent::Count(_) => progress.add(row.done),
    }
    progress.message(format!(
        "asked {}/s, sent {}/s, done {}/s, backlog {}, p50 {:.1} ms, p99 {:.1} ms, not ok {}/s",
        row.planned, row.sent, row.done, row.backlog, row.p50, row.p99, row.not_ok
    ));
}
