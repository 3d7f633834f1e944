//! What happened when: throughput and latency over time, with stages and what was done to the system.

use crate::html::chart::{Chart, Frame, legend};
use crate::html::escape;
use crate::html::scale::label;
use ordersys_bench::faults::annotation::Annotation;
use ordersys_bench::result::RunResult;
use ordersys_loadgen::measure::series::Row;

/// Height of a drawing.
const HEIGHT: f64 = 270.0;
/// Labels along the time.
const TICKS: u32 = 10;
/// A last row shorter than this part of a whole one says nothing.
const SHORTEST: f64 = 0.25;
/// The unit of times.
const MILLIS: &str = "milliseconds";
/// Room a letter of a label takes.
const LETTER: f64 = 6.6;

/// One row with the time it stands for.
struct Step<'a> {
    row: &'a Row,
    middle: f64,
    width: f64,
}

impl Step<'_> {
    #[expect(clippy::cast_precision_loss, reason = "requests of some seconds")]
    fn rate(&self, count: u64) -> (f64, f64) {
        (self.middle, count as f64 / self.width)
    }
}

/// Which requests of a row are counted.
type Count = fn(&Row) -> u64;

/// Requests per second over time.
pub(super) fn throughput(result: &RunResult) -> String {
    let steps = steps(result);
    let asked: (&str, &str, Count) = ("c3 dashed", "asked for", |row| row.planned);
    let answered: (&str, &str, Count) = ("c0", "answered well", |row| row.ok);
    // A closed loop asks for what it sends.
    let curves = if result.core.settings.is_open() { &[asked, answered][..] } else { &[answered] };
    let subject =
        Subject { id: "throughput", title: "Requests per second over time", unit: "requests per second" };
    draw(result, subject, &counted(&steps, curves))
}

/// Requests per second that were not answered as they should be; nothing if all were.
pub(super) fn errors(result: &RunResult) -> Option<String> {
    let steps = steps(result);
    if steps.iter().all(|step| step.row.not_ok == 0) {
        return None;
    }
    let curves: [(&str, &str, Count); 1] = [("c4", "refused, failed or timed out", |row| row.not_ok)];
    let subject = Subject { id: "errors", title: "Errors per second over time", unit: "requests per second" };
    Some(draw(result, subject, &counted(&steps, &curves)))
}

/// A line for each way to count.
fn counted<'a>(steps: &[Step<'_>], curves: &[(&'a str, &'a str, Count)]) -> Vec<Line<'a>> {
    let line = |count: Count| steps.iter().map(|step| Some(step.rate(count(step.row)))).collect::<Vec<_>>();
    curves.iter().map(|(class, name, count)| (*class, *name, line(*count))).collect()
}

/// Response times over time.
pub(super) fn latency(result: &RunResult) -> String {
    let steps = steps(result);
    let line = |millis: fn(&Row) -> f64| {
        // A second without an answer has no response time: a gap, not a zero.
        let point = |step: &Step<'_>| (millis(step.row) > 0.0).then(|| (step.middle, millis(step.row)));
        steps.iter().map(point).collect::<Vec<_>>()
    };
    let lines = [("c0", "p50", line(|row| row.p50)), ("c1", "p99", line(|row| row.p99))];
    draw(result, Subject { id: "latency", title: "Response time over time", unit: MILLIS }, &lines)
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a run")]
fn steps<'a>(result: &'a RunResult) -> Vec<Step<'a>> {
    let whole = result.series.seconds_per_row() as f64;
    let step = |row: &'a Row| {
        let Row { at, .. } = row;
        let start = *at as f64;
        let width = whole.min(result.elapsed_seconds - start);
        (width >= whole * SHORTEST).then_some(Step { row, middle: start + width / 2.0, width })
    };
    result.series.rows().iter().filter_map(step).collect()
}

type Line<'a> = (&'a str, &'a str, Vec<Option<(f64, f64)>>);

/// What is drawn over time.
struct Subject {
    /// Names the drawing for the page.
    id: &'static str,
    title: &'static str,
    /// Unit along the upright axis.
    unit: &'static str,
}

