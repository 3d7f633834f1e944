//! A stored result as one page that needs nothing else: drawings in SVG, readable without scripts, in light
//! and dark and on paper. Pure: a result in, text out.

mod chart;
mod comparison;
mod percentiles;
mod scale;
mod tables;
mod timeline;

use crate::bench;
use ordersys_bench::result::RunResult;
use ordersys_bench::verdict::Grade;
use ordersys_command::printable_lines;

pub(crate) use crate::html::comparison::page as comparison;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page.
pub(crate) fn page(result: &RunResult) -> String {
    let body = [
        header(result),
        section("Response time by percentile", &percentiles(result)),
        endpoints(result),
        section("Throughput", &timeline::throughput(result)),
        timeline::errors(result).map_or_else(String::new, |chart| section("Errors", &chart)),
        section("Response time", &timeline::latency(result)),
        if result.marks.is_empty() { String::new() } else { section("Faults", &tables::marks(result)) },
        section("Verification", &tables::verification(result)),
        section("Figures, times in milliseconds", &tables::figures(result)),
        section("Outcomes", &tables::outcomes(result)),
        section("Conditions", &tables::settings(result)),
    ];
    document(&format!("ordersys bench: {}", result.core.verdict.word()), &body.concat())
}

/// A page with its own style and script.
fn document(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>{}</title>\n<style>\n{STYLE}</style></head>\n\
         <body><main>{body}</main>\n<script>\n{SCRIPT}</script></body></html>\n",
        escape(title)
    )
}

fn section(title: &str, content: &str) -> String {
    format!("<section><h2>{}</h2>{content}</section>\n", escape(title))
}

fn header(result: &RunResult) -> String {
    let core = &result.core;
    let cause = core.cause.as_deref().unwrap_or(match core.verdict {
        Grade::Valid => "The numbers describe the system.",
        Grade::Saturated | Grade::Suspect | Grade::Invalid | Grade::Failed => "",
    });
    let cut = if result.interrupted { "Interrupted: all of this is of the part before. " } else { "" };
    let started = format!("<p><code>{}</code></p>", escape(&bench::started(core)));
    let conditions = core.settings.lines().map(|line| format!("<p>{}</p>", escape(&line))).concat();
    let good = core.still_good.as_ref().map(|good| format!("<p>Still good: {}</p>", escape(good)));
    let good = good.unwrap_or_default();
    let missed = result
        .missed_objectives
        .iter()
        .map(|missed| format!(r#"<p class="missed">Objective {}</p>"#, escape(&missed.to_string())))
        .collect::<Vec<_>>()
        .concat();
    let class = core.verdict.word().to_lowercase();
    format!(
        r#"<header><h1>ordersys bench <span class="verdict {class}">{}</span></h1><p class="cause">{cut}{}</p>{good}{missed}<div class="tiles">{}</div><div class="conditions">{started}{conditions}</div></header>
"#,
        core.verdict.word(),
        escape(cause),
        tiles(result)
    )
}

fn tiles(result: &RunResult) -> String {
    let measures = &result.core.measures;
    let response = &measures.latency.response;
    let tiles = [
        ("right answers per second", format!("{:.1}", measures.totals.throughput)),
        ("mean", time(response.mean)),
        ("p50", time(response.p50)),
        ("p95", time(response.p95)),
        ("p99", time(response.p99)),
        ("p99.9", time(response.p999)),
        ("longest", time(response.max)),
        ("checks", bench::checks(result)),
    ];
    let tile = |(name, value): &(&str, String)| {
        format!("<div><strong>{}</strong><span>{}</span></div>", escape(value), escape(name))
    };
    tiles.iter().map(tile).collect()
}

/// A time in its own unit, so that it fits a tile.
fn time(millis: f64) -> String {
    if millis < 1000.0 { format!("{} ms", bench::millis(millis)) } else { format!("{:.2} s", millis / 1e3) }
}

/// The four times of all requests; in a closed loop but one of them is a line along the axis.
fn percentiles(result: &RunResult) -> String {
    let of_all = result.curves.iter().filter(|curve| curve.endpoint.is_none());
    let open = result.core.settings.is_open();
    let curves: Vec<_> =
        of_all.filter(|curve| open || matches!(curve.name.as_str(), "response" | "refusals")).collect();
    percentiles::plot("percentiles", "Response time by percentile", &curves)
}

fn endpoints(result: &RunResult) -> String {
    let curves: Vec<_> = result.curves.iter().filter(|curve| curve.endpoint.is_some()).collect();
    if curves.len() < 2 {
        return String::new();
    }
    let title = "Response time by percentile and endpoint";
    section(title, &percentiles::plot("endpoints", title, &curves))
}

/// Text as HTML: what a system answered must not become part of the page.
fn escape(text: &str) -> String {
    let text = printable_lines(text);
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use crate::html::escape;

    #[test]
    fn what_a_system_answered_stays_text() {
        assert_eq!(escape("<script>\"&'"), "&lt;script&gt;&quot;&amp;&#39;");
        assert_eq!(escape("\u{202e}a\u{1b}\u{9b}"), "\\u{202e}a\\u{1b}\\u{9b}");
    }
}
