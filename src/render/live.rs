//! What is shown of a run while it goes on: a line of progress, or a view of the whole terminal. Drawn once a
//! second, by a thread that sends nothing, from what the generator's threads hand over anyway.

use crate::render::{Printer, Progress, Screen, stops};
use ordersys_bench::profile::Profile;
use ordersys_bench::result::report::Report;
use ordersys_bench::run::Viewer;
use ordersys_bench::settings::Environment;
use ordersys_command::Outcome;
use ordersys_contract::Client;
use ordersys_loadgen::engine::Second;
use ordersys_report::live::View;
use ordersys_workload::model::StopCondition;
use std::io;
use tokio::sync::mpsc::UnboundedReceiver;

/// Runs a profile, shown as the printer's user wants it.
pub async fn run(
    profile: &Profile,
    client: &Client,
    environment: &Environment,
    printer: &Printer,
) -> Outcome<Report> {
    let mut live = Live { printer, shown: Shown::Nothing };
    ordersys_bench::run(profile, client, environment, &printer.events(), &mut live).await
}

/// Shows runs.
#[derive(Debug)]
pub(crate) struct Live<'a> {
    printer: &'a Printer,
    shown: Shown,
}

impl<'a> Live<'a> {
    pub(crate) fn new(printer: &'a Printer) -> Self {
        Self { printer, shown: Shown::Nothing }
    }
}

#[derive(Debug)]
enum Shown {
    Nothing,
    /// One line.
    Line(Progress, StopCondition),
    /// Everything.
    Full(Screen, Box<View>),
}

impl Viewer for Live<'_> {
    fn begin(&mut self, profile: &Profile) -> io::Result<Option<UnboundedReceiver<()>>> {
        if let Some(screen) = self.printer.screen()? {
            let view = Box::new(View::new(profile));
            screen.draw(&view.lines(screen.size(), None));
            self.shown = Shown::Full(screen, view);
            return Ok(Some(stops()));
        }
        let total = match profile.stop_condition {
            StopCondition::For(duration) => duration.as_secs(),
            StopCondition::Count(count) => count,
        };
        let progress = self.printer.progress(Some(total), "load");
        progress.message("connecting and warming up");
        self.shown = Shown::Line(progress, profile.stop_condition);
        Ok(None)
    }

    fn second(&mut self, second: &Second<'_>) {
        match &mut self.shown {
            Shown::Nothing => {}
            Shown::Line(progress, stop_condition) => line(*stop_condition, second, progress),
            Shown::Full(screen, view) => {
                view.saw(second.row);
                screen.draw(&view.lines(screen.size(), Some(second)));
            }
        }
    }

    fn end(&mut self) {
        if let Shown::Line(progress, _) = std::mem::replace(&mut self.shown, Shown::Nothing) {
            progress.finish();
        }
    }
}

fn line(stop_condition: StopCondition, second: &Second<'_>, progress: &Progress) {
    let row = second.row;
    match stop_condition {
        StopCondition::For(_) => progress.set(row.at + 1),
        StopCondition::Count(_) => progress.add(row.done),
    }
    progress.parts(&[
        format!("done {}/s", row.done),
        format!("p99 {:.1} ms", row.p99),
        format!("p50 {:.1} ms", row.p50),
        format!("not ok {}/s", row.not_ok),
        format!("backlog {}", row.backlog),
        format!("asked {}/s", row.planned),
        format!("sent {}/s", row.sent),
    ]);
}
