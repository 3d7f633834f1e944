//! What can go wrong with a system, one thing at a time.

use super::super::claims::Resolution;
use super::super::finding::Witness;
use super::super::wire::{self, Amount};
use super::{World, order};
use crate::load::ledger::{OrderRef, Refusal, Told};
use crate::load::plan::{Plan, Product, Shape};
use crate::load::profile::Span;

/// What goes wrong, how, and which checks must fail.
pub(super) type Defect = (&'static str, fn(&mut World), &'static str);

pub(super) const DEFECTS: &[Defect] = &[
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
            let span = Span::new(1, 3).expect("a range");
            world.plan =
                Plan::new(Shape { seed: 1, lines: span, quantity: span }, 7, &users, products.collect());
            world.left = vec![0; 5];
        },
        "V1 V3",
    ),
    ("stock was negative for a moment", |world| world.negative.push((2, -1)), "V2"),
    ("stock ends negative", |world| world.left[0] = -1, "V1 V2"),
    (
        "an order nobody sent",
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
        "an order nobody sent, of a user of ours",
        |world| {
            let mut phantom = wire::Order { id: "x".into(), ..order(&world.plan, 3, "confirmed") };
            phantom.items[0].quantity = 999;
            world.stored.push(phantom);
        },
        "V5",
    ),
    (
        "a stored refusal nobody sent",
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
];
