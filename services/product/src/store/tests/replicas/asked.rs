//! What replicas are asked for, at random.

use ordersys_contract::Id;
use proptest::prelude::*;

use crate::store::tests::*;

pub(super) const STOCK: u64 = 6;
/// Products there are; one more is asked for.
pub(super) const PRODUCTS: usize = 3;
const ORDERS: usize = 5;

/// One thing that happens.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    Reserve { order: usize, lines: Vec<(usize, u64)>, commit: bool, is_late: bool, lease_ms: u64 },
    Confirm(usize),
    Cancel(usize),
    Release(usize),
}

/// What one replica is asked for.
#[derive(Debug, Clone)]
pub(super) enum Asked {
    Batch(Vec<Happening>),
    EndLeases,
}

fn happening() -> impl Strategy<Value = Happening> {
    let lines = prop::collection::vec((prop_oneof![19 => 0..PRODUCTS, 1 => Just(PRODUCTS)], 1..4_u64), 1..4);
    let reserve =
        (0..ORDERS, lines, any::<bool>(), prop::bool::weighted(0.1), prop_oneof![Just(0), Just(3_600_000)]);
    prop_oneof![
        4 => reserve.prop_map(|(order, lines, commit, is_late, lease_ms)| {
            Happening::Reserve { order, lines, commit, is_late, lease_ms }
        }),
        1 => (0..ORDERS).prop_map(Happening::Confirm),
        1 => (0..ORDERS).prop_map(Happening::Cancel),
        1 => (0..ORDERS).prop_map(Happening::Release),
    ]
}

/// What each of two replicas is asked for, one thing after the other.
pub(super) fn rounds() -> impl Strategy<Value = Vec<[Asked; 2]>> {
    let asked = || {
        prop_oneof![
            6 => prop::collection::vec(happening(), 1..6).prop_map(Asked::Batch),
            1 => Just(Asked::EndLeases),
        ]
    };
    prop::collection::vec([asked(), asked()], 1..6)
}

/// The ids of one case.
#[derive(Debug)]
pub(super) struct Ids {
    pub(super) products: Vec<ProductId>,
    pub(super) orders: Vec<OrderId>,
}

impl Ids {
    pub(super) fn made() -> Self {
        let products = (0..=PRODUCTS).map(|_| Id::now()).collect();
        Self { products, orders: (0..ORDERS).map(|_| Id::now()).collect() }
    }

    pub(super) fn operation(&self, happening: &Happening) -> Operation {
        let (order, action) = match happening {
            Happening::Reserve { order, lines, commit, is_late, lease_ms } => {
                let lines = lines.iter().map(|(product, number)| line(self.products[*product], *number));
                let (commit, lease_ms) = (*commit, *lease_ms);
                let time_left_ms = if *is_late { 0 } else { 60_000 };
                (order, Action::Reserve { lines: lines.collect(), commit, lease_ms, time_left_ms })
            }
            Happening::Confirm(order) => (order, Action::Confirm),
            Happening::Cancel(order) => (order, Action::Cancel),
            Happening::Release(order) => (order, Action::Release),
        };
        operation(self.orders[*order], action)
    }

    pub(super) async fn stored(&self, tables: &Tables) {
        for id in &self.products[..PRODUCTS] {
            tables.insert(Product { id: *id, ..product("book", STOCK) }).await.expect("is stored");
        }
    }
}
