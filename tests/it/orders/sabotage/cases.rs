//! What is changed, and by what it is found: the statements in the files beside this one.

use std::collections::BTreeSet;

use ordersys_contract::Role;

/// The statements by service.
const FILES: [(Role, &str); 3] = [
    (Role::User, include_str!("user.sql")),
    (Role::Product, include_str!("product.sql")),
    (Role::Order, include_str!("order.sql")),
];

/// Something that is changed in a store.
pub(super) struct Case {
    /// Whose store.
    pub(super) of: Role,
    /// What happens.
    pub(super) what: &'static str,
    /// How, with the names of rows in braces; or `rm` and a file beside the store.
    pub(super) sql: &'static str,
    /// The columns that are changed, as `order.placed.total`; none if rows are deleted.
    pub(super) columns: BTreeSet<String>,
    /// What `check` says.
    pub(super) found: Found,
}

/// What `check` says of a case.
pub(super) enum Found {
    /// This invariant does not hold, and its witness names this row.
    Named {
        /// The invariant's id.
        by: &'static str,
        /// The row's name among the rows of the test, or what its witness says.
        row: &'static str,
    },
    /// The service cannot read it: `check` fails and names the service.
    Unreadable,
    /// The service does not start, and says this.
    Refused(&'static str),
    /// Nothing inside the system tells, for this reason.
    Unknowable(&'static str),
    /// The service puts it right by itself soon after its start, for this reason.
    Mended(&'static str),
}

/// Every way to change a store that this test knows.
pub(super) fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for (of, text) in FILES {
        let blocks = text.split("\n-- ").skip(1);
        all.extend(blocks.map(|block| case(of, block)));
    }
    all
}

/// Reads `what happens | columns | found`, and the statement below.
fn case(of: Role, block: &'static str) -> Case {
    let (head, sql) = block.split_once('\n').expect("a statement");
    let parts: Vec<_> = head.split('|').map(str::trim).collect();
    let [what, columns, found] = parts[..] else { panic!("three parts: {head}") };
    let found = match found.split_once(' ') {
        None if found == "unreadable" => Found::Unreadable,
        Some(("refused:", said)) => Found::Refused(said),
        Some(("unknowable:", why)) => Found::Unknowable(why),
        Some(("mended:", why)) => Found::Mended(why),
        Some((by, row)) => Found::Named { by, row },
        None => panic!("an invariant and a row: {head}"),
    };
    let columns = columns.split_whitespace().map(|column| format!("{}.{column}", of.name())).collect();
    Case { of, what, sql: sql.trim().trim_end_matches(';'), columns, found }
}
