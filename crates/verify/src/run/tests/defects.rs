//! What can go wrong with a system, one thing at a time.

use crate::finding::Witness;
use crate::run::expectations::Resolution;
use crate::run::tests::{World, order};
use crate::system::wire;
use ordersys_workload::amount::Amount;
use ordersys_workload::evidence::ledger::{OrderRef, Refusal, Told};
use ordersys_workload::model::CountRange;
use ordersys_workload::plan::{Plan, Product, Shape};

/// What goes wrong, how, and which checks must fail.
pub(crate) type Defect = (&'static str, fn(&mut World), &'static str);

pub(crate) const DEFECTS: &[Defect] = &[
    ("nothing", |_| {}, ""),
    ("an acknowledged order is lost", |world| drop(world.stored.remove(7)), "V4"),
    ("stock is taken twice for one order", |world| world.take(7, 1), "V1"),
    ("stock is not taken for one order", |world| world.take(7, -1), "V1"),
    (
        "more is sold than was there",
        |world| {
            let products =
                world.plan.products().iter().map(|product| Product::new(&product.id, product.price, 1));
            let users: Vec<_> = world.plan.users().map(str::to_owned).collect();
            let span = CountRange::new(1, 3).expect("a range");
            world.plan = Plan::new(
                Shape { lines: span, quantity: span, ..Shape::default() },
                7,
                &users,
                products.collect(),
            );
            world.left = vec![0; 5];
        },
        "V1 V3",
    ),
    ("stock was negative for a moment", |world| world.negative.push((2, -1)), "V2"),
    ("stock ends negative", |world| world.left[0] = -1, "V1 V2"),
    (
        "an order that no client sent",
        |world| {
            world.stored.push(wire::Order {
                id: "x".into(),
                user_id: Some("u9".into()),
                ..order(&world.plan, 3, "confirmed")
            });
        },
        "V5",
    ),
    (
        "an order that no client sent, of a user of ours",
        |world| {
            let mut phantom = wire::Order { id: "x".into(), ..order(&world.plan, 3, "confirmed") };
            phantom.items[0].quantity = 999;
            world.stored.push(phantom);
        },
        "V5",
    ),
    (
        "a stored refusal that no client sent",
        |world| world.stored.push(wire::Order { id: "x".into(), ..order(&world.plan, 3, "rejected") }),
        "V5",
    ),
    (
        "two orders for one key",
        |world| world.stored.push(wire::Order { id: "x".into(), ..order(&world.plan, 3, "confirmed") }),
        "V6",
    ),
    ("a key sent again gives another order", |world| world.differing.add(Witness::default), "V6"),
    (
        "two keys give one order",
        |world| {
            world.told[8] = world.told[7].clone();
            world.stored.remove(8);
            world.take(8, -1);
        },
        "V6",
    ),
    ("a stored order has lost a line's unit", |world| world.stored[7].items[0].quantity += 1, "V4"),
    ("a stored order has another user", |world| world.stored[7].user_id = Some("u9".into()), "V4"),
    (
        "an acknowledged order was refused after all",
        |world| world.stored[7].status = Some("rejected".into()),
        "V4",
    ),
    (
        "the stored total is not the one acknowledged, nor the sum",
        |world| world.stored[7].total = Some(Amount(1)),
        "V4 V10",
    ),
    (
        "the total is wrong, and was acknowledged so",
        |world| {
            world.stored[7].total = Some(Amount(1));
            world.told[7] = Told::Confirmed { order: OrderRef::from("o7"), total: Some(1) };
        },
        "V10",
    ),
    ("an unknown outcome was applied", |world| world.resolve(7, World::stands(7)), ""),
    (
        "an unknown outcome was not applied",
        |world| {
            world.resolve(7, Resolution::Refused(Refusal::Other));
            world.stored.remove(7);
            world.take(7, -1);
        },
        "",
    ),
    (
        "an unknown outcome took stock and left no order",
        |world| {
            world.resolve(7, World::stands(7));
            world.stored.remove(7);
        },
        "V7",
    ),
    (
        "an unknown outcome was applied in part",
        |world| {
            world.resolve(7, World::stands(7));
            world.stored[7].items[0].quantity += 1;
        },
        "V7",
    ),
    ("an outcome stays unknown", |world| world.resolve(7, Resolution::Open("503".into())), "V7"),
    (
        "a refused order is stored and took stock",
        |world| world.told[7] = Told::Refused(Refusal::Other),
        "V1 V8",
    ),
    (
        "a refused order is stored",
        |world| {
            world.told[7] = Told::Refused(Refusal::Other);
            world.take(7, -1);
        },
        "V8",
    ),
    (
        "a refused order took stock",
        |world| {
            world.told[7] = Told::Refused(Refusal::Other);
            world.stored.remove(7);
        },
        "V1",
    ),
    (
        "out of stock with stock left",
        |world| {
            world.told[7] = Told::Refused(Refusal::OutOfStock);
            world.stored[7].status = Some("rejected".into());
            world.take(7, -1);
        },
        "V9",
    ),
    ("an order was cancelled", |world| world.cancel(7, Told::Done), ""),
    (
        "an order was cancelled and kept its units",
        |world| {
            world.cancel(7, Told::Done);
            world.take(7, 1);
        },
        "V1",
    ),
    (
        "an order was cancelled and gave its units back twice",
        |world| {
            world.cancel(7, Told::Done);
            world.take(7, -1);
        },
        "V1",
    ),
    ("an order was cancelled and stands", |world| world.cancels.push((7, Told::Done)), "V1 V4"),
    ("cancelling was refused and done", |world| world.cancel(7, Told::Refused(Refusal::Other)), "V1 V4"),
    ("cancelling was refused", |world| world.cancels.push((7, Told::Refused(Refusal::Other))), ""),
    ("the outcome of a cancel is unknown, and it was done", |world| world.cancel(7, Told::Unknown), ""),
    (
        "the outcome of a cancel is unknown, and it was not done",
        |world| world.cancels.push((7, Told::Unknown)),
        "",
    ),
    (
        "the outcome of a cancel is unknown, and it gave units back and left the order",
        |world| {
            world.cancels.push((7, Told::Unknown));
            world.take(7, -1);
        },
        "V1",
    ),
    (
        "an order was cancelled that no client cancelled",
        |world| {
            world.cancel(7, Told::Done);
            world.cancels.clear();
        },
        "V1 V4",
    ),
    ("units were added", |world| world.restock(5, Told::Done), ""),
    ("it is unknown whether units were added", |world| world.restock(5, Told::Unknown), ""),
    (
        "units that were added are not there",
        |world| {
            world.restock(5, Told::Done);
            world.left[0] -= 5;
        },
        "V1",
    ),
    ("added units were lost, in the accounts as well", |world| world.restocks.push((0, 5, Told::Done)), "V1"),
    ("units were added that no client sent", |world| world.restock(5, Told::Refused(Refusal::Other)), "V1"),
    ("an order was sent twice", |world| world.again.push((7, world.told[7].clone())), ""),
    (
        "an order was sent twice, the first answer was lost",
        |world| {
            world.again.push((7, world.told[7].clone()));
            world.told[7] = Told::Unknown;
        },
        "",
    ),
    (
        "an order sent twice became two",
        |world| {
            let order = OrderRef::from("x");
            world.again.push((7, Told::Confirmed { order, total: None }));
            world.stored.push(wire::Order { id: "x".into(), ..order_again(world) });
            world.take(7, 1);
        },
        "V1 V6",
    ),
    (
        "an order sent twice was taken and refused",
        |world| world.again.push((7, Told::Refused(Refusal::OutOfStock))),
        "V6",
    ),
    (
        "an order sent twice was too much for now",
        |world| world.again.push((7, Told::Refused(Refusal::NotNow))),
        "",
    ),
    (
        "bad orders were refused and the refusals stored",
        |world| {
            world.bad = 1;
            world.stored.push(wire::Order { id: "x".into(), ..order(&world.plan, 3, "rejected") });
        },
        "",
    ),
];

fn order_again(world: &World) -> wire::Order {
    order(&world.plan, 7, "confirmed")
}
