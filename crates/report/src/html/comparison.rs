//! A comparison as one page that needs nothing else.

use crate::comparison::{cells, result, statement};
use crate::html::tables::table;
use crate::html::{document, escape, section};
use ordersys_bench::compare::{Compared, Comparison, Difference};

/// The page.
pub(crate) fn page(comparison: &Comparison) -> String {
    let decision = comparison.decision.words();
    let system = |one: &Difference| format!("<p>{}</p>", escape(&one.to_string()));
    let systems = comparison.systems.iter().map(system).collect::<Vec<_>>().concat();
    let header = format!(
        r#"<header><h1>ordersys bench compare</h1><p class="cause">{}</p><div class="conditions">{systems}</div></header>
"#,
        escape(&statement(comparison))
    );
    let titles =
        ["", "median a", "median b", "shift", "shift %", "95 % interval", "p", "p corrected", "result"];
    let rows = comparison.metrics.iter().map(|one| {
        let mut row = vec![escape(one.metric.title())];
        row.extend(cells(one).iter().map(|cell| escape(cell)));
        row.push(result(one).to_owned());
        row
    });
    let metrics = section("Metrics", &table("numbers", &titles, rows));
    let runs =
        section("Runs", &table("numbers", &["", "side", "values"], comparison.metrics.iter().flat_map(runs)));
    document(&format!("ordersys bench compare: {decision}"), &[header, metrics, runs].concat())
}

/// The values of a metric on both sides, in the order of the runs.
fn runs(one: &Compared) -> [Vec<String>; 2] {
    let row = |side: &str, values: &[f64]| {
        let values: Vec<_> = values.iter().map(|value| format!("{value:.3}")).collect();
        vec![escape(one.metric.title()), side.to_owned(), values.join("  ")]
    };
    let [a, b] = &one.values;
    [row("a", a), row("b", b)]
}
