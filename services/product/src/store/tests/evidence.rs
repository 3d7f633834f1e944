//! What checks from outside read of the stock.

use super::*;

cases!(accounts_stand_beside_their_lines, reservations_go_on_where_they_ended, sums_are_of_all_products);

/// Two products, of which units are held, sold, released and refused.
async fn traded(tables: &Tables) -> [ProductId; 2] {
    let [book, other] = [stored(tables, "book", 20).await, stored(tables, "other", 10).await];
    for (lines, commit) in [
        (vec![line(book, 1), line(other, 2)], false),
        (vec![line(book, 3), line(book, 1)], true),
        (vec![line(other, 11)], true),
    ] {
        apply(tables, OrderId::now(), reserve(lines, commit)).await;
    }
    let released = OrderId::now();
    apply(tables, released, reserve(vec![line(book, 7)], true)).await;
    apply(tables, released, Action::Release).await;
    tables.hold(OrderId::now(), other, units(4)).await.expect("is done");
    [book, other]
}

async fn accounts_stand_beside_their_lines(tables: &Tables) {
    let [book, other] = traded(tables).await;
    let evidence: Vec<StockEvidence> = all(|page, add| tables.evidence(None, page, add)).await;
    let told: Vec<_> = evidence
        .iter()
        .map(|one| {
            let StockAccount { product_id, available, reserved, sold, .. } = one.account;
            (product_id, [available, reserved, sold], [one.held_lines, one.committed_lines])
        })
        .collect();
    assert_eq!(told, [(book, [15, 1, 4], [1, 4]), (other, [4, 6, 0], [6, 0])]);
    let accounts: Vec<StockAccount> = all(|page, add| tables.accounts(None, page, add)).await;
    assert_eq!(accounts, evidence.iter().map(|one| one.account.clone()).collect::<Vec<_>>());
    let after: Vec<StockAccount> = all(|page, add| tables.accounts(Some(book), page, add)).await;
    assert_eq!(after, accounts[1..]);
    let none: Vec<StockEvidence> = all(|page, add| tables.evidence(Some(other), page, add)).await;
    assert_eq!(none, []);
}

async fn reservations_go_on_where_they_ended(tables: &Tables) {
    traded(tables).await;
    let page = async |before, limit| -> Vec<ReservationRecord> {
        all(|page, add| tables.reservations(ReservationFilter { before, limit }, page, add)).await
    };
    let everything = page(None, 9).await;
    assert_eq!(everything.len(), 5);
    assert!(everything.is_sorted_by(|a, b| a.reservation.order_id > b.reservation.order_id));
    let third = everything[2].reservation.order_id;
    assert_eq!(page(Some(third), 9).await, everything[3..]);
    assert_eq!(page(None, 2).await, everything[..2]);
    for record in everything {
        let id = record.reservation.order_id;
        assert_eq!(tables.reservation(id).await.expect("is read"), Some(record));
    }
}

async fn sums_are_of_all_products(tables: &Tables) {
    let none = StockTotals { put_in: 0.0, available: 0.0, reserved: 0.0, sold: 0.0, unbalanced: 0 };
    assert_eq!(tables.stock_totals().await.expect("is read"), none);
    traded(tables).await;
    let sums = StockTotals { put_in: 30.0, available: 19.0, reserved: 7.0, sold: 4.0, unbalanced: 0 };
    assert_eq!(tables.stock_totals().await.expect("is read"), sums);
}
