//! A drawing with axes, in SVG: the frame that all charts share.

use std::fmt::{Display, Write as _};

use crate::html::escape;
use crate::html::scale::{Scale, label};

/// Size of a drawing, in its own units; the page scales it to its width.
pub(super) const WIDTH: f64 = 960.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 40.0;
/// Labels along the upright axis.
const TICKS: u32 = 5;

/// A drawing under construction.
#[derive(Debug)]
pub(super) struct Chart {
    opening: String,
    body: String,
    readings: Vec<(f64, String)>,
    height: f64,
    /// Left to right.
    pub(super) x: Scale,
    /// Bottom to top.
    pub(super) y: Scale,
}

/// What a drawing shows and how large its values are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a, V> {
    /// Names it for the page and for those who cannot see it.
    pub(super) id: &'a str,
    /// What is drawn.
    pub(super) title: &'a str,
    /// Unit along the upright axis.
    pub(super) unit: &'a str,
    /// Values from left to right.
    pub(super) x: (f64, f64),
    /// What has to have its place upwards.
    pub(super) values: V,
    /// Height in units of the drawing.
    pub(super) height: f64,
}

impl Chart {
    /// A drawing with an upright axis and its grid.
    pub(super) fn new<V: Iterator<Item = f64>>(frame: Frame<'_, V>) -> Self {
        let Frame { id, title, unit, height, .. } = frame;
        let x = Scale::new(frame.x, (LEFT, WIDTH - RIGHT));
        let y = Scale::fitting(frame.values, (height - BOTTOM, TOP));
        let opening = format!(
            r#"<svg id="{id}" class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}""#
        );
        let mut chart = Self { opening, body: String::new(), readings: Vec::new(), height, x, y };
        chart.add(format_args!(r#"<text class="unit" x="{LEFT}" y="16">{unit}</text>"#));
        for tick in y.ticks(TICKS) {
            let at = y.at(tick);
            chart.add(format_args!(
                r#"<path class="grid" d="M{LEFT} {at:.1}H{:.1}"/><text class="tick" x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
                WIDTH - RIGHT,
                LEFT - 8.0,
                at + 4.0,
                label(tick)
            ));
        }
        chart
    }

    /// Adds SVG.
    pub(super) fn add(&mut self, svg: impl Display) {
        let _ = write!(self.body, "{svg}"); // writing to a String cannot fail
    }

    /// The upper and lower end of the area that is drawn into.
    pub(super) fn area(&self) -> (f64, f64) {
        (TOP, self.height - BOTTOM)
    }

    /// A labelled value of the lower axis.
    pub(super) fn tick(&mut self, value: f64, label: &str) {
        let (at, (top, bottom)) = (self.x.at(value), self.area());
        self.add(format_args!(
            r#"<path class="grid" d="M{at:.1} {top}V{bottom}"/><text class="tick" x="{at:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
            bottom + 18.0,
            escape(label)
        ));
    }

    /// What the lower axis shows.
    pub(super) fn caption(&mut self, text: &str) {
        let (x, y) = (f64::midpoint(LEFT, WIDTH - RIGHT), self.height - 5.0);
        self.add(format_args!(
            r#"<text class="unit" x="{x:.1}" y="{y:.1}" text-anchor="middle">{}</text>"#,
            escape(text)
        ));
    }

    /// A line through points; where one is missing the line is broken.
    pub(super) fn line(&mut self, class: &str, points: &[Option<(f64, f64)>]) {
        let mut path = String::new();
        let mut broken = true;
        for point in points {
            if let Some((x, y)) = point {
                let command = if broken { 'M' } else { 'L' };
                let _ = write!(path, "{command}{:.1} {:.1}", self.x.at(*x), self.y.at(*y));
            }
            broken = point.is_none();
        }
        self.add(format_args!(r#"<path class="curve {class}" d="{path}"/>"#));
    }

    /// A limit: a dashed line across, with its name.
    pub(super) fn limit(&mut self, value: f64, name: &str) {
        let (at, right) = (self.y.at(value), WIDTH - RIGHT);
        self.add(format_args!(
            r#"<path class="limit" d="M{LEFT} {at:.1}H{right:.1}"/><text class="limit" x="{right:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
            at - 4.0,
            escape(name)
        ));
    }

    /// What is said while the pointer is near a value of the lower axis.
    pub(super) fn reading(&mut self, value: f64, text: String) {
        self.readings.push((self.x.at(value).round(), text));
    }

    /// The finished drawing.
    pub(super) fn finish(self) -> String {
        let readings = serde_json::to_string(&self.readings).unwrap_or_default();
        format!(r#"{} data-points="{}">{}</svg>"#, self.opening, escape(&readings), self.body)
    }
}

/// The names of curves in their colours.
pub(super) fn legend(entries: &[(&str, &str)]) -> String {
    let entry =
        |(class, name): &(&str, &str)| format!(r#"<span class="key {class}"><i></i>{}</span>"#, escape(name));
    format!(r#"<p class="legend">{}</p>"#, entries.iter().map(entry).collect::<String>())
}
