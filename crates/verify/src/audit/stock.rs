//! I1 and I2: the accounts of a product in one snapshot, so that work in flight is never half seen.

use ordersys_contract::product::{StockAccount, StockEvidence};

use crate::audit::Invariant;
use crate::audit::report::AuditCounts;
use crate::finding::Witness;

pub(crate) fn judge(evidence: &StockEvidence, counts: &mut AuditCounts) {
    let StockEvidence { account, held_lines, committed_lines } = evidence;
    let StockAccount { product_id, initial, restocked, available, reserved, sold } = account;
    let witness = |expected, found| {
        let product_id = Some(product_id.to_string());
        Witness { product_id, expected, found, ..Witness::default() }
    };
    counts.looked_at(Invariant::UnitsAccountedFor);
    if !account.is_balanced() {
        let expected = format!("{initial} + {restocked} units");
        let found = format!("{available} available + {reserved} reserved + {sold} sold");
        counts.add((Invariant::UnitsAccountedFor, witness(expected, found)));
    }
    counts.looked_at(Invariant::LinesMatchStock);
    if (held_lines, committed_lines) != (reserved, sold) {
        let expected = format!("{held_lines} reserved and {committed_lines} sold, as the reservations say");
        let found = format!("{reserved} reserved and {sold} sold");
        counts.add((Invariant::LinesMatchStock, witness(expected, found)));
    }
}
