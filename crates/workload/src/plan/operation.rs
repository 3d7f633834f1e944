//! What the n-th request does: a pure function of the seed and its number, so that a run with a mix can be
//! repeated and checked as well.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

use crate::endpoint::Endpoint;
use crate::plan::scramble::scramble;
use crate::plan::{Draft, Plan};

/// How far back a repeated order may lie, in requests.
const FARTHEST_REPEAT: u64 = 1000;
/// How many requests are looked at for an order to repeat.
const MAX_LOOKS: u64 = 64;
/// Units of one restock.
const RESTOCKED: std::ops::RangeInclusive<u32> = 1..=5;
/// Keeps what a request does apart from what its order contains.
const STREAM: u64 = 0x6d69_782d_6469_6365;

/// What a request is planned to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Places the order of its number.
    Order,
    /// Sends the order of this earlier number again, with its key: half of them at once, while the first
    /// may be on its way, half up to `FARTHEST_REPEAT` requests later.
    Repeat(u64),
    /// Sends an order with this fault.
    Bad(Fault),
    /// Reads the product at this place.
    Read(u32),
    /// Reads an order that was acknowledged a short while ago. Which one depends on the answers so far.
    Track,
    /// Cancels such an order.
    Cancel,
    /// Adds so many units to the product at this place.
    Restock(u32, u32),
    /// Asks the order service whether it lives.
    Live,
}

/// What is wrong with an order that has to be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Its user does not exist.
    UnknownUser,
    /// Its first product does not exist.
    UnknownProduct,
    /// It has no lines.
    NoLines,
    /// A line of no units.
    NoUnits,
    /// Not even JSON.
    NotJson,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 5] =
        [Self::UnknownUser, Self::UnknownProduct, Self::NoLines, Self::NoUnits, Self::NotJson];

    /// The status it has to be answered with.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::UnknownUser | Self::UnknownProduct => 422,
            Self::NoLines | Self::NoUnits | Self::NotJson => 400,
        }
    }
}

impl Plan {
    /// What request `number` does.
    #[must_use]
    pub fn operation(&self, number: u64) -> Operation {
        let Some((endpoint, mut random)) = self.endpoint(number) else { return Operation::Order };
        match endpoint {
            Endpoint::Order => Operation::Order,
            Endpoint::Repeat => {
                let back = if random.random() { 1 } else { random.random_range(1..=FARTHEST_REPEAT) };
                self.order_before(number, back).map_or(Operation::Order, Operation::Repeat)
            }
            Endpoint::Bad => Operation::Bad(Fault::ALL[random.random_range(0..Fault::ALL.len())]),
            Endpoint::Read => Operation::Read(self.demand().draw(&mut random)),
            Endpoint::Track => Operation::Track,
            Endpoint::Cancel => Operation::Cancel,
            Endpoint::Restock => {
                Operation::Restock(self.demand().draw(&mut random), random.random_range(RESTOCKED))
            }
            Endpoint::Live => Operation::Live,
        }
    }

    /// What the mix says, and the dice for the rest; `None` where all are orders.
    fn endpoint(&self, number: u64) -> Option<(Endpoint, Xoshiro256PlusPlus)> {
        let mix = self.mix();
        if mix.is_orders_alone() {
            return None;
        }
        let mut random = Xoshiro256PlusPlus::seed_from_u64(scramble(self.seed() ^ STREAM) ^ number);
        Some((mix.draw(&mut random), random))
    }

    /// The last order at least `back` requests before `number`, if one is near.
    fn order_before(&self, number: u64, back: u64) -> Option<u64> {
        let candidates = (0..MAX_LOOKS).map_while(|step| number.checked_sub(back + step));
        candidates
            .into_iter()
            .find(|earlier| self.endpoint(*earlier).is_none_or(|(endpoint, _)| endpoint == Endpoint::Order))
    }

