//! The ceilings as text.

use crate::draw::table::Table;
use ordersys_bench::calibrate::{Calibration, Ceiling};
use ordersys_command::counted;

/// Both loops, and what follows from them.
#[must_use]
pub fn text(found: &Calibration) -> String {
    let titles =
        ["loop", "requests/s", "p50 ms", "p99 ms", "generator CPU us", "responder CPU us", "verdict"];
    let mut table = Table::new(titles).right(&[1, 2, 3, 4, 5]).states(&[6]).least(&[5, 4, 2]);
    table.row(row("closed", &found.closed));
    if let Some(open) = &found.open {
        table.row(row("open", open));
    }
    let advice = if found.open.is_some() {
        format!("plan at most {:.0} requests/s on this machine", found.safe_rate)
    } else {
        "no rate was kept on plan, so none can be named: stop what else runs, and try again".to_owned()
    };
    format!(
        "{} on {}, {} shared with the responder, {} build\n{table}\n{advice}",
        counted(found.concurrency, "connection"),
        counted(found.threads, "thread"),
        counted(found.cores, "core"),
        found.build
    )
}

fn row(name: &str, ceiling: &Ceiling) -> [String; 7] {
    let micros = |cpu: Option<f64>| cpu.map(|cpu| format!("{cpu:.1}")).unwrap_or_default();
    [
        name.to_owned(),
        format!("{:.0}", ceiling.throughput),
        format!("{:.3}", ceiling.p50),
        format!("{:.3}", ceiling.p99),
        micros(ceiling.client_cpu),
        micros(ceiling.responder_cpu),
        ceiling.verdict.word().to_owned(),
    ]
}
