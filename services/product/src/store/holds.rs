//! Holds of single products, as the article's order service asks for them: decided on the rows that were gathered.

use std::time::Duration;

use ordersys_contract::reservation::{Action, Answer, Line, Operation, ReservationState};
use ordersys_contract::{OrderId, ProductId, Quantity, RequestId};
use ordersys_store::answers::CommandId;

use crate::domain::inventory::Inventory;
use crate::domain::transition::Event;

/// How a single-product hold or its giving back ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HoldOutcome {
    /// Done; the units that are available then.
    Done { available: u64 },
    /// The reservation stands otherwise.
    Answer(Answer),
    /// Not that many units are held that way.
    NothingHeld,
    /// There is no such product.
    NotFound,
}

/// Units of a product that are given back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) command: CommandId,
    pub(crate) quantity: Quantity,
    /// The hold they are of; the oldest ones unless it is named.
    pub(crate) of: Option<OrderId>,
}

/// Holds units of a product, which was gathered with the reservation of this id, as far as they exist.
pub(super) fn hold(inventory: &mut Inventory, id: OrderId, line: Line) -> HoldOutcome {
    let product = line.product_id;
    if inventory.item(product).is_none() {
        return HoldOutcome::NotFound;
    }
    let answer = if inventory.reservation(id).is_some() {
        let action = Action::Reserve { lines: vec![line], commit: false, lease_ms: 0, time_left_ms: 0 };
        let request_id = RequestId::random();
        let operation = Operation { order_id: id, request_id, trace_parent: None, action };
        inventory.apply(&operation, Duration::ZERO)
    } else {
        inventory.reserve(id, &[line], Event::Hold, None)
    };
    match answer {
        Answer::Stands(ref stands) if stands.state == ReservationState::Held => {
            let available = inventory.item(product).map_or(0, |item| item.stock.available);
            HoldOutcome::Done { available }
        }
        other => HoldOutcome::Answer(other),
    }
}

/// Gives units of a product back out of these holds, which were gathered with it: all units or none.
pub(super) fn give_back(
    inventory: &mut Inventory,
    product: ProductId,
    quantity: Quantity,
    holds: &[OrderId],
) -> HoldOutcome {
    if inventory.item(product).is_none() {
        return HoldOutcome::NotFound;
    }
    let mut wanted = quantity.get();
    for hold in holds {
        let held = held_units(inventory, *hold, product).min(wanted);
        if held > 0 && inventory.give_back(*hold, product, held).is_some() {
            wanted -= held;
        }
    }
    match inventory.item(product) {
        Some(item) if wanted == 0 => HoldOutcome::Done { available: item.stock.available },
        _ => HoldOutcome::NothingHeld,
    }
}

fn held_units(inventory: &Inventory, id: OrderId, product: ProductId) -> u32 {
    let held = inventory.reservation(id).filter(|stored| stored.state == ReservationState::Held);
    match held.map(|stored| stored.lines.as_slice()) {
        Some([line]) if line.product_id == product => line.quantity.get(),
        _ => 0,
    }
}
