//! The reservation protocol, every reachable state of it: nothing oversold, nothing lost, nothing
//! stuck; and each of its rules is needed.

mod driver;
mod inventory;
mod protocol;
mod purchase;

use std::collections::{HashMap, HashSet};

use ordersys_contract::order::OrderState as Order;
use ordersys_contract::reservation::ReservationState as Reservation;
use ordersys_order::domain::lifecycle;
use ordersys_product::domain::stock::Place;
use ordersys_product::domain::transition;
use ordersys_testkit::busy_blocking;
use stateright::{Checker, HasDiscoveries, Model, Property};

use protocol::{Commits, Crashing, Driving, Forgetting, Happening, Protocol, Rule, State, Taking};

const TWO_CALLS: Protocol = Protocol {
    taking: Taking::HoldThenConfirm,
    forgetting: Forgetting::Never,
    crashing: Crashing::Never,
    driving: Driving::Alone,
    commits: Commits::Known,
    without: None,
};
const ONE_CALL: Protocol = Protocol { taking: Taking::AtOnce, ..TWO_CALLS };
const A_CRASH: Protocol = Protocol { crashing: Crashing::Once, ..ONE_CALL };
const LOST_COMMITS: Protocol = Protocol { commits: Commits::Lost, ..ONE_CALL };
const REPLICAS: Protocol = Protocol { driving: Driving::ByTwo, ..LOST_COMMITS };

/// Each with its number of states.
const PROTOCOLS: [(Protocol, usize); 5] =
    [(TWO_CALLS, 38_558), (ONE_CALL, 8_254), (A_CRASH, 103_552), (LOST_COMMITS, 18_926), (REPLICAS, 54_053)];

const I1: &str = "I1: available, reserved and sold make up all units, none below zero";
const I3: &str = "I3: a confirmed order has a committed reservation";
const I4: &str = "I4: an order that failed for good holds nothing";

fn properties() -> Vec<Property<Protocol>> {
    vec![
        Property::always(I1, |_, state: &State| {
            let places = state.purchases.map(|purchase| Place::of(purchase.reservation));
            let bound: i8 = places.map(|place| i8::from(place != Place::Available)).iter().sum();
            let bound = bound + i8::from(state.rival);
            state.available >= 0 && state.available + bound == 1 + i8::from(state.restocked)
        }),
        Property::always(I3, |protocol: &Protocol, state: &State| {
            // An order that decides by itself confirms while HELD by design; that is not its flaw.
            let too_early = protocol.without == Some(Rule::ProductDecides);
            state.purchases.iter().filter(|purchase| purchase.order == Some(Order::Confirmed)).all(
                |purchase| {
                    let held = purchase.reservation == Some(Reservation::Held);
                    purchase.reservation == Some(Reservation::Committed) || too_early && held
                },
            )
        }),
        Property::always(I4, |_, state: &State| {
            state.purchases.iter().all(|purchase| {
                let failed = purchase.order.is_some_and(has_failed);
                // Stock is only ever taken for an order that was stored before.
                let allowed = purchase.order.is_some() && !failed;
                allowed || !purchase.reservation.is_some_and(Reservation::holds_stock)
            })
        }),
    ]
}

fn has_failed(order: Order) -> bool {
    matches!(order, Order::Rejected | Order::Expired | Order::Aborted | Order::Cancelled)
}

/// Every order is decided, the unit of each is where its outcome says.
fn is_at_rest(state: &State) -> bool {
    state.purchases.iter().all(|purchase| {
        let sold = purchase.reservation == Some(Reservation::Committed);
        let decided = match purchase.order {
            None => true,
            Some(Order::Confirmed) => sold,
            Some(order) => has_failed(order) && !sold,
        };
        decided && purchase.reservation != Some(Reservation::Held)
    })
}

/// Every reachable state, how each was first reached, and the ways between them.
struct Graph {
    states: Vec<State>,
    came_from: Vec<Option<(usize, Happening)>>,
    ways: Vec<(usize, usize)>,
}

impl Graph {
    fn of(protocol: Protocol) -> Self {
        Self::until(protocol, |_| false)
    }

    /// The same, breadth first, no further than to the first state that is `wanted`.
    fn until(protocol: Protocol, wanted: impl Fn(&State) -> bool) -> Self {
        let states = protocol.init_states();
        let mut found: HashMap<State, usize> = states.iter().copied().zip(0..).collect();
        let mut graph = Self { came_from: vec![None; states.len()], states, ways: Vec::new() };
        let mut at = 0;
        while let Some(state) = graph.states.get(at).copied().filter(|state| !wanted(state)) {
            for (happening, next) in protocol.next_steps(&state) {
                let number = *found.entry(next).or_insert_with(|| {
                    graph.states.push(next);
                    graph.came_from.push(Some((at, happening)));
                    graph.states.len() - 1
                });
                graph.ways.push((at, number));
            }
            at += 1;
        }
        graph
    }

    /// How `state` is reached.
    fn path_to(&self, mut state: usize) -> Vec<String> {
        let mut path = Vec::new();
        while let Some((before, happening)) = self.came_from[state] {
            path.push(format!("{happening:?}"));
            state = before;
        }
        path.reverse();
        path
    }

    /// A state from which no state at rest can be reached.
    fn stuck(&self) -> Option<usize> {
        let mut before = vec![Vec::new(); self.states.len()];
        for (from, to) in &self.ways {
            before[*to].push(*from);
        }
        let mut gets_there: Vec<_> = self.states.iter().map(is_at_rest).collect();
        let mut open: Vec<_> = (0..gets_there.len()).filter(|number| gets_there[*number]).collect();
        while let Some(number) = open.pop() {
            for earlier in &before[number] {
                if !std::mem::replace(&mut gets_there[*earlier], true) {
                    open.push(*earlier);
                }
            }
        }
        gets_there.iter().position(|gets_there| !gets_there)
    }
}

