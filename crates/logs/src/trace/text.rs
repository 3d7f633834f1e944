//! How a trace looks to a person.

use std::fmt;

use ordersys_command::printable;

use crate::trace::tree::{Kind, Root, Step, Trace};

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for order in &self.orders {
            writeln!(f, "order {}", printable(order))?;
        }
        writeln!(f, "began {:.3}", self.began)?;
        for root in &self.roots {
            writeln!(f)?;
            root_line(f, root)?;
            for (number, step) in root.steps.iter().enumerate() {
                let branch = if number + 1 == root.steps.len() { "└─" } else { "├─" };
                step_line(f, branch, step)?;
            }
        }
        if !self.gaps.is_empty() {
            writeln!(f)?;
        }
        for gap in &self.gaps {
            writeln!(f, "not seen: {}", printable(gap))?;
        }
        Ok(())
    }
}

fn root_line(f: &mut fmt::Formatter<'_>, root: &Root) -> fmt::Result {
    write!(f, "{:>11.1} ms  {:8} {}", root.start_ms, printable(&root.service), printable(&root.name))?;
    if let Some(status) = root.status {
        write!(f, " -> {status}")?;
    }
    if let Some(took) = root.duration_ms {
        write!(f, ", {took:.1} ms")?;
    }
    let id = root.request_id.as_deref().unwrap_or("unknown");
    match root.kind {
        Kind::Recovery => writeln!(f, "  [after a crash, request {}]", printable(id)),
        Kind::Request | Kind::Unanswered => writeln!(f, "  [request {}]", printable(id)),
    }
}

fn step_line(f: &mut fmt::Formatter<'_>, branch: &str, step: &Step) -> fmt::Result {
    write!(f, "{branch}{:>9.1} ms  {:8} {}", step.start_ms, printable(&step.service), printable(&step.name))?;
    if let Some(took) = step.duration_ms {
        write!(f, ", {took:.1} ms")?;
    }
    if let Some(batch) = step.batch.filter(|batch| *batch > 1) {
        write!(f, " for {batch} at once")?;
    }
    writeln!(f, "{}", if step.repeated { "  (again)" } else { "" })
}
