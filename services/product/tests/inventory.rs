//! The inventory against a model of it that is too simple to be wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use ordersys_contract::reservation::{Action, Answer, Line, Operation, ReservationState as State};
use ordersys_contract::{Currency, Id, Money, OrderId, ProductId, Quantity, RequestId};
use ordersys_product::domain::inventory::{Change, Inventory, Item, Stored};
use ordersys_product::domain::stock::Stock;
use ordersys_product::domain::transition::Event;
use proptest::prelude::*;

/// Three products there are; the last one is priced in another currency.
const PRODUCTS: u8 = 3;
const EUROS: u8 = 2;
const STOCK: u64 = 6;
/// Time left for a reserve, in milliseconds.
const LEFT: u64 = 1_000;

/// Product and units of each line.
type Lines = Vec<(u8, u64)>;

/// One thing that happens.
#[derive(Debug, Clone)]
enum Happening {
    Reserve { order: u8, lines: Lines, commit: bool, waited: u64 },
    Confirm(u8),
    Cancel(u8),
    Release(u8),
    LeaseEnd(u8),
    Restock(u8, u64),
    GiveBack { order: u8, product: u8, units: u32 },
}

/// What came of it, as far as both models tell it the same way.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Stands(State),
    Late,
    UnknownProducts(Vec<u8>),
    MixedCurrencies,
    Mismatch,
    Illegal(State),
    NotFound,
    Restocked,
    GivenBack(Option<u64>),
}

fn happening() -> impl Strategy<Value = Happening> {
    let order = || 0..5_u8;
    let lines = prop::collection::vec((prop_oneof![9 => 0..PRODUCTS, 1 => Just(PRODUCTS)], 1..4_u64), 1..4);
    let dollars = prop::collection::vec((0..EUROS, 1..4_u64), 1..4);
    let waited = prop_oneof![9 => Just(LEFT - 1), 1 => Just(LEFT)];
    let reserve = (order(), prop_oneof![1 => lines, 3 => dollars], any::<bool>(), waited);
    prop_oneof![
        4 => reserve.prop_map(|(order, lines, commit, waited)| Happening::Reserve { order, lines, commit, waited }),
        1 => order().prop_map(Happening::Confirm),
        1 => order().prop_map(Happening::Cancel),
        1 => order().prop_map(Happening::Release),
        1 => order().prop_map(Happening::LeaseEnd),
        1 => (0..PRODUCTS, 1..4_u64).prop_map(|(product, units)| Happening::Restock(product, units)),
        1 => (order(), 0..PRODUCTS, 1..4_u32)
            .prop_map(|(order, product, units)| Happening::GiveBack { order, product, units }),
    ]
}

/// The reference: units on the shelf, and what each order asked for.
#[derive(Default)]
struct Shop {
    shelf: [u64; PRODUCTS as usize],
    known: BTreeMap<u8, (State, Lines)>,
}

impl Shop {
    fn after(&mut self, happening: &Happening) -> Outcome {
        match happening {
            Happening::Reserve { order, lines, commit, waited } => {
                let taken = if *commit { State::Committed } else { State::Held };
                self.reserve(*order, lines, taken, *waited)
            }
            Happening::Confirm(order) => self.turn(*order, &[State::Held], State::Committed),
            Happening::Cancel(order) if !self.known.contains_key(order) => {
                self.known.insert(*order, (State::Cancelled, Vec::new()));
                Outcome::Stands(State::Cancelled)
            }
            Happening::Cancel(order) => self.turn(*order, &[State::Held], State::Cancelled),
            Happening::Release(order) => self.turn(*order, &[State::Committed], State::Released),
            Happening::LeaseEnd(order) => self.turn(*order, &[State::Held], State::Expired),
            Happening::Restock(product, units) => {
                self.shelf[usize::from(*product)] += units;
                Outcome::Restocked
            }
            Happening::GiveBack { order, product, units } => {
                Outcome::GivenBack(self.give_back(*order, *product, u64::from(*units)))
            }
        }
    }