    /// Appends the body of an order with a fault.
    pub fn render_bad(&self, fault: Fault, draft: &Draft, body: &mut Vec<u8>) {
        let user = match fault {
            Fault::UnknownUser => "\"no-such-user\"",
            _ => self.user_json(draft.user),
        };
        let (product, quantity) = draft.lines.first().map_or((0, 1), |line| (line.product, line.quantity));
        let product = match fault {
            Fault::UnknownProduct => "\"no-such-product\"",
            _ => self.product_json(product),
        };
        body.extend_from_slice(b"{\"userId\":");
        body.extend_from_slice(user.as_bytes());
        body.extend_from_slice(b",\"items\":[");
        if fault != Fault::NoLines {
            body.extend_from_slice(b"{\"productId\":");
            body.extend_from_slice(product.as_bytes());
            body.extend_from_slice(b",\"quantity\":");
            let quantity = if fault == Fault::NoUnits { 0 } else { quantity };
            body.extend_from_slice(itoa::Buffer::new().format(quantity).as_bytes());
            body.push(b'}');
        }
        body.extend_from_slice(if fault == Fault::NotJson { b"]" } else { b"]}" });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::plan::{Product, Shape};

    fn plan(seed: u64, mix: &str) -> Plan {
        let products = (0..5).map(|n| Product::new(&format!("p{n}"), 100, 10)).collect();
        let shape = Shape { seed, mix: mix.parse().expect(mix), ..Shape::default() };
        Plan::new(shape, 1, &["u\"0".to_owned()], products)
    }

    const ALL: &str = "order:50,repeat:20,bad:10,read:5,track:5,cancel:5,restock:5";

    #[test]
    fn the_seed_decides_what_each_request_does() {
        let operations = |seed| (0..500).map(|n| plan(seed, ALL).operation(n)).collect::<Vec<_>>();
        assert_eq!(operations(1), operations(1));
        assert_ne!(operations(1), operations(2));
        assert!((0..500).all(|n| plan(1, "order:1").operation(n) == Operation::Order));
    }

    #[test]
    fn what_is_repeated_is_an_order_sent_before_near_or_far() {
        let plan = plan(1, ALL);
        let mut distances = HashMap::new();
        for number in 0..20_000 {
            if let Operation::Repeat(of) = plan.operation(number) {
                assert!(of < number);
                assert_eq!(plan.operation(of), Operation::Order, "{number} repeats {of}");
                *distances.entry(if number - of < 10 { "near" } else { "far" }).or_insert(0) += 1;
            }
        }
        assert!(distances["near"] > 1500 && distances["far"] > 1500, "{distances:?}");
    }

    #[test]
    fn content_does_not_depend_on_the_mix() {
        let (mixed, pure) = (plan(1, ALL), plan(1, "order:1"));
        let (mut one, mut other) = (Draft::default(), Draft::default());
        for number in 0..100 {
            mixed.draft(number, &mut one);
            pure.draft(number, &mut other);
            assert_eq!(one, other);
        }
    }

    #[test]
    fn each_fault_spoils_one_thing() {
        let plan = plan(1, ALL);
        let mut draft = Draft::default();
        plan.draft(3, &mut draft);
        let body = |fault| {
            let mut body = Vec::new();
            plan.render_bad(fault, &draft, &mut body);
            serde_json::from_slice::<serde_json::Value>(&body).ok()
        };
        let (user, product) = ("u\"0", plan.products()[draft.lines[0].product as usize].id.to_string());
        let expected = |user: &str, items| Some(serde_json::json!({"userId": user, "items": items}));
        let line =
            |product: &str, quantity: u32| serde_json::json!([{"productId": product, "quantity": quantity}]);
        assert_eq!(body(Fault::UnknownUser), expected("no-such-user", line(&product, 1)));
        assert_eq!(body(Fault::UnknownProduct), expected(user, line("no-such-product", 1)));
        assert_eq!(body(Fault::NoLines), expected(user, serde_json::json!([])));
        assert_eq!(body(Fault::NoUnits), expected(user, line(&product, 0)));
        assert_eq!(body(Fault::NotJson), None);
    }

    #[test]
    fn operations_have_their_shares_and_each_seed_its_own() {
        let plan_of = |seed| plan(seed, ALL);
        let sequences = (0..16).map(|seed| {
            let plan = plan_of(seed);
            (0..200).map(|number| format!("{:?}", plan.operation(number))).collect::<Vec<_>>()
        });
        assert_eq!(sequences.collect::<std::collections::HashSet<_>>().len(), 16);
        let plan = plan_of(1);
        let share = |is: fn(&Operation) -> bool| {
            let found = (0..20_000).filter(|number| is(&plan.operation(*number))).count();
            found / 200
        };
        assert!((48..=53).contains(&share(|operation| *operation == Operation::Order)));
        assert!((18..=21).contains(&share(|operation| matches!(operation, Operation::Repeat(_)))));
        assert!((9..=11).contains(&share(|operation| matches!(operation, Operation::Bad(_)))));
    }

    #[test]
    fn an_order_is_looked_for_from_so_far_back_on() {
        let plan = plan(1, "order:1,repeat:9");
        let is_order = |number: &u64| plan.endpoint(*number).is_some_and(|(what, _)| what == Endpoint::Order);
        for (number, back) in [(500, 1), (500, 7), (501, 100), (70, 70)] {
            let before = (0..=number - back).rev().take(64).find(is_order);
            assert_eq!(plan.order_before(number, back), before, "{back} before {number}");
        }
        assert_eq!(plan.order_before(5, 6), None);
    }

    #[test]
    fn a_fault_is_answered_by_what_is_wrong() {
        assert_eq!(Fault::ALL.map(Fault::status), [422, 422, 400, 400, 400]);
    }
}