/// The shortest way to break a promise; the checker's own example need not be the shortest.
fn shortest(protocol: Protocol, promise: &'static str) -> Vec<String> {
    let keeps = protocol.property(promise).condition;
    let breaks = |state: &State| !keeps(&protocol, state);
    let graph = Graph::until(protocol, breaks);
    let first = graph.states.iter().position(breaks).expect("the promise is broken");
    graph.path_to(first)
}

#[test]
fn the_protocol_keeps_its_promises_in_every_reachable_state() {
    let _turn = busy_blocking();
    for (protocol, states) in PROTOCOLS {
        let checker = protocol.checker().spawn_bfs().join();
        if let Some(promise) = checker.discoveries().into_keys().next() {
            panic!("{protocol:?} breaks `{promise}` by {}", shortest(protocol, promise).join(" -> "));
        }
        let graph = Graph::of(protocol);
        assert_eq!(checker.unique_state_count(), graph.states.len(), "{protocol:?}");
        if let Some(stuck) = graph.stuck() {
            let path = graph.path_to(stuck).join(" -> ");
            panic!("{protocol:?} gets stuck after {path}: {:?}", graph.states[stuck]);
        }
        assert_eq!(
            graph.states.len(),
            states,
            "as many as before, and those of one driver as an independent model"
        );
    }
}

#[test]
fn each_rule_is_needed() {
    let without = |rule| Protocol { without: Some(rule), ..TWO_CALLS };
    let freely = Protocol { forgetting: Forgetting::Freely, ..TWO_CALLS };
    for (protocol, broken, steps) in [
        (without(Rule::Tombstone), I4, 8),
        (Protocol { without: Some(Rule::Tombstone), ..A_CRASH }, I4, 8),
        (without(Rule::StickyRejection), I4, 9),
        (without(Rule::ProductDecides), I3, 5),
        (without(Rule::ProofBeforeEnd), I4, 5),
        (without(Rule::LateProvesNothing), I4, 5),
        (freely, I4, 8),
        (Protocol { without: Some(Rule::Tombstone), ..REPLICAS }, I4, 8),
        (Protocol { without: Some(Rule::VersionDecides), ..REPLICAS }, I3, 8),
        (Protocol { without: Some(Rule::VersionDecides), commits: Commits::Known, ..REPLICAS }, I3, 11),
        (Protocol { without: Some(Rule::RestockOnce), ..LOST_COMMITS }, I1, 2),
    ] {
        let checker = protocol.checker().finish_when(HasDiscoveries::Any).spawn_bfs().join();
        assert!(checker.discovery(broken).is_some(), "{protocol:?} keeps {broken}");
        let path = shortest(protocol, broken);
        assert_eq!(path.len(), steps, "{protocol:?} breaks {broken} by {}", path.join(" -> "));
    }
}

/// Else the request that cancels finds the order cancelled, as if by another, and no driver gives the stock back.
#[test]
fn a_step_that_runs_again_has_to_find_that_it_was_taken() {
    let graph = Graph::of(Protocol { without: Some(Rule::OwnStepIsKnown), ..LOST_COMMITS });
    let stuck = graph.stuck().expect("gets stuck");
    let (path, orders) = (graph.path_to(stuck), graph.states[stuck].purchases.map(|purchase| purchase.order));
    assert!(orders.contains(&Some(Order::Cancelling)), "{orders:?} after {}", path.join(" -> "));
    assert_eq!(path.len(), 5, "{}", path.join(" -> "));
}

#[test]
fn the_model_goes_every_way_the_services_have() {
    let (mut orders, mut reservations) = (HashSet::new(), HashSet::new());
    for protocol in [TWO_CALLS, ONE_CALL, REPLICAS] {
        let Graph { states, ways, .. } = Graph::of(protocol);
        for (from, to) in ways {
            for (from, to) in states[from].purchases.iter().zip(states[to].purchases) {
                orders.extend(from.order.zip(to.order).filter(|(from, to)| from != to));
                let moved = (from.reservation, to.reservation);
                reservations.extend((moved.0 != moved.1).then_some(moved));
            }
        }
    }
    assert_eq!(reservations, ways_of_reservations());

    let not_modelled = HashSet::from([
        // What follows a confirmed order moves no stock and asks no other service.
        (Order::Confirmed, Order::Paid),
        (Order::Paid, Order::Shipped),
        (Order::Shipped, Order::Delivered),
        // The same as cancelling a confirmed order: the stock is sold either way.
        (Order::Paid, Order::Cancelling),
    ]);
    let there_are = ways_of_orders();
    assert_eq!(orders.difference(&there_are).collect::<Vec<_>>(), Vec::<&(Order, Order)>::new());
    assert_eq!(there_are.difference(&orders).copied().collect::<HashSet<_>>(), not_modelled);
}

fn ways_of_orders() -> HashSet<(Order, Order)> {
    let from = |from| {
        let to = move |event| Some((from, lifecycle::step(from, event)?));
        lifecycle::Event::ALL.into_iter().filter_map(to)
    };
    Order::ALL.into_iter().flat_map(from).collect()
}

fn ways_of_reservations() -> HashSet<(Option<Reservation>, Option<Reservation>)> {
    let mut ways = HashSet::new();
    for from in Reservation::ALL.into_iter().map(Some).chain([None]) {
        for event in transition::Event::ALL {
            if let transition::Step::To(to) = transition::step(from, event) {
                ways.insert((from, Some(to)));
            }
        }
    }
    ways
}