    fn reserve(&mut self, order: u8, lines: &Lines, taken: State, waited: u64) -> Outcome {
        if let Some((state, before)) = self.known.get(&order) {
            let same = before.is_empty() || before == lines;
            return if same { Outcome::Stands(*state) } else { Outcome::Mismatch };
        }
        if waited >= LEFT {
            return Outcome::Late;
        }
        let unknown: Vec<_> =
            lines.iter().map(|line| line.0).filter(|product| *product >= PRODUCTS).collect();
        if !unknown.is_empty() {
            return Outcome::UnknownProducts(unknown);
        }
        let euros = lines.iter().filter(|line| line.0 == EUROS).count();
        if euros != 0 && euros != lines.len() {
            return Outcome::MixedCurrencies;
        }
        let wanted = |product| lines.iter().filter(|line| line.0 == product).map(|line| line.1).sum::<u64>();
        let enough = (0..PRODUCTS).all(|product| wanted(product) <= self.shelf[usize::from(product)]);
        let state = if enough { taken } else { State::Rejected };
        if enough {
            for (product, units) in lines {
                self.shelf[usize::from(*product)] -= units;
            }
        }
        self.known.insert(order, (state, lines.clone()));
        Outcome::Stands(state)
    }

    /// Only out of `from`; in `to` already, or over for good without a sale, nothing changes.
    fn turn(&mut self, order: u8, from: &[State], to: State) -> Outcome {
        let Some((state, lines)) = self.known.get_mut(&order) else { return Outcome::NotFound };
        if from.contains(state) {
            *state = to;
            if to != State::Committed {
                for (product, units) in lines.iter() {
                    self.shelf[usize::from(*product)] += units;
                }
            }
        } else {
            let ended = !matches!(state, State::Held | State::Committed);
            let fine = match to {
                State::Cancelled => ended,
                State::Expired => true,
                _ => *state == to,
            };
            if !fine {
                return Outcome::Illegal(*state);
            }
        }
        Outcome::Stands(*state)
    }

    fn give_back(&mut self, order: u8, product: u8, units: u64) -> Option<u64> {
        let (State::Held, lines) = self.known.get_mut(&order)? else { return None };
        let [(held, left)] = lines.as_mut_slice() else { return None };
        if *held != product || *left < units {
            return None;
        }
        if *left == units {
            self.turn(order, &[State::Held], State::Cancelled);
        } else {
            *left -= units;
            self.shelf[usize::from(product)] += units;
        }
        Some(self.shelf[usize::from(product)])
    }
}

/// The rows of the store: gathered for each operation and written back after it.
struct Rows {
    items: BTreeMap<ProductId, Item>,
    reservations: BTreeMap<OrderId, Stored>,
}

fn id<K>(number: u8) -> Id<K> {
    Id::from_bytes([number; 16])
}

fn lines_of(lines: &Lines) -> Vec<Line> {
    let line = |(product, units): &(u8, u64)| {
        let quantity = Quantity::new(*units).expect("a few units");
        Line { product_id: id(*product), quantity }
    };
    lines.iter().map(line).collect()
}

impl Rows {
    fn new() -> Self {
        let item = |number: u8| Item {
            name: format!("product {number}"),
            price: Money::from_minor(100).expect("not negative"),
            currency: if number == EUROS { "EUR".parse().expect("a code") } else { Currency::USD },
            stock: Stock::new(STOCK),
        };
        let items = (0..PRODUCTS).map(|number| (id(number), item(number))).collect();
        Self { items, reservations: BTreeMap::new() }
    }

