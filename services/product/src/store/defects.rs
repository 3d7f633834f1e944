//! The mistakes of the product service that tests can switch on; see [`ordersys_store::defect`].

use ordersys_contract::WriteJson;
use ordersys_contract::reservation::{
    Action, Answer, Line, Operation, PricedLine, Reservation, ReservationState, Shortage,
};
use ordersys_store::defect::Defect;
use rusqlite::{Connection, params};

/// What is answered to an operation instead of doing it.
pub(super) fn instead(operation: &Operation) -> Option<Answer> {
    let Action::Reserve { lines, .. } = &operation.action else { return None };
    if !Defect::FalseShortage.strikes() {
        return None;
    }
    let shortage = |line: &Line| Shortage {
        product_id: line.product_id,
        requested: u64::from(line.quantity.get()),
        available: 0,
    };
    let shortages = lines.iter().map(shortage).collect();
    let (order_id, state) = (operation.order_id, ReservationState::Rejected);
    Some(Answer::Stands(Reservation { order_id, state, lines: Vec::new(), shortages }))
}

/// What is done on top of a batch of operations.
pub(super) fn after(connection: &Connection, answers: &mut [Answer]) -> rusqlite::Result<()> {
    for answer in answers {
        let Answer::Stands(reservation) = answer else { continue };
        match reservation.state {
            ReservationState::Committed if Defect::TakenTwice.strikes() => {
                take(connection, &reservation.lines)?;
            }
            ReservationState::Rejected if Defect::BelowZero.strikes() => oversell(connection, reservation)?,
            _ => {}
        }
    }
    Ok(())
}

fn oversell(connection: &Connection, reservation: &mut Reservation) -> rusqlite::Result<()> {
    connection.pragma_update(None, "ignore_check_constraints", true)?;
    take(connection, &reservation.lines)?;
    let update = "UPDATE reservation SET state = 1, lines = ?2, short = NULL WHERE order_id = ?1";
    connection.execute(update, params![reservation.order_id.as_bytes(), reservation.lines.to_json()])?;
    reservation.state = ReservationState::Committed;
    reservation.shortages.clear();
    Ok(())
}

fn take(connection: &Connection, lines: &[PricedLine]) -> rusqlite::Result<()> {
    let update = "UPDATE product SET available = available - ?2, sold = sold + ?2 WHERE id = ?1";
    for line in lines {
        connection.execute(update, params![line.product_id.as_bytes(), line.quantity.get()])?;
    }
    Ok(())
}
