//! The percentile plot on the usual logarithmic scale: how long the slowest requests took.

use crate::html::chart::{Chart, Frame, legend};
use crate::html::scale::nines;
use ordersys_bench::result::Curve;

/// Height of the drawing.
const HEIGHT: f64 = 380.0;
/// The shown part reaches at least to 99 % and at most to 99.99999 %.
const NINES: (f64, f64) = (2.0, 7.0);
/// Colours there are.
const COLOURS: usize = 6;

/// The plot of these curves, in this order.
pub(super) fn plot(id: &str, title: &str, curves: &[&Curve]) -> String {
    let drawn: Vec<_> = curves.iter().filter(|curve| !curve.points.is_empty()).collect();
    if drawn.is_empty() {
        return "<p>Nothing was measured.</p>".to_owned();
    }
    let points = || drawn.iter().flat_map(|curve| &curve.points);
    let last = points().filter(|point| point.percentile < 100.0).map(|point| nines(point.percentile));
    let right = last.fold(NINES.0, f64::max).min(NINES.1);
    let values = points().map(|point| point.millis);
    let frame = Frame { id, title, unit: "milliseconds", x: (0.0, right), values, height: HEIGHT };
    let mut chart = Chart::new(frame);
    for (percentile, label) in TICKS {
        if nines(percentile) <= right + 1e-6 {
            chart.tick(nines(percentile), label);
        }
    }
    chart.caption("percentile of requests");
    for point in &drawn[0].points {
        let text = format!("{:.4} %: {} {:.3} ms", point.percentile, drawn[0].name, point.millis);
        chart.reading(nines(point.percentile).min(right), text);
    }
    let classes: Vec<_> = (0..drawn.len()).map(|index| format!("c{}", index % COLOURS)).collect();
    for (curve, class) in drawn.iter().zip(&classes) {
        draw(&mut chart, curve, class, right);
    }
    let labels: Vec<_> = drawn.iter().map(|curve| curve.label()).collect();
    let names: Vec<_> =
        classes.iter().zip(&labels).map(|(class, label)| (class.as_str(), label.as_str())).collect();
    format!("{}{}", legend(&names), chart.finish())
}

/// Percentiles that have a label.
const TICKS: [(f64, &str); 9] = [
    (0.0, "0 %"),
    (50.0, "50 %"),
    (90.0, "90 %"),
    (99.0, "99 %"),
    (99.9, "99.9 %"),
    (99.99, "99.99 %"),
    (99.999, "99.999 %"),
    (99.9999, "99.9999 %"),
    (99.99999, "99.99999 %"),
];

/// Dashed from where the true times may be longer.
fn draw(chart: &mut Chart, curve: &Curve, class: &str, right: f64) {
    let places: Vec<_> =
        curve.points.iter().map(|point| (nines(point.percentile).min(right), point.millis)).collect();
    let open = curve.points.iter().take_while(|point| point.count <= curve.certain).count();
    let some = |points: &[(f64, f64)]| points.iter().copied().map(Some).collect::<Vec<_>>();
    chart.line(class, &some(&places[..open]));
    if open < places.len() {
        chart.line(&format!("{class} dashed"), &some(&places[open.saturating_sub(1)..]));
    }
}