    fn after(&mut self, happening: &Happening) -> Outcome {
        if let Happening::Restock(product, units) = happening {
            let item = self.items.get_mut(&id(*product)).expect("known");
            item.stock = item.stock.restocked_by(*units).expect("few");
            return Outcome::Restocked;
        }
        let mut inventory = Inventory::default();
        self.items.iter().for_each(|(id, item)| inventory.add_item(*id, item.clone()));
        self.reservations.iter().for_each(|(id, stored)| inventory.add_reservation(*id, stored.clone()));
        let outcome = decide(&mut inventory, happening);
        for (id, item) in inventory.changed_items() {
            self.items.insert(*id, item.clone());
        }
        for (id, stored, change) in inventory.changed_reservations() {
            let before = self.reservations.insert(*id, stored.clone());
            assert_eq!(before.is_none(), change == Change::Inserted, "{id} is {change:?}");
        }
        outcome
    }

    /// Units of a product in reservations of this state.
    fn bound(&self, product: ProductId, state: State) -> u64 {
        let stored = self.reservations.values().filter(|stored| stored.state == state);
        let lines = stored.flat_map(|stored| &stored.lines).filter(|line| line.product_id == product);
        lines.map(|line| u64::from(line.quantity.get())).sum()
    }
}

fn decide(inventory: &mut Inventory, happening: &Happening) -> Outcome {
    let mut apply = |order: u8, action, waited| {
        let waited = Duration::from_millis(waited);
        let request_id = RequestId::parse("test").expect("of the form");
        outcome(
            inventory
                .apply(&Operation { order_id: id(order), request_id, trace_parent: None, action }, waited),
        )
    };
    match happening {
        Happening::Reserve { order, lines, commit, waited } => {
            let lines = lines_of(lines);
            let action = Action::Reserve { lines, commit: *commit, lease_ms: 5_000, time_left_ms: LEFT };
            apply(*order, action, *waited)
        }
        Happening::Confirm(order) => apply(*order, Action::Confirm, LEFT),
        Happening::Cancel(order) => apply(*order, Action::Cancel, LEFT),
        Happening::Release(order) => apply(*order, Action::Release, LEFT),
        Happening::LeaseEnd(order) => outcome(inventory.advance(id(*order), Event::LeaseEnd)),
        Happening::GiveBack { order, product, units } => {
            let stock = inventory.give_back(id(*order), id(*product), *units);
            Outcome::GivenBack(stock.map(|stock| stock.available))
        }
        Happening::Restock(..) => Outcome::Restocked,
    }
}

fn outcome(answer: Answer) -> Outcome {
    match answer {
        Answer::Stands(reservation) => Outcome::Stands(reservation.state),
        Answer::Late => Outcome::Late,
        Answer::UnknownProducts(ids) => {
            Outcome::UnknownProducts(ids.iter().map(|id| id.as_bytes()[0]).collect())
        }
        Answer::MixedCurrencies => Outcome::MixedCurrencies,
        Answer::Mismatch => Outcome::Mismatch,
        Answer::Illegal(state) => Outcome::Illegal(state),
        Answer::NotFound => Outcome::NotFound,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_answers_and_counts_as_the_reference_does(
        happenings in prop::collection::vec(happening(), 1..40),
    ) {
        let mut shop = Shop { shelf: [STOCK; PRODUCTS as usize], ..Shop::default() };
        let mut rows = Rows::new();
        for (number, happening) in happenings.iter().enumerate() {
            let (expected, got) = (shop.after(happening), rows.after(happening));
            prop_assert_eq!(got, expected, "step {} of {:?}", number, happenings);
            for (product, shelf) in (0..PRODUCTS).map(id).zip(shop.shelf) {
                let stock = rows.items[&product].stock;
                let all = stock.available + stock.reserved + stock.sold;
                prop_assert_eq!(stock.available, shelf, "shelf after step {}", number);
                prop_assert_eq!(stock.initial + stock.restocked, all, "I1 after step {}", number);
                prop_assert_eq!(stock.reserved, rows.bound(product, State::Held), "I2 after step {}", number);
                prop_assert_eq!(stock.sold, rows.bound(product, State::Committed), "I2 after step {}", number);
            }
        }
    }
}