fn draw(result: &RunResult, Subject { id, title, unit }: Subject, lines: &[Line<'_>]) -> String {
    let points = lines.iter().flat_map(|(_, _, points)| points.iter().flatten().map(|(_, value)| *value));
    // A rate may be 0 and its scale begins there; times may lie far apart.
    let (values, limits) = if unit == MILLIS {
        let limits = result.core.settings.time_limits();
        (points.chain(limits.iter().map(|(_, limit)| *limit)).collect(), limits)
    } else {
        (vec![points.fold(0.0, f64::max)], Vec::new())
    };
    let values = values.into_iter();
    let end = result.elapsed_seconds.max(1e-3);
    let mut chart = Chart::new(Frame { id, title, unit, x: (0.0, end), values, height: HEIGHT });
    stages(&mut chart, result);
    for tick in chart.x.ticks(TICKS) {
        chart.tick(tick, &label(tick));
    }
    chart.caption("seconds after the warm-up");
    for (name, limit) in &limits {
        chart.limit(*limit, name);
    }
    for (class, _, points) in lines {
        chart.line(class, points);
        points_alone(&mut chart, class, points);
    }
    read(&mut chart, lines);
    result.marks.iter().for_each(|mark| draw_mark(&mut chart, mark, end));
    let names: Vec<_> = lines.iter().map(|(class, name, _)| (*class, *name)).collect();
    format!("{}{}", legend(&names), chart.finish())
}

/// The values of all lines at each time.
fn read(chart: &mut Chart, lines: &[Line<'_>]) {
    let times = lines.first().map_or(0, |(_, _, points)| points.len());
    for index in 0..times {
        let at = |points: &Vec<Option<(f64, f64)>>| points.get(index).copied().flatten();
        let Some((x, _)) = lines.iter().find_map(|(_, _, points)| at(points)) else { continue };
        let value = |line: &Line<'_>| at(&line.2).map(|(_, value)| format!("{} {}", line.1, label(value)));
        let values: Vec<_> = lines.iter().filter_map(value).collect();
        chart.reading(x, format!("{} s: {}", label(x.floor()), values.join(", ")));
    }
}

/// A point without neighbours has no line: it gets a dot.
fn points_alone(chart: &mut Chart, class: &str, points: &[Option<(f64, f64)>]) {
    let there = |index: Option<usize>| index.and_then(|index| points.get(index)).is_some_and(Option::is_some);
    for (index, point) in points.iter().enumerate() {
        if let Some((x, y)) = point.filter(|_| !there(index.checked_sub(1)) && !there(Some(index + 1))) {
            let (x, y) = (chart.x.at(x), chart.y.at(y));
            chart.add(format_args!(r#"<circle class="dot {class}" cx="{x:.1}" cy="{y:.1}" r="2.5"/>"#));
        }
    }
}

fn stages(chart: &mut Chart, result: &RunResult) {
    if result.core.stages.len() < 2 {
        return;
    }
    let (top, bottom) = chart.area();
    for (index, stage) in result.core.stages.iter().enumerate() {
        let from = chart.x.at(stage.start_seconds);
        let width = chart.x.at(stage.start_seconds + stage.seconds) - from;
        let shade = if index % 2 == 0 { "stage even" } else { "stage odd" };
        chart.add(format_args!(
            r#"<rect class="{shade}" x="{from:.1}" y="{top}" width="{width:.1}" height="{:.1}"/>"#,
            bottom - top
        ));
        let name = stage.rate.clone().unwrap_or_else(|| format!("stage {}", index + 1));
        if letters(&name) < width {
            chart.add(format_args!(
                r#"<text class="stage-name" x="{:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
                from + width / 2.0,
                top - 4.0,
                escape(&name)
            ));
        }
    }
}

/// A line where something was done, a band until it was taken back and the system had recovered.
fn draw_mark(chart: &mut Chart, mark: &Annotation, end: f64) {
    let (top, bottom) = chart.area();
    let from = chart.x.at(mark.at_seconds.clamp(0.0, end));
    let recovered = mark.recovery_seconds.map(|seconds| mark.at_seconds + seconds);
    let until = [mark.until_seconds, recovered].into_iter().flatten().fold(mark.at_seconds, f64::max);
    let width = chart.x.at(until.min(end)) - from;
    let fits = from + letters(&mark.what) <= chart.x.at(end);
    let (x, anchor) = if fits { (from + 4.0, "start") } else { (from - 4.0, "end") };
    chart.add(format_args!(
        r#"<g class="mark"><title>{}: {}</title><rect x="{from:.1}" y="{top}" width="{:.1}" height="{:.1}"/><path d="M{from:.1} {top}V{bottom}"/><text x="{x:.1}" y="{:.1}" text-anchor="{anchor}">{}</text></g>"#,
        escape(&mark.what),
        escape(&mark.outcome()),
        width.max(0.0),
        bottom - top,
        top + 12.0,
        escape(&mark.what)
    ));
}

#[expect(clippy::cast_precision_loss, reason = "letters of a label")]
fn letters(text: &str) -> f64 {
    text.chars().count() as f64 * LETTER
}
