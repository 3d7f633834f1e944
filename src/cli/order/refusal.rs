//! Why an order was refused or a command for it failed, in the words of the user who gave it.

use ordersys_contract::{ClientError, Code, IdempotencyKey, OrderId};

use crate::cli::client_failure;
use ordersys_command::Failure;
use ordersys_stack::model::project::quoted;

/// Why nothing came of a command for one order, with where to look.
pub(super) fn failed(error: ClientError, order: OrderId) -> Failure {
    let hint = match error.problem().map(|problem| problem.code) {
        Some(Code::NotFound) => {
            Some(format!("no order that you may read has the id {order}: `ordersys order list`"))
        }
        Some(Code::IllegalTransition) => Some(format!("what became of it: `ordersys order events {order}`")),
        _ => None,
    };
    let failure = client_failure(error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Lists what is short, by the names it was asked for with; names the key where the outcome is unknown.
pub(super) fn refused(
    error: ClientError,
    key: Option<&IdempotencyKey>,
    named: impl Fn(&str) -> String,
) -> Failure {
    let unknown = error.problem().is_none();
    let shortages = error.problem().and_then(|problem| problem.members.get("shortages").cloned());
    let failure = client_failure(error);
    match (shortages, key) {
        (Some(shortages), _) => {
            let shortages = shortages.as_array().into_iter().flatten();
            let (shortages, restocking): (Vec<_>, Vec<_>) =
                shortages.map(|short| (shortage(short, &named), restock(short, &named))).unzip();
            let short = shortages.join("; ");
            failure.hint(format!("{short}; order less, or {}", restocking.join(" and ")))
        }
        (None, Some(key)) if unknown => failure.hint(format!(
            "whether the order was placed is not known: repeat the command with `--key {}`, that never makes a second order",
            key.as_str()
        )),
        _ => failure,
    }
}

/// The command that makes up for a shortage.
fn restock(value: &serde_json::Value, named: impl Fn(&str) -> String) -> String {
    let number = |name: &str| value[name].as_u64().unwrap_or(0);
    let product = quoted(&named(value["productId"].as_str().unwrap_or("?")));
    let missing = number("requested").saturating_sub(number("available"));
    format!("`ordersys product restock {product} {missing}`")
}

fn shortage(value: &serde_json::Value, named: impl Fn(&str) -> String) -> String {
    let number = |name: &str| value[name].as_u64().unwrap_or(0);
    let product = named(value["productId"].as_str().unwrap_or("?"));
    format!("{} of \"{product}\" asked for, {} there", number("requested"), number("available"))
}
